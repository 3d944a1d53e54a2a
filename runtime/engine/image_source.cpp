#include "runtime/engine/image_source.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "images/name.h"

extern char** environ;

namespace trine::runtime::engine {
namespace {

constexpr std::array<std::string_view, 3> kTransports{"oci:", "oci-archive:", "docker-archive:"};
constexpr const char* kImporter = "trine-images";    ///< reads what strangers packed
constexpr const char* kRegistry = "trine-registry";  ///< speaks to registries
constexpr std::string_view kDocker = "docker://";

std::string own_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return whole.substr(0, whole.find_last_of('/'));
}

/// Beside trine in a build tree, else where it is installed.
std::string find_helper(const std::string& name) {
  const std::string own = own_directory();
  for (const std::string& directory : {own, own + "/../libexec/trine"}) {
    const std::string path = directory + "/" + name;
    if (::access(path.c_str(), X_OK) == 0)
      return path;
  }
  throw base::Error("cannot find the program " + name + ", which brings images in", ENOENT,
                    "it belongs beside trine, or in ../libexec/trine");
}

struct Child {
  pid_t pid = -1;
  base::UniqueFd output;
};

Child spawn_helper(const std::vector<std::string>& arguments) {
  const std::vector<char*> argv = base::to_argv(arguments);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    base::throw_errno("cannot make a pipe");
  Child child{.output = base::UniqueFd(ends[0])};
  const base::UniqueFd writer(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  const int error = ::posix_spawn(&child.pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw base::Error(std::string("cannot run ") + argv[0], error);
  return child;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      base::throw_errno("cannot wait for a helper program");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The lines it prints. A helper that fails has said why: its exit code becomes ours.
std::vector<std::string> run_helper(const std::vector<std::string>& arguments) {
  Child child = spawn_helper(arguments);
  const std::string output =
      base::read_all(child.output.get(), "the output of " + arguments.front(), 1 << 20);
  if (const int code = wait_for(child.pid); code != 0)
    ::_exit(code);
  return base::split(output, '\n', base::SplitEmpty::kSkip);
}

std::string without_docker(const std::string& name) {
  return name.starts_with(kDocker) ? name.substr(kDocker.size()) : name;
}

/// Now, so that the first run is as quick as all others, and none changes the host's mounts.
void mount_loaded(const images::Store& store, const std::string& digest) {
  try {
    const auto image = store.find(digest);
    if (!image)
      return;
    const base::UniqueFd lease = store.lease(*image);
    (void)store.mount_layers(*image);
  } catch (const base::Error&) {
    // A run tries again, and tells why it cannot be done. The image is loaded all the same.
  }
}

}  // namespace

images::Store open_store(const Paths& paths) {
  return {paths.lib + "/images", paths.run + "/layers"};
}

bool is_transport(const std::string& image) {
  return std::ranges::any_of(kTransports,
                             [&](std::string_view transport) { return image.starts_with(transport); });
}

std::vector<std::string> load_images(const Paths& paths, const std::string& source,
                                     const std::vector<std::string>& names, bool quiet) {
  std::vector<std::string> arguments{find_helper(kImporter), "--store", paths.lib + "/images", "load"};
  if (quiet)
    arguments.emplace_back("--quiet");
  for (const auto& name : names)
    arguments.insert(arguments.end(), {"--name", name});
  arguments.push_back(source);
  auto lines = run_helper(arguments);
  for (const auto& line : lines)
    mount_loaded(open_store(paths), line.substr(0, line.find(' ')));
  return lines;
}

std::vector<std::string> run_registry(const Paths& paths, const std::vector<std::string>& words) {
  std::vector<std::string> arguments{find_helper(kRegistry), "--store=" + paths.lib + "/images",
                                     "--mounts=" + paths.run + "/layers"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return run_helper(arguments);
}

std::vector<std::string> pull_images(const Paths& paths, const std::vector<std::string>& options,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> words{"pull"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  for (const auto& name : names)
    words.push_back(without_docker(name));
  auto lines = run_registry(paths, words);
  for (const auto& line : lines)
    mount_loaded(open_store(paths), line.substr(0, line.find(' ')));
  return lines;
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image,
                            PullPolicy policy) {
  std::string reference = image;
  if (is_transport(image)) {
    const auto loaded = load_images(paths, image, {}, true);
    if (loaded.size() != 1) {
      throw base::Error(image + " holds " + std::to_string(loaded.size()) + " images", 0,
                        "name one of them, or trine load them all");
    }
    reference = loaded.front().substr(0, loaded.front().find(' '));
  } else if (policy == PullPolicy::kAlways) {
    reference = pull_images(paths, {}, {image}).front();
    reference.erase(reference.find(' '));
  }
  reference = without_docker(reference);
  if (auto found = store.find(reference))
    return std::move(*found);
  if (policy == PullPolicy::kMissing && images::is_name(reference)) {
    const std::string line = pull_images(paths, {}, {reference}).front();
    if (auto found = store.find(line.substr(0, line.find(' '))))
      return std::move(*found);
  }
  throw base::Error("there is no image " + image + " in the store", 0,
                    "trine images lists those there are; trine pull and trine load bring one in; oci:DIR, "
                    "oci-archive:FILE and "
                    "docker-archive:FILE can be run as they are");
}

}  // namespace trine::runtime::engine
