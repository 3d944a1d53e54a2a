#pragma once

#include <sys/types.h>

#include "devices/fs/message.h"

namespace trine::hvm {

/// Makes the calling thread one that serves files: it keeps the rights that a file server needs and no
/// others, and has a working directory and a file mode mask of its own. Nothing that fails here is an error:
/// what the thread then may not do, it answers with the kernel's word.
void become_file_server() noexcept;

/// What the thread may do beside passing the host's check, since the guest's kernel has judged by then
/// whether the user may: no more than a maker of new files, whose mode and owner are then the user's, or all
/// it has.
enum class Rights { kOfMaker, kAll };

/// As long as it lives, what the thread makes belongs to this user and group of the guest's. A mount with
/// mapped owners takes new names from no other either: the monitor's own id is not among them.
class ActAs {
 public:
  ActAs(uid_t user, gid_t group, Rights rights) noexcept;
  ~ActAs();
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;

  /// EPERM when the host has no such user or group for us: an id that a user namespace does not map.
  [[nodiscard]] FsError error() const noexcept { return error_; }

 private:
  bool changed_ = false;
  FsError error_ = kDone;
};

/// As long as it lives and `wanted`, the thread writes as one who may not keep a file's set-user-id and
/// set-group-id bits: the kernel takes them off. Source: fuse.h, FUSE_HANDLE_KILLPRIV_V2.
class WithoutSetId {
 public:
  explicit WithoutSetId(bool wanted) noexcept;
  ~WithoutSetId();
  WithoutSetId(const WithoutSetId&) = delete;
  WithoutSetId& operator=(const WithoutSetId&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace trine::hvm
