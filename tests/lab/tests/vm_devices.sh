#!/usr/bin/env bash
# What a VM has beside its disks, and what its monitor is left with: network, shared directories, the balloon, pause, the
# jail, and bundles in VMs.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
require_program jq
take_cloud_kernel
run_guests_in_lab integration/vm_jail integration/vm_fs integration/vm_net integration/vm_pause integration/vm_balloon integration/oci_vm
