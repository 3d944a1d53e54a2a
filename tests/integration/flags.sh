#!/usr/bin/env bash
# Each flag of `trine run`, by what it changes inside.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image --config.env FROM_IMAGE=1 --config.workingdir /home/user
before=$(snapshot)
run_it() { trine run --rm "$@"; }
cgroup_file() { # CONTROLLER V1_FILE V2_FILE: the file that has a limit, as seen inside
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then echo "/sys/fs/cgroup/$3"; else echo "/sys/fs/cgroup/$1/$2"; fi
}

expect_output "-e sets a variable" "x y" run_it -e "A=x y" busybox sh -c 'echo $A'
expect_output "-e without a value takes ours" "ours" env OURS=ours "$build/bin/trine" --root "$state" run --rm -e OURS busybox sh -c 'echo $OURS'
printf '# comment\nA=1\nB=two words\n' >"$work/env"
expect_output "--env-file gives variables, -e wins" "1 mine" run_it --env-file "$work/env" -e B=mine busybox sh -c 'echo $A $B'
expect_output "the image's variables are there" "1" run_it busybox sh -c 'echo $FROM_IMAGE'
expect_output "the image's working directory is entered" "/home/user" run_it busybox pwd
expect_output "-w changes it, and makes it" "/new/place" run_it -w /new/place busybox pwd
expect_output "-u takes a name, with its groups" "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)" run_it -u user busybox id
expect_output "-u takes numbers" "uid=5 gid=6 groups=6" run_it -u 5:6 busybox id
expect_match "another user than root has no capabilities" "0000000000000000" run_it -u user busybox grep CapEff /proc/self/status
expect_output "--entrypoint replaces the command" "hi" run_it --entrypoint echo busybox hi
expect_output "--hostname sets the name" "box" run_it --hostname box busybox hostname

mkdir "$work/volume"
echo content >"$work/volume/file"
expect_output "-v brings a directory" "content" run_it -v "$work/volume:/v" busybox cat /v/file
expect_error "-v …:ro cannot be written" 1 "Read-only" run_it -v "$work/volume:/v:ro" busybox touch /v/x
expect_exit "-v can be written" 0 run_it -v "$work/volume:/v" busybox touch /v/written
[[ -e $work/volume/written ]] && pass "what is written to a volume is on the host" || fail "what is written to a volume is on the host"
expect_output "-v brings a file" "content" run_it -v "$work/volume/file:/etc/one" busybox cat /etc/one
expect_exit "-v makes a missing directory" 0 run_it -v "$work/made:/v" busybox true
[[ -d $work/made ]] && pass "the directory was made" || fail "the directory was made"
expect_error "--mount does not" 125 "No such file" run_it --mount type=bind,src="$work/missing",dst=/v busybox true
expect_error "--mount …,ro is read-only" 1 "Read-only" run_it --mount "type=bind,src=$work/volume,dst=/v,ro" busybox touch /v/x
expect_match "--mount type=tmpfs has a size" "1024" run_it --mount type=tmpfs,dst=/t,tmpfs-size=1m busybox df -k /t
expect_match "--tmpfs mounts one" "tmpfs /t tmpfs rw,nosuid,nodev,noexec" run_it --tmpfs /t busybox grep /t /proc/mounts
expect_error "--read-only makes the root read-only" 1 "Read-only" run_it --read-only busybox touch /x
expect_exit "--read-only leaves a tmpfs writable" 0 run_it --read-only --tmpfs /t busybox touch /t/x
expect_match "--shm-size sizes /dev/shm" " 2048 " run_it --shm-size 2m busybox df -k /dev/shm

expect_output "--network host is the host's" "$(readlink /proc/self/ns/net)" run_it --network host busybox readlink /proc/self/ns/net
expect_output "--network none has the loopback only" "lo" run_it --network none busybox ls /sys/class/net
mkfifo "$work/hold"
trine run --rm -i --name peer busybox sh -c 'readlink /proc/self/ns/net; cat' <"$work/hold" >"$work/peer" &
peer=$!
exec 9>"$work/hold"
wait_until test -s "$work/peer"
expect_output "--network container:NAME joins the other's" "$(cat "$work/peer")" run_it --network container:peer busybox readlink /proc/self/ns/net
expect_error "a name that is taken is refused" 125 "taken" run_it --name peer busybox true
exec 9>&-
wait $peer
expect_error "--network container: of none is refused" 125 "no instance" run_it --network container:peer busybox true

file=$(cgroup_file memory memory.limit_in_bytes memory.max)
expect_output "--memory is in the cgroup" "67108864" run_it -m 64m busybox cat "$file"
expect_error "too much memory is killed, and said so" 137 "out of memory" run_it -m 16m busybox sh -c 'x=$(head -c 64000000 /dev/zero | tr "\0" a)'
expect_exit "--memory 0 is no limit" 0 run_it -m 16m -m 0 busybox sh -c 'x=$(head -c 64000000 /dev/zero | tr "\0" a)'
file=$(cgroup_file memory memory.memsw.limit_in_bytes memory.swap.max)
if trine run --rm -m 64m busybox test -e "$file"; then
  # Version 1 has the sum of memory and swap there, version 2 the swap alone.
  if [[ $file == *memsw* ]]; then sums=(134217728 67108864 100663296 9223372036854771712); else sums=(67108864 0 33554432 max); fi
  expect_output "--memory alone gives as much swap again" "${sums[0]}" run_it -m 64m busybox cat "$file"
  expect_output "--memory-swap 0 is as if it were not given" "${sums[0]}" run_it -m 64m --memory-swap 0 busybox cat "$file"
  expect_output "--memory-swap as large as the memory gives none" "${sums[1]}" run_it -m 64m --memory-swap 64m busybox cat "$file"
  expect_output "--memory-swap is of both together" "${sums[2]}" run_it --memory-swap 96m -m 64m busybox cat "$file"
  expect_output "--memory-swap -1 has no limit" "${sums[3]}" run_it -m 64m --memory-swap -1 busybox cat "$file"
else
  expect_error "--memory-swap needs a kernel that accounts for swap" 125 "the kernel has no file" run_it -m 64m --memory-swap 96m busybox true
fi
file=$(cgroup_file pids pids.max pids.max)
expect_output "--pids-limit is in the cgroup" "20" run_it --pids-limit 20 busybox cat "$file"
expect_error "--pids-limit bites" 2 "can't fork" run_it --pids-limit 5 busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; true'
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
  expect_output "--cpus is in the cgroup" "50000 100000" run_it --cpus 0.5 busybox cat /sys/fs/cgroup/cpu.max
  expect_output "--cpu-shares is in the cgroup" "20" run_it --cpu-shares 512 busybox cat /sys/fs/cgroup/cpu.weight
else
  expect_output "--cpus is in the cgroup" "50000" run_it --cpus 0.5 busybox cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us
  expect_output "--cpu-shares is in the cgroup" "512" run_it --cpu-shares 512 busybox cat /sys/fs/cgroup/cpu/cpu.shares
fi
expect_exit "--cpus 0 is no limit" 0 run_it --cpus 0 busybox true
expect_match "--cpuset-cpus pins it" $'Cpus_allowed_list:\t0$' run_it --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status
expect_output "--ulimit sets both limits" "64 128" run_it --ulimit nofile=64:128 busybox sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'

expect_match "--cap-add adds one" "00000000a80435fb" run_it --cap-add NET_ADMIN busybox grep CapEff /proc/self/status
expect_match "--cap-drop ALL leaves none" "0000000000000000" run_it --cap-drop ALL busybox grep CapEff /proc/self/status
expect_match "--cap-drop ALL --cap-add gives one" "0000000000000001" run_it --cap-drop all --cap-add chown busybox grep CapEff /proc/self/status
expect_match "--security-opt no-new-privileges" $'NoNewPrivs:\t1' run_it --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
expect_match "--security-opt seccomp=unconfined" $'Seccomp:\t0' run_it --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
cat >"$work/profile.json" <<'J'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
J
expect_error "--security-opt seccomp=FILE is applied" 1 "Function not implemented" run_it --security-opt seccomp="$work/profile.json" busybox mkdir /x
expect_match "--privileged sees disks and has all capabilities" "CapEff:.00000[01]" run_it --privileged busybox sh -c 'grep CapEff /proc/self/status; mount -t tmpfs none /tmp'
expect_exit "--device brings a device" 0 run_it --device /dev/kmsg:/dev/log2:r busybox test -c /dev/log2
expect_output "--sysctl sets one of its namespaces" "1" run_it --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward
expect_error "--sysctl refuses one of the host's" 125 "would be set on the host" run_it --sysctl kernel.panic=1 busybox true
expect_match "--init reaps orphans" "^0$" run_it --init busybox sh -c '(sleep 0.01 &) ; n=0; while [ $n -lt 20 ] && { sleep 0.1; ps -o stat | grep -q Z; }; do n=$((n+1)); done; ps -o stat | grep -c Z || true'
expect_exit "--init passes the exit code on" 7 run_it --init busybox sh -c 'exit 7'
expect_exit "--init: death by a signal is 128+n" 143 run_it --init busybox sh -c 'kill -TERM $$'

run trine run --cidfile "$work/cid" --name kept --label a=b --annotation c=d --stop-signal INT busybox true
id=$(cat "$work/cid")
expect_output "--cidfile has the id" "$id" sh -c "'$build/bin/trine' --root '$state' inspect kept | jq -r '.[0].id'"
expect_output "--label is kept" "b" sh -c "'$build/bin/trine' --root '$state' inspect kept | jq -r '.[0].labels.a'"
expect_output "--annotation is kept" "d" sh -c "'$build/bin/trine' --root '$state' inspect kept | jq -r '.[0].annotations.c'"
expect_output "--stop-signal is kept" "SIGINT" sh -c "'$build/bin/trine' --root '$state' inspect kept | jq -r '.[0].stopSignal'"
expect_error "--cidfile does not overwrite" 125 "exists already" run_it --cidfile "$work/cid" busybox true
expect_error "an image in use is not removed" 125 "was made from it" trine rmi busybox
expect_output "rm removes what was kept" "kept" trine rm kept

for bad in "--memory x" "--memory 1k" "--memory-swap 1g" "-m 64m --memory-swap 1m" "--cpus none" "--pids-limit x" "--ulimit nofile" "--network bridge2" "-v relative:/x" \
  "-v /x:relative" "--cap-add NOPE" "--security-opt x=y" "--device /dev/nope" "--isolation full" "--bogus" "--mount type=x" \
  "--vm-pages large" "--vm-net-rate 10m" "--vm-net-queues 9" "--vm-disk-rate packets=1" "--stop-signal NOPE" "--cpu-shares 1" "--sysctl x" "--shm-size -1" "-w relative" "--name bad/name"; do
  # shellcheck disable=SC2086
  expect_error "a bad '$bad' is one clear error" 125 "^trine: " run_it $bad busybox true
done
for flag in "--vm-pages merged" "--vm-net-rate bytes=1m" "--vm-net-queues 1" "--vm-disk-rate requests=9"; do
  # shellcheck disable=SC2086
  expect_error "'$flag' is for a VM alone" 125 "${flag%% *} cannot be given for a container" run_it $flag busybox true
done
expect_error "a VM without a network has none to limit" 125 "vm-net-rate without --network ns:/PATH cannot be given with --isolation vm" \
  run_it --isolation vm --vm-net-rate bytes=1m busybox true
expect_error "… nor to have queues" 125 "vm-net-queues without --network ns:/PATH cannot be given with --isolation vm" \
  run_it --isolation vm --cpus 2 --vm-net-queues 2 busybox true
expect_error "an interface has no more queues than the VM has processors" 125 "vm-net-queues 3 is more than the VM has processors" \
  run_it --isolation vm --cpus 1.5 --network ns:/run/netns/none --vm-net-queues 3 busybox true
expect_error "a mistyped flag is put right" 125 "did you mean --memory" run_it --memmory 1g busybox true
expect_no_leak "nothing is left behind" "$before"
finish
