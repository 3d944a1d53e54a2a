#!/usr/bin/env bash
# Runs several tests in one boot: batch.sh NAME... where a name is that of a script, such as integration/flags, or of a
# folder's unit tests, such as unit/cgroups. Each test's result is a line; what failed is shown whole.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
export TRINE_BUILD=${TRINE_BUILD:-$PWD/build/release}
failures=0 skips=0 passes=0
log=$(mktemp /tmp/batch.XXXXXX)
trap 'rm -f "$log"' EXIT

for name in "$@"; do
  case $name in
    unit/*) program=$TRINE_BUILD/tests/$name/unit_${name##*/} ;;
    *) program=tests/$name.sh ;;
  esac
  SECONDS=0
  timeout --kill-after 5 "${TRINE_TEST_LIMIT:-300}" "$program" >"$log" 2>&1
  status=$?
  case $status in
    0) echo "ok - $name ($SECONDS s)"; passes=$((passes + 1)) ;;
    77) echo "skip - $name: $(grep -m1 '^skipped: ' "$log")"; skips=$((skips + 1)) ;;
    *)
      failures=$((failures + 1))
      echo "not ok - $name (exit code $status, $SECONDS s)"
      sed 's/^/  | /' "$log"
      continue
      ;;
  esac
  # Claims that this machine could not put to the test.
  grep -E '^ *(skip - |skipped: )' "$log" | sort | uniq -c | sed 's/^/  | /'
done
echo "$passes passed, $failures failed, $skips skipped"
((failures == 0))
