#!/usr/bin/env bash
# trine-oci with the annotation dev.trine.isolation=vm, as an engine calls it: the life of oci_lifecycle.sh, under the
# guest's own kernel.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
require_program ip
require_vm
make_bundle

states=$work/states
prefix=vm-${work##*.}
a=$prefix-a
mkdir -p /etc/trine
[[ ! -e /etc/trine/vm.json && ! -e /etc/trine/isolation.d ]] || skip "this machine has an /etc/trine of its own"
trap 'rm -rf /etc/trine/{vm.json,isolation.d}; ip netns del "$prefix" 2>/dev/null; ip netns del "$prefix-far" 2>/dev/null; cleanup' EXIT
echo "{\"kernels\": \"$state/lib/kernels\", \"memory\": \"256m\", \"boot_seconds\": ${TRINE_VM_BOOT_SECONDS}, \"net_rate\": \"bytes=1m\",
  \"allow\": {\"kernels\": [\"$state/lib/kernels/[0-9]*\"], \"parameters\": [\"loglevel=?\"]}}" >/etc/trine/vm.json
chmod 644 /etc/trine/vm.json

oci() { "$build/bin/trine-oci" --root "$states" "$@"; }
vm='.annotations["dev.trine.isolation"] = "vm"'
create() { # ID FLAG...: what is said, and what the container writes, goes to $work/out
  local id=$1
  shift
  oci create --bundle "$bundle" "$@" "$id" >"$work/out" 2>&1 </dev/null
}
status_of() { oci state "$1" | jq -r .status; }
in_state() { [[ $(status_of "$1" 2>/dev/null) == "$2" ]]; }
says() { grep -q -- "$2" "$1"; }
remains() {
  find /sys/fs/cgroup -maxdepth 3 -type d -name "$prefix*" 2>/dev/null
  awk '{print $5}' /proc/self/mountinfo | grep -F "$work/"
  pgrep -f "$states" | xargs -r ps -o pid=,args= -p
  pgrep -x trine-vmm
  find "$states" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null
}
# expect_refused CLAIM FILTER PATTERN
expect_refused() {
  configure "$vm | $2" 'echo it ran'
  expect_error "$1" 1 "$3" oci run --bundle "$bundle" "$a"
}

# --- run ---
mkdir "$work/volume"
echo from the host >"$work/volume/file"
echo one file >"$work/single"
allowed=$(readlink -f "$state/lib/kernels/default")
configure '.vm = {"kernel": {"path": "'"$allowed"'", "parameters": ["loglevel=3"]}} | .process.user = {"uid": 1000, "gid": 1001, "additionalGids": [7]}
  | .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 123, "hard": 456}]
  | .mounts += [{"destination": "/volume", "type": "bind", "source": ($work + "/volume"), "options": ["rbind", "ro"]},
                {"destination": "/etc/single", "type": "bind", "source": ($work + "/single"), "options": ["bind"]}]
  | .linux.resources.pids.limit = 50' '
  echo kernel $(uname -r); id -u; id -G; ulimit -n; cat /volume/file /etc/single; echo x 2>/dev/null >/volume/new || echo read-only
  hostname; tr " " "\n" </proc/cmdline | grep loglevel; grep CapEff /proc/self/status; cat /sys/fs/cgroup/pids.max 2>/dev/null; echo to the root >/written 2>/dev/null || echo not mine; exit 9'
run oci run --bundle "$bundle" "$a"
[[ $code == 9 ]] && pass "run gives the program's exit code" || fail "run gives the program's exit code" "$code: $output"
printf '%s\n' "$output" >"$work/ran"
kernel=$(sed -n 's/^kernel //p' "$work/ran")
[[ -n $kernel && $kernel != "$(uname -r)" ]] && pass "it runs under a kernel of its own" || fail "it runs under a kernel of its own" "$output"
expect_output "user, groups, limits, bind mounts and host name are the bundle's" $'1000\n1001 7\n123\nfrom the host\none file\nread-only\ninside' sed -n 2,8p "$work/ran"
says "$work/ran" "^loglevel=3$" && pass "the section vm makes it a VM, of the kernel and with the parameter that it names" || fail "the section vm" "$(<"$work/ran")"
says "$work/ran" "CapEff:.0000000000000000" && pass "a user has no capabilities" || fail "a user has no capabilities" "$(<"$work/ran")"
says "$work/ran" "not mine" && pass "and may not write where root may" || fail "and may not write where root may" "$(<"$work/ran")"
expect_nothing_left "nothing is left of it"

configure "$vm" nosuch
jq '.process.args = ["nosuch"]' "$bundle/config.json" >"$work/c" && mv "$work/c" "$bundle/config.json"
expect_error "a program that is not there" 127 'nosuch.*not found' oci run --bundle "$bundle" "$a"
if create "$a"; then fail "create says so already, to engines that tell it from other errors"; else pass "create says so already, to engines that tell it from other errors"; fi
expect_nothing_left "leaves nothing"

# --- a user namespace, and mapped owners: of the mount's own, of the namespace's, and of none ---
owned='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 5000}] | .linux.gidMappings = .linux.uidMappings
  | .process.capabilities |= map_values(. + ["CAP_DAC_OVERRIDE"])
  | .mounts += [{"destination": "/own", "source": ($work + "/owned"), "options": ["rbind", "ridmap"]}, {"destination": "/plain", "source": ($work + "/owned"), "options": ["rbind"]},
      {"destination": "/given", "source": ($work + "/owned"), "options": ["rbind", "idmap"],
       "uidMappings": [{"containerID": 0, "hostID": 100010, "size": 10}], "gidMappings": [{"containerID": 0, "hostID": 100020, "size": 10}]}]'
seen='stat -c "%n %u:%g" /own/file /own/below/file /plain/file /given/file /given/below/file; echo x >/own/made; echo y >/own/below/made; stat -c %u:%g /own/made; rm -r /given/gone && echo removed; touch /given/no
  ls -d /sys/class/net/lo; grep " /sys[^ ]* rw" /proc/self/mountinfo || echo read-only'
mkdir "$bundle/rootfs"/{own,plain,given}
owned_as() { # FILTER: what is seen inside, and then on the host
  rm -rf "$work"/{owned,underneath} && mkdir -p "$work"/{owned/below,underneath}
  mount --bind "$work/underneath" "$work/owned/below" # no tmpfs, whose owners Linux maps since 6.3
  mkdir "$work/owned/gone" && touch "$work/owned/file" "$work/owned/below/file" && chown 3:4 "$work/owned/file"
  configure "$1 | $owned" "$seen"
  oci run --bundle "$bundle" "$a" 2>&1
  (cd "$work/owned" && stat -c '%n %u:%g' file made below/made)
  umount "$work/owned/below"
}
expected=$(owned_as .)
expect_match "a container's mounts have mapped owners" '^/own/file 3:4$' echo "$expected"
expect_output "a VM's have the same, inside and on the host" "$expected" owned_as "$vm"
root_source='.mounts += [{"destination": "/m", "source": ($work + "/bundle/rootfs/etc"), "options": ["bind", "idmap"], "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]'
expect_refused "mapped owners of what is in the root itself" "$root_source" 'cannot map the owners of /m in a VM.*in the root of the bundle'

# --- what a VM has not ---
expect_refused "a pid namespace to join" '.linux.namespaces |= map(if .type == "pid" then .path = "/proc/1/ns/pid" else . end)' 'pid namespace to join.*vm'
expect_refused "the host's network" '.linux.namespaces |= map(select(.type != "network"))' 'without network.*vm'
expect_refused "devices of the host" '.linux.devices = [{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229}]' 'linux.devices.*vm'
expect_refused "a memory limit below what a kernel needs" '.linux.resources.memory.limit = 16777216' '16 MiB is too little'
expect_refused "hooks in the container" '.hooks.startContainer = [{"path": "/bin/true"}]' 'hooks.startContainer cannot be had.*vm'
for field in kernel.path:'{"kernel": {"path": "/boot/vmlinuz"}}' kernel.path:'{"kernel": {"path": "'"$state/lib/kernels/../kernels/6"'"}}' \
  kernel.parameters:'{"kernel": {"path": "'"$allowed"'", "parameters": ["loglevel=3", "init=/bin/sh"]}}'; do
  expect_refused "${field#*:} in the section vm" ".vm = ${field#*:}" "vm.${field%%:*}.*not allowed by /etc/trine/vm.json"
done
expect_refused "a monitor of another's" '.vm = {"kernel": {"path": "'"$allowed"'"}, "hypervisor": {"path": "/bin/sh"}}' "vm.hypervisor is not followed"
expect_refused "a rate above the administrator's" '.annotations["dev.trine.vm-net-rate"] = "bytes=2m"' 'vm-net-rate asks for bytes=2097152, and /etc/trine/vm.json gives bytes=1048576'
expect_refused "a rate of disks" '.annotations["dev.trine.vm-disk-rate"] = "bytes=2m"' 'directories, not disks'
expect_refused "a rate for a container" '.annotations = {"dev.trine.vm-net-rate": "bytes=2m"}' 'is for the isolation class vm'
expect_refused "a section vm in a container" '.annotations["dev.trine.isolation"] = "container" | .vm = {"kernel": {"path": "'"$allowed"'"}}' 'asks for a VM'
chmod 666 /etc/trine/vm.json
expect_refused "a configuration that anybody may write" . 'vm.json is not believed'
chmod 644 /etc/trine/vm.json
expect_nothing_left "nothing is left of what was refused"

# --- create, start, exec, kill, delete ---
far=$prefix-far
{ ip netns add "$prefix" && ip netns add "$far" && ip -n "$prefix" link add eth0 type veth peer name far0 netns "$far"; } || skip "network namespaces cannot be made here"
ip -n "$prefix" link set eth0 up
ip -n "$prefix" addr add 10.78.0.2/24 dev eth0
ip -n "$far" link set far0 up
ip -n "$far" addr add 10.78.0.1/24 dev far0
configure "$vm"' | .annotations["dev.trine.vm-net-rate"] = "bytes=50000" | .linux.namespaces |= map(if .type == "network" then .path = "/run/netns/'"$prefix"'" else . end) | .hooks = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo createRuntime >>" + $work + "/hooks"]}],
                             "poststart": [{"path": "/bin/sh", "args": ["sh", "-c", "echo poststart >>" + $work + "/hooks"]}],
                             "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", "echo poststop >>" + $work + "/hooks"]}]}' '
  trap "echo got TERM" TERM; echo it runs; echo ran >/mark; while :; do sleep 0.2; done'
if create "$a" --pid-file "$work/pid"; then pass "create"; else fail "create" "$(<"$work/out")"; fi
expect_output "a created container is created" created status_of "$a"
[[ ! -e $bundle/rootfs/mark ]] && pass "its program does not run before start" || fail "its program does not run before start"
expect_error "exec before the VM is up" 1 'not up yet' oci exec "$a" true
expect_exit "start" 0 oci start "$a"
expect_output "a started container is running" running status_of "$a"
expect_output "the pid-file names the process that state does" "$(<"$work/pid")" eval "oci state $a | jq -r .pid"
wait_for_guest test -e "$bundle/rootfs/mark" && pass "what it writes to its root is in the bundle's" || fail "what it writes to its root is in the bundle's"
expect_output "hooks ran at their moments" $'createRuntime\npoststart' cat "$work/hooks"
expect_output "exec" "$kernel" oci exec "$a" uname -r
expect_exit "exec gives the exit code" 5 oci exec "$a" sh -c 'exit 5'
expect_output "exec has the caller's input" "typed" eval "echo typed | oci exec $a cat"
expect_error "exec of a missing command" 127 'not found' oci exec "$a" nosuch
# What is detached has the caller's output: $(...) would wait for it.
detached() { oci exec --detach --pid-file "$work/exec-pid" "$a" "$@" >"$work/exec-out" 2>&1 </dev/null; }
expect_exit "exec that is detached" 0 detached sh -c 'echo there >/exec-mark; sleep 600'
wait_for_guest test -e "$bundle/rootfs/exec-mark" && pass "runs" || fail "runs"
kill -0 "$(<"$work/exec-pid")" && pass "and has a process of the host's" || fail "and has a process of the host's"
if command -v python3 >/dev/null; then
  timeout 120 python3 "$(dirname "$0")/../lib/console.py" "$work/console" >"$work/received" 2>&1 &
  receiver=$!
  wait_until test -S "$work/console"
  expect_exit "exec with its terminal elsewhere" 0 oci exec --tty --console-socket "$work/console" "$a" sh -c 'tty; echo end'
  wait "$receiver"
  expect_match "whose receiver has it" '^/dev/pts/[0-9]' cat "$work/received"
else
  echo "skipped: a console socket: python3 is not installed"
fi
expect_match "ps tells the keepers and the monitor" "$(<"$work/pid")" oci ps -f json "$a"
expect_match "events --stats" '"type": ?"stats"' oci events --stats "$a"
expect_output "… also of its network" '["eth0",true]' eval "oci events --stats $a | jq -c '.data.network_interfaces | map(select(.Name == \"eth0\"))[0] | [.Name, .TxBytes > 0]'"
# It takes 9 s, since the first 50000 bytes are free. The clock starts when the first is seen here, which may be late.
ip netns exec "$far" timeout 120 busybox nc -l -p 9000 -e /bin/sh -c "head -c 1 >$work/sent; date +%s%N >$work/begin; cat >>$work/sent" &
receiver=$!
listens() { ip netns exec "$far" grep -q ':2328 .* 0A ' /proc/net/tcp; }
wait_until listens
expect_exit "what it sends" 0 oci exec "$a" sh -c 'head -c 500000 /dev/zero | nc -w 60 10.78.0.1 9000'
wait $receiver
took=$((($(date +%s%N) - $(<"$work/begin")) / 1000000))
[[ $(stat -c %s "$work/sent") == 500000 ]] && ((took >= 7000)) && pass "arrives as fast as its annotation lets it ($took ms)" ||
  fail "arrives as fast as its annotation lets it" "$(stat -c %s "$work/sent") bytes of 500000 in $took ms, which are to take 9000"
expect_error "delete of a running one" 1 'it is running' oci delete "$a"
expect_exit "kill passes a signal on" 0 oci kill "$a" TERM
wait_for_guest says "$work/out" "got TERM" && pass "to the program" || fail "to the program" "$(<"$work/out")"
if oci pause "$a"; then
  expect_output "a paused container is paused" paused status_of "$a"
  expect_error "exec in a paused one" 1 'paused' oci exec "$a" true
  expect_exit "resume" 0 oci resume "$a"
  expect_output "and goes on" "on" oci exec "$a" echo on
else
  fail "pause"
fi
memory() { oci exec "$a" awk '/^MemTotal/{print $2}' /proc/meminfo; }
has_less_than() { [[ $(memory) -lt $1 ]]; }
has_more_than() { [[ $(memory) -gt $1 ]]; }
full=$(memory)
expect_exit "update takes memory from the guest" 0 oci update --memory 134217728 "$a"
wait_for_guest has_less_than $((full - 100000)) && pass "which has that much less" || fail "which has that much less" "$(memory) of $full"
expect_exit "and gives it back" 0 oci update --memory 268435456 "$a"
wait_for_guest has_more_than $((full - 10000)) && pass "up to what it had" || fail "up to what it had" "$(memory) of $full"
expect_error "not more" 1 "cannot have 512 MiB of memory: it was started with 256 MiB" oci update --memory 536870912 "$a"
sed -i 's/"256m"/"1g"/' /etc/trine/vm.json
expect_error "nor after the administrator gave new ones more" 1 "it was started with 256 MiB" oci update --memory 536870912 "$a"
sed -i 's/"1g"/"256m"/' /etc/trine/vm.json
expect_exit "update of its processor time" 0 oci update --cpu-quota 50000 --cpu-period 100000 "$a"
expect_output "which is its cgroup's" "50000 100000" eval "cat /sys/fs/cgroup\$(grep ^0:: /proc/$(<"$work/pid")/cgroup | cut -d: -f3)/cpu.max"
expect_error "a limit on processes, which are the guest's" 1 "cannot be changed" oci update --pids-limit 10 "$a"
expect_exit "kill" 0 oci kill "$a" KILL
wait_for_guest in_state "$a" stopped && pass "a killed container is stopped" || fail "a killed container is stopped" "$(status_of "$a")"
wait_until eval '! kill -0 $(<"$work/exec-pid") 2>/dev/null' && pass "and what was executed beside it" || fail "and what was executed beside it"
expect_exit "delete" 0 oci delete "$a"
expect_output "the last hook ran" poststop tail -n 1 "$work/hooks"
expect_nothing_left "nothing is left of it"

# --- a policy that demands a VM, and what is killed from outside ---
mkdir /etc/trine/isolation.d
echo '{"rules": [{"class": "vm", "enforce": true, "match": {"labels": {"tenant": "*"}}, "reason": "a stranger"}]}' >/etc/trine/isolation.d/1.json
configure '.annotations = {"tenant": "b", "dev.trine.isolation": "container"}' 'echo it ran'
expect_error "no annotation weakens it" 1 'demands vm.*1.json.*a stranger' oci run --bundle "$bundle" "$a"
configure '.annotations.other = "b"' 'uname -r'
expect_output "what it does not fit is a container" "$(uname -r)" oci run --bundle "$bundle" "$a"
configure '.annotations.tenant = "b"' 'sleep 600'
create "$a" && oci start "$a"
pgrep -x trine-vmm >/dev/null && pass "what it fits is a VM" || fail "what it fits is a VM"
expect_error "which criu cannot save" 1 'cannot checkpoint.*class vm' oci checkpoint "$a"
kill -KILL "$(oci state "$a" | jq -r .pid)"
wait_until in_state "$a" stopped
expect_output "a killed keeper is the container's end" stopped status_of "$a"
expect_exit "which can be deleted" 0 oci delete "$a"
expect_nothing_left "nothing is left of it, the monitor neither"
finish
