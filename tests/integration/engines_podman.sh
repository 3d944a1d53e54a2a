#!/usr/bin/env bash
# podman and buildah of Debian with trine-oci as their runtime.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/engines.sh"
require_root
for program in podman buildah conmon script; do require_program $program; done
own_namespaces "$0"
busybox_archive
take_class

engine() {
  timeout --foreground "$engine_limit" podman --root "$work/root" --runroot "$work/run" --tmpdir "$work/tmp" --network-config-dir "$work/networks" \
    --storage-driver vfs --cgroup-manager "$manager" --runtime "$runtime" "$@"
}
engine_mounts() { awk '{print $5}' /proc/self/mountinfo; }
engine_states() { find /run/trine-oci -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null; }
# Without CAP_SYS_RESOURCE, which not every machine that runs tests has, the limits that podman asks for are refused.
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1000:1000)
run_flags=("${limits[@]}" "${annotation[@]}" --network none --cgroup-parent "$parent")
engine import "$work/busybox.tar" busybox >/dev/null 2>&1
# podman keeps its storage mounted on itself for as long as the machine runs.
storage_mounts=$(engine_mounts)
engine_mounts() { awk '{print $5}' /proc/self/mountinfo | grep -vxF "$storage_mounts"; }

expect_match "podman knows its runtime" "^trine-oci version .*" engine info --format '{{.Host.OCIRuntime.Version}}'
engine_cases localhost/busybox
port_case localhost/busybox "${limits[@]}" "${annotation[@]}" --network podman --cgroup-parent "$parent"
if [[ $class == vm ]]; then
  expect_no_remains "and nothing is left of it"
  finish
fi

its_buildah() { buildah --root "$work/root" --runroot "$work/run" --storage-driver vfs "$@"; }
in_buildah() { its_buildah run --isolation oci --runtime "$runtime" --network none "$@"; }
container=$(its_buildah from --pull-never "${limits[@]}" --cgroup-parent "/${parent#/}/buildah" localhost/busybox 2>/dev/null)
expect_output "buildah run" "hi" in_buildah "$container" echo hi
expect_exit "buildah run gives the exit code" 3 in_buildah "$container" sh -c 'exit 3'
expect_exit "what buildah run writes" 0 in_buildah "$container" sh -c 'echo kept >/kept'
expect_output "is in the container" "kept" in_buildah "$container" cat /kept
expect_exit "buildah rm" 0 its_buildah rm "$container"
expect_no_remains "and nothing is left of it"
finish
