# shellcheck shell=bash
# What the lab's tests share, on top of tests/lib/harness.sh.
lab_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab=$lab_tests/lab/lab

# require_lab MACHINE [OPTION...]: skips with the lab's own reason when this machine cannot run it.
require_lab() {
  local why
  why=$("$lab" prepare "$@" 2>&1)
  case $? in
    0) ;;
    69) skip "$(grep -v -E ': (reading|unpacking|making) ' <<<"$why" | head -1 | sed 's/^lab: //')" ;;
    *) echo "not ok - the $1 lab can be prepared: $why"; exit 1 ;;
  esac
}

# run_in_lab TEST...: the tests in one boot, each a line of results; fails when one does. A machine that dies, as an
# emulated one can, is started again for the tests that are left; twice at the same one is that test's failure.
run_in_lab() {
  local results=$work/results deadline=$((SECONDS + 1700)) died_at='' code=0 left
  : >"$results"
  # The tests that have no result yet.
  without_result() { printf '%s\n' "$@" | grep -vxF -f <(sed -nE 's/^(ok|not ok|skip) - ([a-z_]+\/[a-z_]+).*/\2/p' "$results"); }
  while mapfile -t left < <(without_result "$@") && ((${#left[@]})); do
    "$lab" run x86 --timeout $((deadline - SECONDS)) -- env TRINE_TEST_LIMIT=600 TRINE_BUILD="$build" TRINE_TEST_SCALE=20 \
      bash "$lab_tests/lab/guest/batch.sh" "${left[@]}" | tee -a "$results"
    code=${PIPESTATUS[0]}
    mapfile -t left < <(without_result "$@")
    ((code == 125 && SECONDS < deadline)) && ((${#left[@]})) && [[ ${left[0]} != "$died_at" ]] || break
    died_at=${left[0]}
    echo "the machine died in $died_at: once more, in another"
  done
  ((code == 0)) || echo "not ok - the lab ended with $code"
  ! grep -q '^not ok - ' "$results" && ((code == 0))
}
