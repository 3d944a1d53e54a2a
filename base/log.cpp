#include "base/log.h"

#include <unistd.h>

#include <string>

namespace trine::base {
namespace {

std::string_view program_name = "trine";

void print(const std::string& text) {
  // Standard error may be closed or full; there is nobody left to tell.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

void set_program_name(std::string_view name) {
  program_name = name;
}

void print_error(const Error& error) {
  std::string text = std::string(program_name) + ": " + error.what() + "\n";
  if (!error.hint().empty())
    text += "hint: " + error.hint() + "\n";
  print(text);
}

void print_error(std::string_view message) {
  print_error(Error(std::string(message)));
}

void print_warning(std::string_view message) {
  print(std::string(program_name) + ": warning: " + std::string(message) + "\n");
}

void print_progress(std::string_view message) {
  print(std::string(message) + "\n");
}

}  // namespace trine::base
