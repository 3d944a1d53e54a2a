#!/usr/bin/env bash
# What a start costs on a crowded host: among 5,000 mounts, in turn with the same host without them, and then beside
# 1,000 containers that run. Ratios are to the first row of each table; each runtime's growth is the ratio of its rows.
#
#   tests/bench/crowd.sh [ROUNDS [plain]]    plain: without seccomp in the bundle
set -euo pipefail
# shellcheck source=tests/bench/bundle.sh
. "$(dirname "$0")/bundle.sh"
mounts=${MOUNTS:-5000} containers=${CONTAINERS:-1000}

# Not crun: it refuses a machine with both versions of cgroups, and where one is out of the way, the list of hierarchies
# is not what distributions have.
runtimes=(trine trine-oci runc)
declare -A program=([runc]="runc --root $others/runc run -b $bundle bench-runc"
  [trine]="$build/bin/trine --root $state run --rm bundle:$bundle"
  [trine-oci]="$build/bin/trine-oci --root $state/run/oci run -b $bundle bench-oci")

# The same commands in two mount namespaces, each held by a process that sleeps.
mkdir "$work/one" "$work/crowd"
sleep infinity &
few=$!
unshare --mount sh -c '
  cd "$1" && mount -t tmpfs tmpfs .
  seq "$2" | xargs mkdir && for i in $(seq "$2"); do mount --bind ../one "$i" || exit; done
  touch ready && exec sleep infinity' sh "$work/crowd" "$mounts" 2>"$work/log" &
many=$!
until [[ $(wc -l <"/proc/$many/mountinfo") -ge $mounts && $(cat "/proc/$many/comm") == sleep ]]; do
  kill -0 $many || { cat "$work/log"; exit 1; }
done
trap 'kill $few $many; umount "$state/run" "$others"; cleanup' EXIT
rows=()
for name in "${runtimes[@]}"; do
  rows+=("$name" "nsenter --mount=/proc/$few/ns/mnt ${program[$name]}")
  rows+=("$name, $mounts mounts" "nsenter --mount=/proc/$many/ns/mnt ${program[$name]}")
done
"$build/tests/bin/timer" "$rounds" "${rows[@]}"

rows=()
for name in "${runtimes[@]}"; do rows+=("$name" "${program[$name]}"); done
"$build/tests/bin/timer" "$rounds" "${rows[@]}"
jq '.process.args = ["/bin/sleep", "10000"]' "$bundle/config.json" >"$bundle/new"
cp "$bundle/config.json" "$work/config.json" && mv "$bundle/new" "$bundle/config.json"
oci=("$build/bin/trine-oci" --root "$state/run/oci")
trap 'kill $few $many; for i in $(seq $containers); do "${oci[@]}" delete --force "crowd-$i" 2>/dev/null; done; umount "$state/run" "$others"; cleanup' EXIT
for i in $(seq $containers); do "${oci[@]}" run -d -b "$bundle" "crowd-$i" </dev/null >/dev/null 2>&1; done
cp "$work/config.json" "$bundle/config.json"
echo "beside $("${oci[@]}" list -q | wc -l) containers:"
"$build/tests/bin/timer" "$rounds" "${rows[@]}"
