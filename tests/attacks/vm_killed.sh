#!/usr/bin/env bash
# A machine's monitor that makes a call which is not its own, what its filters let pass, and one that is killed, or whose trine
# is, at every stage of its start: trine says what happened, and nothing is left behind. The guest is no Linux (hostile_guest/);
# it never comes up.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_hostile_guest
require_program mkfs.erofs
require_program cpio
busybox_image
kernel=$state/lib/kernels/hostile
mkdir -p "$kernel" "$work/share"
cp "$build/tests/bin/hostile_guest" "$kernel/vmlinux"
cpio -o -H newc --quiet </dev/null >"$kernel/modules.cpio"
trine kernel use hostile
# A guest that never comes up is given up after a minute, and to try every call may take longer.
export TRINE_VM_BOOT_SECONDS=600

# begin: a machine that comes up for ever; its trine is $started.
begin() { start run --rm --memory 128m --isolation vm -v "$work/share:/data" busybox true >"$work/said" 2>&1; }
monitor_of() { pgrep -P "$1" -x trine-vmm; }
# Stages of a start: each is true from a moment on.
is_forked() { [[ -n $(pgrep -P "$started") ]]; }
has_monitor() { [[ -n $(monitor_of "$started") ]]; }
has_threads() { (($(find "/proc/$(monitor_of "$started")/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l) >= 2)); }
# thread_in CALL: the monitor's confined thread that waits in it. KVM has one there too, which has no code.
thread_in() {
  local thread
  for thread in "/proc/$(monitor_of "$started")/task"/*; do
    grep -qE "^$1 .* 0x[0-9a-f]{2,}$" "$thread/syscall" && grep -q '^Seccomp:.2' "$thread/status" && echo "${thread##*/}"
  done 2>/dev/null
}
runs_guest() { [[ -n $(thread_in $ioctl) && -n $(thread_in $epoll_wait) && -n $(thread_in $read) ]]; }
read=0 ioctl=16 epoll_wait=232 execve=59 socket=41

begin # what is made once
wait_for_guest runs_guest || fail "a machine comes up" "$(<"$work/said")"
kill -KILL "$started"
wait "$started" 2>/dev/null
trine ps -a >/dev/null
remains() { pgrep -f "trine-vmm.*$state|$build/bin/trine --root $state"; pgrep -x trine-vmm; }
expect_nothing_left "a machine goes with its trine"
before=$(snapshot)

# A call that no list has, of each kind of thread.
for call in $execve $socket; do
  for kind in "loop $epoll_wait" "vCPU $ioctl" "share's $read"; do
    begin
    wait_for_guest runs_guest
    "$build/tests/bin/inject_call" "$(thread_in "${kind#* }")" $call || fail "a call is injected"
    wait "$started"
    code=$?
    [[ $code == 125 ]] && grep -q "its monitor made a call that its seccomp list forbids" "$work/said" &&
      pass "call $call of the ${kind% *} thread ends the machine, which is said" || fail "call $call of the ${kind% *} thread ends the machine, which is said" "$code: $(<"$work/said")"
  done
done
expect_no_leak "nothing is left of them" "$before"

# Every call, tried with the filters that the threads of a live monitor have. The arguments are all bits set, so the calls that
# are allowed with some arguments only die too: ioctl, mmap, tgkill and others. 335 and 336 are made by the kernel's own probes
# and not shown to filters.
passing() { "$build/tests/bin/probe_filter" "$(thread_in "$1")" | grep -vx -e 335 -e 336 | sort | tr '\n' ' '; }
listed() { printf '%s\n' brk close exit exit_group futex getpid gettid mremap munmap rt_sigprocmask rt_sigreturn "$@" | sort | tr '\n' ' '; }
begin
wait_for_guest runs_guest
expect_output "the live filter of the loop lets nothing pass that it need not" \
  "$(listed epoll_ctl epoll_wait fdatasync getrandom io_uring_enter preadv pwritev read readv recvfrom sendmsg sendto shutdown timerfd_settime write writev)" \
  passing $epoll_wait
expect_output "… that of a vCPU" "$(listed epoll_ctl io_uring_enter write)" passing $ioctl
expect_output "… that of the share's thread" \
  "$(listed capset copy_file_range fallocate fchmodat fchownat fdatasync fgetxattr flistxattr fremovexattr fsetxattr fstatfs fsync ftruncate getdents64 \
    getegid geteuid linkat lseek mkdirat mknodat openat preadv pwritev read readlinkat renameat renameat2 setfsgid setfsuid statx symlinkat syncfs \
    unlinkat utimensat write)" passing $read
kill -KILL "$started"
wait "$started" 2>/dev/null
trine ps -a >/dev/null

for stage in is_forked has_monitor has_threads runs_guest; do
  begin
  wait_for_guest "$stage"
  kill -KILL "$(pgrep -P "$started" | tail -1)"
  wait "$started"
  code=$?
  [[ $code == 125 ]] && grep -q '^trine: .' "$work/said" && pass "a monitor that is killed, when: $stage" || fail "a monitor that is killed, when: $stage" "$code: $(<"$work/said")"
  begin
  wait_for_guest "$stage"
  kill -KILL "$started"
  wait "$started" 2>/dev/null
  expect_nothing_left "a trine that is killed takes its monitor along, when: $stage"
done
trine ps -a >/dev/null # removes what they had
expect_no_leak "nothing is left of the killed" "$before"
finish
