#pragma once

#include "directory.h"

/// The freezer is no limit, so it is no row of the controllers' table: v2 has it in every group, v1 as a
/// hierarchy that is touched only when a group is to be frozen.
namespace trine::cgroups {

namespace v1 {
bool has_freezer(const Directory& directory);
void set_frozen(const Directory& directory, bool wanted);
/// Whether every process has reached the state.
bool is_frozen(const Directory& directory, bool wanted);
}  // namespace v1

namespace v2 {
bool has_freezer(const Directory& directory);
void set_frozen(const Directory& directory, bool wanted);
bool is_frozen(const Directory& directory, bool wanted);
}  // namespace v2

}  // namespace trine::cgroups
