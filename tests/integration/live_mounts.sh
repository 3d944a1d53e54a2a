#!/usr/bin/env bash
# trine-oci mounts: adds mounts to a running container and removes them; and a container that tries to lead them astray.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
oci() { "$build/bin/trine-oci" --root "$work/oci" "$@"; }
in_container() { oci exec c sh -c "$1"; }
mkdir -p "$work/host/below" "$work/aside"
echo host >"$work/host/file"
echo single >"$work/single"
root=$bundle/rootfs
before=$(awk '{print $5}' /proc/self/mountinfo | sort)

# with_container FILTER: one that runs until it is deleted
with_container() {
  oci delete --force c
  configure "$1" 'sleep 1000' && oci run --detach --bundle "$bundle" c </dev/null >/dev/null 2>"$work/error" || { fail "a container starts" "$(cat "$work/error")"; finish; }
}
with_container '.'

expect_exit "a directory of the host is added" 0 oci mounts add c "$work/host" /made/for/it
expect_output "… and the container sees it" host in_container 'cat /made/for/it/file'
expect_match "… and may write there" '^$' in_container 'echo x >/made/for/it/written'
expect_exit "… and it is removed" 0 oci mounts remove c /made/for/it
expect_output "… and is gone" "" in_container 'ls /made/for/it'
expect_error "what is not there cannot be removed" 1 "nothing is mounted on /made/for/it" oci mounts remove c /made/for/it
expect_error "a directory in a mount is no mount" 1 "nothing is mounted on /dev/pts/\." oci mounts remove c /dev/pts/.x
oci mounts add c "$work/host" /data
expect_error "… not one below it either" 1 "nothing is mounted on /data/below" oci mounts remove c /data/below
oci mounts remove c /data
expect_exit "a file is added" 0 oci mounts add c "$work/single" /etc/deep/single
expect_output "… and the container reads it" single in_container 'cat /etc/deep/single'
expect_exit "… and it is removed" 0 oci mounts remove c /etc/deep/single
expect_error "a missing source is said" 1 "[Nn]o such file" oci mounts add c "$work/none" /data
[[ ! -e $root/none ]] && pass "… and makes nothing" || fail "… and makes nothing"
expect_exit "ro, nosuid, nodev and noexec" 0 oci mounts add c "$work/host" /data ro,nosuid,nodev,noexec
expect_match "… are what the mount has" ' /data ro,nosuid,nodev,noexec,' in_container 'cat /proc/self/mountinfo'
expect_error "… and nothing can be written" 1 "Read-only" in_container 'echo x >/data/written2'
oci mounts remove c /data
expect_error "an unknown option is refused" 1 "no option 'bogus'" oci mounts add c "$work/host" /data bogus

# What is mounted below on one side stays there.
mount -t tmpfs -o size=64k shared "$work/aside" && mount --make-shared "$work/aside" && mkdir "$work/aside/sub"
oci mounts add c "$work/aside" /shared
nsenter --mount="/proc/$(oci state c | jq .pid)/ns/mnt" mount -t tmpfs inner /shared/sub
mountpoint -q "$work/aside/sub" && fail "the container's mounts do not come to the host" || pass "the container's mounts do not come to the host"
oci mounts remove c /shared
umount "$work/aside"

cat >"$work/list.json" <<JSON
[{"destination": "/list/bind", "type": "bind", "source": "$work/host", "options": ["bind", "ro"]},
 {"destination": "/list/tmpfs", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nosuid"]}]
JSON
expect_exit "a list of mounts is added, as crun has it" 0 oci mounts add c "$work/list.json"
expect_match "… with a tmpfs" ' /list/tmpfs rw,nosuid,.* tmpfs tmpfs ' in_container 'cat /proc/self/mountinfo'
expect_exit "… and removed" 0 oci mounts remove c "$work/list.json"
expect_error "… whole" 1 "" in_container 'grep /list /proc/self/mountinfo'
jq '.[1].destination = "/proc/x"' "$work/list.json" >"$work/bad.json"
expect_error "a list of which one cannot be mounted" 1 "/proc" oci mounts add c "$work/bad.json"
expect_error "… leaves none of it" 1 "" in_container 'grep /list /proc/self/mountinfo'
echo '[{"type": "bind"}]' >"$work/bad.json"
expect_error "a damaged list is refused with the place" 1 'mounts.json: mounts\[0\]' oci mounts add c "$work/bad.json"

# Attacks
escaped() { [[ -z $(find "$work/aside" -mindepth 1) && ! -e $work/aside2 ]] && pass "… and the host is unchanged" || fail "… and the host is unchanged"; }
ln -s "$work/aside" "$root/out" && ln -s "../../../../../../../..$work/aside" "$root/up" && ln -s "$work/aside2" "$root/dangling"
for link in out up; do
  expect_exit "a symlink out of the root stays inside" 0 oci mounts add c "$work/host" "/$link/x"
  escaped
  [[ $(awk '{print $5}' /proc/self/mountinfo | sort) == "$before" ]] && pass "… where nothing is mounted" || fail "… where nothing is mounted"
  expect_exit "… and is removed by the same name" 0 oci mounts remove c "/$link/x"
done
run oci mounts add c "$work/host" /dangling/x
escaped
run oci mounts add c "$work/single" /dangling
escaped
for place in /proc /proc/sys /proc/self/attr /proc/1/fd /../proc/sys /x/../proc /proc/new; do
  expect_error "$place is refused" 1 "/proc" oci mounts add c "$work/host" "$place"
done
ln -s /proc "$root/alias" && ln -s /proc/1/cwd "$root/cwd" && ln -s / "$root/top"
expect_error "/proc by another name is refused" 1 "into the container's /proc" oci mounts add c "$work/host" /alias/sys
expect_error "… and is not removed" 1 "into the container's /proc" oci mounts remove c /alias
expect_error "a magic link is refused" 1 "cannot (open|change)" oci mounts add c "$work/host" /cwd
expect_error "the root is refused" 1 "container's root" oci mounts add c "$work/host" /
expect_error "the root by another name is refused" 1 "container's root" oci mounts add c "$work/host" /top
expect_error "a relative place is refused" 1 "not an absolute path" oci mounts add c "$work/host" data
# The container's /proc is no help to it: removal does not look there.
pid=$(oci state c | jq .pid)
oci mounts add c "$work/host" /data
nsenter --mount="/proc/$pid/ns/mnt" mount -t tmpfs fake /proc
expect_exit "with a false /proc a mount is removed all the same" 0 oci mounts remove c /data
nsenter --mount="/proc/$pid/ns/mnt" umount /proc
expect_match "… the right one" ' /dev/shm ' in_container 'cat /proc/self/mountinfo'

with_container '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings | .process.args = ["/bin/sleep", "1000"] | .root.path = "rootfs"'
chown -R 100000:100000 "$root"
expect_exit "a container in a user namespace gets a mount" 0 oci mounts add c "$work/host" /mine/data ro
expect_output "… whose place belongs to its root" 0:0 in_container 'stat -c %u:%g /mine'
expect_match "… and which is read-only" ' /mine/data ro,' in_container 'cat /proc/self/mountinfo'
expect_error "… for good: its root cannot change that" 1 "" in_container 'mount -o remount,bind,rw /mine/data'
expect_exit "… and it is removed" 0 oci mounts remove c /mine/data
chown -R 0:0 "$root"

oci kill c KILL
wait_until sh -c "[ \"\$('$build/bin/trine-oci' --root '$work/oci' state c | jq -r .status)\" = stopped ]"
expect_error "a stopped container gets no mount" 1 "container not running" oci mounts add c "$work/host" /data
oci delete --force c
expect_error "a missing container is said" 1 "does not exist" oci mounts add c "$work/host" /data
configure '.linux.namespaces |= map(select(.type == "mount").path = "/proc/self/ns/mnt")' 'sleep 1000'
expect_error "a container that is to join the host's mount namespace is refused" 1 "mount namespace" oci run --detach --bundle "$bundle" c
[[ $(awk '{print $5}' /proc/self/mountinfo | sort) == "$before" ]] && pass "no mount is left" || fail "no mount is left"
finish
