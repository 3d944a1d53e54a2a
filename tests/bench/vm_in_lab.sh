#!/usr/bin/env bash
# The part of vm.sh that runs in the lab: vm_in_lab.sh ROUNDS KERNEL... where a kernel is what `trine kernel import` takes.
. "$(dirname "$0")/../lib/harness.sh"
rounds=$1
shift
line=the-workload-is-here
memory=256 # MiB
qemu_machine=microvm,x-option-roms=off,pit=off,pic=off,rtc=off,isa-serial=on
# Every word that trine gives its guests (runtime/backend/vm.cpp), but for how this machine reboots.
command_line="console=ttyS0 quiet panic=-1 reboot=t pci=off i8042.noaux i8042.nopnp i8042.dumbkbd tsc=reliable \
random.trust_cpu=on cryptomgr.notests \
initcall_blacklist=load_system_certificate_list,ftrace_check_for_weak_functions,trace_eval_init"
tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null

busybox_image
names=()
for kernel in "$@"; do names+=("$(trine kernel import "$kernel")") || exit; done

# What QEMU starts: busybox as the first program, which prints the line.
mkdir -p "$work/root/bin" "$work/root/dev"
cp "$(command -v busybox)" "$work/root/bin/busybox"
printf '#!/bin/busybox sh\n/bin/busybox mount -t devtmpfs dev /dev\necho %s >/dev/console\nwhile :; do /bin/busybox sleep 1000; done\n' "$line" >"$work/root/init"
chmod +x "$work/root/init"
mknod -m 600 "$work/root/dev/console" c 5 1
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"

trine_run() { exec "$build/bin/trine" --root "$state" run --rm --isolation vm --memory ${memory}m busybox sh -c "echo $line; exec sleep 1000"; }
qemu_run() {
  exec qemu-system-x86_64 -M $qemu_machine -accel kvm -cpu host -m $memory -nodefaults -no-user-config -nographic -no-reboot \
    -kernel "$state/lib/kernels/$1/vmlinux" -initrd "$work/initramfs" -append "$command_line" -serial stdio </dev/null
}

# own_memory PID: KiB that are in memory of a process, without the mapping that is the guest's.
own_memory() {
  awk -v guest=$((memory * 1024)) '/^[0-9a-f]+-/ {size = 0} /^Size:/ {size = $2} /^Rss:/ && size < guest {sum += $2} END {print sum}' "/proc/$1/smaps"
}

# set_up NAME: microseconds from the execution of the program NAME to the first entry into its guest.
set_up() {
  awk -v name="/$1 " '{time = $(NF < 4 ? 1 : 4); for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+\.[0-9]+:$/) {time = $i; break}}
    /sched_process_exec/ && index($0 " ", name) {begin = time + 0}
    /kvm_entry/ && begin {printf "%d", (time - begin) * 1e6; exit}' $tracing/trace
}

# trace_on: the first events are kept, not the last.
trace_on() {
  echo 0 >$tracing/tracing_on
  : >$tracing/trace
  echo 0 >$tracing/options/overwrite
  echo 1 >$tracing/events/sched/sched_process_exec/enable
  echo 1 >$tracing/events/kvm/kvm_entry/enable
  echo 1 >$tracing/tracing_on
}

# measure MONITOR COMMAND...: sets $total (µs), $set_up (µs) and $own (KiB).
measure() {
  local monitor=$1 begin text pid
  shift
  trace_on
  begin=${EPOCHREALTIME/./}
  exec {out}< <("$@" 2>&1)
  while read -r -t 600 text <&"$out"; do
    [[ $text != *"$line"* ]] || break
    printf '%s\n' "$text" >>"$work/said"
  done
  total=$((${EPOCHREALTIME/./} - begin))
  echo 0 >$tracing/tracing_on
  [[ $text == *"$line"* ]] || { echo "the guest did not come up:"; cat "$work/said"; exit 1; }
  pid=$(pgrep -n -x "$monitor")
  own=$(own_memory "$pid")
  set_up=$(set_up "${monitor/qemu-system-x86/qemu-system-x86_64}")
  kill -KILL "$pid"
  while read -r -t 60 text <&"$out"; do :; done
  exec {out}<&-
}

printf '%-8s %-28s %12s %12s %10s\n' monitor kernel "to line ms" "set-up ms" "own KiB"
for ((round = 0; round <= rounds; round++)); do
  for name in "${names[@]}"; do
    trine kernel use "$name"
    for monitor in trine-vmm qemu-system-x86; do
      if [[ $monitor == trine-vmm ]]; then measure $monitor trine_run; else measure $monitor qemu_run "$name"; fi
      ((round > 0 || rounds == 0)) || continue # the first warms the caches
      printf '%-8s %-28s %12s %12s %10s\n' "${monitor%%-*}" "$name" "$((total / 1000)).$((total / 100 % 10))" "$((set_up / 1000)).$((set_up / 100 % 10))" "$own"
    done
  done
done
