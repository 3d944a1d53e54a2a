#!/usr/bin/env bash
# VMs of one image at once, and how they end when something is killed: only what was hit, and with a word of why.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
require_program umoci
require_program jq
require_vm
busybox_image
layout=$work/layout
odd_image
trine load --quiet --name more "oci:$layout:more" >/dev/null
before=$(snapshot)
# start_vm NAME [FLAG...]: an instance that is up; its trine is $started.
start_vm() {
  start run --name "$@" --isolation vm more sh -c 'echo up; while :; do sleep 0.1; done' >"$work/$1" 2>&1
  wait_for_guest grep -q up "$work/$1" || fail "$1 comes up" "$(<"$work/$1")"
}
monitor_of() { pgrep -P "$1" -x trine-vmm; }

# Every file of the root as the program sees it.
# shellcheck disable=SC2016
tree='find / \( -path /proc -o -path /sys -o -path /dev \) -prune -o -print | sort | while read -r f; do
  if [ -d "$f" ]; then stat -c "%n %A %u:%g" "$f"; else stat -c "%n %A %u:%g %s %h %t,%T %Y" "$f"; fi
  if [ -f "$f" ] && [ ! -L "$f" ]; then echo "$f $(sha256sum <"$f")"; fi; done'
for class in container vm; do
  trine run --rm --isolation $class --hostname same more sh -c "$tree" | grep -vE '^/etc/(hosts|hostname|resolv.conf) ' >"$work/tree-$class" # what the run adds
done
if [[ $(wc -l <"$work/tree-vm") -gt 200 ]] && diff "$work/tree-container" "$work/tree-vm" >"$work/diff"; then
  pass "files of every kind are the same in both classes"
else
  fail "files of every kind are the same in both classes" "$(head -n 20 "$work/diff")"
fi

start_vm first
first=$started
start_vm second --rm
second=$started
start_vm third --rm
third=$started
expect_output "three run at once of one image" "3" eval "trine ps -q | wc -l"
kill -KILL "$(monitor_of "$first")"
wait "$first"
code=$?
[[ $code == 125 ]] && grep -q "its monitor was killed" "$work/first" && pass "a killed monitor ends its instance, which is said" || fail "a killed monitor ends its instance, which is said" "$code: $(<"$work/first")"
expect_output "… and kept: when, how and why" '["exited",125,"the instance ended: its monitor was killed"]' \
  eval "trine inspect first | jq -c '.[0] | [.status, .exitCode, .error]'"
expect_match "… for ps to list" 'first .*exited \(125\)' trine ps -a
expect_output "… until it is removed" first trine rm first
monitor=$(monitor_of "$second")
kill -KILL "$second"
wait "$second" 2>/dev/null
wait_until eval '! kill -0 $monitor 2>/dev/null' && pass "a killed trine takes its monitor along" || fail "a killed trine takes its monitor along"
expect_output "others of the image go on" "still here" trine exec third echo still here
expect_output "and can be stopped" "third" trine stop -t 1 third
wait "$third"
trine ps -a >/dev/null # removes what the killed one had
expect_output "of the killed nothing is listed" "0" eval "trine ps -aq | wc -l"
expect_no_leak "nothing is left behind" "$before"
finish
