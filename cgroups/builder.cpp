#include "builder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks.h"

namespace trine::cgroups {
namespace {

std::string hint_for_mkdir(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "making a cgroup needs root";
    case EROFS:
      return "cgroups are mounted read-only here, as they are in a container";
    case EAGAIN:
    case ENOSPC:
      return "the machine, or cgroup.max.descendants of a group above, allows no more cgroups";
    default:
      return {};
  }
}

std::string hint_for_controllers(int error) {
  switch (error) {
    case EBUSY:
      return "a v2 group that holds processes cannot give controllers to groups below it: move them into a "
             "group "
             "of their own first. Inside a container, start it with its processes below the root of its "
             "cgroup "
             "namespace";
    case EACCES:
    case EPERM:
      return "the group is not delegated: systemd-run --user --scope -p Delegate=yes trine …";
    case EROFS:
      return "cgroups are mounted read-only here, as they are in a container";
    case EOPNOTSUPP:
      return "a threaded group cannot have this controller";
    default:
      return {};
  }
}

std::vector<std::string> words_of(const Directory& directory, const char* file) {
  const auto text = directory.read(file);
  return text ? base::split(base::trim(*text), ' ', base::SplitEmpty::kSkip) : std::vector<std::string>{};
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

[[noreturn]] void not_offered(const std::string& path, const Need& need) {
  throw base::Error("cannot set the " + need.limit + " limit: the controller " + need.controller +
                        " is not in " + path + "/cgroup.controllers",
                    ENOENT,
                    "the kernel lacks it, a group above does not pass it on, or it is in use as cgroup v1");
}

/// "+cpu +memory"
std::string request(const std::vector<std::string>& controllers) {
  std::string text;
  for (const auto& controller : controllers)
    text += (text.empty() ? "+" : " +") + controller;
  return text;
}

/// Gives all that is offered and not given yet, in one write when nothing is in its way; `missing` is empty
/// then. Else what can be given one by one: that a controller which nobody needs stays behind is no error.
void give_the_rest(const Directory& directory, const std::vector<std::string>& offered,
                   const std::vector<std::string>& given, std::vector<std::string>& missing) {
  std::vector<std::string> rest;
  std::ranges::copy_if(offered, std::back_inserter(rest),
                       [&given](const auto& controller) { return !contains(given, controller); });
  if (rest.empty())
    return;
  const int error = directory.try_write("cgroup.subtree_control", request(rest));
  if (error == 0)
    missing.clear();
  // These two are about the directory, not about one controller.
  if (error == 0 || error == EROFS || error == EACCES)
    return;
  for (const auto& controller : rest) {
    if (!contains(missing, controller))
      static_cast<void>(directory.try_write("cgroup.subtree_control", "+" + controller));
  }
}

/// Whoever joins one stops, and the caller would wait for ever. A group is frozen with those above it, also
/// when it is new.
void refuse_frozen(const Directory& group) {
  // FROZEN, FREEZING
  const bool frozen =
      group.v2 ? group.read_keyed("cgroup.events", "frozen") == 1U || group.read_number("cgroup.freeze") == 1U
               : group.read("freezer.state").value_or("").starts_with("FR");
  if (frozen) {
    // The words are runc's, for those who look for them in a log.
    throw base::Error("cannot use the cgroup " + group.path +
                          ": the container's cgroup unexpectedly frozen, or one above it",
                      EBUSY, "thaw that one, or remove it when nothing is in it");
  }
}

}  // namespace

void give_controllers(const std::string& path, const std::vector<Need>& needs, bool all) {
  const auto directory = open_directory(path, true);
  if (!directory.fd)
    base::throw_errno("cannot open the cgroup " + path);
  const auto given = words_of(directory, "cgroup.subtree_control");
  std::vector<std::string> offered;
  if (all)
    offered = words_of(directory, "cgroup.controllers");
  std::vector<std::string> missing;
  for (const auto& need : needs) {
    if (contains(given, need.controller))
      continue;
    if (offered.empty())
      offered = words_of(directory, "cgroup.controllers");
    if (!contains(offered, need.controller))
      not_offered(path, need);
    missing.push_back(need.controller);
  }
  if (all)
    give_the_rest(directory, offered, given, missing);
  if (missing.empty())
    return;
  const auto text = request(missing);
  const int error = directory.try_write("cgroup.subtree_control", text);
  if (error == 0)
    return;
  throw base::Error("cannot set the " + needs.front().limit + " limit: cannot write '" + text + "' to " +
                        path + "/cgroup.subtree_control",
                    error, hint_for_controllers(error));
}

Builder::~Builder() {
  // Deepest first. One that cannot be removed is in use by someone else meanwhile, and so is not ours.
  for (const auto& path : made_ | std::views::reverse)
    ::rmdir(path.c_str());
}

void Builder::make_one(const std::string& path, bool last) {
  if (::mkdir(path.c_str(), 0755) == 0) {
    made_.push_back(path);
  } else if (errno != EEXIST) {
    const int error = errno;
    throw base::Error("cannot make the cgroup " + path, error, hint_for_mkdir(error));
  } else if (last) {
    const auto existing = open_directory(path, false);
    if (occupied_ == Occupied::kRefuse && existing.fd && !all_processes(existing).empty()) {
      throw base::Error("cannot make the cgroup " + path + ": the container's cgroup is not empty", EEXIST,
                        "another instance has this name; " + path + "/cgroup.procs lists them");
    }
  }
}

/// Most often the groups on the way are there, and one call is enough.
std::string Builder::make_v1(const std::string& base) {
  std::string path = base;
  for (const auto& component : name_)
    path += "/" + component;
  if (::mkdir(path.c_str(), 0755) == 0) {
    made_.push_back(path);
    return path;
  }
  path = base;
  for (const auto& component : name_) {
    path += "/" + component;
    make_one(path, &component == &name_.back());
  }
  return path;
}

std::string Builder::make_v2(const Place& place) {
  std::string path = place.base;
  for (const auto& component : name_) {
    if (!place.needs.empty() || place.all_controllers)
      give_controllers(path, place.needs, place.all_controllers);
    path += "/" + component;
    make_one(path, &component == &name_.back());
  }
  return path;
}

const Directory& Builder::make(const Place& place) {
  auto directory = open_directory(place.v2 ? make_v2(place) : make_v1(place.base), place.v2);
  if (!directory.fd)
    base::throw_errno("cannot open the cgroup " + directory.path);
  // A new group right below the root, which cannot be frozen, need not be asked.
  const bool is_new = !made_.empty() && made_.back() == directory.path;
  if ((place.freezer || place.v2) && (!is_new || name_.size() > 1))
    refuse_frozen(directory);
  return group_.directories_.emplace_back(std::move(directory));
}

Group Builder::finish() && {
  made_.clear();
  return std::move(group_);
}

}  // namespace trine::cgroups
