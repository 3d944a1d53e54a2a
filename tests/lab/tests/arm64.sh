#!/usr/bin/env bash
# The arm64 lab: a Debian user space, the checkout at its own path, and KVM.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab arm64
require_program aarch64-linux-gnu-gcc
mkdir "$work/bin"
aarch64-linux-gnu-gcc -O2 -Wall -Wextra -o "$work/bin/kvm_payload" "$lab_tests/lab/kvm_payload.c" || { echo "not ok - cannot cross-build"; exit 1; }
"$lab" run arm64 --share "$work/bin" -- bash -c "uname -m; cmp '$lab_tests/lab/lab' /proc/self/fd/3 3<'$lab_tests/lab/lab' && echo same; cat /sys/fs/cgroup/cgroup.controllers; $work/bin/kvm_payload; exit 7" >"$work/out" 2>"$work/err"
code=$?
said() { grep -qE -- "$2" "$work/out" && pass "$1" || fail "$1" "$(cat "$work/out" "$work/err")"; }
[[ $code == 7 ]] && pass "the exit code is the command's" || fail "the exit code is the command's" "$code: $(cat "$work/err")"
said "it is an arm64 machine" '^aarch64$'
said "the checkout is at its own path" '^same$'
said "cgroup v2 has every controller" '^cpuset cpu io memory .*pids'
said "a VM runs a payload by VHE" "the payload wrote 'C' and stopped"
finish
