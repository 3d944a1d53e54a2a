#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "bind_source.h"
#include "channel.h"
#include "isolation/plan.h"
#include "isolation/start.h"
#include "staging.h"

namespace trine::isolation {

/// What the steps of the child share.
struct Context {
  const Plan& plan;
  const StartHooks& hooks;
  Channel& channel;
  const BindSources* bind_sources = nullptr;
  const Staging* staging = nullptr;  ///< where the mounts are made; null: in a copy of the host's
  const JoinPlan* joins = nullptr;   ///< the container to enter; null: one is made
  std::uint64_t joined = 0;          ///< CLONE_NEW… of the namespaces that the child was born in
  bool has_new(int type) const;      ///< the plan asks for a new namespace of this type
  bool in_user_namespace = false;    ///< not the initial one: no mknod, no trusted.* xattrs

  base::UniqueFd root;  ///< the new root's mount, O_PATH
  base::UniqueFd proc;  ///< the container's own procfs, whatever is mounted over it later
  /// Mounts that are to be read-only once the last file is made in them, with their places.
  std::vector<std::pair<base::UniqueFd, std::string>> unsealed;
  base::UniqueFd executable;  ///< this program, to make a sealed copy of (see exec.h, gate.cpp)
  User user;                  ///< resolved: numbers only
  std::string home;           ///< of the resolved user

  bool recorded = false;       ///< kRecorded has arrived
  bool time_set = false;       ///< kTimeSet has arrived
  bool owners_mapped = false;  ///< kOwnersMapped has arrived
  bool hooked = false;         ///< kHooked has arrived
  bool connected = false;      ///< kConnected has arrived
  base::UniqueFd network;      ///< kNetwork has arrived, not entered yet
  bool network_entered = false;
  bool in_cgroups = false;  ///< kCgroups has arrived
  bool cgroups_entered = false;
};

/// Takes a message of the caller's into the context (namespaces.cpp). They come in any order: the record is
/// written and the network is made at the same time.
void receive_one(Context& context);

}  // namespace trine::isolation
