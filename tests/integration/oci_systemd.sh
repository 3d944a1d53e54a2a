#!/usr/bin/env bash
# trine-oci --systemd-cgroup, on a machine that systemd runs, such as the lab with --systemd.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle

states=$work/states
id=sd-${work##*.}
unit=trine-$id.scope
oci() { timeout --foreground 60 "$build/bin/trine-oci" --root "$states" "$@"; }
with_systemd() { oci --systemd-cgroup "$@"; }
# A failure has one line, and perhaps a hint.
expect_refusal() { # CLAIM PATTERN
  run with_systemd run --bundle "$bundle" "$id"
  local lines
  lines=$(grep -vc '^hint: ' <<<"$output")
  if [[ ($code == 1 || $code == 127) && $lines == 1 ]] && grep -Eq -- "$2" <<<"$output"; then pass "$1"; else fail "$1" "exit $code: $output"; fi
}

expect_output "features tell of the driver" "true true" eval 'oci features | jq -r ".linux.cgroup | \"\(.systemd) \(.systemdUser)\""'
for path in /a/b a:b system.slice:trine: system:trine:x system.slice:trine:a/b a--b.slice:trine:x system.slice::x.slice; do
  configure ".linux.cgroupsPath = \"$path\""
  expect_refusal "the path $path is refused" "'?$path'? for the path of a systemd cgroup"
done
if [[ ! -d /run/systemd/system ]]; then
  configure .
  expect_refusal "without systemd the error says so" 'not started by it'
  expect_error "and nothing is left" 1 'does not exist' oci state "$id"
  ((failures == 0)) || finish
  skip "systemd does not run here"
fi

show() { systemctl show --value -p "$2" "$1"; }
is_gone() { [[ $(show "$1" LoadState) == not-found ]]; }
in_state() { [[ $(oci state "$id" | jq -r .status) == "$1" ]]; }
group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup"; }
create() { with_systemd create --bundle "$bundle" "$id" >"$work/out" 2>&1 </dev/null; }
limit() { # FILE PROPERTY: what the kernel and what systemd have
  echo "$(cat "/sys/fs/cgroup$(group_of "$pid")/$1") $(show "$unit" "$2")"
}
remains() {
  find /sys/fs/cgroup -type d -name "*$id*" 2>/dev/null
  systemctl list-units --all --plain --no-legend "*$id*"
  pgrep -f "$states|sleep 6543"
  find "$states" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null
}

# --- one life ---
configure '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 55}, cpu: {shares: 512, quota: 33333, period: 100000}}
  | .annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Description": "'\''mine'\''"}' \
  'trap "exit 5" TERM; sleep 6543 & wait'
create && pass "create" || fail "create" "$(<"$work/out")"
pid=$(oci state "$id" | jq -r .pid)
expect_output "its process is in a scope of system.slice" "/system.slice/$unit" group_of "$pid"
expect_output "which is active" "active" show "$unit" ActiveState
expect_output "and holds nothing else" "$pid" cat "/sys/fs/cgroup/system.slice/$unit/cgroup.procs"
expect_output "it is delegated" "yes" show "$unit" Delegate
expect_exit "start" 0 oci start "$id"
expect_output "the memory limit is the unit's, too" "67108864 67108864" limit memory.max MemoryMax
expect_output "the limit of processes" "55 55" limit pids.max TasksMax
expect_output "the processor's weight" "20 20" limit cpu.weight CPUWeight
expect_output "the processor's quota, to the microsecond" "33333 100000 340ms" limit cpu.max CPUQuotaPerSecUSec
expect_output "an annotation is a property" "7s" show "$unit" TimeoutStopUSec
expect_output "of text, too" "mine" show "$unit" Description
expect_output "exec is in the scope" "0::/system.slice/$unit" oci exec "$id" cat /proc/self/cgroup
expect_match "ps" "$pid" oci ps -f json "$id"
expect_output "events" "55" eval "oci events --stats $id | jq .data.pids.limit"
expect_exit "pause" 0 oci pause "$id"
expect_output "it is paused" "paused" eval "oci state $id | jq -r .status"
expect_exit "resume" 0 oci resume "$id"
expect_exit "update, without the flag" 0 oci update --memory 33554432 --pids-limit 44 "$id"
expect_output "reaches kernel and unit" "33554432 33554432" limit memory.max MemoryMax
expect_output "with each limit" "44 44" limit pids.max TasksMax
expect_exit "systemd reads its configuration again" 0 systemctl daemon-reload
expect_output "which leaves the limits" "33554432 33554432" limit memory.max MemoryMax
expect_exit "kill" 0 oci kill "$id" TERM
wait_until in_state stopped
wait_until is_gone "$unit"
expect_output "an end is the scope's end" "not-found" show "$unit" LoadState
expect_exit "delete" 0 oci delete "$id"
expect_nothing_left "nothing is left of it"

# --- other ends ---
configure . 'exec sleep 6543'
create
expect_exit "delete of a created one" 0 oci delete "$id"
expect_output "its unit is gone at once" "not-found" show "$unit" LoadState
create && oci start "$id"
expect_exit "kill --all" 0 oci kill --all "$id" KILL
wait_until in_state stopped
expect_exit "and delete" 0 oci delete "$id"
create && oci start "$id"
expect_exit "delete --force of a running one" 0 oci delete --force "$id"
create && oci start "$id" && systemctl stop "$unit"
wait_until in_state stopped
expect_output "systemctl stop ends the container" "stopped" eval "oci state $id | jq -r .status"
expect_exit "and delete takes it away" 0 oci delete "$id"
configure . 'exit 7'
expect_exit "run gives the exit code" 7 with_systemd run --bundle "$bundle" "$id"
expect_exit "and its name can be had again at once" 7 with_systemd run --bundle "$bundle" "$id"
expect_exit "--cgroup-manager systemd is the same" 7 oci --cgroup-manager systemd run --bundle "$bundle" "$id"
expect_nothing_left "nothing is left of them"

# --- names ---
configure ".linux.cgroupsPath = \"trine-a$$-b.slice:web:$id\"" 'cat /proc/self/cgroup'
expect_output "a slice with dashes lies in others" "0::/trine.slice/trine-a$$.slice/trine-a$$-b.slice/web-$id.scope" \
  with_systemd run --bundle "$bundle" "$id"
systemctl stop "trine-a$$.slice" "trine.slice" 2>/dev/null
configure ".linux.cgroupsPath = \"::$id\"" 'cat /proc/self/cgroup'
expect_output "without a slice and a prefix it is system.slice" "0::/system.slice/$id.scope" with_systemd run --bundle "$bundle" "$id"
configure '.mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"}] | .linux.namespaces += [{type: "cgroup"}]' \
  'mkdir /sys/fs/cgroup/own && echo 1 >/sys/fs/cgroup/own/cgroup.procs && cat /proc/self/cgroup'
expect_output "a container makes groups of its own below" "0::/own" with_systemd run --bundle "$bundle" "$id"
configure '.linux.resources.pids.limit = 1' 'echo alone'
expect_output "a limit of one process" "alone" with_systemd run --bundle "$bundle" "$id"

# --- what goes wrong ---
configure '.annotations = {"org.systemd.property.NoSuchThing": "true"}'
expect_refusal "an unknown property is systemd's error" 'NoSuchThing|unknown property'
configure '.annotations = {"org.systemd.property.MemoryMax": "much"}'
expect_refusal "a value that is none" "MemoryMax"
configure '.process.args = ["nosuch"]'
expect_refusal "a missing command" 'executable file not found'
configure '.linux.resources.unified = {"nosuch.max": "1"}'
expect_refusal "a limit that the kernel does not have" 'nosuch'
expect_nothing_left "nothing is left of what could not be made"
configure ".linux.cgroupsPath = \":web:$id\"" 'exec sleep 6543'
create
oci start "$id"
id=$id-2
expect_refusal "a scope that another container has" 'already|exists'
id=${id%-2}
expect_output "and it runs on" "active" show "web-$id.scope" ActiveState
expect_exit "delete --force" 0 oci delete --force "$id"

mkdir "$work/bin"
cp "$build/bin/trine-oci" "$work/bin/"
configure .
run timeout 30 "$work/bin/trine-oci" --root "$states" --systemd-cgroup run --bundle "$bundle" "$id"
[[ $code == 1 && $output == *"cannot find trine-systemd"*"$work/bin"* ]] && pass "without its helper it says what is missing" ||
  fail "without its helper it says what is missing" "$output"
mkdir -p "$work/libexec/trine"
cp "$build/bin/trine-systemd" "$work/libexec/trine/"
expect_exit "which may be in ../libexec/trine" 0 timeout 30 "$work/bin/trine-oci" --root "$states" --systemd-cgroup run --bundle "$bundle" "$id"

configure . 'exec sleep 6543'
for ((i = 0; i < 12; i++)); do
  "$build/bin/trine-oci" --root "$states" --systemd-cgroup create --bundle "$bundle" "$id" >/dev/null 2>&1 </dev/null &
  creator=$!
  read -rt "0.$((i / 10))$((i % 10))" <> <(:) || :
  kill -9 $creator 2>/dev/null
  wait $creator 2>/dev/null
  run oci delete --force "$id"
  [[ $code == 0 ]] && wait_until eval '[[ -z $(remains) ]]' || fail "create killed at moment $i" "exit $code: $output; $(remains)"
done
expect_nothing_left "create killed at 12 moments: delete --force leaves nothing"
create && oci start "$id" || fail "create after that" "$(<"$work/out")"
pid=$(oci state "$id" | jq -r .pid)
kill -9 "$pid"
wait_until in_state stopped
expect_exit "a container whose first process was killed is deleted" 0 oci delete "$id"
expect_nothing_left "and nothing is left"
# --- a user's own systemd ---
user=trine-systemd-test
useradd -m $user 2>/dev/null && uid=$(id -u $user) && systemctl start "user@$uid.service" || { echo "skipped: a user's systemd: it does not start"; finish; }
remove_user() {
  systemctl stop "user@$uid.service"
  userdel -r $user 2>/dev/null
  cleanup
}
trap remove_user EXIT
chmod -R a+rX "$work/bin" "$work/libexec"
as_user() { (cd / && setpriv --reuid "$uid" --regid "$(id -g $user)" --clear-groups env HOME=/home/$user XDG_RUNTIME_DIR="/run/user/$uid" "$@"); }
in_its_systemd() { as_user systemd-run --user --quiet --wait --collect --pipe -p Delegate=yes "$@"; }
# Root of a user namespace, as with a user's engine.
users_oci() { in_its_systemd unshare --user --map-root-user --map-auto --mount "$work/bin/trine-oci" --systemd-cgroup "$@"; }
limits='.linux.resources = {memory: {limit: 67108864}, pids: {limit: 55}}'
show_users() { as_user systemctl --user show --value -p "$2" "$1"; }
users_group=/user.slice/user-$uid.slice/user@$uid.service/user.slice
configure "$limits" 'cat /proc/self/cgroup'
chown -R $user "$bundle"
expect_output "a user's container is in a scope of that user's systemd" "0::$users_group/$unit" users_oci run --bundle "$bundle" "$id"
configure "$limits" 'exec sleep 6543'
users_oci create --bundle "$bundle" "$id" >"$work/out" 2>&1 </dev/null && pass "create" || fail "create" "$(<"$work/out")"
expect_exit "start" 0 users_oci start "$id"
expect_output "it has its limits" "67108864 55" eval "echo \$(cat /sys/fs/cgroup$users_group/$unit/{memory,pids}.max)"
expect_exit "update" 0 users_oci update --memory 33554432 "$id"
expect_output "reaches the kernel" 33554432 cat "/sys/fs/cgroup$users_group/$unit/memory.max"
expect_output "and the unit" 33554432 show_users "$unit" MemoryMax
expect_exit "delete --force" 0 users_oci delete --force "$id"
expect_output "takes the unit away" not-found show_users "$unit" LoadState
run as_user unshare --user --map-root-user --map-auto --mount "$work/bin/trine-oci" --systemd-cgroup run --bundle "$bundle" "$id"
[[ $code == 1 && $output == *"from outside"*"hint: "*"systemd-run --user"* ]] && pass "outside of that systemd's tree the error says where to go" ||
  fail "outside of that systemd's tree the error says where to go" "$code: $output"
expect_nothing_left "nothing is left of them"
finish
