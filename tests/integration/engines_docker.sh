#!/usr/bin/env bash
# Debian's Docker with trine-oci as its runtime.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/docker.sh"
. "$(dirname "$0")/../lib/engines.sh"
require_root
for program in script iptables; do require_program $program; done
own_namespaces "$0"
busybox_archive

engine() { timeout --foreground 60 docker -H "unix://$work/docker.sock" "$@"; }
engine_mounts() { awk '{print $5}' "/proc/$dockerd/mountinfo" | grep -v "^$work/\(docker\|etc\)$"; }
engine_states() { find "$work/docker-run/runtime-trine/moby" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null; }
trap 'stop_docker; cleanup' EXIT
find_docker || skip "there is no dockerd here, and none to be had: $(tail -n 1 "$work/log")"
network=default
daemon_flags=(--add-runtime "trine=$runtime" --default-runtime trine --cgroup-parent "$parent" --exec-opt "native.cgroupdriver=$manager")
if ! start_docker "${daemon_flags[@]}"; then
  network=none
  echo "skipped: a published port: dockerd cannot make its network here: $(grep -i failed "$work/log" | tail -n 1)"
  stop_docker
  start_docker "${daemon_flags[@]}" --bridge none --iptables=false --ip-forward=false --ip-masq=false ||
    skip "dockerd does not start here: $(tail -n 1 "$work/log")"
fi
engine import "$work/busybox.tar" busybox >/dev/null 2>&1
run_flags=(--network none)
[[ $(engine version -f '{{.Server.Version}}') == 20.* ]] && exec_missing=126 # with runc, too

expect_match "docker knows its runtime" "trine" engine info --format '{{.DefaultRuntime}}'
engine_cases busybox
[[ $network == none ]] || port_case busybox
expect_nothing_left "after the network, too, nothing is left"
finish
