#!/usr/bin/env bash
# Unpacking an image of about 500 MB: `trine load` beside `umoci unpack`, in turn. The image is made of this
# machine's own /usr, so that files are of all kinds and sizes.
#
#   tests/bench/unpack.sh [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
rounds=${1:-3}
require_root
require_program umoci

umoci init --layout "$work/image"
umoci new --image "$work/image:big"
umoci unpack --image "$work/image:big" "$work/b" >/dev/null 2>&1
root=$work/b/rootfs
mkdir -p "$root/usr"
for part in share/doc include lib/x86_64-linux-gnu lib/gcc share/perl share/locale bin; do
  (($(du -sm "$root" | cut -f1) < 380)) || break
  [[ -d /usr/$part ]] && mkdir -p "$root/usr/$part" && cp -a "/usr/$part/." "$root/usr/$part/" 2>/dev/null || true
done
echo "$(du -sm "$root" | cut -f1) MB in $(find "$root" | wc -l) files"
umoci repack --image "$work/image:big" "$work/b" >/dev/null 2>&1
rm -rf "$work/b"

cat >"$work/trine-once" <<E2
rm -rf $work/s; exec $build/bin/trine --root $work/s load --quiet oci:$work/image:big
E2
cat >"$work/umoci-once" <<E2
rm -rf $work/u; exec umoci unpack --image $work/image:big $work/u
E2
"$build/tests/bin/timer" "$rounds" umoci "sh $work/umoci-once" trine "sh $work/trine-once"
