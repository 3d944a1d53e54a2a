#!/usr/bin/env bash
# Pulling an image of ten layers from a registry on loopback until it can be run: `trine pull` beside `podman pull` and
# `skopeo copy` with `umoci unpack`, in turn, each into an empty store. The layers are made of this machine's own /usr.
# Then: a pull of what is there.
#
#   tests/bench/pull.sh [ROUNDS [MEGABYTES]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
# shellcheck source=tests/lib/registry.sh
. "$here/../lib/registry.sh"
rounds=${1:-3}
megabytes=${2:-1000}
require_root
for program in docker-registry skopeo umoci podman; do require_program $program; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
start_registry plain

umoci init --layout "$work/image"
umoci new --image "$work/image:big"
umoci unpack --image "$work/image:big" "$work/b" >/dev/null 2>&1
mapfile -t parts < <(find /usr/lib /usr/share /usr/bin /usr/include -mindepth 1 -maxdepth 2 -size -200000k | sort)
next=0
for layer in {1..10}; do
  for ((; next < ${#parts[@]}; next++)); do
    (($(du -sm "$work/b/rootfs" | cut -f1) < layer * megabytes / 10)) || break
    part=${parts[next]}
    (($(du -sm "$part" 2>/dev/null | cut -f1) < megabytes / 10)) || continue
    mkdir -p "$work/b/rootfs${part%/*}" && cp -a "$part" "$work/b/rootfs${part%/*}/" || true
  done
  umoci repack --refresh-bundle --image "$work/image:big" "$work/b" >/dev/null 2>&1
done
echo "$(du -sm "$work/b/rootfs" | cut -f1) MB in $(find "$work/b/rootfs" | wc -l) files, $(du -sm "$work/image" | cut -f1) MB compressed"
rm -rf "$work/b"
skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$work/image:big" "docker://$registry/big:1"

cat >"$work/trine-once" <<E2
$build/bin/trine --root $work/s rmi $registry/big:1 >/dev/null 2>&1
exec $build/bin/trine --root $work/s pull --quiet $registry/big:1
E2
cat >"$work/podman-once" <<E2
podman --root $work/p --runroot $work/pr rmi -af >/dev/null 2>&1
exec podman --root $work/p --runroot $work/pr pull -q --tls-verify=false $registry/big:1
E2
cat >"$work/umoci-once" <<E2
rm -rf $work/o $work/u
skopeo copy -q --insecure-policy --src-tls-verify=false docker://$registry/big:1 oci:$work/o:big
exec umoci unpack --image $work/o:big $work/u
E2
"$build/tests/bin/timer" "$rounds" podman "sh $work/podman-once" umoci "sh $work/umoci-once" trine "sh $work/trine-once"
echo "a pull of what is there:"
"$build/tests/bin/timer" 20 trine "$build/bin/trine --root $work/s pull --quiet $registry/big:1"
podman --root "$work/p" --runroot "$work/pr" rmi -af >/dev/null 2>&1 || true
