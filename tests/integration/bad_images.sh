#!/usr/bin/env bash
# Images that are damaged, or lie: one clear error each, and nothing of them in the store.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program umoci
require_program jq
busybox_image
trine rmi busybox >/dev/null
clean=$(find "$state/lib/images" | sort)
original=$work/layout
manifest_of() { jq -r '.manifests[0].digest' "$1/index.json" | tr : /; }
copy() { rm -rf "$work/bad" && cp -r "$original" "$work/bad"; }
# put LAYOUT JSON: stores a manifest and has the index name it
put() {
  local digest size
  digest=$(sha256sum <<<"$2" | cut -d' ' -f1)
  cat <<<"$2" >"$1/blobs/sha256/$digest"
  size=$(stat -c %s "$1/blobs/sha256/$digest")
  jq --arg d "sha256:$digest" --argjson s "$size" '.manifests[0].digest = $d | .manifests[0].size = $s' "$1/index.json" >"$1/new" && mv "$1/new" "$1/index.json"
}
refused() { # CLAIM PATTERN
  expect_error "$1" 125 "$2" trine load "oci:$work/bad:busybox"
  [[ $(find "$state/lib/images" | sort) == "$clean" ]] && pass "… and nothing of it is stored" || fail "… and nothing of it is stored" "$(find "$state/lib/images" | sort | diff - <(echo "$clean"))"
}
manifest=$(cat "$original/blobs/$(manifest_of "$original")")
layer=$(jq -r '.layers[0].digest' <<<"$manifest" | tr : /)
config=$(jq -r '.config.digest' <<<"$manifest" | tr : /)

copy && printf x | dd of="$work/bad/blobs/$layer" bs=1 seek=5000 conv=notrunc status=none && refused "a layer with a changed byte" "(digest|damaged)"
copy && truncate -s -100 "$work/bad/blobs/$layer" && refused "a truncated layer" "bytes, not the"
copy && truncate -s +100 "$work/bad/blobs/$layer" && refused "a layer with bytes too many" "bytes, not the"
copy && rm "$work/bad/blobs/$layer" && refused "a missing layer" "is missing"
copy && rm "$work/bad/blobs/$config" && refused "a missing configuration" "is missing"
copy && put "$work/bad" "$(jq '.layers[0].size += 1' <<<"$manifest")" && refused "a wrong size" "bytes, not the"
copy && put "$work/bad" "$(jq '.layers[0].digest = "sha256:../../../etc/passwd"' <<<"$manifest")" && refused "a digest with slashes" "no digest"
copy && put "$work/bad" "$(jq '.manifests = []' <<<"$manifest")" && refused "both manifests and layers" "at the same time"
copy && put "$work/bad" "$(jq '.layers += .layers' <<<"$manifest")" && refused "more layers than the configuration names" "damaged or forged"
copy && put "$work/bad" "$(jq '.layers = [range(600) as $i | .layers[0]]' <<<"$manifest")" && refused "600 layers" "more than 500"
copy && put "$work/bad" "$(jq '.config.digest = 7' <<<"$manifest")" && refused "a digest that is a number" "no text"
copy && put "$work/bad" '{"schemaVersion": 2' && refused "a manifest that is no JSON" "no JSON"
copy && put "$work/bad" "$(printf '[%.0s' {1..100})" && refused "a manifest nested too deep" "(too deep|no JSON)"
copy && echo '{}' >"$work/bad/index.json" && refused "an index without manifests" "no manifests"
copy && rm "$work/bad/oci-layout" && refused "a directory that is no layout" "no OCI image layout"
foreign=$(jq '.architecture = "s390x"' "$original/blobs/$config")
digest=$(sha256sum <<<"$foreign" | cut -d' ' -f1)
copy && cat <<<"$foreign" >"$work/bad/blobs/sha256/$digest"
put "$work/bad" "$(jq --arg d "sha256:$digest" --argjson s "$(stat -c %s "$work/bad/blobs/sha256/$digest")" '.config.digest = $d | .config.size = $s' <<<"$manifest")"
refused "an image for another machine" "s390x"
false_diff=$(jq '.rootfs.diff_ids[0] = "sha256:" + ("0" * 64)' "$original/blobs/$config")
digest=$(sha256sum <<<"$false_diff" | cut -d' ' -f1)
copy && cat <<<"$false_diff" >"$work/bad/blobs/sha256/$digest"
put "$work/bad" "$(jq --arg d "sha256:$digest" --argjson s "$(stat -c %s "$work/bad/blobs/sha256/$digest")" '.config.digest = $d | .config.size = $s' <<<"$manifest")"
refused "a wrong diff id" "diff id"

# A full disk.
mkdir "$work/small" && mount -t tmpfs -o size=512k tmpfs "$work/small"
output=$("$build/bin/trine" --root "$work/small" load "oci:$original:busybox" 2>&1)
[[ $? == 125 && $output == *"No space left"* ]] && pass "a full disk is said" || fail "a full disk is said" "$output"
[[ -z $(find "$work/small/lib/images/layers" "$work/small/lib/images/tmp" -mindepth 1) ]] && pass "and leaves no part of the image" || fail "and leaves no part of the image" "$(find "$work/small")"
umount "$work/small"
finish
