#include "hooks.h"

#include "base/error.h"
#include "base/log.h"

namespace trine::runtime::oci_cli {
namespace {

std::vector<isolation::Hook> convert(const std::vector<oci::Hook>& hooks) {
  std::vector<isolation::Hook> result;
  result.reserve(hooks.size());
  for (const auto& hook : hooks) {
    isolation::Hook made{.path = hook.path, .args = hook.args, .env = hook.env, .timeout = {}};
    if (hook.timeout)
      made.timeout = std::chrono::seconds(*hook.timeout);
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace

bool has_environment_hooks(const oci::Spec& spec) {
  return !spec.hooks.prestart.empty() || !spec.hooks.create_runtime.empty();
}

void run_environment_hooks(const oci::Spec& spec,
                           const std::function<std::string(const char* status)>& state) {
  // An older specification had these run by start: they still see the status that a container had then.
  isolation::run_hooks("prestart", convert(spec.hooks.prestart), state("created"));
  isolation::run_hooks("createRuntime", convert(spec.hooks.create_runtime), state("creating"));
}

std::vector<isolation::Hook> create_container_hooks(const oci::Spec& spec) {
  return convert(spec.hooks.create_container);
}

std::vector<isolation::Hook> start_container_hooks(const oci::Spec& spec) {
  return convert(spec.hooks.start_container);
}

void run_poststart_hooks(const oci::Spec& spec, const std::string& state) {
  isolation::run_hooks("poststart", convert(spec.hooks.poststart), state);
}

void run_poststop_hooks(const oci::Spec& spec, const std::string& state) {
  for (const auto& hook : convert(spec.hooks.poststop)) {
    try {
      isolation::run_hook(hook, state);
    } catch (const base::Error& error) {
      base::print_warning(error.what());
    }
  }
}

}  // namespace trine::runtime::oci_cli
