#!/usr/bin/env bash
# KVM works in the x86 lab: a program makes a virtual machine and runs a payload in it.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
expect_output "a VM runs a payload by SVM" "the payload wrote 'C' and stopped" "$lab" run x86 --guests -- "$build/tests/bin/kvm_payload"
expect_output "and its pages are nested" "Y" "$lab" run x86 -- sh -c 'sed s/1/Y/ /sys/module/kvm_amd/parameters/npt'
finish
