#pragma once

#include <string>
#include <string_view>

#include "runtime/args/flags.h"

/// Pages of the manual, as roff with man(7)'s macros.
namespace trine::runtime::args {

/// Text without what roff would take for its own.
std::string roff(std::string_view text);

/// The title, and the section NAME.
std::string manual_heading(const std::string& name, const std::string& summary);

/// A flag with its value and what it does.
std::string manual_entry(const FlagText& flag);

}  // namespace trine::runtime::args
