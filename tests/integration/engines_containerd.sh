#!/usr/bin/env bash
# Debian's containerd with trine-oci as its runtime, by ctr --runc-binary.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/docker.sh"
. "$(dirname "$0")/../lib/engines.sh"
require_root
for program in script umoci; do require_program $program; done
own_namespaces "$0"
take_class
find_docker || skip "there is no containerd here, and none to be had: $(tail -n 1 "$work/log")"
command -v busybox >/dev/null || skip "busybox-static is not installed"

umoci init --layout "$work/layout"
umoci new --image "$work/layout:busybox"
umoci unpack --image "$work/layout:busybox" "$work/unpacked" >/dev/null 2>&1
busybox_root "$work/unpacked/rootfs"
: >"$work/unpacked/rootfs/bin/text"
umoci repack --image "$work/layout:busybox" "$work/unpacked" >/dev/null 2>&1
rm -rf "$work/unpacked"
tar -C "$work/layout" -cf "$work/busybox.tar" .

engine() { timeout --foreground "$engine_limit" ctr --address "$work/containerd.sock" "$@"; }
engine_mounts() { awk '{print $5}' /proc/self/mountinfo; }
engine_states() { find "$work/runc/default" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null; }
stop_containerd() {
  kill "$containerd" 2>/dev/null
  wait "$containerd"
}
cat >"$work/config.toml" <<TOML
version = 2
root = "$work/lib"
state = "$work/run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$work/containerd.sock"
TOML
containerd --config "$work/config.toml" >"$work/log" 2>&1 &
containerd=$!
trap 'stop_containerd; cleanup' EXIT
wait_until eval 'engine version >/dev/null 2>&1 || ! kill -0 "$containerd" 2>/dev/null'
engine version >/dev/null 2>&1 || skip "containerd does not start here: $(tail -n 1 "$work/log")"
engine images import --index-name busybox:1 --snapshotter native "$work/busybox.tar" >/dev/null 2>&1
image=$(engine images ls -q | head -n 1)

ctr_run() { # FLAG... ID COMMAND...
  local flags=() cgroup
  while [[ $1 == -* ]]; do
    flags+=("$1")
    shift
  done
  local id=$1
  shift
  cgroup=$parent/$id
  if [[ $manager == systemd ]]; then
    cgroup=$parent:ctr:$id
    flags+=(--runc-systemd-cgroup)
  fi
  engine run --snapshotter native --runc-binary "$runtime" --runc-root "$work/runc" --cgroup "$cgroup" "${annotation[@]}" "${flags[@]}" "$image" "$id" "$@"
}
task() { engine task "$@"; }
task_status() { engine task ls | awk -v id="$1" '$1 == id {print $3}'; }

mkdir -p "$work/volume"
volume="--mount=type=bind,src=$work/volume,dst=/v,options=rbind:rw"
if [[ $class == vm ]]; then
  run ctr_run --rm "$volume" a1 sh -c 'echo inside >/v/file; uname -r; exit 7'
  [[ $code == 7 && -n $output && $output != "$(uname -r)" ]] && pass "run gives the output, of another kernel, and the exit code" ||
    fail "run gives the output, of another kernel, and the exit code" "$code: $output"
else
  expect_output "run gives the output" "hi" ctr_run --rm a1 echo hi
  expect_exit "run gives the exit code" 7 ctr_run --rm a2 sh -c 'exit 7'
  expect_output "a volume" "" ctr_run --rm "$volume" a5 sh -c 'echo inside >/v/file'
fi
[[ $(<"$work/volume/file") == inside ]] && pass "a volume is seen outside" || fail "a volume is seen outside"
expect_error "a missing command is named" 1 'nosuch.*(executable file not found|no such file)' ctr_run --rm a3 nosuch
expect_error "a command that is not executable" 1 '[Pp]ermission denied' ctr_run --rm a4 /bin/text
engine container rm a3 a4 >/dev/null 2>&1

expect_exit "run -d with limits" 0 ctr_run -d --memory-limit=$memory_bytes one sh -c 'trap "exit 5" TERM; sleep 7654 & wait'
pid=$(engine task ls | awk '$1 == "one" {print $2}')
expect_output "its memory limit" "$memory_outside" group_value "$pid" memory memory.limit_in_bytes memory.max
expect_output "exec" "out" task exec --exec-id e1 one echo out
expect_exit "exec gives the exit code" 9 task exec --exec-id e2 one sh -c 'exit 9'
expect_error "exec of a missing command" 1 'nosuch' task exec --exec-id e3 one nosuch
expect_match "exec -t gives a terminal" '/dev/pts/[0-9]' in_terminal "engine task exec --exec-id e4 -t one tty"
expect_match "ps" "$pid" task ps one
expect_match "metrics" 'memory' task metrics one
expect_exit "pause" 0 task pause one
expect_output "it is paused" "PAUSED" task_status one
expect_exit "resume" 0 task resume one
expect_output "it runs on" "RUNNING" task_status one
expect_exit "kill" 0 task kill -s SIGTERM one
wait_until eval '[[ $(task_status one) == STOPPED ]]'
expect_output "its end is known" "STOPPED" task_status one
expect_match "delete tells the exit code" 'exit code 5"' task delete one
expect_exit "start again" 0 task start -d one
expect_match "delete --force ends it" 'exit code 137"' task delete --force one
expect_exit "rm" 0 engine container rm one
expect_no_remains "cgroups, mounts, processes and states: nothing is left"
finish
