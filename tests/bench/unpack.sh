#!/usr/bin/env bash
# Unpacking an image of about 500 MB: `trine load` beside `umoci unpack`, in turn. The image is made of this
# machine's own /usr, so that files are of all kinds and sizes. Both unpack to memory, for ext4 looks for free inodes
# the longer the more files were removed in the last minutes.
#
#   tests/bench/unpack.sh [ROUNDS]    some 6 GB of memory
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ -n ${TRINE_BENCH_MOUNTS:-} ]] || TRINE_BENCH_MOUNTS=private exec unshare -m "$0" "$@"
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
rounds=${1:-3}
require_root
require_program umoci

trap 'cd /; umount -l "$work"; cleanup' EXIT
mount -t tmpfs -o mode=0755 tmpfs "$work"
umoci init --layout "$work/image"
umoci new --image "$work/image:big"
umoci unpack --image "$work/image:big" "$work/b" >/dev/null 2>&1
root=$work/b/rootfs
mkdir -p "$root/usr"
for part in /usr/share/doc /usr/include /usr/share/perl /usr/share/locale /usr/bin/* /usr/lib/x86_64-linux-gnu/*; do
  (($(du -sm "$root" | cut -f1) < 480)) || break
  (($(du -sm "$part" 2>/dev/null | cut -f1) < 200)) && mkdir -p "$root${part%/*}" && cp -a "$part" "$root${part%/*}/" || true
done
echo "$(du -sm "$root" | cut -f1) MB in $(find "$root" | wc -l) files"
umoci repack --image "$work/image:big" "$work/b" >/dev/null 2>&1
rm -rf "$work/b"

# What an earlier round made is moved out of the way, for removing it would be timed too.
cat >"$work/trine-once" <<E2
mv $work/s $work/old.\$\$ 2>/dev/null; exec $build/bin/trine --root $work/s load --quiet oci:$work/image:big
E2
cat >"$work/umoci-once" <<E2
mv $work/u $work/old.\$\$ 2>/dev/null; exec umoci unpack --image $work/image:big $work/u
E2
"$build/tests/bin/timer" "$rounds" umoci "sh $work/umoci-once" trine "sh $work/trine-once"
