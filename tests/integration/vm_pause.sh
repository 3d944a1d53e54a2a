#!/usr/bin/env bash
# trine pause and unpause: one table of cases for both classes.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
[[ ${TRINE_PAUSE_CLASSES-vm} != *vm* ]] || require_vm
busybox_image
before=$(snapshot)
status_of() { trine ps --all | awk -v name="$1" '$2 == name {print $NF}'; }
lines() { wc -l <"$work/out"; }
has_more_than() { (($(lines) > $1)); }

cases() {
  : >"$work/out"
  start run --name "it-$class" --isolation "$class" busybox sh -c 'trap "exit 9" TERM; while :; do echo line; sleep 0.02; done' >"$work/out" 2>&1
  main=$started
  wait_for_guest grep -qs line "$work/out" || fail "$class: it comes up" "$(cat "$work/out")"
  grep -v line "$work/out" && cat "$work/out"
  expect_output "$class: pause" "it-$class" trine pause "it-$class"
  expect_output "$class: ps shows it" paused status_of "it-$class"
  expect_match "$class: inspect shows it" '"status": "paused"' trine inspect "it-$class"
  # What was on its way has arrived when nothing more does.
  count=-1
  while [[ $count != "$(lines)" ]]; do count=$(lines); sleep 0.3; done
  sleep 3
  [[ $(lines) == "$count" ]] && pass "$class: it stands still" || fail "$class: it stands still" "$count, then $(lines)"
  expect_error "$class: a second pause is refused" 125 "it is paused already" trine pause "it-$class"
  expect_error "$class: exec is refused, with the cure" 125 "trine unpause it-$class" trine exec "it-$class" true
  expect_output "$class: unpause" "it-$class" trine unpause "it-$class"
  wait_for_guest has_more_than "$count" && pass "$class: it goes on" || fail "$class: it goes on"
  expect_output "$class: ps shows that" running status_of "it-$class"
  expect_error "$class: a second unpause is refused" 125 "it is not paused" trine unpause "it-$class"
  begin=$(date +%s)
  output=$(trine exec "it-$class" date +%s) # which takes its time on a busy machine
  ((output >= begin - 2 && output <= $(date +%s) + 2)) && pass "$class: its clock is right" ||
    fail "$class: its clock is right" "$output, asked at $begin and told by $(date +%s)"
  expect_output "$class: pause again" "it-$class" trine pause "it-$class"
  expect_output "$class: resume is unpause" "it-$class" trine resume "it-$class"
  expect_output "$class: and again" "it-$class" trine pause "it-$class"
  expect_output "$class: stop ends the pause" "it-$class" trine stop -t 60 "it-$class"
  wait "$main"
  code=$?
  [[ $code == 9 ]] && pass "$class: … and its program ends as it wants" || fail "$class: … and its program ends as it wants" "$code"
  expect_error "$class: no pause of what has ended" 125 "it is not running" trine pause "it-$class"
  expect_exit "$class: it is removed" 0 trine rm "it-$class"
  start run --rm --name "killed-$class" --isolation "$class" busybox sh -c 'echo up; exec sleep 1000' >"$work/up"
  wait_for_guest grep -q up "$work/up"
  trine pause "killed-$class" >/dev/null
  expect_exit "$class: what is paused is killed" 0 trine kill "killed-$class"
  wait "$started"
  code=$?
  [[ $code == 137 ]] && pass "$class: … with 137" || fail "$class: … with 137" "$code"
}

# The monitor of a VM that stands still is killed from outside.
killed_while_paused() {
  start run --name orphan --isolation vm busybox sh -c 'echo up; exec sleep 1000' >"$work/orphan" 2>&1
  wait_for_guest grep -q up "$work/orphan"
  expect_output "vm: one more is paused" orphan trine pause orphan
  kill -KILL "$(pgrep -P "$started" -x trine-vmm)"
  wait "$started"
  code=$?
  [[ $code == 125 ]] && grep -q '^trine: the instance ended: its monitor was killed$' "$work/orphan" &&
    pass "vm: a monitor that is killed then ends it, which is said" || fail "vm: a monitor that is killed then ends it, which is said" "$code: $(<"$work/orphan")"
  expect_match "vm: … and it is listed as one that has ended" 'orphan .*exited \(125\)' trine ps --all
  expect_error "vm: … which does not go on" 125 "cannot unpause orphan: it is not running" trine unpause orphan
  expect_output "vm: … and can be removed" orphan trine rm orphan
  expect_exit "vm: … nor has a monitor or a group" 1 eval 'pgrep -x trine-vmm || find /sys/fs/cgroup -maxdepth 3 -type d -name "trine-[0-9a-f]*" | grep .'
}

for class in container ${TRINE_PAUSE_CLASSES-vm}; do cases; done
if [[ ${TRINE_PAUSE_CLASSES-vm} == *vm* ]]; then killed_while_paused; fi
expect_no_leak "nothing is left behind" "$before"
finish
