#!/usr/bin/env bash
# podman with containers that are VMs by their annotation.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
for program in mkfs.erofs podman conmon; do require_program $program; done
take_cloud_kernel
run_guests_in_lab integration/engines_podman_vm
