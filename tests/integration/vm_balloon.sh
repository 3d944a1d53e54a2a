#!/usr/bin/env bash
# Memory that a guest does not need is the host's again, measured as what is resident of the monitor's mapping of it; what
# guests have in common is there once; and what trine update changes of a machine that runs.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_vm
large=$((24 << 20))
eval "$(declare -f busybox_root | sed '1s/busybox_root/small_root/')"
busybox_root() { small_root "$1" && head -c $large /dev/urandom >"$1/large"; }
busybox_image
before=$(snapshot)

# guest_rss: MiB of the guest's memory that are in the host's.
guest_rss() {
  awk '/^[0-9a-f]+-/{size = 0} /^Size:/{size = $2} /^Rss:/{if (size >= 65536) sum += $2} END {print int(sum / 1024)}' "/proc/$monitor/smaps"
}
monitor_of() { trine inspect "$1" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; }
# image_share PID: MiB of the image's file that are in the host's memory for this monitor, of what is shared its share.
image_share() { awk '/^[0-9a-f]+-/{image = $2 == "r--s"} /^Pss:/{if (image) sum += $2} END {print int(sum / 1024)}' "/proc/$1/smaps"; }
is_below() { (($(guest_rss) < $1)); }
is_above() { (($(guest_rss) > $1)); }

start run --name eater --isolation vm --memory 256m busybox sh -c 'echo up; while :; do sleep 1000; done' >"$work/out" 2>&1
main=$started
wait_for_guest grep -q up "$work/out" || fail "the guest comes up" "$(cat "$work/out")"
monitor=$(monitor_of eater)
echo "# at the start: $(guest_rss) MiB"
wait_for_guest is_below "${TRINE_IDLE_MIB:-110}" && pass "an idle guest of 256 MiB gives memory back ($(guest_rss) MiB left)" || fail "an idle guest of 256 MiB gives memory back" "$(guest_rss) MiB"
idle=$(guest_rss)
echo "# idle: $idle MiB"

# A process of 110 MB: tail, which holds what it has read until there is no more.
start exec eater sh -c '{ head -c 110000000 /dev/zero; sleep 1000; } | tail -c 110000000 >/dev/null'
eating=$started
wait_for_guest is_above $((idle + 80)) && pass "a process takes 110 MB ($(guest_rss) MiB)" || fail "a process takes 110 MB" "$(guest_rss) MiB"
begin=$SECONDS
trine exec eater kill -KILL -1 # all but the first process
wait "$eating" 2>/dev/null
wait_for_guest is_below $((idle + 40)) && pass "its memory is the host's again ($(guest_rss) MiB after $((SECONDS - begin)) s)" || fail "its memory is the host's again" "$(guest_rss) MiB, $idle before"
before_reading=$(guest_rss)
digest=$(trine run --rm busybox sha256sum /large | cut -d' ' -f1)
expect_match "it reads a file of its image" "^$digest" trine exec eater sha256sum /large
after_reading=$(guest_rss)
((after_reading < before_reading + large / (3 << 20))) && pass "without a copy in its own memory ($before_reading MiB, then $after_reading)" ||
  fail "without a copy in its own memory" "$before_reading MiB, then $after_reading"
start run --name other --isolation vm --memory 256m --vm-pages merged --vm-pages small busybox sh -c 'sha256sum /large; while :; do sleep 1000; done' >"$work/other" 2>&1
other=$started
wait_for_guest grep -q "^$digest" "$work/other" && pass "a second guest reads it" || fail "a second guest reads it" "$(cat "$work/other")"
shares="$(image_share "$monitor") $(image_share "$(monitor_of other)")"
read -r one two <<<"$shares"
((one > 8 && two > 8 && one + two <= (large >> 20) + 3)) && pass "both have one copy of it, the host's ($one and $two MiB)" || fail "both have one copy of it, the host's" "$shares"
# The guest's memory is the one large mapping.
expect_match "its pages may be merged, and are small ones" ' mg .*nh|nh.* mg' awk '/^[0-9a-f]+-/{size = 0} /^Size:/{size = $2} /^VmFlags:/{if (size >= 200000 && size <= 262144) print $0, ""}' "/proc/$(monitor_of other)/smaps"
expect_output "the second ends" other trine stop -t 1 other
wait "$other"
expect_exit "and is removed" 0 trine rm other
expect_output "the guest still runs" fine trine exec eater echo fine
memory() { trine exec eater awk '/^MemTotal/{print $2}' /proc/meminfo; }
has_less_than() { [[ $(memory) -lt $1 ]]; }
has_more_than() { [[ $(memory) -gt $1 ]]; }
full=$(memory)
expect_exit "update takes memory from the guest" 0 trine update --memory 160m eater
wait_for_guest has_less_than $((full - 80000)) && pass "which has that much less" || fail "which has that much less" "$(memory) of $full kB"
expect_exit "and gives it back" 0 trine update --memory 256m eater
wait_for_guest has_more_than $((full - 10000)) && pass "up to what it had" || fail "up to what it had" "$(memory) of $full kB"
expect_error "not more" 125 "cannot have 512 MiB of memory" trine update --memory 512m eater
expect_exit "update of its processor time" 0 trine update --cpus 0.5 eater
expect_output "which is its monitor's cgroup's" "50000 100000" eval "cat /sys/fs/cgroup\$(sed -n 's/^0:://p' /proc/$monitor/cgroup)/cpu.max"
expect_output "and ends" eater trine stop -t 1 eater
wait "$main"
expect_exit "it is removed" 0 trine rm eater
expect_no_leak "nothing is left behind" "$before"
finish
