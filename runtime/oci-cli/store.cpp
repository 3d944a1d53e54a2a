#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/remove_tree.h"
#include "cgroups/group.h"
#include "isolation/gate.h"
#include "runtime/backend/recorded_process.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::size_t kMaxSpec = 16 << 20;

void check_id(const std::string& id) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
  if (!id.empty() && id.size() <= 1024 && id != "." && id != ".." &&
      id.find_first_not_of(kAllowed) == std::string::npos) {
    return;
  }
  const auto wrong = id.find_first_not_of(kAllowed);
  throw base::Error(
      "'" + id + "' is no container id" +
          (wrong == std::string::npos ? ""
                                      : std::string(": invalid character `") + id[wrong] + "` in the ID"),
      0, "an id has letters, digits, '_', '+', '-' and '.', and is neither '.' nor '..'");
}

void lock(int directory, const std::string& id) {
  while (::flock(directory, LOCK_EX) != 0) {
    if (errno != EINTR)
      base::throw_errno("cannot lock the container " + id);
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

const char* name_of(Status status) {
  switch (status) {
    case Status::kCreating:
      return "creating";
    case Status::kCreated:
      return "created";
    case Status::kRunning:
      return "running";
    case Status::kPaused:
      return "paused";
    case Status::kStopped:
      break;
  }
  return "stopped";
}

Container Container::create(const std::string& root, const std::string& id) {
  check_id(id);
  Container container(root, id);
  const std::string path = root + "/" + id;
  int made = ::mkdir(path.c_str(), 0700);
  if (made != 0 && errno == ENOENT) {
    base::make_directories(root, 0700);
    made = ::mkdir(path.c_str(), 0700);
  }
  if (made != 0 && errno == EEXIST)
    throw base::Error("container " + id + " exists already", 0, "delete it, or choose another id");
  if (made != 0)
    base::throw_errno("cannot make the state directory " + path);
  container.directory_ = base::open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  lock(container.directory(), id);
  container.state.id = id;
  return container;
}

Container Container::open(const std::string& root, const std::string& id, Access access) {
  check_id(id);
  Container container(root, id);
  const std::string path = root + "/" + id;
  container.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!container.directory_) {
    if (errno == ENOENT)
      throw NotFound(id);
    base::throw_errno("cannot open the state of container " + id);
  }
  if (access != Access::kRead) {
    lock(container.directory(), id);
    if (::access(path.c_str(), F_OK) != 0)  // another command has deleted it while we waited
      throw NotFound(id);
  }
  const std::string file = path + "/state.json";
  const base::UniqueFd state(::openat(container.directory(), "state.json", O_RDONLY | O_CLOEXEC));
  if (!state) {
    // Its `create` was killed, or is at its very beginning.
    container.state.id = id;
    container.state.creating = true;
    return container;
  }
  try {
    container.state = from_json(base::read_all(state.get(), file, 1 << 20), file);
  } catch (const base::Error&) {
    if (access != Access::kRemove)
      throw;
    container.state.id = id;
    container.state.creating = true;
  }
  return container;
}

void Container::save_state() const {
  base::replace_file(directory(), "state.json", to_json(state), base::Durability::kMemory, 0600);
}

void Container::save_spec(const std::string& text) const {
  base::replace_file(directory(), "config.json", text, base::Durability::kMemory, 0600);
}

oci::Spec Container::load_spec() const {
  const base::UniqueFd file = base::open_file_at(directory(), "config.json", O_RDONLY);
  return oci::parse_spec(base::read_all(file.get(), "config.json", kMaxSpec));
}

base::UniqueFd Container::open_process() const {
  return backend::open_process(state.pid, state.start_time);
}

Status Container::status() const {
  if (!open_process())
    return state.creating && state.pid == 0 ? Status::kCreating : Status::kStopped;
  if (state.creating)
    return Status::kCreating;
  if (isolation::has_gate(directory()))
    return Status::kCreated;
  const bool paused = state.vm ? state.paused : cgroups::open_group(state.cgroups).is_frozen();
  return paused ? Status::kPaused : Status::kRunning;
}

void Container::remove() {
  const base::UniqueFd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root)
    base::remove_tree(root.get(), id_);
}

std::vector<std::string> container_ids(const std::string& root) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(root.c_str()));
  std::vector<std::string> ids;
  if (!directory) {
    if (errno == ENOENT)
      return ids;
    base::throw_errno("cannot read " + root);
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] != '.')
      ids.emplace_back(entry->d_name);
  }
  std::ranges::sort(ids);
  return ids;
}

}  // namespace trine::runtime::oci_cli
