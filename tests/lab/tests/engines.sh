#!/usr/bin/env bash
# Docker and containerd with trine-oci on a pure cgroup v2 hierarchy, in one boot of the x86 lab. podman's turn is where
# systemd makes the cgroups: tests/lab/tests/systemd.sh.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
run_in_lab integration/engines_{docker,containerd}
