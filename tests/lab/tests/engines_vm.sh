#!/usr/bin/env bash
# podman and containerd with containers that are VMs by their annotation.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../../lib/docker.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
for program in mkfs.erofs podman conmon; do require_program $program; done
take_cloud_kernel
tests=(integration/engines_podman_vm)
if command -v umoci >/dev/null && find_docker; then
  tests+=(integration/engines_containerd_vm)
else
  echo "skipped: containerd with VMs: there is none here, and none to be had"
fi
run_guests_in_lab "${tests[@]}"
