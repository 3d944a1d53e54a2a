#!/usr/bin/env bash
# Makes a small image by hand: an OCI image layout is a directory of files named by their digests. No tool but tar
# and sha256sum is needed, which also shows what an image is made of.
#
#   examples/make_image.sh DIR      Debian's static busybox as DIR; run it with `trine run oci:DIR`
set -euo pipefail
layout=${1:?usage: make_image.sh DIR}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. The root file system: one static program, and a link to it for each of its commands.
root=$work/root
mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,root,home/guest}
chmod 1777 "$root/tmp"
chown 1000:1000 "$root/home/guest" 2>/dev/null || echo "note: only root can give /home/guest to the image's user"
cp "$(command -v busybox)" "$root/bin/busybox"
for command in $("$root/bin/busybox" --list); do
  [[ $command == busybox ]] || ln -s busybox "$root/bin/$command"
done
printf 'root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home/guest:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nguest:x:1000:\n' >"$root/etc/group"

# add FILE TYPE [MORE]: puts FILE among the blobs and prints the descriptor that refers to it.
mkdir -p "$layout/blobs/sha256"
add() {
  local digest
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  cp "$1" "$layout/blobs/sha256/$digest"
  printf '{"mediaType": "application/vnd.oci.image.%s", "digest": "sha256:%s", "size": %s%s}' \
    "$2" "$digest" "$(stat -c %s "$1")" "${3:-}"
}

# 2. One layer: the root as a compressed archive. The configuration names the digest of the uncompressed one.
tar --numeric-owner --sort=name --mtime=@0 -C "$root" -cf "$work/layer.tar" .
diff_id=sha256:$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
gzip -n "$work/layer.tar"
layer=$(add "$work/layer.tar.gz" layer.v1.tar+gzip)

# 3. The configuration: what runs when nothing else is asked for.
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=$(uname -m) ;;
esac
cat >"$work/config" <<JSON
{"os": "linux", "architecture": "$architecture",
 "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "WorkingDir": "/root"},
 "rootfs": {"type": "layers", "diff_ids": ["$diff_id"]}}
JSON
config=$(add "$work/config" config.v1+json)

# 4. The manifest names both, and the index names the manifest and gives it a tag.
printf '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": %s, "layers": [%s]}\n' \
  "$config" "$layer" >"$work/manifest"
tag=', "annotations": {"org.opencontainers.image.ref.name": "latest"}'
printf '{"schemaVersion": 2, "manifests": [%s]}\n' "$(add "$work/manifest" manifest.v1+json "$tag")" >"$layout/index.json"
printf '{"imageLayoutVersion": "1.0.0"}\n' >"$layout/oci-layout"
