#include "runtime/policy/isolation_policy.h"

#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "image_pattern.h"

// What an administrator, or a user for himself, writes, decided for a few workloads. No decision may be
// weaker than what a rule demands.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine::runtime::policy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto middle = text.find('\n');
  if (middle != std::string_view::npos) {
    (void)pattern_fault(text.substr(0, middle));
    (void)image_fits(text.substr(0, middle), text.substr(middle + 1));
  }
  std::vector<IsolationPolicy> policies(1);
  try {
    add_rules(text, "fuzz", policies.front());
  } catch (const trine::base::Error&) {
    return 0;
  }
  policies.push_back({.standard = Default{.place = "own", .request = Request::kAuto}, .rules = {}});
  const Workload workloads[] = {
      {.asked = "none"},
      {.asked = "web",
       .images = {"docker.io/library/web:1", "oci:/srv/web"},
       .digest = "sha256:" + std::string(64, 'a'),
       .signers = {"SHA256:" + std::string(64, 'b')},
       .user_id = 1000,
       .user = "alice",
       .privileges = {"capability", "capability:NET_ADMIN"},
       .labels = {{"a", "b"}}},
      {.asked = "bundle", .images = {"bundle:/b"}, .any_privilege = true},
  };
  for (const Workload& workload : workloads) {
    const Rule* rule = policies.front().find(workload);
    const Class demanded = rule != nullptr && rule->enforce ? rule->isolation : Class::kContainer;
    for (const Request request :
         {Request::kUnsaid, Request::kAuto, Request::kContainer, Request::kVm, Request::kFull}) {
      try {
        if (decide(policies, workload, request).isolation < demanded)
          std::abort();
      } catch (const trine::base::Error&) {
      }
    }
  }
  return 0;
}
