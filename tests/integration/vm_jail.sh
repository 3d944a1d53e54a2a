#!/usr/bin/env bash
# A VM's monitor as the host sees it: in namespaces of its own, with no file, no network, no right and no call beyond
# what it needs, in its instance's cgroup; and what is left when it, or trine, is killed.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_program strace
require_vm
busybox_image
before=$(snapshot)

# is CLAIM GOT WANTED
is() { if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "got '$2', wanted '$3'"; fi; }
# start_vm NAME: an instance that is up; its trine is $started, its monitor $monitor.
start_vm() {
  start run --rm --name "$1" --memory 192m --isolation vm busybox sh -c 'echo up; while :; do sleep 0.1; done' >"$work/$1" 2>&1
  wait_for_guest grep -q up "$work/$1" || fail "$1 comes up" "$(<"$work/$1")"
  monitor=$(pgrep -P "$started" -x trine-vmm)
}
status_of() { sed -n "s/^$1:\t//p" "/proc/$monitor/status" | tr '\t' ' '; }
limit_of() { awk -v name="$1" 'index($0, name) == 1 {print $(NF - 1)}' "/proc/$monitor/limits"; }

start_vm first
first=$started
read -r uid _ <<<"$(status_of Uid)"
((uid > 1000000)) && pass "it is a user that nobody else is" || fail "it is a user that nobody else is" "$uid"
is "… in all its ids" "$(status_of Uid) $(status_of Gid)" "$uid $uid $uid $uid $uid $uid $uid $uid"
is "… in no other group" "$(status_of Groups | tr -d ' ')" ""
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
  is "it has no capabilities: $set" "$(status_of $set)" "0000000000000000"
done
is "every thread is filtered, and gains no privileges" \
  "$(cat "/proc/$monitor"/task/*/status | sed -n 's/^NoNewPrivs:\t/privileges /p; s/^Seccomp:\t/mode /p' | sort -u | tr '\n' ' ')" "mode 2 privileges 1 "
threads=$(find "/proc/$monitor/task" -mindepth 1 -maxdepth 1 | wc -l)
((threads >= 2)) && pass "… of several" || fail "… of several" "$threads"
for namespace in mnt pid net ipc uts cgroup; do
  if [[ $(readlink "/proc/$monitor/ns/$namespace") != "$(readlink "/proc/$$/ns/$namespace")" ]]; then pass "its $namespace namespace is its own"; else fail "its $namespace namespace is its own"; fi
done
is "its root is empty" "$(ls -A "/proc/$monitor/root/")" ""
is "… and its only mount" "$(awk '{print $5, $8, $6}' "/proc/$monitor/mountinfo" | sed 's/,relatime//')" "/ tmpfs ro,nosuid,nodev,noexec"
is "… in which nothing can be made" "$(touch "/proc/$monitor/root/file" 2>&1 | grep -c 'Read-only')" "1"
is "its network has nothing but a loopback that is down" "$(awk -F: 'NR > 2 {print $1}' "/proc/$monitor/net/dev" | tr -d ' \n')" "lo"
# What each descriptor is, without numbers; the same kinds once.
kinds=$(for fd in "/proc/$monitor/fd"/*; do readlink "$fd"; done | sed -E 's/[0-9]+//g; s|'"$state"'|STATE|; s|/tmp/trine-test\.[^/]*|WORK|' | sort -u)
unexpected=$(grep -vE '^((/dev)?/null|/dev/kvm|socket:\[\]|anon_inode:(kvm-(vm|vcpu:?)|\[?(eventfd|eventpoll|signalfd|timerfd|io_uring)\]?)|/memfd:agent \(deleted\)|.*/bin/trine-agent|.*/(vmlinux|modules\.cpio)|.*/vm-layers/[^/]*\.erofs|.*/first)$' <<<"$kinds")
is "it has the descriptors that it was given, and events" "$unexpected" ""
is "it dumps no memory" "$(limit_of 'Max core file size')" "0"
is "its descriptors are bounded" "$(limit_of 'Max open files')" "1024"
group=$(find /sys/fs/cgroup -maxdepth 3 -type d -name 'trine-[0-9a-f]*' | head -1)
# KVM puts a thread of the kernel's beside it, which has no command line.
is "it is in its instance's cgroup" "$(while read -r pid; do grep -q . "/proc/$pid/cmdline" && echo "$pid"; done <"$group/cgroup.procs")" "$monitor"
if [[ -e $group/memory.max ]]; then
  memory=$(<"$group/memory.max")
  ((memory > 192 << 20 && memory < 300 << 20)) && pass "… which has its guest's memory and a little" || fail "… which has its guest's memory and a little" "$memory"
  is "… and bounds its threads" "$(<"$group/pids.max")" "65"
fi

# Killed: what was hit ends, with a word of why, and nothing stays.
kill -KILL "$monitor"
wait "$first"
code=$?
[[ $code == 125 ]] && grep -q "its monitor was killed" "$work/first" && pass "a killed monitor ends its instance, which is said" || fail "a killed monitor ends its instance, which is said" "$code: $(<"$work/first")"
[[ ! -d $group ]] && pass "… and its cgroup goes" || fail "… and its cgroup goes" "$group"
start_vm second
kill -KILL "$started"
wait "$started" 2>/dev/null
wait_until eval '! kill -0 $monitor 2>/dev/null' && pass "a killed trine takes its monitor along" || fail "a killed trine takes its monitor along"
trine ps -a >/dev/null # removes what it had
for round in 1 4 7; do
  start run --rm --isolation vm busybox true >/dev/null 2>&1
  read -rt "0.0$round" <> <(:) || : # no event: at whatever moment of its start that is
  kill -KILL "$started" 2>/dev/null
  wait "$started" 2>/dev/null
done
remains() { pgrep -x trine-vmm; }
expect_nothing_left "… at any moment of its start"
trine ps -a >/dev/null
expect_no_leak "nothing is left behind" "$before"

# A full life, traced. After the filters are loaded, a thread makes the calls of its list.
strace -f -qq -e signal=none -o "$work/trace" "$build/bin/trine" --root "$state" run --rm --memory 192m --isolation vm busybox echo traced >"$work/output" 2>&1
is "a traced machine runs" "$(<"$work/output")" "traced"
# Threads that have loaded a filter since the monitor was executed: the loop's is the first of its process, vCPUs are its
# others. Calls that have come to a result: of a thread that is killed strace may show what another did.
awk '$2 ~ /^execveat\(/ && /trine-vmm/ {loop[$1] = executed = 1}
  executed && $2 ~ /^seccomp\(SECCOMP_SET_MODE_FILTER/ {confined[$1] = 1; next}
  $1 in confined && / = [^?]/ {
    call = $2 == "<..." ? $3 : $2
    sub(/\(.*/, "", call)
    if (call != "seccomp" && call ~ /^[a-z_0-9]+$/) print ($1 in loop ? "loop" : "vcpu"), call
  }' "$work/trace" | sort -u >"$work/calls"
every='ioctl|futex|brk|mmap|munmap|mremap|close|rt_sigreturn|rt_sigprocmask|getpid|gettid|tgkill|madvise|exit|exit_group'
loop='preadv2|io_uring_enter|timerfd_settime|epoll_wait|read|write|readv|writev|recvfrom|sendto|epoll_ctl|preadv|pwritev|fdatasync|getrandom|shutdown|socketpair|fcntl|sendmsg'
vcpu='io_uring_enter|write|epoll_ctl'
[[ $(grep -c ^loop "$work/calls") -gt 4 && $(grep -c ^vcpu "$work/calls") -gt 1 ]] && pass "… whose threads are seen" || fail "… whose threads are seen" "$(tr '\n' ' ' <"$work/calls")"
is "the loop makes the calls of its list" "$(grep ^loop "$work/calls" | grep -vE "^loop ($every|$loop)$")" ""
is "the vCPUs make the calls of theirs" "$(grep ^vcpu "$work/calls" | grep -vE "^vcpu ($every|$vcpu)$")" ""
finish
