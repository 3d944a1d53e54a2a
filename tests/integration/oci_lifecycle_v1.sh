#!/usr/bin/env bash
# The same as oci_lifecycle.sh on a machine that has version 1 of cgroups alone, where groups are made beside the
# container's first process, which joins them late.
. "$(dirname "$0")/../lib/harness.sh"
require_root
[[ -d /sys/fs/cgroup/devices ]] || skip "this machine has no cgroups of version 1"
mountpoint -q /sys/fs/cgroup/unified || skip "this machine has version 1 of cgroups alone: oci_lifecycle does the same"
# shellcheck disable=SC2016
unshare -m bash -c 'umount /sys/fs/cgroup/unified && exec "$1"' - "$(dirname "$0")/oci_lifecycle.sh"
