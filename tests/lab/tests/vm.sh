#!/usr/bin/env bash
# The VM class, where the processor really has a guest mode: Debian's cloud kernel in trine's monitor, in the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_lab x86 --kernel linux-image-cloud-amd64 # only for its kernel: the lab itself boots another
require_program mkfs.erofs
read -r name version <"${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels/linux-image-cloud-amd64.amd64"
unpacked=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels/${name}_$version
release=$(<"$unpacked/release")
# As the package has it, which is what `trine kernel import` takes.
mkdir -p "$work/kernel/boot" "$work/kernel/lib"
cp "$unpacked/kernel" "$work/kernel/boot/vmlinuz-$release"
cp -r "$unpacked/modules/lib/modules" "$work/kernel/lib/"
"$lab" run x86 --timeout 1500 --share "$work/kernel" -- env TRINE_TEST_LIMIT=700 TRINE_BUILD="$build" TRINE_TEST_KERNEL="$work/kernel" \
  bash "$lab_tests/lab/guest/batch.sh" integration/vm integration/vm_monitor
code=$?
((code == 0)) || echo "not ok - the lab ended with $code"
exit $((code != 0))
