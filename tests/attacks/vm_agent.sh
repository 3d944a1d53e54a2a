#!/usr/bin/env bash
# What a guest may say in its agent's place: each instance ends with a word of why, trine takes no memory for it, and a
# VM beside it goes on.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_vm
busybox_image
before=$(snapshot)
start run --rm --name beside --isolation vm busybox sh -c 'echo up; while :; do sleep 0.1; done' >"$work/beside"
beside=$started
wait_for_guest grep -q up "$work/beside"

mkdir "$work/bin"
cp -a "$build"/bin/* "$work/bin/"
# hostile WAY [FLAG...]: an instance whose agent is that. Neither trine nor the monitor, which has the guest's 192 MiB, gets
# more than 293 MiB.
hostile() {
  local way=$1
  shift
  { cat "$build/tests/bin/hostile_agent"; printf ' %s %s' "$(printf '.%.0s' {1..32})" "$way"; } >"$work/agent"
  mv "$work/agent" "$work/bin/trine-agent"
  chmod +x "$work/bin/trine-agent"
  (ulimit -Sd 300000; exec timeout --kill-after 5 100 "$work/bin/trine" --root "$state" run --rm --isolation vm --memory 192m "$@" busybox echo never)
}
for way in garbage length flags; do expect_error "$way" 125 "sent what is no frame" hostile $way; done
expect_error "a frame of no type" 125 "unknown type" hostile type
expect_error "another version" 125 "another version" hostile version
expect_error "a payload that is too short" 125 "another version" hostile short
expect_error "a list that is longer than its frame" 125 "cannot start the process, and does not say why" hostile count
expect_error "an end that is none" 125 "cannot be read" hostile end
expect_exit "an end before the start, twice, of more than 8 bits" 255 hostile twice
expect_error "an agent that hangs up" 125 "agent is gone" hostile leaves
expect_exit "3,000 connections, most to nowhere" 5 hostile connections
for way in silent flood; do
  hostile $way --name $way >"$work/$way" 2>&1 &
  running=$!
  wait_for_guest grep -q up "$work/$way"
  trine=$(pgrep -n -x trine)
  expect_exit "one that does nothing but $way takes a signal that it does not hear" 0 trine kill --signal TERM $way
  taken=$(awk '/^VmHWM:/{print $2}' "/proc/$trine/status")
  ((taken < 16384)) && pass "trine takes little memory for it ($taken KiB)" || fail "trine takes little memory for it" "$taken KiB"
  expect_exit "and is killed" 0 trine kill --signal KILL $way
  wait $running
  code=$?
  [[ $code == 137 ]] && pass "which is its exit code" || fail "which is its exit code" "$code: $(<"$work/$way")"
done
expect_output "the VM beside them goes on" "here" trine exec beside echo here
trine kill --signal KILL beside >/dev/null
wait "$beside"
expect_no_leak "nothing is left behind" "$before"
finish
