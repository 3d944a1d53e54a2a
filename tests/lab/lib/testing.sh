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
