#!/usr/bin/env bash
# Start and end of a container that runs `true`: trine beside crun, runc and the floor, in turn, on one bundle.
# Ratios are to the first row, the floor. `trine image` runs the same from a stored image.
#
#   tests/bench/run.sh [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
rounds=${1:-200}
require_root
require_program runc

bundle=$work/bundle
mkdir -p "$bundle"
busybox_root "$bundle/rootfs"
busybox_image
# runc's own example, without a terminal and with the mounts that all of them can make: crun 1.8 refuses a cgroup
# mount on a machine with both versions of cgroups.
(cd "$bundle" && runc spec)
jq '.process.terminal = false | .process.args = ["/bin/true"] | .mounts |= map(select(.type != "cgroup"))
    | .linux.namespaces |= (. + [{"type": "cgroup"}] | unique_by(.type))' "$bundle/config.json" >"$bundle/new"
mv "$bundle/new" "$bundle/config.json"

commands=(floor "$build/tests/bin/floor $bundle/rootfs"
  trine "$build/bin/trine --root $state run --rm bundle:$bundle"
  "trine image" "$build/bin/trine --root $state run --rm busybox true"
  runc "runc --root $work/runc run -b $bundle bench-runc")
crun_run="crun --root $work/crun run -b $bundle bench-crun"
if $crun_run >/dev/null 2>&1; then
  commands+=(crun "$crun_run")
elif unshare -m sh -c "umount /sys/fs/cgroup/unified && exec $crun_run" >/dev/null 2>&1; then
  echo "crun runs with /sys/fs/cgroup/unified unmounted: it refuses a machine with both versions of cgroups"
  commands+=(crun "$crun_run")
  exec unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "$build/tests/bin/timer" "$rounds" "${commands[@]}"
else
  echo "crun is left out: $($crun_run 2>&1 | head -n 1)"
fi
"$build/tests/bin/timer" "$rounds" "${commands[@]}"
