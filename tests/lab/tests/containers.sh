#!/usr/bin/env bash
# The container tests again, on a pure cgroup v2 hierarchy with every controller, in one boot of the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
tests=(unit/{cgroups,isolation,netns,runtime})
for script in "$lab_tests"/{integration,attacks}/*.sh; do
  name=$(basename "$(dirname "$script")")/$(basename "$script" .sh)
  case $name in
    integration/examples) ;;    # it builds trine
    integration/debootstrap) ;; # it unpacks a whole distribution, which has nothing to do with cgroups, for ten minutes
    integration/many_mounts) ;; # thousands of mounts, which take minutes in emulation and are those of any kernel
    # What images are, what is in them and where they come from is the same there.
    integration/*images | integration/erofs | integration/save | integration/store | integration/commit) ;;
    attacks/image_files | attacks/layers | attacks/many_entries) ;;
    integration/*registry | integration/round_trips | integration/policy | integration/proxy | integration/transports) ;;
    integration/platform | integration/kernels | integration/isolation_policy) ;;
    integration/vm* | integration/oci_vm | attacks/vm_*) ;; # nor these: they need guests
    integration/engines_*) ;;   # they have a boot of their own: tests/lab/tests/engines.sh
    *) tests+=("$name") ;;
  esac
done
run_in_lab "${tests[@]}"
