#!/usr/bin/env bash
# Layers that try to write outside of their root: nothing of the host changes, whatever becomes of the layer.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program jq
mkdir -p "$work/victim" && echo host >"$work/victim/file" && chmod 644 "$work/victim/file"

# image NAME TAR...: an OCI layout of these layers, in order
image() {
  local name=$1 layout=$work/$1 layers='' diffs='' tar digest
  shift
  mkdir -p "$layout/blobs/sha256"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  for tar in "$@"; do
    digest=$(sha256sum <"$tar" | cut -d' ' -f1)
    cp "$tar" "$layout/blobs/sha256/$digest"
    layers+=",{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar\", \"digest\": \"sha256:$digest\", \"size\": $(stat -c %s "$tar")}"
    diffs+=",\"sha256:$digest\""
  done
  jq -nc --argjson d "[${diffs#,}]" '{os: "linux", architecture: "'"$(dpkg --print-architecture)"'", config: {Cmd: ["true"]}, rootfs: {type: "layers", diff_ids: $d}}' >"$work/config"
  digest=$(sha256sum <"$work/config" | cut -d' ' -f1)
  cp "$work/config" "$layout/blobs/sha256/$digest"
  jq -nc --arg d "sha256:$digest" --argjson s "$(stat -c %s "$work/config")" --argjson l "[${layers#,}]" '{schemaVersion: 2, config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $d, size: $s}, layers: $l}' >"$work/manifest"
  digest=$(sha256sum <"$work/manifest" | cut -d' ' -f1)
  cp "$work/manifest" "$layout/blobs/sha256/$digest"
  jq -nc --arg d "sha256:$digest" --argjson s "$(stat -c %s "$work/manifest")" '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s}]}' >"$layout/index.json"
}
untouched() {
  if [[ $(cat "$work/victim/file") == host && $(ls "$work/victim") == file && $(stat -c '%a %h' "$work/victim/file") == "644 1" ]]; then
    pass "$1"
  else
    fail "$1" "$(ls -la "$work/victim")"
  fi
}
attack() { # CLAIM NAME TAR...
  local claim=$1
  shift
  image "$@"
  run trine load -q --name attack "oci:$work/$1"
  untouched "$claim"
}
# tar_of FILE ENTRY...: members are taken from the current directory; names are transformed by $rename
tar_of() { local out=$1; shift; tar --numeric-owner -P -cf "$out" ${rename:+--transform "$rename"} "$@"; }

mkdir "$work/t" && cd "$work/t" || exit 1
echo evil >file
rename="s,file,../../../../../..$work/victim/file," tar_of a.tar file
attack "a path with .. stays inside" dots a.tar
rename="s,file,$work/victim/file," tar_of b.tar file
attack "an absolute path stays inside" absolute b.tar
ln -s "$work/victim" link && tar_of c.tar link && rename="s,file,link/file," tar_of d.tar file
tar --concatenate -f c.tar d.tar
attack "a path through a symlink of the same layer stays inside" symlink c.tar
tar_of e.tar link && rename="s,file,link/file," tar_of f.tar file
attack "a path through a symlink of a lower layer stays inside" symlink2 e.tar f.tar
ln -s "$work/victim/file" leaf && tar_of g.tar leaf && rename="s,file,leaf," tar_of h.tar file
tar --concatenate -f g.tar h.tar
attack "a file in the place of a symlink does not follow it" leaf g.tar
ln file hard && rename="s,^file\$,$work/victim/file,;flags=rh" tar_of i.tar file hard
attack "a hardlink to a file of the host is not made" hard i.tar
mkdir .wh..opq && : >".wh.file" && rename="s,^\.wh\.file,link/.wh.file," tar_of j.tar link .wh.file
attack "a whiteout through a symlink stays inside" whiteout j.tar
: >".wh..." && tar_of k.tar .wh...
attack "a whiteout of .. is refused" whiteout2 k.tar
[[ $code == 125 ]] && pass "… by an error" || fail "… by an error" "$output"
mknod disk b 254 0 && tar_of l.tar disk && image device l.tar
expect_exit "an image may hold a device" 0 trine load -q --name device "oci:$work/device"

mkdir many && for ((i = 0; i < 200; i++)); do echo $i >"many/$i" && tar_of "l$i.tar" "many/$i"; done
cp "$(command -v busybox)" sh && tar_of busybox.tar sh
# shellcheck disable=SC2046
image deep busybox.tar $(seq -f 'l%g.tar' 0 199)
expect_output "an image of 201 layers runs" "0 100 199" trine run --rm "oci:$work/deep" /sh -c 'read a </many/0; read b </many/100; read c </many/199; echo $a $b $c'
truncate -s 10M zeroes && head -c 3000 /dev/urandom >garbage
image garbage garbage
expect_error "a layer that is no archive is refused" 125 "^trine: " trine load "oci:$work/garbage"
finish
