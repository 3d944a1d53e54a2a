#!/usr/bin/env bash
# A monitor seen from the host, bundles in VMs, as engines start them, and VMs in the background.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
require_program jq
take_cloud_kernel
run_guests_in_lab integration/vm_jail integration/oci_vm integration/vm_background
