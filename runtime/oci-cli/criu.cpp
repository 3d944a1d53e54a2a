#include "criu.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroups/group.h"
#include "isolation/mount_options.h"

namespace trine::runtime::oci_cli {
namespace {

using Words = std::vector<std::string>;
constexpr const char* kDescriptors = "descriptors.json";  // runc's name for the same
constexpr const char* kMask = "mask";
constexpr const char* kNull = "/dev/null";
constexpr const char* kNetwork = "extRootNetNS";  // ties the dumped namespace to the restored one

void append(Words& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

const std::string& log_directory(const CriuOptions& options) {
  return options.work_path.empty() ? options.image_path : options.work_path;
}

std::string log_name(CriuVerb verb) {
  return verb == CriuVerb::kDump ? "dump.log" : "restore.log";
}

std::string absolute(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr)
    base::throw_errno("cannot find " + path);
  return resolved;
}

std::string below(const std::string& bundle, const std::string& path) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

Words common_arguments(const CriuOptions& options, CriuVerb verb) {
  Words words{"--images-dir", options.image_path, "--log-file", log_name(verb), "-v4"};
  if (!options.work_path.empty())
    append(words, {"--work-dir", options.work_path});
  const std::pair<bool, const char*> switches[] = {
      {options.tcp_established, "--tcp-established"}, {options.tcp_skip_in_flight, "--skip-in-flight"},
      {options.ext_unix_sk, "--ext-unix-sk"},         {options.shell_job, "--shell-job"},
      {options.file_locks, "--file-locks"},
  };
  for (const auto& [on, word] : switches) {
    if (on)
      words.emplace_back(word);
  }
  if (options.empty_network)
    append(words, {"--empty-ns", "net"});
  words.push_back("--manage-cgroups=" + options.cgroups_mode);
  return words;
}

/// The path of the network namespace that the container shares with others; empty: it has its own, or the
/// host's.
std::string network_path(const oci::Spec& spec) {
  for (const auto& entry : spec.linux_part.namespaces) {
    if (entry.type == "network")
      return entry.path;
  }
  return {};
}

/// Mounts whose source is outside the container, by destination: criu can neither find nor make them by
/// itself.
std::vector<std::pair<std::string, std::string>> external_mounts(const oci::Spec& spec,
                                                                 const std::string& bundle) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& entry : spec.mounts) {
    isolation::Mount mount{.type = entry.type};
    isolation::parse_mount_options(entry.options, mount);
    if (mount.bind)
      result.emplace_back(entry.destination, below(bundle, entry.source));
  }
  return result;
}

std::string freezer(const State& state) {
  for (const auto& directory : state.cgroups) {
    for (const char* name : {"/cgroup.freeze", "/freezer.state"}) {
      if (::access((directory + name).c_str(), F_OK) == 0)
        return directory;
    }
  }
  return {};
}

/// Masked files have the host's /dev/null on them; masked directories have a file system that criu knows.
void append_masks(Words& words, const oci::Spec& spec, pid_t pid) {
  for (const auto& path : spec.linux_part.masked_paths) {
    struct stat status{};
    const std::string place = "/proc/" + std::to_string(pid) + "/root" + path;
    if (::stat(place.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
      append(words, {"--external", "mnt[" + path + "]:" + kMask});
  }
}

/// "memory:/pod/web" for /sys/fs/cgroup/memory/pod/web, and "/pod/web" for one of version 2.
void append_cgroup_roots(Words& words, const Words& directories) {
  const auto hierarchies = cgroups::detect().all;
  for (const auto& directory : directories) {
    for (const auto& hierarchy : hierarchies) {
      if (!directory.starts_with(hierarchy.mount_point + "/"))
        continue;
      const std::string path = directory.substr(hierarchy.mount_point.size());
      if (hierarchy.v2)
        append(words, {"--cgroup-root", path});
      for (const auto& controller : hierarchy.v2 ? Words{} : hierarchy.controllers)
        append(words, {"--cgroup-root", controller + ":" + path});
    }
  }
}

/// The descriptor that stands for the host's file `path` at `fd`: ours when criu can set its position, else
/// the file itself. /dev/null may stand for all three, so it is to be read and written.
int file_descriptor(const std::string& path, int fd, std::vector<base::UniqueFd>& files) {
  if (path != kNull && ::lseek(fd, 0, SEEK_CUR) >= 0)
    return fd;
  for (const int mode : {O_RDWR, O_WRONLY, O_RDONLY}) {
    base::UniqueFd file(::open(path.c_str(), mode));  // NOLINT(android-cloexec-open): criu inherits it
    if (file)
      return files.emplace_back(std::move(file)).get();
  }
  base::throw_errno("cannot open " + path + ", which was the container's descriptor " + std::to_string(fd),
                    "redirect descriptor " + std::to_string(fd) + " of the restore to a file");
}

/// Pipes are gone when the processes at their other end are, and files of the host are out of criu's sight; a
/// restored process gets ours in their place, or the files.
void append_descriptors(Words& words, const CriuOptions& options, std::vector<base::UniqueFd>& files) {
  const std::string path = options.image_path + "/" + kDescriptors;
  if (::access(path.c_str(), F_OK) != 0)
    return;
  const auto json = nlohmann::json::parse(base::read_file(path, 64 << 10), nullptr, false);
  if (!json.is_array())
    throw base::Error(path + " is damaged: it must be a list of names");
  for (std::size_t fd = 0; fd < std::min<std::size_t>(json.size(), 3); ++fd) {
    const std::string name = json[fd].is_string() ? json[fd].get<std::string>() : "";
    const auto end = name.find(']');
    if ((!name.starts_with("pipe:[") && !name.starts_with("file[")) || end == std::string::npos)
      continue;
    const std::string key = "]:" + name.substr(0, end + 1);
    // criu moves what it inherits: the second of two equal names finds nothing.
    const bool given =
        std::ranges::any_of(words, [&](const std::string& word) { return word.ends_with(key); });
    if (given)
      continue;
    const int number = static_cast<int>(fd);
    const int ours =
        name.starts_with("pipe:") ? number : file_descriptor(name.substr(end + 1), number, files);
    append(words, {"--inherit-fd", "fd[" + std::to_string(ours) + key});
  }
}

/// "file[1d:4]", criu's name for an open file whose mount is not the container's; empty: it is, or is no
/// file.
std::string external_file(const std::string& process, int fd) {
  struct stat status{};
  const std::string number = std::to_string(fd);
  if (::stat((process + "/fd/" + number).c_str(), &status) != 0)
    return {};
  const std::string info = base::read_file(process + "/fdinfo/" + number, 64 << 10);
  const auto found = info.find("mnt_id:");
  if (found == std::string::npos)
    return {};
  const unsigned long mount = std::strtoul(info.c_str() + found + 7, nullptr, 10);
  const std::string mounts = "\n" + base::read_file(process + "/mountinfo", 64 << 20);
  if (mounts.find("\n" + std::to_string(mount) + " ") != std::string::npos)
    return {};
  char name[64];
  std::snprintf(name, sizeof name, "file[%lx:%lx]", mount, static_cast<unsigned long>(status.st_ino));
  return name;
}

/// What a descriptor of the container's first process is, for criu and for our restore.
std::string descriptor_name(pid_t pid, int fd) {
  const std::string process = "/proc/" + std::to_string(pid);
  char target[PATH_MAX];
  const ssize_t size = ::readlink((process + "/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  std::string name(target, size < 0 ? 0 : static_cast<std::size_t>(size));
  if (!name.starts_with('/'))
    return name;
  const std::string external = external_file(process, fd);
  return external.empty() ? name : external + name;
}

/// criu's own words: the first error is the cause, the later ones follow from it.
std::string first_error(const std::string& log) {
  std::string text;
  try {
    text = base::read_file(log, 64 << 20);
  } catch (const base::Error&) {
    return {};
  }
  const auto begin = text.find("Error (");
  if (begin == std::string::npos)
    return {};
  const std::string line = text.substr(begin, std::min<std::size_t>(text.find('\n', begin) - begin, 300));
  const auto words = line.find("): ");
  return words == std::string::npos ? line : line.substr(words + 3);
}

}  // namespace

std::string find_criu(const std::string& given) {
  if (!given.empty())
    return given;
  const char* path = std::getenv("PATH");
  for (const auto& directory : base::split(path == nullptr ? "" : path, ':', base::SplitEmpty::kSkip)) {
    std::string program = directory + "/criu";
    if (directory.starts_with('/') && ::access(program.c_str(), X_OK) == 0)
      return program;
  }
  throw base::Error("checkpoint and restore need the program criu, which is not in PATH", 0,
                    "apt-get install criu");
}

void prepare_directories(CriuOptions& options, CriuVerb verb) {
  if (verb == CriuVerb::kDump)
    base::make_directories(options.image_path, 0700);
  options.image_path = absolute(options.image_path);
  if (options.work_path.empty())
    return;
  base::make_directories(options.work_path, 0700);
  options.work_path = absolute(options.work_path);
}

Words dump_arguments(const CriuOptions& options, const oci::Spec& spec, const State& state) {
  Words words{options.pre_dump ? "pre-dump" : "dump", "--tree", std::to_string(state.pid)};
  const Words common = common_arguments(options, CriuVerb::kDump);
  words.insert(words.end(), common.begin(), common.end());
  if (options.pre_dump)
    words.emplace_back("--track-mem");
  else if (options.leave_running)
    words.emplace_back("--leave-running");
  if (!options.parent_path.empty())
    append(words, {"--prev-images-dir", options.parent_path});
  if (const std::string directory = freezer(state); !directory.empty())
    append(words, {"--freeze-cgroup", directory});
  for (const auto& [destination, source] : external_mounts(spec, state.bundle))
    append(words, {"--external", "mnt[" + destination + "]:" + destination});
  append_masks(words, spec, state.pid);
  for (int fd = 0; fd < 3; ++fd) {
    const std::string name = descriptor_name(state.pid, fd);
    if (name.starts_with("file["))
      append(words, {"--external", name.substr(0, name.find(']') + 1)});
  }
  if (const std::string network = network_path(spec); !network.empty()) {
    struct stat status{};
    if (::stat(network.c_str(), &status) != 0)
      base::throw_errno("cannot look at the network namespace " + network);
    append(words, {"--external", "net[" + std::to_string(status.st_ino) + "]:" + kNetwork});
  }
  return words;
}

Words restore_arguments(const CriuOptions& options, const oci::Spec& spec, const std::string& bundle,
                        RestorePlace& place) {
  Words words{"restore", "--restore-detached", "--pidfile", place.pid_file, "--root", place.root};
  const Words common = common_arguments(options, CriuVerb::kRestore);
  words.insert(words.end(), common.begin(), common.end());
  if (options.cgroups_mode != "ignore")
    append_cgroup_roots(words, place.cgroups);
  for (const auto& [destination, source] : external_mounts(spec, bundle))
    append(words, {"--external", "mnt[" + destination + "]:" + source});
  if (!spec.linux_part.masked_paths.empty())
    append(words, {"--external", std::string("mnt[") + kMask + "]:/dev/null"});
  append_descriptors(words, options, place.files);
  if (place.network >= 0)
    append(words, {"--inherit-fd", "fd[" + std::to_string(place.network) + "]:" + kNetwork});
  if (!options.lsm_profile.empty())
    append(words, {"--lsm-profile", options.lsm_profile});
  if (!options.lsm_context.empty())
    append(words, {"--lsm-mount-context", options.lsm_context});
  return words;
}

void save_descriptors(const CriuOptions& options, const State& state) {
  nlohmann::json names = nlohmann::json::array();
  for (int fd = 0; fd < 3; ++fd)
    names.push_back(descriptor_name(state.pid, fd));
  const base::UniqueFd directory = base::open_file(options.image_path, O_RDONLY | O_DIRECTORY);
  base::replace_file(directory.get(), kDescriptors,
                     names.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                     base::Durability::kMemory, 0600);
}

void run_criu(const std::string& program, const CriuOptions& options, CriuVerb verb, const Words& arguments,
              const std::function<void()>& prepare) {
  Words words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  base::Process process = base::clone_process({});
  if (!process) {
    try {
      sigset_t none;  // a caller that attaches later holds signals back
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      prepare();
      ::execv(program.c_str(), base::to_argv(words).data());
      base::throw_errno("cannot run " + program);
    } catch (const base::Error& error) {
      const std::string text = "trine-oci: " + error.message() + "\n";
      (void)!::write(STDERR_FILENO, text.data(), text.size());
    }
    ::_exit(127);
  }
  const base::ExitStatus status = process.wait();
  if (status.code == 0)
    return;
  const std::string log = log_directory(options) + "/" + log_name(verb);
  const std::string cause = first_error(log);
  throw base::Error(arguments.front() + " by criu failed" +
                        (cause.empty() ? " with exit code " + std::to_string(status.code) : ": " + cause),
                    0, "its log is " + log + "; `criu check` tells whether it can work on this kernel");
}

}  // namespace trine::runtime::oci_cli
