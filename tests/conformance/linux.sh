#!/usr/bin/env bash
# config-linux.md, and the parts of config.md beside process and mounts.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle

link() { echo "readlink /proc/self/ns/$1"; }
uptime_seconds() { cut -d. -f1 /proc/uptime; }
all='[{"type": "pid"}, {"type": "network"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "cgroup"}, {"type": "time"}]'

# hold KIND...: a process in namespaces of its own that are there to be joined; $held is its id.
hold() {
  unshare "$@" sh -c 'echo ready; exec sleep 60' &
  held=$!
}
let_go() {
  kill "$held"
  wait "$held" 2>/dev/null
}

# --- config.md beside process and mounts ---
refused "config.md#specification-version: another major version" '.ociVersion = "2.0.0"' 'ociVersion 2\.0\.0'
inside "config.md#specification-version: an older minor version" '.ociVersion = "1.0.0"' 'echo runs' runs
inside "config.md#root: readonly" '.root.readonly = true' 'touch /x 2>&1; awk "\$5 == \"/\" {print substr(\$6, 1, 2)}" /proc/self/mountinfo' \
  $'.*Read-only file system\nro'
inside "config.md#hostname" '.hostname = "box"' hostname box
inside "config.md#domainname" '.domainname = "example.test"' 'cat /proc/sys/kernel/domainname' example.test
refused "config.md#hostname: without a uts namespace it would be the host's" '.linux.namespaces |= map(select(.type != "uts"))' 'uts namespace'
export OF_THE_CALLER=yes
hook() { printf '.hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c", "echo ${OF_THE_CALLER-none} >%s"]%s}]' "$work/hook" "$1"; }
inside "config.md#hooks: without env" "$(hook '')" 'echo runs' runs
expect_output "… a hook has the caller's variables" yes cat "$work/hook"
inside "config.md#hooks: with env" "$(hook ', "env": []')" 'echo runs' runs
expect_output "… it has those, and no other" none cat "$work/hook"
at_start() { printf '.process.env += ["ONE=two"] | .process.env -= ["HOME=/root"] | .hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c", "echo ${OF_THE_CALLER-none} ${ONE-none} ${HOME-none} >/hook"]%s}]' "$1"; }
inside "config.md#hooks: startContainer without env has the program's environment, as in runc" "$(at_start '')" 'cat /hook' 'none two /root'
inside "config.md#hooks: startContainer with env has that" "$(at_start ', "env": ["PATH=/bin"]')" 'cat /hook' 'none none none'
refused "config.md#hooks: a path must be absolute" '.hooks.prestart = [{"path": "true"}]' 'hooks\.prestart\[0\]\.path'
refused "config.md#hooks: a timeout must be above 0" '.hooks.poststop = [{"path": "/bin/true", "timeout": 0}]' 'hooks\.poststop\[0\]\.timeout'

# --- namespaces ---
for kind in pid:pid network:net mount:mnt ipc:ipc uts:uts cgroup:cgroup time:time; do
  host=$(readlink "/proc/self/ns/${kind#*:}")
  inside "config-linux.md#namespaces: ${kind%:*} is new" ".linux.namespaces = $all" "[ \"\$($(link "${kind#*:}"))\" != '$host' ] && echo new" new
done
for kind in pid:pid network:net ipc:ipc time:time; do
  host=$(readlink "/proc/self/ns/${kind#*:}")
  inside "config-linux.md#namespaces: without ${kind%:*} it is the runtime's" ".linux.namespaces = ($all | map(select(.type != \"${kind%:*}\")))
    | .mounts |= map(select(.type != \"sysfs\"))" "$(link "${kind#*:}")" "${host//[\[\]]/.}"
done
own='.linux.namespaces |= map(select(.type != "mount"))'
own_mounts() { awk '{print $5}' /proc/self/mountinfo | sort; }
mounts=$(own_mounts)
host=$(readlink /proc/self/ns/mnt)
inside "config-linux.md#namespaces: without mount it is the runtime's" "$own" "$(link mnt); [ -e /usr/lib ] || echo in its root" \
  "${host//[\[\]]/.}"$'\nin its root'
inside "… its masked paths are hidden all the same" "$own | .linux.maskedPaths = [\"/proc/timer_list\"]" 'wc -c </proc/timer_list' 0
[[ $(own_mounts) == "$mounts" ]] && pass "… and its mounts go with it" || fail "… and its mounts go with it" "$(diff <(echo "$mounts") <(own_mounts))"
hold --net --ipc --uts >"$work/held"
wait_until grep -q ready "$work/held"
for kind in network:net ipc:ipc; do
  there=$(readlink "/proc/$held/ns/${kind#*:}")
  inside "config-linux.md#namespaces: ${kind%:*} by path" \
    "(.linux.namespaces[] | select(.type == \"${kind%:*}\")).path = \"/proc/$held/ns/${kind#*:}\"" "$(link "${kind#*:}")" "${there//[\[\]]/.}"
done
refused "config-linux.md#namespaces: a path of another type" \
  "(.linux.namespaces[] | select(.type == \"ipc\")).path = \"/proc/$held/ns/net\"" 'cannot join the namespace'
let_go
refused "config-linux.md#namespaces: a path must be absolute" '(.linux.namespaces[] | select(.type == "ipc")).path = "ns/ipc"' 'not absolute'
refused "config-linux.md#namespaces: a type twice" '.linux.namespaces += [{"type": "ipc"}]' 'names ipc twice'
refused "config-linux.md#namespaces: an unknown type" '.linux.namespaces += [{"type": "moon"}]' "unknown type 'moon'"

# --- user namespace ---
inside "config-linux.md#user-namespace-mappings: ids inside and outside" \
  '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}]
   | .linux.gidMappings = [{"containerID": 0, "hostID": 200000, "size": 2000}]' \
  'cat /proc/self/uid_map /proc/self/gid_map; id -u' ' *0 +100000 +1000'$'\n'' *0 +200000 +2000'$'\n0'
# The specification leaves it open: as in crun the caller is its root, and what /etc/subuid has follows.
inside "config-linux.md#user-namespace-mappings: none" \
  '.linux.namespaces += [{"type": "user"}] | .mounts |= map(select(.type != "sysfs")) | (.mounts[].options // []) |= map(select(startswith("gid=") | not))' \
  'id -u; head -n 1 /proc/self/uid_map | tr -s " "' $'0\n 0 0 1'
inside "config-linux.md#user-namespace-mappings: with an oomScoreAdj" \
  '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}]
   | .linux.gidMappings = .linux.uidMappings | .process.oomScoreAdj = 7' 'cat /proc/self/oom_score_adj' 7
# Who owns no network namespace gets no sysfs of its own: it sees the host's, and changes nothing there.
inside "config-linux.md#user-namespace-mappings: beside the host's network" \
  '.linux.namespaces |= map(select(.type != "network")) + [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}]
   | .linux.gidMappings = .linux.uidMappings | (.mounts[] | select(.type == "sysfs")).options -= ["ro"]' \
  'ls -d /sys/class/net/lo; grep " /sys[^ ]* rw" /proc/self/mountinfo || echo read-only' $'/sys/class/net/lo\nread-only'
# One that is there already: what is new belongs to it, so that its root may mount in it.
hold --user >"$work/held"
wait_until grep -q ready "$work/held"
echo '0 100000 1000' >"/proc/$held/uid_map" && echo '0 200000 1000' >"/proc/$held/gid_map"
there=$(readlink "/proc/$held/ns/user")
by_path=".linux.namespaces += [{\"type\": \"user\", \"path\": \"/proc/$held/ns/user\"}]"
inside "config-linux.md#namespaces: user by path, the others new" "$by_path" \
  "$(link user); tr -s ' ' </proc/self/gid_map; echo \$\$; id -u; ls /sys/class/net; touch /dev/made && echo made; echo x >/dev/null && echo written" \
  "${there//[\[\]]/.}"$'\n 0 200000 1000\n1\n0\nlo\nmade\nwritten'
inside "config-linux.md#namespaces: user by path, the pid namespace the runtime's" \
  "$by_path | .linux.namespaces |= map(select(.type != \"pid\")) | .mounts |= map(select(.type != \"proc\"))" 'touch /dev/made && stat -c %u:%g /dev/made' 0:0
inside "config-linux.md#namespaces: user by the path of the runtime's own" \
  '.linux.namespaces += [{"type": "user", "path": "/proc/self/ns/user"}] | .process.oomScoreAdj = 3' \
  "$(link user); cat /proc/self/oom_score_adj; test -c /dev/null && echo device" "$(readlink /proc/self/ns/user | sed 's/[][]/./g')"$'\n3\ndevice'
refused "config-linux.md#namespaces: user by a path of another type" \
  ".linux.namespaces += [{\"type\": \"user\", \"path\": \"/proc/$held/ns/net\"}]" 'cannot join the namespace'
let_go
refused "config-linux.md#user-namespace-mappings: without a user namespace" \
  '.linux.uidMappings = [{"containerID": 0, "hostID": 1, "size": 1}]' 'need a user namespace'

# --- time ---
inside "config-linux.md#offset-for-time-namespace: boottime ahead" \
  ".linux.namespaces = $all | .linux.timeOffsets = {\"boottime\": {\"secs\": 1000000}}" \
  "now=\$(cut -d. -f1 /proc/uptime); [ \$((now - $(uptime_seconds))) -ge 1000000 ] && [ \$((now - $(uptime_seconds))) -lt 1000060 ] && echo ahead" ahead
inside "config-linux.md#offset-for-time-namespace: monotonic and nanoseconds" \
  ".linux.namespaces = $all | .linux.timeOffsets = {\"monotonic\": {\"secs\": 77, \"nanosecs\": 5}, \"boottime\": {\"secs\": 9}}" \
  'cat /proc/self/timens_offsets' 'monotonic +77 +5'$'\n''boottime +9 +0'
inside "config-linux.md#offset-for-time-namespace: in a user namespace" \
  ".linux.namespaces = ($all + [{\"type\": \"user\"}]) | .linux.uidMappings = [{\"containerID\": 0, \"hostID\": 100000, \"size\": 1000}]
   | .linux.gidMappings = .linux.uidMappings | .linux.timeOffsets = {\"monotonic\": {\"secs\": 3}}" \
  'grep monotonic /proc/self/timens_offsets' 'monotonic +3 +0'
refused "config-linux.md#offset-for-time-namespace: without a time namespace" '.linux.timeOffsets = {"boottime": {"secs": 1}}' 'needs a new time namespace'
refused "config-linux.md#offset-for-time-namespace: an unknown clock" \
  ".linux.namespaces = $all | .linux.timeOffsets = {\"wall\": {\"secs\": 1}}" 'timeOffsets\["wall"\] is no clock'

# --- devices ---
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<<"$node"
  inside "config-linux.md#default-devices: /dev/$name" . "stat -c '%F %t %T' /dev/$name" "character special file $major $minor"
done
inside "config-linux.md#default-devices: /dev/ptmx leads to the container's devpts" . 'readlink -f /dev/ptmx' /dev/pts/ptmx
inside "config-linux.md#devices: a path with a slash at its end" '.linux.devices = [{"path": "/mnt/node/", "type": "c", "major": 1, "minor": 3}]' 'ls -l /mnt | grep -c "1, *3"' 1
inside "config-linux.md#devices: type, numbers, mode and owner" \
  '.linux.devices = [{"type": "c", "path": "/dev/x/fuse", "major": 10, "minor": 229, "fileMode": 416, "uid": 5, "gid": 6}]' \
  'stat -c "%F %t %T %a %u %g" /dev/x/fuse' 'character special file a e5 640 5 6'
inside "config-linux.md#devices: a fifo" '.linux.devices = [{"type": "p", "path": "/pipe", "fileMode": 384}]' 'stat -c "%F %a" /pipe; rm /pipe' 'fifo 600'
kmsg='.linux.devices = [{"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}] | .process.capabilities[] += ["CAP_SYSLOG"] | .linux.resources.devices ='
reads_kmsg='head -n 1 /dev/kmsg >/dev/null 2>&1 && echo read || echo denied'
if [[ -e /sys/fs/cgroup/devices || -e /sys/fs/cgroup/cgroup.controllers ]] && head -n 1 /dev/kmsg >/dev/null 2>&1; then
  inside "config-linux.md#devices: one that is asked for can be used" "$kmsg []" "$reads_kmsg" read
  inside "config-linux.md#allowed-device-list: but not when all are denied" "$kmsg [{\"allow\": false}]" "$reads_kmsg" denied
  inside "config-linux.md#allowed-device-list: or this one" "$kmsg [{\"allow\": false, \"type\": \"c\", \"major\": 1, \"minor\": 11, \"access\": \"rwa\"}]" "$reads_kmsg" denied
  inside "config-linux.md#allowed-device-list: what is allowed after that can" \
    "$kmsg [{\"allow\": false, \"access\": \"rwm\"}, {\"allow\": true, \"type\": \"c\", \"major\": 1, \"minor\": 11, \"access\": \"r\"}]" "$reads_kmsg" read
else
  skipped "config-linux.md#allowed-device-list" "there are no rules for devices here, or no device to try them with"
fi
refused "config-linux.md#allowed-device-list: an unknown access" '.linux.resources.devices = [{"allow": true, "access": "rwa"}]' "access 'rwa' holds more than"
refused "config-linux.md#devices: an unknown type" '.linux.devices = [{"type": "x", "path": "/dev/x", "major": 1, "minor": 1}]' 'none of c, b, u and p'

# --- network devices ---
# A pair of interfaces that no case has moved; the kernel takes away those of a network namespace when it gets to it.
fresh_pair() {
  ip link del trine-t1 2>/dev/null || ip link del trine-t0 2>/dev/null
  wait_until eval '! ip link show trine-t0 2>/dev/null && ! ip link show trine-t1 2>/dev/null' >/dev/null
  ip link add trine-t0 type veth peer name trine-t1
}
if fresh_pair 2>/dev/null; then
  ip addr add 10.99.1.2/24 dev trine-t0
  ip link set trine-t0 mtu 1400
  inside "config-linux.md#network-devices: moved, renamed, up, with its address and MTU" \
    '.linux.netDevices = {"trine-t0": {"name": "inside0"}}' \
    'ip addr show inside0 | grep -oE "[<,]UP[,>]|mtu [0-9]+|inet [^ ]+"; [ -e /sys/class/net/inside0 ] && echo in sysfs' \
    '.UP.'$'\n''mtu 1400'$'\n''inet 10\.99\.1\.2/24'$'\nin sysfs'
  fresh_pair
  inside "config-linux.md#network-devices: %d stands for the first free number" \
    '.linux.netDevices = {"trine-t0": {"name": "eth%d"}, "trine-t1": {"name": "eth%d"}}' 'ls /sys/class/net' $'eth0\neth1\nlo'
  fresh_pair
  inside "config-linux.md#network-devices: a sysctl may be the device's" \
    '.linux.netDevices = {"trine-t0": {"name": "in0"}} | .linux.sysctl = {"net.ipv4.conf.in0.forwarding": "1"}' \
    'cat /proc/sys/net/ipv4/conf/in0/forwarding' 1
  fresh_pair
  refused "config-linux.md#network-devices: a name that is taken" '.linux.netDevices = {"trine-t0": {"name": "lo"}}' 'trine-t0 into the container as lo: File exists'
  ip link del trine-t0 2>/dev/null
else
  skipped "config-linux.md#network-devices" "this kernel has no veth"
fi
refused "config-linux.md#network-devices: one that is not there" '.linux.netDevices = {"absent0": {}}' 'absent0 into the container: No such device'
refused "config-linux.md#network-devices: without a network namespace" \
  '.linux.netDevices = {"lo": {}} | .linux.namespaces |= map(select(.type != "network"))' 'netDevices needs a network namespace'

# --- the rest ---
inside "config-linux.md#sysctl" '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096"}' \
  'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax' $'1\n4096'
refused "config-linux.md#sysctl: one that is the host's" '.linux.sysctl = {"vm.swappiness": "1"}' 'vm\.swappiness is not in a namespace'
inside "config-linux.md#masked-paths: a file reads as empty, a directory as well" '.linux.maskedPaths = ["/etc/passwd", "/home", "/not/there"]' \
  'cat /etc/passwd; ls /home; touch /home/x 2>&1; true' '.*Read-only file system'
inside "config-linux.md#readonly-paths" '.linux.readonlyPaths = ["/tmp", "/not/there"]' 'touch /tmp/x 2>&1; cat /etc/group | head -n 1' \
  $'.*Read-only file system\nroot.*'
inside "config-linux.md#personality: LINUX32" '.linux.personality = {"domain": "LINUX32"}' 'uname -m' 'i686|armv[78]l'
inside "config-linux.md#personality: LINUX" '.linux.personality = {"domain": "LINUX", "flags": []}' 'uname -m' "$(uname -m)"
refused "config-linux.md#personality: an unknown domain" '.linux.personality = {"domain": "BSD"}' "personality.domain 'BSD' is unknown"
# In a mount that is shared: its mode is the root's to keep or to change.
mkdir "$work/shared"
mount -t tmpfs tmpfs "$work/shared" && mount --make-shared "$work/shared"
cp -a "$bundle" "$work/shared/bundle"
bundle=$work/shared/bundle
for policy in private:- rprivate:- slave:master:.* rslave:master:.* shared:shared:.* rshared:shared:.* unbindable:unbindable; do
  before=$(grep -c "$work" /proc/self/mountinfo)
  inside "config-linux.md#rootfs-mount-propagation: ${policy%%:*}" ".linux.rootfsPropagation = \"${policy%%:*}\"" \
    'awk "\$5 == \"/\" {print \$7}" /proc/self/mountinfo' "${policy#*:}"
  [[ $(grep -c "$work" /proc/self/mountinfo) == "$before" ]] || fail "${policy%%:*}: the host sees the container's mounts"
done
bundle=$work/bundle
umount -R "$work/shared"
refused "config-linux.md#rootfs-mount-propagation: an unknown one" '.linux.rootfsPropagation = "moon"' "rootfsPropagation 'moon' is unknown"

# Of numa_maps: the policy stands after the address.
policy='sed -n "1s/^[0-9a-f]* \([^ ]*\).*/\1/p" /proc/self/numa_maps'
if [[ -e /proc/self/numa_maps ]]; then
  inside "config-linux.md#memory-policy: MPOL_BIND with nodes" '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"}' "$policy" 'bind:0'
  inside "config-linux.md#memory-policy: MPOL_INTERLEAVE with a flag" \
    '.linux.memoryPolicy = {"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}' "$policy" 'interleave=static:0'
  inside "config-linux.md#memory-policy: MPOL_LOCAL" '.linux.memoryPolicy = {"mode": "MPOL_LOCAL"}' "$policy" 'local'
  refused "config-linux.md#memory-policy: MPOL_DEFAULT takes no nodes" '.linux.memoryPolicy = {"mode": "MPOL_DEFAULT", "nodes": "0"}' 'cannot set the memory policy'
else
  skipped "config-linux.md#memory-policy" "this kernel has no numa_maps"
fi
refused "config-linux.md#memory-policy: an unknown mode" '.linux.memoryPolicy = {"mode": "MPOL_X"}' "memoryPolicy.mode 'MPOL_X' is unknown"
refused "config-linux.md#memory-policy: an unknown flag" '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}' "memoryPolicy.flags 'X' is unknown"
refused "config-linux.md#memory-policy: nodes must be a list" '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "a"}' "memoryPolicy.nodes 'a' is no list"

if grep -q ' - resctrl ' /proc/self/mountinfo; then
  inside "config-linux.md#intelrdt: the default class" '.linux.intelRdt = {"closID": "/"}' 'echo runs' runs
else
  skipped "config-linux.md#intelrdt" "resctrl is not mounted"
  refused "config-linux.md#intelrdt: resctrl must be mounted" '.linux.intelRdt = {"closID": "gold"}' 'resctrl is not mounted'
fi
refused "config-linux.md#intelrdt: closID is one directory" '.linux.intelRdt = {"closID": "../x"}' "closID '\.\./x' is not the name"
refused "config-linux.md#intelrdt: memBwSchema begins with MB:" '.linux.intelRdt = {"memBwSchema": "L3:0=1"}' 'memBwSchema must begin with MB:'

if [[ -e /sys/fs/selinux/enforce ]]; then
  skipped "config-linux.md#mount-label" "no policy is known here to test with"
else
  skipped "config-linux.md#mount-label" "this kernel has no SELinux"
  refused "config-linux.md#mount-label: without SELinux" '.linux.mountLabel = "system_u:object_r:container_file_t:s0"' 'SELinux'
fi
finish
