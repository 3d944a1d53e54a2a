#!/usr/bin/env bash
# The container tests again, on a pure cgroup v2 hierarchy with every controller, in one boot of the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
tests=(unit/{cgroups,isolation,netns,base,images,runtime})
for script in "$lab_tests"/{integration,attacks}/*.sh; do
  name=$(basename "$(dirname "$script")")/$(basename "$script" .sh)
  [[ $name == integration/examples ]] || tests+=("$name") # it builds trine
done
"$lab" run x86 --timeout 1700 -- env TRINE_TEST_LIMIT=600 TRINE_BUILD="$build" TRINE_TEST_SCALE=20 bash "$lab_tests/lab/guest/batch.sh" "${tests[@]}"
code=$?
((code == 0)) || echo "not ok - the lab ended with $code"
exit $((code != 0))
