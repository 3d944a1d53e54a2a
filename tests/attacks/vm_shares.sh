#!/usr/bin/env bash
# A guest that is no Linux (hostile_guest/) against a directory that is shared with it: it fills it, digs, holds all that it
# can, and looks below a directory that the host exchanges with a symlink all the time.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_hostile_guest

mkdir "$work/small" "$work/outside"
mount -t tmpfs -o size=1m tmpfs "$work/small" || skip "a tmpfs cannot be mounted"
share=$work/small/share
mkdir -p "$share/swap"
echo secret, and longer >"$work/outside/secret"
echo within >"$share/swap/secret"
echo precious >"$share/inside"
ln -s "$work/outside" "$share/link"
"$build/tests/bin/racer" "$share/swap" "$share/link" &
racer=$!
: >"$work/said"
"$build/bin/trine-vmm" --kernel "$build/tests/bin/hostile_guest" --memory 64m --command-line share --share "$share,tag=share" --console "$work/said" 2>"$work/errors" &
machine=$!
has_come_to_its_end() { grep -q '^finished' "$work/said" || ! kill -0 $machine 2>/dev/null; }
wait_for_guest has_come_to_its_end
kill -KILL $racer
wait $racer 2>/dev/null
while read -r word claim; do
  case $word in
    yes) pass "$claim" ;;
    no) fail "$claim" ;;
  esac
done < <(grep -E '^(yes|no) ' "$work/said")
grep -q '^finished' "$work/said" && pass "the guest came to its end" || fail "the guest came to its end" "$(tail -3 "$work/said"): $(<"$work/errors")"
descriptors=$(find "/proc/$machine/fd" -mindepth 1 | wc -l)
((descriptors > 1000 && descriptors < 10000)) && pass "the monitor holds no more than it lets a guest hold ($descriptors)" || fail "the monitor holds no more than it lets a guest hold" "$descriptors"
[[ $(ls "$work/outside") == secret && $(<"$work/outside/secret") == "secret, and longer" ]] && pass "nothing outside was touched" || fail "nothing outside was touched" "$(ls -l "$work/outside")"
[[ $(<"$share/inside") == precious ]] && pass "nothing inside is lost" || fail "nothing inside is lost" "$(ls -l "$share")"
[[ ! -e $share/top && $(find "$share/moved" -name bottom | wc -l) == 1 ]] && pass "the host sees the tree by its new name" || fail "the host sees the tree by its new name" "$(ls "$share")"
kill -TERM $machine
wait $machine
code=$?
[[ $code == 13 && ! -s $work/errors ]] && pass "the machine ends when it is told" || fail "the machine ends when it is told" "$code: $(<"$work/errors")"
umount "$work/small"
finish
