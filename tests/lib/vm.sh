# shellcheck shell=bash
# What the tests of the VM class share, on top of harness.sh.

# wait_for_guest COMMAND...: as wait_until, for what a guest makes happen, which takes longer where processors are imitated.
wait_for_guest() {
  local tries
  for ((tries = 0; tries < 9; tries++)); do wait_until "$@" && return; done
  return 1
}

# require_vm: a guest kernel in the script's store, and a host on which guests run at a usable speed.
# TRINE_TEST_KERNEL is what `trine kernel import` takes; TRINE_TEST_SLOW_GUESTS says that it is known to run here, however
# slow a busy machine makes it seem.
require_vm() {
  [[ -x $build/bin/trine-vmm ]] || skip "the VM class is not built for this processor"
  [[ -w /dev/kvm ]] || skip "there is no /dev/kvm to use"
  require_program mkfs.erofs
  [[ -n ${TRINE_TEST_KERNEL-} ]] || skip "TRINE_TEST_KERNEL names no guest kernel (lab/vm runs this with one)"
  trine kernel import "$TRINE_TEST_KERNEL" >/dev/null || { echo "not ok - cannot import $TRINE_TEST_KERNEL"; exit 1; }
  run trine check
  ((code == 0)) || skip "$(tail -1 <<<"$output")"
  if [[ -z ${TRINE_TEST_SLOW_GUESTS-} ]] && grep -q "imitates" <<<"$output"; then skip "this host imitates the processor for a guest's kernel"; fi
  export TRINE_VM_BOOT_SECONDS=${TRINE_VM_BOOT_SECONDS-90}
}

# require_hostile_guest: what a guest that is no Linux (attacks/hostile_guest/) takes: it runs wherever there is /dev/kvm.
require_hostile_guest() {
  require_root
  [[ -x $build/bin/trine-vmm ]] || skip "the VM class is not built for this processor"
  [[ -w /dev/kvm ]] || skip "there is no /dev/kvm to use"
  [[ -f $build/tests/bin/hostile_guest ]] || skip "this compiler makes no 32-bit code"
}
