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

extern char** environ;

namespace trine::runtime::engine {
namespace {

constexpr std::array<std::string_view, 3> kTransports{"oci:", "oci-archive:", "docker-archive:"};
constexpr const char* kHelper = "trine-images";

std::string own_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return whole.substr(0, whole.find_last_of('/'));
}

/// Beside trine in a build tree, else where it is installed.
std::string find_helper() {
  const std::string own = own_directory();
  for (const std::string& directory : {own, own + "/../libexec/trine"}) {
    const std::string path = directory + "/" + kHelper;
    if (::access(path.c_str(), X_OK) == 0)
      return path;
  }
  throw base::Error(std::string("cannot find the program ") + kHelper + ", which loads images", ENOENT,
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
      base::throw_errno("cannot wait for trine-images");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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
  std::vector<std::string> arguments{find_helper(), "--store", paths.lib + "/images", "load"};
  if (quiet)
    arguments.emplace_back("--quiet");
  for (const auto& name : names)
    arguments.insert(arguments.end(), {"--name", name});
  arguments.push_back(source);
  Child child = spawn_helper(arguments);
  const std::string output = base::read_all(child.output.get(), "the output of trine-images", 1 << 20);
  if (const int code = wait_for(child.pid); code != 0)
    ::_exit(code);
  auto lines = base::split(output, '\n', base::SplitEmpty::kSkip);
  for (const auto& line : lines)
    mount_loaded(open_store(paths), line.substr(0, line.find(' ')));
  return lines;
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image) {
  std::string reference = image;
  if (is_transport(image)) {
    const auto loaded = load_images(paths, image, {}, true);
    if (loaded.size() != 1) {
      throw base::Error(image + " holds " + std::to_string(loaded.size()) + " images", 0,
                        "name one of them, or trine load them all");
    }
    reference = loaded.front().substr(0, loaded.front().find(' '));
  }
  if (auto found = store.find(reference))
    return std::move(*found);
  throw base::Error(
      "there is no image " + image + " in the store", 0,
      "trine images lists those there are; trine load brings one in; oci:DIR, oci-archive:FILE and "
      "docker-archive:FILE can be run as they are");
}

}  // namespace trine::runtime::engine
