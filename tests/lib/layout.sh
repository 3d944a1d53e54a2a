# shellcheck shell=bash
# OCI layouts of layers that no other tool would make. Sourced after harness.sh.
require_program jq

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
