#!/usr/bin/env bash
# What a container of an image sees and may do when nothing is asked for.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
before=$(snapshot)

in_it() { trine run --rm busybox "$@"; }

for namespace in pid mnt net ipc uts cgroup; do
  host=$(readlink /proc/self/ns/$namespace)
  expect_match "the $namespace namespace is its own" "^$namespace:" in_it readlink /proc/self/ns/$namespace
  [[ $output != "$host" ]] && pass "the $namespace namespace is not the host's" || fail "the $namespace namespace is not the host's" "$output"
done
expect_output "the user namespace is the host's" "$(readlink /proc/self/ns/user)" in_it readlink /proc/self/ns/user

expect_match "it has Docker's fourteen capabilities" $'^CapEff:\t00000000a80425fb$' in_it grep CapEff /proc/self/status
expect_match "no capability is inheritable" $'^CapInh:\t0000000000000000$' in_it grep CapInh /proc/self/status
expect_match "its capabilities cannot grow" $'^CapBnd:\t00000000a80425fb$' in_it grep CapBnd /proc/self/status
expect_match "a seccomp filter is loaded" $'^Seccomp:\t2$' in_it grep Seccomp: /proc/self/status
expect_match "no_new_privs is off unless asked for" $'^NoNewPrivs:\t0$' in_it grep NoNewPrivs /proc/self/status

for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do
  [[ -e $path ]] && expect_output "$path shows nothing" "" in_it cat $path
done
for path in /proc/acpi /sys/firmware; do
  [[ -e $path ]] && expect_output "$path is empty" "" in_it ls $path
done
expect_error "/proc/sys cannot be written" 1 "Read-only file system" in_it sh -c 'echo 1 > /proc/sys/kernel/panic'
[[ -e /proc/sysrq-trigger ]] && expect_error "/proc/sysrq-trigger cannot be written" 1 "Read-only file system" in_it sh -c 'echo h > /proc/sysrq-trigger'
expect_error "/sys cannot be written" 1 "Read-only file system" in_it mkdir /sys/fs/cgroup/x

expect_output "/dev holds the default devices and nothing else" \
  "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" \
  in_it sh -c 'echo $(ls /dev)'
expect_output "/dev/null is the null device" "1,3" in_it stat -c %t,%T /dev/null
expect_error "a disk made by mknod cannot be opened" 1 "Operation not permitted" \
  in_it sh -c 'mknod /tmp/disk b 254 0 && cat /tmp/disk'
expect_error "nothing can be mounted" 1 "(Operation not permitted|permission denied)" in_it mount -t tmpfs none /tmp
expect_error "no user namespace can be made" 1 "Operation not permitted" in_it unshare -U true
expect_match "the clock cannot be set" "Operation not permitted" in_it date -s 2001-01-01

expect_output "its cgroups are the root of what it sees" "" in_it sh -c 'cut -d: -f3 /proc/self/cgroup | grep -v "^/$" || true'
expect_match "its mounts do not reach the host" "^[0-9]+$" in_it sh -c '! grep -q shared: /proc/self/mountinfo && wc -l < /proc/self/mountinfo'
expect_output "it is PID 1" "1" in_it sh -c 'echo $$'
expect_match "only its own processes are seen" "^1 [2-9]( [2-9])*$" in_it sh -c 'echo $(ls /proc | grep "^[0-9]" | sort -n)'
expect_match "the loopback is up" "127.0.0.1" in_it ip addr show lo
expect_output "there is no other link" "1" in_it sh -c 'ip -o link | wc -l'
expect_match "the host name is its short id" "^[0-9a-f]{12}$" in_it hostname
expect_match "the host name resolves" "127.0" in_it sh -c 'grep "$(hostname)" /etc/hosts'
expect_output "HOME comes from passwd" "/root" in_it sh -c 'echo $HOME'
expect_output "no descriptor is left open" "0 1 2 3" in_it sh -c 'echo $(ls /proc/self/fd)'
expect_output "SIGPIPE is not ignored" "0000000000000000" in_it awk '/SigIgn/{print $2}' /proc/self/status
expect_output "the umask is 022" "0022" in_it sh -c umask
expect_output "the standard input is empty without -i" "" in_it cat
expect_no_leak "nothing is left behind" "$before"
finish
