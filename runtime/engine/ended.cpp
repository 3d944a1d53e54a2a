#include <climits>

#include "base/text.h"
#include "cgroups/group.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/run.h"

namespace trine::runtime::engine {

void end_in_background(const Paths& paths, const std::string& id, const std::string& held, int code) {
  std::vector<base::UniqueFd> descriptors;
  for (const auto& text : base::split(held, ',', base::SplitEmpty::kSkip))
    descriptors.emplace_back(static_cast<int>(base::parse_unsigned(text).value_or(INT_MAX)));
  if (descriptors.empty())
    return repair(paths);  // its own trine has done it all, or was killed
  Instance instance = Instance::take_over(paths, id, std::move(descriptors.front()));
  descriptors.clear();
  cgroups::Group group = cgroups::open_group(instance.record().cgroups);
  const bool oom_killed = group.stats().oom_kills.value_or(0) > 0;
  cgroups::end_group(instance.record().cgroups);
  instance.finish(code, oom_killed);
  open_store(paths).unmount_unused();
}

}  // namespace trine::runtime::engine
