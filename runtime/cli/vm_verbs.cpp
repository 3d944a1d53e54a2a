#include "vm_verbs.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/process.h"
#include "flags.h"
#include "hvm-sandbox/kernels.h"
#include "runtime/engine/run.h"
#include "runtime/engine/vm_check.h"
#include "table.h"

namespace trine::runtime::cli {
namespace {

constexpr const char* kKernelUsage =
    "trine kernel import PACKAGE.deb|KERNEL|DIRECTORY, trine kernel ls, trine kernel use NAME, trine kernel "
    "rm NAME";

std::string kernel_root(const engine::Paths& paths) {
  return paths.lib + "/kernels";
}

int import_kernel(const engine::Paths& paths, const std::string& source) {
  // The helper has the decompression libraries, which the path of `run` does not load. It has said why when
  // it fails.
  const auto result = base::run_program(base::find_helper("trine-kernel"), {source, kernel_root(paths)});
  if (result.status.code == 0) {
    print(result.output);
    return 0;
  }
  base::write_all(STDERR_FILENO, result.output, "standard error");
  return engine::kExitFailure;
}

int list_kernels(const engine::Paths& paths) {
  std::vector<std::vector<std::string>> rows{{"KERNEL", "SIZE", "DRIVERS", "DEFAULT"}};
  for (const hvm::Kernel& kernel : hvm::list_kernels(kernel_root(paths))) {
    rows.push_back({kernel.name, std::to_string(kernel.bytes >> 20U) + " MiB",
                    kernel.has_modules ? "modules" : "built in", kernel.is_default ? "yes" : ""});
  }
  print(format_table(rows));
  return 0;
}

const char* state_text(engine::Finding::State state) {
  constexpr std::array<const char*, 3> kTexts{"good", "slow", "missing"};
  return kTexts[static_cast<std::size_t>(state)];
}

}  // namespace

int run_kernel(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto words = parse_words("kernel", {}, std::move(arguments)).rest;
  if (words.size() == 2 && words[0] == "import")
    return import_kernel(paths, words[1]);
  if (words.size() == 1 && words[0] == "ls")
    return list_kernels(paths);
  if (words.size() == 2 && words[0] == "use") {
    hvm::use_kernel(kernel_root(paths), words[1]);
    return 0;
  }
  if (words.size() == 2 && words[0] == "rm") {
    hvm::remove_kernel(kernel_root(paths), words[1]);
    return 0;
  }
  throw base::Error("trine kernel does not know what to do", 0, kKernelUsage);
}

int run_check(const engine::Paths& paths, std::vector<std::string> arguments) {
  if (!parse_words("check", {}, std::move(arguments)).rest.empty())
    throw base::Error("trine check takes no arguments");
  const std::vector<engine::Finding> findings = engine::check_vm(paths);
  std::vector<std::vector<std::string>> rows{{"NEED OF --isolation vm", "STATE", "FOUND"}};
  std::string hints;
  bool can = true;
  for (const engine::Finding& finding : findings) {
    rows.push_back({finding.name, state_text(finding.state), finding.text});
    can &= finding.state != engine::Finding::State::kMissing;
    if (!finding.hint.empty())
      hints += "hint: " + finding.name + ": " + finding.hint + "\n";
  }
  print(format_table(rows) + hints + (can ? "VMs can run here\n" : "VMs cannot run here\n"));
  return can ? 0 : 1;
}

}  // namespace trine::runtime::cli
