#!/usr/bin/env bash
# Twenty machines that read one image as a mapped disk have it in memory once. The guest is no Linux (attacks/hostile_guest/).
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_hostile_guest

many=20 image_mib=12 own_mib=5 # a monitor's own memory, at most
head -c $((image_mib << 20)) /dev/urandom >"$work/image"
expected=$(cksum <"$work/image")
monitors=()
for ((i = 0; i < many; ++i)); do
  mkfifo "$work/console.$i"
  head -c $((image_mib << 20)) "$work/console.$i" | cksum >"$work/read.$i" &
  "$build/bin/trine-vmm" --kernel "$build/tests/bin/hostile_guest" --memory 64m --command-line hold --mapped-disk "$work/image" --console "$work/console.$i" 2>"$work/errors.$i" &
  monitors+=($!)
done
has_read_it() { [[ -s $work/read.$1 ]]; }
same=0
for ((i = 0; i < many; ++i)); do
  wait_for_guest has_read_it $i
  if [[ $(<"$work/read.$i") == "$expected" ]]; then same=$((same + 1)); else echo "# machine $i: $(<"$work/errors.$i")"; fi
done
[[ $same == "$many" ]] && pass "$many machines read all of it" || fail "$many machines read all of it" "$same"
# Proportional: what n have in common counts a n-th for each.
share_of_all() { for monitor in "${monitors[@]}"; do cat "/proc/$monitor/smaps_rollup"; done | awk '/^Pss:/{sum += $2} END {print int(sum / 1024)}'; }
mib=$(share_of_all)
((mib >= image_mib && mib <= image_mib + many * own_mib)) && pass "which is in memory once ($mib MiB for an image of $image_mib and $many monitors)" ||
  fail "which is in memory once" "$mib MiB for an image of $image_mib and $many monitors"
kill -KILL "${monitors[@]}"
wait "${monitors[@]}" 2>/dev/null
finish
