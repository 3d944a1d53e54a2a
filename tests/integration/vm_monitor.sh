#!/usr/bin/env bash
# trine-vmm with guests that misbehave: each ends with an exit code and a word of why, and takes nothing with it.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_vm
require_program cpio
require_program busybox
kernel=$state/lib/kernels/default

# guest SCRIPT [FLAG...]: a machine whose first program is SCRIPT, run by busybox.
guest() {
  local script=$1
  shift
  rm -rf "$work/root"
  mkdir -p "$work/root"/{bin,proc,dev}
  cp "$(command -v busybox)" "$work/root/bin/busybox"
  printf '#!/bin/busybox sh\nB=/bin/busybox\n$B mount -t proc proc /proc\n$B mount -t devtmpfs dev /dev\n%s\n' "$script" >"$work/root/init"
  chmod +x "$work/root/init"
  (cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"
  timeout 120 "$build/bin/trine-vmm" --kernel "$kernel/vmlinux" --initramfs "$kernel/modules.cpio" --initramfs "$work/initramfs" \
    --memory 192m --command-line "console=ttyS0 quiet panic=-1 reboot=k" "$@"
}
# shellcheck disable=SC2016
load='for m in /modules/*; do $B insmod $m; done'

expect_exit "a guest that powers off" 0 guest '$B poweroff -f'
expect_exit "a guest that reboots" 10 guest '$B reboot -f'
expect_error "a guest that panics, with its console's end" 11 "last words" guest 'echo last words >/dev/ttyS0; exit 1'
head -c 1M /dev/urandom >"$work/disk"
sum=$(sha256sum <"$work/disk" | cut -d' ' -f1)
expect_match "a disk is read, by its driver" "$sum" guest "$load"'; $B sha256sum /dev/vda >/dev/ttyS0; $B poweroff -f' --read-only-disk "$work/disk" --console /dev/stderr
expect_match "a read-only disk cannot be written" "write-failed" guest "$load"'; $B dd if=/dev/zero of=/dev/vda count=1 conv=fsync 2>/dev/null || echo write-failed >/dev/ttyS0; $B poweroff -f' --read-only-disk "$work/disk" --console /dev/stderr
[[ $(sha256sum <"$work/disk" | cut -d' ' -f1) == "$sum" ]] && pass "and was not" || fail "and was not"
expect_exit "another is written" 0 guest "$load"'; $B dd if=/dev/zero of=/dev/vda bs=1M count=1 conv=fsync 2>/dev/null; $B poweroff -f' --disk "$work/disk"
cmp -s "$work/disk" <(head -c 1M /dev/zero) && pass "with what the guest wrote" || fail "with what the guest wrote"
expect_match "four processors come up" "processors: 4" guest 'echo processors: $($B nproc) >/dev/ttyS0; $B poweroff -f' --cpus 4 --console /dev/stderr
expect_match "the hardware's random numbers are there" "virtio_rng" guest "$load"'; $B cat /sys/class/misc/hw_random/rng_current >/dev/ttyS0 || { $B mkdir /sys; $B mount -t sysfs sys /sys; $B cat /sys/class/misc/hw_random/rng_current >/dev/ttyS0; }; $B poweroff -f' --console /dev/stderr

# monitor_of JOB: the process that runs the guest of a background job, which `timeout` started.
monitor_of() { pgrep -P "$(pgrep -P "$1" -x timeout)" -x trine-vmm; }

guest 'echo spinning >/dev/ttyS0; while :; do :; done' --console "$work/spins" 2>"$work/spin" &
spinning=$!
: >"$work/spins"
wait_for_guest test -s "$work/spins"
kill -QUIT "$(monitor_of $spinning)"
wait $spinning
code=$?
[[ $code == 13 ]] && pass "a guest that spins is ended by a signal" || fail "a guest that spins is ended by a signal" "$code: $(cat "$work/spin")"

mkfifo "$work/flood"
{ head -c 500K >/dev/null; echo 500K >"$work/flooded"; exec cat >/dev/null; } <"$work/flood" &
reader=$!
guest "$load"'; line=$($B printf %900s flood); while :; do echo "$line"; done >/dev/hvc0' --console "$work/flood" 2>/dev/null &
flooding=$!
wait_for_guest test -s "$work/flooded" || fail "a guest floods its console"
monitor=$(monitor_of $flooding)
# All but the guest's memory, which is the one large mapping.
own=$(awk '/^[0-9a-f]+-/{count = 0} /^Size:/{count = $2 < 65536} /^Rss:/{if (count) sum += $2} END {print sum}' "/proc/$monitor/smaps")
kill -TERM "$monitor"
wait $flooding $reader
((own < 8192)) && pass "a guest that floods its console does not make the monitor grow ($own KiB)" || fail "a guest that floods its console does not make the monitor grow" "$own KiB"
expect_error "a kernel that is none" 1 "no ELF file" "$build/bin/trine-vmm" --kernel /etc/passwd
expect_error "a flag that there is not" 1 "no flag --fast" "$build/bin/trine-vmm" --fast
expect_error "a descriptor that is not open" 1 "fd:99 is no descriptor" "$build/bin/trine-vmm" --kernel fd:99
finish
