#!/usr/bin/env bash
# Start and end of a container that runs `true`: trine beside crun, runc and the floor, in turn, on one bundle, which
# has what engines give: runc's example mounts and Docker's seccomp profile. Ratios are to the first row, the floor.
# `trine image` runs the same from a stored image. All keep their state on a tmpfs, as /run is.
#
#   tests/bench/run.sh [ROUNDS [plain]]    plain: without seccomp in the bundle
set -euo pipefail
# shellcheck source=tests/bench/bundle.sh
. "$(dirname "$0")/bundle.sh"
busybox_image

commands=(floor "$build/tests/bin/floor $bundle/rootfs"
  trine "$build/bin/trine --root $state run --rm bundle:$bundle"
  "trine image" "$build/bin/trine --root $state run --rm busybox true"
  trine-oci "$build/bin/trine-oci --root $state/run/oci run -b $bundle bench-trine"
  runc "runc --root $others/runc run -b $bundle bench-runc")
usable_crun && commands+=(crun "crun --root $others/crun run -b $bundle bench-crun")
echo "back to back:"
"$build/tests/bin/timer" "$rounds" "${commands[@]}"
echo "one every 50 ms:"
"$build/tests/bin/timer" -p 50 "$rounds" "${commands[@]}"
umount "$state/run" "$others"
