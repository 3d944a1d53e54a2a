#!/usr/bin/env bash
# Directories as a transport: skopeo's dir: and OCI layouts go in and out of trine with nothing lost.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
for program in umoci skopeo jq getfattr; do require_program $program; done
busybox_image
layout=$work/layout
odd_image
copy() { skopeo copy -q --insecure-policy "$@"; }

# What skopeo writes is read.
copy "oci:$layout:more" "dir:$work/theirs"
expect_output "a directory of skopeo's runs as it is" "hi" trine run --rm "dir:$work/theirs" echo hi
expect_match "load prints its digest, which is that of its manifest, and the name it is given" \
  "^sha256:$(sha256sum <"$work/theirs/manifest.json" | cut -d' ' -f1) more:1$" trine load -q --name more:1 "dir:$work/theirs"
expect_same_tree "it has the files that umoci unpacks" "$work/oracle/rootfs" more:1
copy --format v2s2 "oci:$layout:more" "dir:$work/docker"
expect_match "one in Docker's format is loaded" " docker:1$" trine load -q --name docker:1 "dir:$work/docker"
expect_same_tree "with the same files" "$work/oracle/rootfs" docker:1
mkdir "$work/with:colon" && cp "$work/theirs"/* "$work/with:colon"
expect_output "a colon belongs to the path" "hi" trine run --rm "dir:$work/with:colon" echo hi

# What trine writes is read by skopeo, and by trine.
expect_exit "save writes such a directory" 0 trine save --format dir -o "$work/ours" more:1
expect_output "of the manifest, the version, and a blob for the configuration and each layer" "5 Directory Transport Version: 1.1" \
  eval 'echo "$(ls "$work/ours" | wc -l) $(cat "$work/ours/version")"'
expect_output "each called by its digest" "" eval "cd '$work/ours' && for f in [0-9a-f]*[0-9a-f]; do [[ \${#f} != 64 ]] || echo \"\$f  \$f\"; done | sha256sum --check --quiet"
expect_exit "skopeo reads it" 0 copy "dir:$work/ours" "oci:$work/back:more"
umoci unpack --image "$work/back:more" "$work/back-root" >/dev/null 2>&1
expect_same_tree "and umoci unpacks of that what is in the store" "$work/back-root/rootfs" more:1
trine load -q --name again:1 "dir:$work/ours" >/dev/null
expect_same_tree "trine reads it again" "$work/oracle/rootfs" again:1
expect_output "what trine packed is the same when it is saved again" "" \
  eval "'$build/bin/trine' --root '$state' save --format dir -o '$work/second' again:1 && diff -r '$work/ours' '$work/second'"
expect_exit "save writes an OCI layout too, of several images" 0 trine save --format oci -o "$work/oci/" more:1 busybox
umoci unpack --image "$work/oci:more:1" "$work/oci-root" >/dev/null 2>&1
expect_same_tree "umoci unpacks what is in the store" "$work/oci-root/rootfs" more:1
expect_output "trine runs it" "hi" trine run --rm "oci:$work/oci:busybox:latest" echo hi

# What goes wrong.
before=$(snapshot)
expect_error "what is there is not written over" 125 "File exists" trine save --format dir -o "$work/ours" more:1
expect_error "a file neither" 125 "File exists" trine save --format oci -o "$work/ours/version" more:1
mkdir "$work/empty"
expect_exit "an empty directory is" 0 trine save --format dir -o "$work/empty" more:1
expect_error "a directory needs a name" 125 "name it" trine save --format dir more:1
expect_error "of one image" 125 "holds one image" trine save --format dir -o "$work/new" more:1 busybox
expect_error "a format that is none" 125 "unknown" trine save --format tar -o "$work/new" more:1
expect_error "a directory that is no image says what it may be" 125 "oci:DIR" trine load "dir:$layout"
expect_error "one that is not there" 125 "No such file" trine load "dir:$work/nosuch"
mkdir "$work/small" && mount -t tmpfs -o size=64k tmpfs "$work/small"
expect_error "a full disk" 125 "No space left" trine save --format dir -o "$work/small/new" more:1
[[ -z $(ls -A "$work/small") ]] && pass "leaves nothing there" || fail "leaves nothing there" "$(ls -A "$work/small")"
umount "$work/small"
[[ ! -e $work/new ]] && pass "nothing is left half written" || fail "nothing is left half written"

# Hostile ones. A blob's name is its digest's digits, whatever stands in the manifest.
bad() { rm -rf "$work/bad" && cp -r "$work/ours" "$work/bad"; }
layer=$(jq -r '.layers[0].digest' "$work/ours/manifest.json")
bad && jq -c '.layers[0].digest = "sha256:../../../../etc/passwd"' "$work/ours/manifest.json" >"$work/bad/manifest.json"
expect_error "a digest that is a path" 125 "is no digest" trine load "dir:$work/bad"
bad && rm "$work/bad/${layer#*:}" && ln -s /etc/passwd "$work/bad/${layer#*:}"
expect_error "a blob that is a link out of the directory" 125 "is missing" trine load "dir:$work/bad"
bad && rm "$work/bad/${layer#*:}" && mkfifo "$work/bad/${layer#*:}"
expect_error "a blob that is a pipe does not hang" 125 "no regular file" timeout 20 "$build/bin/trine" --root "$state" load "dir:$work/bad"
bad && printf x | dd of="$work/bad/${layer#*:}" bs=1 seek=5000 conv=notrunc 2>/dev/null
expect_error "a blob with one byte changed" 125 "does not match its digest" "$build/bin/trine" --root "$work/fresh" load "dir:$work/bad"
bad && jq -c '. + {manifests: []}' "$work/ours/manifest.json" >"$work/bad/manifest.json"
expect_error "a manifest that is an index too" 125 "at the same time" trine load "dir:$work/bad"
bad && truncate -s 5M "$work/bad/manifest.json"
expect_error "a manifest of 5 MiB" 125 "larger than 4 MiB" trine load "dir:$work/bad"
expect_no_leak "and nothing is left behind" "$before"
finish
