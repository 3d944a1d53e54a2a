#!/usr/bin/env bash
# The same commands for an unprivileged user with subordinate ids.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/registry.sh"
require_root
require_program newuidmap
busybox_image
user=trine-test
id $user >/dev/null 2>&1 || useradd -m $user || skip "cannot make a user"
grep -q "^$user:" /etc/subuid || usermod --add-subuids 300000-365535 --add-subgids 300000-365535 $user
home=$(getent passwd $user | cut -d: -f6)
chmod 755 "$work"
cp -r "$work/layout" "$work/for-user" && chown -R $user "$work/for-user"
mkdir "$work/bin" && cp "$build/bin/trine" "$build/bin/trine-images" "$build/bin/trine-registry" "$build/bin/trine-supervisor" "$work/bin" && chmod -R a+rX "$work/bin"
as_user() { (cd "$home" && setpriv --reuid $user --regid $user --init-groups env -u XDG_RUNTIME_DIR HOME="$home" "$work/bin/trine" "$@"); }
remove_user() {
  setpriv --reuid $user --regid $user --clear-groups env -u XDG_RUNTIME_DIR HOME="$home" "$work/bin/trine" rmi busybox >/dev/null 2>&1
  userdel -r $user >/dev/null 2>&1
  stop_servers
  cleanup
}
trap remove_user EXIT

expect_match "an unprivileged user loads an image" "^sha256:" as_user load -q --name busybox "oci:$work/for-user:busybox"
expect_output "and runs it, root inside" "uid=0(root) gid=0(root) groups=0(root)" as_user run --rm busybox id
expect_output "as another user of the image" "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)" as_user run --rm -u user busybox id
expect_match "outside it is the user" "^ +0 +$(id -u $user) +1$" as_user run --rm busybox head -n 1 /proc/self/uid_map
expect_match "a seccomp filter is loaded" $'Seccomp:\t2' as_user run --rm busybox grep Seccomp: /proc/self/status
expect_match "the loopback is up" "127.0.0.1" as_user run --rm busybox ip addr show lo
expect_output "files can be made and owned" "1000" as_user run --rm busybox sh -c 'touch /x && chown user /x && stat -c %u /x'
expect_output "/dev works" "3" as_user run --rm busybox sh -c 'echo x > /dev/null && head -c 3 /dev/urandom | wc -c'
if [[ ! -w /sys/fs/cgroup/cgroup.procs ]]; then
  expect_error "a limit that is not delegated is an error that names the controller" 125 "memory" as_user run --rm -m 64m busybox true
fi
as_user run -d --name behind busybox sh -c 'echo written; trap "exit 4" TERM; while :; do sleep 0.1; done' >/dev/null
wait_until eval '[[ $(as_user logs behind) ]]'
expect_output "in the background too" written as_user logs behind
expect_output "… where stop ends it" behind as_user stop behind
expect_output "… and wait tells its exit code" 4 as_user wait behind
expect_output "… until it is removed" behind as_user rm behind
start_as_user() { as_user "$@" & }
start_as_user run --rm --name mine busybox sh -c 'trap "exit 4" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1
wait_until eval '[[ $(as_user ps --quiet) ]]'
expect_output "exec is root in what the user runs" "uid=0(root) gid=0(root) groups=0(root) 2" as_user exec mine sh -c 'echo $(id) $(sed -n "s/Seccomp://p" /proc/self/status)'
expect_output "… or another user of the image" "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)" as_user exec -u user mine id
expect_exit "… with its exit code" 7 as_user exec mine sh -c 'exit 7'
expect_output "stop ends it" mine as_user stop mine
expect_match "it is seen in images" "busybox" as_user images
expect_exit "an instance is kept" 0 as_user run --name kept busybox sh -c 'rm /etc/group && rm -r /home && mkdir /home && echo x >/home/new && chown 1000 /home/new'
expect_output "diff tells what it has changed" $'C /etc\nD /etc/group\nC /home\nA /home/new\nD /home/user' as_user diff kept
expect_match "commit makes an image of it" " kept:2$" as_user commit kept kept:2
expect_output "which has these changes" "1000 x no" as_user run --rm kept:2 sh -c 'echo $(stat -c %u /home/*) $(cat /home/*) $(ls /etc/group 2>/dev/null || echo no)'
as_user export -o "$home/kept.tar" kept
expect_output "so does the archive" "1000/1000 home/new" eval "tar tvf '$home/kept.tar' --numeric-owner | awk '/home.new/ {sub(\"/.*\", \"\", \$2); print \$2 \"/1000 \" \$6}'"
expect_match "which is imported again" " kept:3$" as_user import "$home/kept.tar" kept:3
as_user rmi kept:3 >/dev/null
as_user rm kept >/dev/null
as_user rmi kept:2 >/dev/null

# Registries.
if command -v docker-registry >/dev/null && command -v skopeo >/dev/null; then
  unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
  start_registry plain
  skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$work/for-user:busybox" "docker://$registry/box:1"
  expect_match "an unprivileged user pulls" "^sha256:[0-9a-f]{64} $registry/box:1$" as_user pull -q "$registry/box:1"
  expect_output "and runs what it pulled" "hi" as_user run --rm "$registry/box:1" echo hi
  expect_match "pushes" "$registry/box:2$" as_user push -q "$registry/box:1" "$registry/box:2"
  expect_match "saves" "^[1-9]" eval 'as_user save busybox | tar t | wc -l'
  expect_exit "and has a store without damage" 0 as_user system check
  as_user rmi "$registry/box:1" >/dev/null
else
  echo "skipped: registries: docker-registry or skopeo is not installed"
fi

# trine-oci as an ordinary user calls it: the configuration of `runc spec --rootless`, and one with subordinate ids.
. "$(dirname "$0")/../lib/bundle.sh"
make_bundle
cp "$build/bin/trine-oci" "$work/bin" && chmod a+rx "$work/bin/trine-oci"
uid=$(id -u $user)
oci_as_user() {
  chown -R $user "$bundle"
  (cd / && setpriv --reuid $user --regid $user --clear-groups env -u XDG_RUNTIME_DIR HOME="$home" "$work/bin/trine-oci" --root "$home/oci" run --bundle "$bundle" mine)
}
own_ids="{containerID: 0, hostID: $uid, size: 1}"
rootless='.linux.namespaces |= map(select(.type != "network")) + [{"type": "user"}] | .mounts |= map(select(.type != "sysfs")) | (.mounts[].options // []) |= map(select(startswith("gid=") | not))'
configure "$rootless | .linux.uidMappings = [$own_ids] | .linux.gidMappings = [$own_ids]" 'id -u; cat /proc/self/setgroups'
expect_output "trine-oci maps an ordinary user to root" $'0\ndeny' oci_as_user
first=$(awk -F: -v user=$user '$1 == user {print $2; exit}' /etc/subuid)
configure "$rootless | .linux.uidMappings = [$own_ids, {containerID: 1, hostID: $first, size: 1000}] | .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 5, gid: 6, additionalGids: [7]}" 'id -u; id -G; wc -l </proc/self/uid_map'
expect_output "… and subordinate ids" $'5\n6 7\n2' oci_as_user
configure "$rootless | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = [$own_ids]" true
expect_error "… but not to another's" 1 "newuidmap|subuid" oci_as_user
finish
