#!/usr/bin/env bash
# The container tests again, on a pure cgroup v2 hierarchy with every controller, in one boot of the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
tests=(unit/{cgroups,isolation,netns,base,images,runtime})
for script in "$lab_tests"/{integration,attacks}/*.sh; do
  name=$(basename "$(dirname "$script")")/$(basename "$script" .sh)
  case $name in
    integration/examples) ;;    # it builds trine
    integration/debootstrap) ;; # it unpacks a whole distribution, which has nothing to do with cgroups, for ten minutes
    *) tests+=("$name") ;;
  esac
done
results=$(mktemp)
trap 'rm -f "$results"' EXIT
# remaining: the tests that have no result yet.
remaining() { printf '%s\n' "${tests[@]}" | grep -vxF -f <(sed -nE 's/^(ok|not ok|skip) - ([a-z_]+\/[a-z_]+).*/\2/p' "$results"); }

# A machine that dies, as an emulated one can, is started again for the tests that are left; twice at the same one is
# that test's failure.
deadline=$((SECONDS + 1700)) died_at=''
while mapfile -t left < <(remaining) && ((${#left[@]})); do
  "$lab" run x86 --timeout $((deadline - SECONDS)) -- env TRINE_TEST_LIMIT=600 TRINE_BUILD="$build" TRINE_TEST_SCALE=20 \
    bash "$lab_tests/lab/guest/batch.sh" "${left[@]}" | tee -a "$results"
  code=${PIPESTATUS[0]}
  mapfile -t left < <(remaining)
  ((code == 125 && SECONDS < deadline)) && ((${#left[@]})) && [[ ${left[0]} != "$died_at" ]] || break
  died_at=${left[0]}
  echo "the machine died in $died_at: once more, in another"
done
((code == 0)) || echo "not ok - the lab ended with $code"
! grep -q '^not ok - ' "$results" && ((code == 0))
