#!/usr/bin/env bash
# podman, Docker and containerd with trine-oci on a pure cgroup v2 hierarchy, in one boot of the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
run_in_lab integration/engines_{podman,docker,containerd}
