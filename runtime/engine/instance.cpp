#include "runtime/engine/instance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "base/time.h"
#include "layout.h"
#include "record.h"

namespace trine::runtime::engine {
namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// "web" -> the id that has the name, or nothing.
std::string name_owner(const Paths& paths, const std::string& name) {
  std::array<char, PATH_MAX> id{};
  const ssize_t size = ::readlink((name_root(paths) + "/" + name).c_str(), id.data(), id.size() - 1);
  return size > 0 ? std::string(id.data(), static_cast<std::size_t>(size)) : std::string();
}

void check_name(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (name.size() <= 128 && name.find_first_not_of(kAllowed) == std::string::npos &&
      name.find_first_of("_.-") != 0) {
    return;
  }
  throw base::Error("cannot use the name '" + name + "'", 0,
                    "a name begins with a letter or digit, holds letters, digits, '_', '.' and '-', and has "
                    "at most 128 characters");
}

/// A name is a symlink to its owner's id: made or refused in one step, whoever else asks for it.
void claim_name(const Paths& paths, const std::string& name, const std::string& id) {
  check_name(name);
  ensure_private_directory(name_root(paths));
  const std::string link = name_root(paths) + "/" + name;
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (::symlink(id.c_str(), link.c_str()) == 0)
      return;
    if (errno != EEXIST)
      base::throw_errno("cannot take the name " + name);
    const std::string owner = name_owner(paths, name);
    if (exists(run_root(paths) + "/" + owner) || exists(lib_root(paths) + "/" + owner)) {
      throw base::Error("the name " + name + " is taken by instance " + owner.substr(0, 12), 0,
                        "choose another name, or remove that instance: trine rm " + name);
    }
    // Its owner is gone and its trine was killed before it could give the name back.
    ::unlink(link.c_str());
  }
  throw base::Error("the name " + name + " is being taken by another instance");
}

}  // namespace

Instance Instance::create(const Paths& paths, const std::string& name, bool remove) {
  Instance instance;
  instance.owned_ = false;
  instance.paths_ = paths;
  Record& record = instance.record_;
  record.id = base::random_hex(32);
  record.name = name.empty() ? record.id.substr(0, 12) : name;
  record.remove = remove;
  record.created = base::now_utc();
  instance.run_directory_ = run_root(paths) + "/" + record.id;

  ensure_private_directory(run_root(paths));
  // Until its own lock is taken the directory looks like a dead instance's; repair() waits for this one.
  const base::UniqueFd birth = lock_directory(run_root(paths), LockKind::kShared);
  if (::mkdir(instance.run_directory_.c_str(), 0700) != 0) {
    base::throw_errno("cannot make the directory " + instance.run_directory_);
  }
  instance.owned_ = true;
  instance.lock_ = lock_directory(instance.run_directory_, LockKind::kExclusive);
  // Not before: whoever finds the directory of one that was killed here looks for its name.
  if (!name.empty())
    claim_name(paths, name, record.id);
  return instance;
}

Instance Instance::reopen(const Paths& paths, const Record& record) {
  Instance instance;
  instance.owned_ = false;
  instance.paths_ = paths;
  instance.record_ = record;
  instance.run_directory_ = run_root(paths) + "/" + record.id;
  instance.layer_directory_ = lib_root(paths) + "/" + record.id;
  instance.keep_ = true;
  ensure_private_directory(run_root(paths));
  const base::UniqueFd birth = lock_directory(run_root(paths), LockKind::kShared);
  if (::mkdir(instance.run_directory_.c_str(), 0700) != 0) {
    if (errno == EEXIST)
      throw base::Error("cannot start " + record.name + ": it is running");
    base::throw_errno("cannot make the directory " + instance.run_directory_);
  }
  instance.owned_ = true;
  instance.lock_ = lock_directory(instance.run_directory_, LockKind::kExclusive);
  // It may have been removed, or have run, since its record was read.
  const auto now = read_record(instance.layer_directory_);
  if (!now || now->finished != record.finished)
    throw base::Error("cannot start " + record.name + ": it has changed meanwhile", 0, "trine ps -a");
  instance.record_.exit_code.reset();
  instance.record_.oom_killed = false;
  instance.record_.error.clear();
  instance.record_.finished.clear();
  instance.record_.status = kStarting;
  instance.record_.pid = ::getpid();
  instance.record_.start_time = base::process_info(::getpid()).start_time;
  instance.save();
  return instance;
}

Instance Instance::take_over(const Paths& paths, const std::string& id, base::UniqueFd lock) {
  Instance instance;
  instance.paths_ = paths;
  instance.run_directory_ = run_root(paths) + "/" + id;
  auto record = read_record(instance.run_directory_);
  if (!record)
    throw base::Error("there is no record of instance " + id);
  instance.record_ = std::move(*record);
  instance.lock_ = std::move(lock);
  if (::access((lib_root(paths) + "/" + id).c_str(), F_OK) == 0)
    instance.layer_directory_ = lib_root(paths) + "/" + id;
  instance.process_ = base::open_file_at(instance.lock_.get(), kProcessFile, O_WRONLY);
  return instance;
}

Instance::~Instance() {
  if (!owned_ || !lock_ || abandoned_)
    return;
  try {
    if (!keep_) {
      if (!layer_directory_.empty() && !remove_layer(paths_, record_.id))
        return;
      if (name_owner(paths_, record_.name) == record_.id) {
        ::unlink((name_root(paths_) + "/" + record_.name).c_str());
      }
    }
    remove_below(run_root(paths_), record_.id);
  } catch (const base::Error& error) {
    // The lock goes with us, so that the next command finds what is left and tries again.
    base::print_warning(error.what());
  }
}

const std::string& Instance::make_layer_directory() {
  if (!layer_directory_.empty())
    return layer_directory_;
  layer_directory_ = lib_root(paths_) + "/" + record_.id;
  ensure_private_directory(layer_directory_);
  return layer_directory_;
}

void Instance::keep_process(std::string_view process) {
  process_ = base::open_file_at(lock_.get(), kProcessFile, O_WRONLY | O_CREAT | O_EXCL, 0600);
  base::write_all(process_.get(), process, kProcessFile);
}

void Instance::save() const {
  base::replace_file(lock_.get(), "record.json", to_json(record_), base::Durability::kMemory, 0600);
}

void Instance::finish(int exit_code, bool oom_killed) {
  record_.status = "exited";
  record_.exit_code = exit_code;
  record_.oom_killed = oom_killed;
  record_.finished = base::now_utc();
  record_.pid = 0;
  // Who waits has the file open, and reads it when our lock is free: by then it is gone from the directory.
  const std::string end = kExitText + std::to_string(exit_code) + "\n";
  if (process_ && ::pwrite(process_.get(), end.data(), end.size(), 0) != static_cast<ssize_t>(end.size()))
    base::throw_errno("cannot write the exit code of " + record_.name);
  if (record_.remove) {
    keep_ = false;
    return;
  }
  try {
    keep_record(make_layer_directory(), record_);
    keep_ = true;
  } catch (const base::Error&) {
    abandoned_ = true;
    save();
    throw;
  }
}

void Instance::keep_unstarted() {
  keep_record(make_layer_directory(), record_);
  keep_ = true;
}

void Instance::forget() {
  owned_ = false;
  lock_.reset();
}

}  // namespace trine::runtime::engine
