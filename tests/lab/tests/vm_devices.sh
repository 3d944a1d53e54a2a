#!/usr/bin/env bash
# What a VM has beside its disks: a network, shared directories, a balloon, and the pause of it all.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
take_cloud_kernel
run_guests_in_lab integration/vm_fs integration/vm_net integration/vm_balloon integration/vm_pause attacks/vm_volumes
