#!/usr/bin/env bash
# The x86 lab with systemd as PID 1: for the systemd cgroup driver, and for delegation.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86 --systemd
tests=(unit/cgroups integration/oci_systemd integration/engines_podman)
# shellcheck disable=SC2016
"$lab" run x86 --systemd --timeout 1700 -- env TRINE_BUILD="$build" TRINE_TEST_CGROUPS=systemd TRINE_TEST_LIMIT=600 \
  TRINE_TEST_SCALE=20 bash -c '
  cat /proc/1/comm /proc/self/cgroup
  systemctl is-active dbus.service
  systemd-run --quiet --wait --collect -p MemoryMax=32M -p Slice=test.slice bash -c "cat /sys/fs/cgroup/test.slice/*/memory.max" && echo scope ran
  systemd-run --quiet --wait --pipe --collect --uid=1000 -p Delegate=yes bash -c "mkdir /sys/fs/cgroup\$(sed s/^0::// /proc/self/cgroup)/mine && echo delegated"
  bash "$0" "$@"
  exit 7' "$lab_tests/lab/guest/batch.sh" "${tests[@]}" >"$work/out" 2>"$work/err"
code=$?
said() { grep -qE -- "$2" "$work/out" && pass "$1" || fail "$1" "$(cat "$work/out" "$work/err")"; }
[[ $code == 7 ]] && pass "the exit code is the command's" || fail "the exit code is the command's" "$code: $(cat "$work/err")"
said "systemd is PID 1" '^systemd$'
said "the command is a service of it" '^0::/system.slice/lab.service'
said "the bus is there" '^active$'
said "it makes units with limits" '^scope ran$'
said "it delegates a group to a user" '^delegated$'
# What ran in that boot, with the systemd driver.
grep -E '^(ok|skip) - (unit|integration)/' "$work/out"
said "all that ran there passed" '^[0-9]+ passed, 0 failed'
finish
