#!/usr/bin/env bash
# The VM class again, with the minimal kernel of hvm-sandbox/kernel. It takes long to build, so only one that is there
# already is tested.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-kernel
kernel=$(find "$cache" -path '*/build.*' -prune -o -name 'vmlinux-*' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -1 | cut -d' ' -f2)
[[ -s $kernel ]] || skip "there is no minimal kernel: hvm-sandbox/kernel/build-minimal.sh builds it"
cp "$kernel" "$work/"
"$lab" run x86 --guests --timeout 800 --share "$work" -- env TRINE_TEST_LIMIT=700 TRINE_BUILD="$build" TRINE_TEST_KERNEL="$work/${kernel##*/}" \
  bash "$lab_tests/lab/guest/batch.sh" integration/vm integration/vm_monitor >"$work/results" 2>&1
code=$?
cat "$work/results"
for test in integration/vm integration/vm_monitor; do
  grep -q "^ok - $test " "$work/results" || { echo "not ok - $test did not pass"; code=1; }
done
exit $((code != 0))
