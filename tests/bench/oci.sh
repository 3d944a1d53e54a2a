#!/usr/bin/env bash
# What an engine does: create, start and delete a container that runs `true`; and exec `true` in one that runs.
# trine-oci beside crun and runc, in turn. Ratios are to the first row.
#
#   tests/bench/oci.sh [ROUNDS [plain]]    plain: without seccomp in the bundle
set -euo pipefail
# shellcheck source=tests/bench/bundle.sh
. "$(dirname "$0")/bundle.sh"

runtimes=(trine-oci runc)
usable_crun && runtimes=(crun trine-oci runc)
declare -A program=([crun]="crun --root $others/crun" [runc]="runc --root $others/runc"
  [trine-oci]="$build/bin/trine-oci --root $state/run/oci")

life=() execs=()
for name in "${runtimes[@]}"; do
  cat >"$work/life-$name" <<E2
${program[$name]} create -b $bundle life-$name && ${program[$name]} start life-$name && ${program[$name]} delete --force life-$name
E2
  life+=("$name" "sh $work/life-$name")
  jq '.process.args = ["/bin/sleep", "1000"]' "$bundle/config.json" >"$bundle/new"
  cp "$bundle/config.json" "$work/config.json" && mv "$bundle/new" "$bundle/config.json"
  ${program[$name]} run -d -b "$bundle" "sleeper-$name" </dev/null >/dev/null 2>&1
  cp "$work/config.json" "$bundle/config.json"
  execs+=("$name" "${program[$name]} exec sleeper-$name true")
done
echo "create, start, delete:"
"$build/tests/bin/timer" "$rounds" "${life[@]}"
echo "exec:"
"$build/tests/bin/timer" "$rounds" "${execs[@]}"
for name in "${runtimes[@]}"; do ${program[$name]} delete --force "sleeper-$name"; done
umount "$state/run" "$others"
