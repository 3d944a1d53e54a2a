#include <unistd.h>

#include "base/file.h"
#include "checker.h"
#include "export/commands.h"

namespace trine::images {

int check(const Command& command) {
  const auto report = Checker(command.store).run(command.repair);
  std::string output;
  for (const auto& line : report.found)
    output += "damage: " + line + "\n";
  for (const auto& line : report.done)
    output += "repair: " + line + "\n";
  for (const auto& line : report.left)
    output += "left: " + line + "\n";
  if (report.found.empty() && report.left.empty())
    output += "the store is sound\n";
  base::write_all(STDOUT_FILENO, output, "the standard output");
  return report.left.empty() && (command.repair || report.found.empty()) ? 0 : 1;
}

}  // namespace trine::images
