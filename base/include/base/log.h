#pragma once

#include <string_view>

#include "base/error.h"

namespace trine::base {

/// The name before every line on standard error; "trine" until set. `name` must outlive the process.
void set_program_name(std::string_view name);

/// Prints `trine: MESSAGE` and, when there is one, `hint: …` on a line of its own, in one write.
void print_error(const Error& error);
void print_error(std::string_view message);

/// Prints `trine: warning: MESSAGE`.
void print_warning(std::string_view message);

/// Prints MESSAGE on a line of its own, on standard error: what a program is doing.
void print_progress(std::string_view message);

}  // namespace trine::base
