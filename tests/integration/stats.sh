#!/usr/bin/env bash
# trine stats: what instances use. Both classes share a few cases in vm.sh; here is what containers have beyond them.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program jq
busybox_image
before=$(snapshot)
# up NAME SCRIPT FLAG...: an instance whose script has said that it is ready.
up() {
  local name=$1 script=$2
  shift 2
  start run --rm --name "$name" "$@" busybox sh -c "$script" >"$work/$name.out" 2>&1 </dev/null
  wait_until grep -q ready "$work/$name.out" || fail "$name comes up" "$(<"$work/$name.out")"
}
figure() { jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2" <<<"$figures"; }
between() { # between NAME FIGURE LEAST MOST
  local value
  value=$(figure "$1" "$2")
  jq -en "$value >= $3 and $value <= $4" >/dev/null && pass "$2 of $1" || fail "$2 of $1" "$value, which is not between $3 and $4"
}

expect_output "without instances there is the heading" "NAME   CLASS   CPU   MEM   PIDS" trine stats --no-stream
up busy 'echo ready; while :; do :; done'
up still 'sleep 1000 & sleep 1000 & echo ready; wait'
up limited 'head -c 20000000 /dev/zero >/dev/shm/pages; echo ready; exec sleep 1000' --memory 64m --pids-limit 9 --cpus 1
figures=$(trine stats --no-stream --format json)
[[ $(jq -r '.[].name' <<<"$figures" | sort | xargs) == "busy limited still" ]] && pass "all that run are shown" || fail "all that run are shown" "$figures"
between busy cpu_percent 10 110
between still cpu_percent 0 10
between busy processes 1 1
between still processes 3 3
between limited processes 1 1
between limited memory_bytes 20000000 64000000
between busy cpu_microseconds 100000 600000000
[[ $(figure busy class) == container ]] && pass "the class is told" || fail "the class is told" "$figures"
expect_match "a table has a line for each that is named" "^NAME +CLASS +CPU +MEM +PIDS
still +container +[0-9.]+% +[0-9.]+[kM]B +3$" trine stats --no-stream still
output=$(timeout 3.8 "$build/bin/trine" --root "$state" stats --format json still | jq -r '.[0].name' | head -2 | xargs)
[[ $output == "still still" ]] && pass "without --no-stream it goes on" || fail "without --no-stream it goes on" "$output"
expect_error "one that there is not" 125 "no instance absent" trine stats --no-stream absent
expect_error "a format that there is not" 125 "--format 'xml' is unknown" trine stats --format xml
trine kill busy still limited >/dev/null
expect_error "one that has ended" 125 "no instance busy" trine stats --no-stream busy
expect_no_leak "nothing is left behind" "$before"
finish
