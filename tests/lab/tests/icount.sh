#!/usr/bin/env bash
# With --icount the machine's clock counts instructions: the same work takes the same time, whatever this machine does.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
# Milliseconds of the machine's clock, from power-on to the command, and for a VM of the command's.
measure() {
  # shellcheck disable=SC2016
  "$lab" run x86 --icount -- bash -c 'read -r up _ </proc/uptime; start=${EPOCHREALTIME/./}; "$0" >/dev/null || exit 1
    for ((i = 0; i < 20000; i++)); do :; done
    echo "$((10#${up/./} * 10)) $(((${EPOCHREALTIME/./} - start) / 1000))"' "$build/tests/bin/kvm_payload"
}
# within PERCENT A B
within() { (($2 > $3 ? ($2 - $3) * 100 <= $1 * $3 : ($3 - $2) * 100 <= $1 * $2)); }
read -r boot work_time < <(measure)
read -r again work_again < <(measure)
[[ -n $work_again ]] && pass "two boots were measured" || fail "two boots were measured"
within 5 "${boot:-0}" "${again:-1000}" && pass "a boot takes the same time ($boot and $again ms)" || fail "a boot takes the same time" "$boot and $again ms"
within 5 "${work_time:-0}" "${work_again:-1000}" && pass "so does work in it ($work_time and $work_again ms)" || fail "so does work in it" "$work_time and $work_again ms"
finish
