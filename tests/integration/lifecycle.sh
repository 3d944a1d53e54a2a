#!/usr/bin/env bash
# trine kill, stop and wait: who gets which signal, what is waited for, and how the end is told. Both classes share a
# table in vm.sh; here is what containers have beyond it.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program jq
busybox_image --config.stopsignal SIGUSR1
before=$(snapshot)
status_of() { trine ps --all --format json | jq -r --arg name "$1" '.[] | select(.name == $name) | .status'; }
# up NAME SCRIPT ARGUMENT...: an instance whose script has said that it is ready; $started is its trine.
up() {
  local name=$1 script=$2
  shift 2
  start run --name "$name" "$@" busybox sh -c "$script" >"$work/$name.out" 2>&1 </dev/null
  wait_until grep -q ready "$work/$name.out" || fail "$name comes up" "$(<"$work/$name.out")"
}
patient='trap "exit 3" USR1; trap "exit 4" INT; trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
stubborn='trap "" USR1 TERM INT; echo ready; while :; do sleep 0.05; done'

# --- stop ---
up one "$patient"
one=$started
up two "$patient" --stop-signal INT
up three "$stubborn"
SECONDS=0
expect_output "stop ends several at once, and names each" $'one\ntwo\nthree' trine stop --time 2 one two three
((SECONDS < 6)) && pass "… those that do not listen by KILL, after one time for all" || fail "… those that do not listen by KILL, after one time for all" "$SECONDS s"
wait "$one"
code=$?
[[ $code == 3 ]] && pass "the stop signal is the image's" || fail "the stop signal is the image's" "$code"
expect_output "… or the user's; wait tells, in the order asked" $'3\n4\n137' trine wait one two three
expect_output "when stop returns, the end is written down" exited status_of three
expect_output "to stop what has ended is no error" one trine stop one
expect_error "to stop what there is not is one, and the others are stopped" 125 "no instance nobody" trine stop nobody one
run trine rm one two three

# --- kill ---
up one "$patient"
expect_output "kill -s sends that signal" one trine kill -s TERM one
expect_output "… to which the program may listen" 5 trine wait one
expect_error "what has ended cannot be killed" 125 "cannot kill one: it is not running" trine kill one
expect_error "a signal that there is not" 125 "no such signal" trine kill -s NONE one
run trine rm one
up one "$patient"
expect_output "kill sends KILL, and returns when it has ended" $'one\nexited' eval 'trine kill one && status_of one'
run trine rm one

# --- wait ---
up one "$patient" --rm
up two "$patient" --rm
"$build/bin/trine" --root "$state" wait two one >"$work/waited" &
waiter=$!
"$build/bin/trine" --root "$state" wait one >"$work/other" &
other=$!
holds_both() { (($(readlink /proc/"$waiter"/fd/* /proc/"$other"/fd/* 2>/dev/null | grep -c '/process$') == 3)); }
wait_until holds_both
run trine kill -s TERM one
wait "$other"
run trine kill -s INT two
wait "$waiter"
[[ $(<"$work/waited") == $'4\n5' && $(<"$work/other") == 5 ]] && pass "instances that are removed at their end are waited for, by several, in any order" ||
  fail "instances that are removed at their end are waited for, by several, in any order" "$(<"$work/waited"), $(<"$work/other")"
expect_error "an instance that is gone cannot be waited for" 125 "no instance one" trine wait one
for rm in "" --rm; do
  # shellcheck disable=SC2086 # no word for none
  up one "$patient" $rm
  trine wait one >"$work/waited" &
  waiter=$!
  kill -KILL "$started"
  wait "$waiter"
  [[ $(<"$work/waited") == 137 ]] && pass "an instance whose trine was killed ended with 137 ${rm:-kept}" || fail "an instance whose trine was killed ended with 137 ${rm:-kept}" "$(<"$work/waited")"
  wait "$started" 2>/dev/null
  [[ -n $rm ]] || run trine rm one
done

# --- numbers that are another's by now ---
up one "$patient"
kill -STOP "$started" # its trine, so that the end is not written down
pid=$(trine ps --format json | jq .[0].pid)
kill -KILL "$pid"
wait_until grep -q "State:.Z" "/proc/$pid/status"
expect_error "a process that has ended gets no signal" 125 "is not running" trine kill -s TERM one
record=$(echo "$state"/run/instances/*/record.json)
sleep 4321 &
stranger=$!
jq -c ".pid = $stranger" "$record" >"$work/record" && cat "$work/record" >"$record"
for verb in "kill" "kill -s TERM" "exec" "stop -t 0"; do
  # shellcheck disable=SC2086 # verb and flags
  [[ $verb == stop* ]] && run trine $verb one || run trine $verb one true
done
kill -0 "$stranger" 2>/dev/null && pass "nor does another process that has its number by now" || fail "nor does another process that has its number by now"
kill "$stranger"
kill -CONT "$started"
wait "$started" "$stranger" 2>/dev/null
run trine rm one
wait
expect_no_leak "nothing is left behind" "$before"
finish
