#!/usr/bin/env bash
# The VM class, where the processor really has a guest mode: Debian's cloud kernel in trine's monitor, in the x86 lab.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
# The guest's kernel is unpacked by the lab. It cannot boot from it, which it says after that: it has no 9p.
"$lab" prepare x86 --kernel linux-image-cloud-amd64 >/dev/null 2>&1
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels
[[ -s $kernels/linux-image-cloud-amd64.amd64 ]] || skip "cannot download linux-image-cloud-amd64"
read -r name version <"$kernels/linux-image-cloud-amd64.amd64"
unpacked=$kernels/${name}_$version
[[ -s $unpacked/release ]] || skip "cannot unpack $name"
release=$(<"$unpacked/release")
# As the package has it, which is what `trine kernel import` takes.
mkdir -p "$work/kernel/boot" "$work/kernel/lib"
cp "$unpacked/kernel" "$work/kernel/boot/vmlinuz-$release"
cp -r "$unpacked/modules/lib/modules" "$work/kernel/lib/"
tests=(integration/vm integration/vm_monitor integration/vm_ends attacks/vm_agent)
"$lab" run x86 --guests --timeout 1500 --share "$work/kernel" -- env TRINE_TEST_LIMIT=900 TRINE_BUILD="$build" TRINE_TEST_KERNEL="$work/kernel" \
  bash "$lab_tests/lab/guest/batch.sh" "${tests[@]}" >"$work/results" 2>&1 # not piped: the exit code is the lab's
code=$?
grep -vE '^[0-9]+ passed' "$work/results"
((code == 0)) || echo "not ok - the lab ended with $code"
# This machine has what they need: here they may not be skipped.
for test in "${tests[@]}"; do
  grep -q "^ok - $test " "$work/results" || { echo "not ok - $test did not pass"; code=1; }
done
exit $((code != 0))
