#!/usr/bin/env bash
# VMs in the background: the same as background.sh shows of containers, where a VM's own trine has a part in it.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_program jq
require_vm
busybox_image
before=$(snapshot)

has_line() { trine logs "$1" 2>/dev/null | grep -q "$2"; }
id=$(trine run -d --name guest --isolation vm busybox sh -c 'echo out; echo err >&2; trap "exit 9" TERM; while :; do sleep 0.1; done')
[[ $id =~ ^[0-9a-f]{64}$ ]] && pass "run -d prints the id" || fail "run -d prints the id" "$id"
wait_for_guest has_line guest out && pass "its output is in the log" || fail "its output is in the log" "$(trine logs guest 2>&1)"
expect_output "… by stream" "err" eval 'trine logs guest 2>&1 >/dev/null'
expect_output "exec works" here trine exec guest echo here
expect_output "its supervisor is nobody's child" 1 eval "ps -o ppid= -p $(pgrep -f "__ended.*$id") | tr -d ' '"
expect_output "stop ends it" guest trine stop -t 60 guest
expect_output "… as its program ends" 9 trine wait guest
expect_output "it is started again, and stopped" $'guest\nguest' eval 'trine start guest; wait_for_guest eval "[[ \$(trine logs guest 2>/dev/null | grep -c out) == 2 ]]"; trine stop -t 60 guest'
expect_output "… as its program ends" 9 trine wait guest
expect_output "it is removed" guest trine rm guest
trine create --rm --name made --isolation vm -i busybox sh -c 'read -r line; echo "got $line"; exit 4' >/dev/null
expect_exit "one that was made is started, and typed to" 4 eval 'echo word | trine start -ai made >"$work/output"'
expect_output "… and seen from its first byte" "got word" cat "$work/output"
expect_error "run -d of a program that is not there" 127 nothere trine run -d --isolation vm busybox nothere
trine run -d --name shot --isolation vm busybox sleep 1000 >/dev/null
first=$(trine inspect shot | jq '.[0].pid')
kill -KILL "$(pgrep -f "__ended.*$(trine inspect shot | jq -r '.[0].id')")"
wait_until eval "! kill -0 $first 2>/dev/null" && pass "a VM ends with its supervisor" || fail "a VM ends with its supervisor"
expect_output "… which is said" 137 trine wait shot
expect_output "… with why" "the process of trine that ran it was killed" eval "trine inspect shot | jq -r '.[0].error'"
trine rm shot >/dev/null
trine run -d --name lost --isolation vm busybox sleep 1000 >/dev/null
kill -KILL "$(trine inspect lost | jq '.[0].pid')"
expect_output "a VM ends with its monitor" 125 trine wait lost
expect_output "… and is kept, with why" '["exited",125,"the instance ended: its monitor was killed"]' \
  eval "trine inspect lost | jq -c '.[0] | [.status, .exitCode, .error]'"
expect_match "… which its log has too" "its monitor was killed" trine logs lost
expect_output "… until it is removed" lost trine rm lost
trine ps -a >/dev/null
expect_no_leak "nothing is left" "$before"
finish
