#!/usr/bin/env bash
# The VM class, where the processor really has a guest mode: Debian's cloud kernel in trine's monitor, in the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
take_cloud_kernel
run_guests_in_lab integration/vm integration/vm_monitor integration/vm_ends attacks/vm_agent
