#!/usr/bin/env bash
# What an image, a bundle or who calls `exec` tries with trine-oci: the rows of the attack table that only it meets.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
states=$work/states
secret=$work/secret
echo host >"$secret"
oci() { timeout --foreground 60 "$build/bin/trine-oci" --root "$states" "$@"; }
host_unchanged() { if [[ $(<"$secret") == host ]]; then pass "$1"; else fail "$1" "$(<"$secret")"; fi; }

# --- exec ---
configure '.linux.namespaces += [{"type": "cgroup"}]' 'exec sleep 4321'
oci create --bundle "$bundle" one >"$work/out" 2>&1 </dev/null && oci start one || fail "a container to go into" "$(<"$work/out")"
expect_output "exec --cap gives nothing inheritable, nor ambient" $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000' \
  oci exec --cap CAP_KILL one grep -E 'CapInh|CapAmb' /proc/self/status # CVE-2022-29162
expect_match "… but what is asked for" '^CapEff:.0*[0-9a-f]*[2367abef][0-9a-f]$' oci exec --cap CAP_KILL one grep CapEff /proc/self/status
refusals=0
for fd in {0..20}; do # CVE-2024-21626
  run oci exec --cwd "/proc/self/fd/$fd" one cat ../../../../../../../../etc/debian_version
  [[ $code != 0 && $output != *[0-9].[0-9]* ]] && refusals=$((refusals + 1)) || echo "$fd: exit $code: $output"
done
[[ $refusals == 21 ]] && pass "no working directory of /proc/self/fd leads out" || fail "no working directory of /proc/self/fd leads out" "$refusals of 21 are refused"
for user in 0x0 1000a 4294967296 18446744073709551616 ' 0' '0 ' + -1 1:2:3 : 1: 1:x 0o0; do # CVE-2026-30892
  run oci exec -u "$user" one id -u
  if [[ $code == 0 ]]; then fail "exec -u '$user' is refused" "$output"; else pass "exec -u '$user' is refused"; fi
done
expect_exit "delete" 0 oci delete --force one

# --- the configuration ---
# CVE-2023-25809: a user namespace without a cgroup namespace of its own may change no group of the host's.
configure '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = .linux.uidMappings | .mounts |= map(select(.destination != "/sys")) | (.mounts[].options // []) |= map(select(startswith("gid=") | not))
  | .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]' \
  'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do [ -e "$d/cgroup.procs" ] && seen=yes && mkdir "$d/escaped" 2>/dev/null && echo "made $d/escaped"; done; echo "seen: $seen"'
mkdir -p "$bundle/rootfs/sys/fs/cgroup" # root of the user namespace may not
expect_output "without a cgroup namespace the host's groups cannot be changed" "seen: yes" oci run --bundle "$bundle" two

# Nor is the host's hierarchy shown to one whose root is the host's: of version 1 it has its own group, and no more.
if [[ ! -e /sys/fs/cgroup/cgroup.controllers ]]; then
  configure '.mounts |= map(select(.destination != "/sys")) | .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]
    | .linux.resources.pids.limit = 55' \
    'cat /sys/fs/cgroup/pids/pids.max; mkdir /sys/fs/cgroup/pids/below && rmdir /sys/fs/cgroup/pids/below; ls -d /sys/fs/cgroup/*/release_agent 2>/dev/null; true'
  expect_output "without a cgroup namespace a container sees its own groups alone" 55 oci run --bundle "$bundle" two
fi

# CVE-2025-52881: what is mounted over /proc/sys does not get the writes that are the kernel's.
configure '.mounts += [{destination: "/proc/sys", type: "tmpfs", source: "tmpfs"}] | .linux.sysctl = {"net.ipv4.ip_forward": "1"}' 'exec sleep 4321'
run oci create --bundle "$bundle" three
if [[ $code == 0 ]]; then
  pid=$(oci state three | jq -r .pid)
  expect_output "a sysctl reaches the kernel, whatever is mounted over /proc/sys" 1 nsenter -t "$pid" -n cat /proc/sys/net/ipv4/ip_forward
  oci delete --force three
elif [[ $output == *"a mount of the configuration covers it"* ]]; then
  pass "a mount over /proc/sys is refused"
else
  fail "a mount over /proc/sys is refused" "$output"
fi

# CVE-2025-52565: the console is the terminal itself, not what the image calls so.
require_program python3
cat >"$work/receive.py" <<'PY'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
terminal = array.array("i", ancillary[0][2])[0]
text = b""
try:
    while piece := os.read(terminal, 4096):
        text += piece
except OSError:
    pass
sys.stdout.write(text.decode().replace("\r", ""))
PY
for place in pts/0 pts/1 ptmx console tty; do
  mkdir -p "$bundle/rootfs/dev/pts"
  ln -sf "$secret" "$bundle/rootfs/dev/$place"
done
configure '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))' 'stat -c %t /dev/console; echo overwritten >/dev/console'
timeout 30 python3 "$work/receive.py" "$work/socket" >"$work/received" 2>&1 &
receiver=$!
wait_until test -S "$work/socket"
run oci create --bundle "$bundle" --console-socket "$work/socket" four
if [[ $code == 0 ]]; then
  oci start four
  wait $receiver
  expect_output "/dev/console is the terminal" $'88\noverwritten' cat "$work/received"
else
  kill $receiver
  grep -Eq '/dev|pty|terminal' <<<"$output" && pass "an image with devices of its own for a terminal is refused" || fail "an image with devices of its own for a terminal is refused" "$output"
fi
oci delete --force four
host_unchanged "and the host's file is as it was"
finish
