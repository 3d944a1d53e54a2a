#!/usr/bin/env bash
# What becomes of a machine whose files change under it: a disk that is cut, grown, or on a file system that is full gives
# its guest errors, and its user one word of why; what was flushed is there. One that is mapped into it ends it when it is
# cut, which is said. The guest is no Linux (hostile_guest/).
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_hostile_guest

mkdir "$work/small"
mount -t tmpfs -o size=4m tmpfs "$work/small" || skip "a tmpfs cannot be mounted"
cp "$build/tests/bin/hostile_guest" "$work/small/kernel"
truncate -s 16M "$work/small/disk"
: >"$work/said"
"$build/bin/trine-vmm" --kernel "$work/small/kernel" --memory 64m --command-line disks --disk "$work/small/disk" --console "$work/said" 2>"$work/errors" &
machine=$!
# says CLAIM WORD: the guest says it, after all that it had said.
heard=0
says() {
  said() { tail -n "+$((heard + 1))" "$work/said" | grep -q "^$1$" || ! kill -0 $machine 2>/dev/null; }
  wait_for_guest said "$2"
  if tail -n "+$((heard + 1))" "$work/said" | grep -q "^$2$"; then pass "$1"; else fail "$1" "$(<"$work/said"): $(<"$work/errors")"; fi
}
forget() { heard=$(wc -l <"$work/said"); }
good=0x00000000 bad=0x00000001

says "a disk is written, and read" "near $good"
says "… and flushed" "flush $good"
says "a disk on a file system that is full gives errors" "write $bad"
says "… and is read on" "far $good"
forget
truncate -s 8M "$work/small/disk"
says "a disk that is cut gives errors behind its end" "far $bad"
forget
truncate -s 16M "$work/small/disk"
says "… and none when it is as it was" "far $good"
forget
mount -o remount,size=32m "$work/small"
says "a file system that has room again is written" "write $good"
truncate -s 0 "$work/small/kernel"
forget
truncate -s 8M "$work/small/disk"
says "the machine does not need its kernel's file" "far $bad"
grep -q "^near $bad" "$work/said" && fail "what was written stays as it was" "$(<"$work/said")" || pass "what was written stays as it was"
[[ $(wc -l <"$work/errors") == 1 ]] && grep -q "disk trine0 cannot be .*; the guest gets errors from it" "$work/errors" &&
  pass "which is said once" || fail "which is said once" "$(<"$work/errors")"
kill -KILL $machine
wait $machine 2>/dev/null
cmp -s <(head -c 4096 "$work/small/disk" | tail -c 512) <(printf 'F%.0s' {1..512}) &&
  pass "what was flushed is there when the monitor was killed" || fail "what was flushed is there when the monitor was killed"

# A disk that is mapped, and read by a device, or by the guest's processor: there is nothing to give in the place of what is
# gone.
for reader in "a device lend" "the processor touch"; do
  by=${reader% *}
  { echo hello; head -c 256K /dev/zero; } >"$work/small/mapped"
  : >"$work/said"
  timeout -s KILL 60 "$build/bin/trine-vmm" --kernel "$build/tests/bin/hostile_guest" --memory 64m --command-line "${reader##* }" --mapped-disk "$work/small/mapped" --console "$work/said" 2>"$work/errors" &
  machine=$!
  wait_for_guest grep -aq hello "$work/said" && pass "a mapped disk is read by $by" || fail "a mapped disk is read by $by" "$(<"$work/errors")"
  truncate -s 100 "$work/small/mapped"
  wait $machine
  code=$?
  [[ $code == 12 ]] && grep -q "the guest cannot go on: a file that it reads as a mapped disk was cut short" "$work/errors" &&
    pass "… which ends the machine when it is cut, and is said" || fail "… which ends the machine when it is cut, and is said" "$code: $(tr -d '\0' <"$work/said") $(<"$work/errors")"
done
umount "$work/small"
finish
