#!/usr/bin/env bash
# Images that other tools made: they load, run, and are what those tools say they are.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
for program in umoci skopeo jq; do require_program $program; done
busybox_image
layout=$work/layout

expect_output "an OCI layout runs as it is" "hi" trine run --rm "oci:$layout:busybox" echo hi
expect_error "a missing tag is said, with those there are" 125 "busybox" trine run --rm "oci:$layout:nope" true
skopeo copy -q --insecure-policy "oci:$layout:busybox" "oci-archive:$work/oci.tar:busybox"
skopeo copy -q --insecure-policy "oci:$layout:busybox" "docker-archive:$work/docker.tar:web:1"
expect_output "an OCI archive runs" "hi" trine run --rm "oci-archive:$work/oci.tar" echo hi
expect_output "an archive of docker save runs" "hi" trine run --rm "docker-archive:$work/docker.tar" echo hi
expect_match "load prints digest and names" "^sha256:[0-9a-f]{64} web:1$" trine load --quiet "docker-archive:$work/docker.tar"
gzip -k "$work/docker.tar"
expect_output "a compressed archive runs" "hi" trine run --rm "docker-archive:$work/docker.tar.gz" echo hi
skopeo copy -q --insecure-policy --dest-compress-format zstd --dest-compress "oci:$layout:busybox" "oci:$work/zstd:z"
expect_output "zstd layers run" "hi" trine run --rm "oci:$work/zstd:z" echo hi
expect_match "images lists names" "^web:1 " trine images
expect_match "inspect shows the configuration" '"/bin/sh"' trine inspect web:1
expect_match "rmi takes a name away" "Untagged: web:1" trine rmi web:1
trine load -q "oci:$layout:busybox" >/dev/null
id=$(trine images -q | head -n 1)
expect_output "an image runs by its id" "hi" trine run --rm "$id" echo hi

if command -v buildah >/dev/null; then
  scratch=$(buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs from scratch 2>/dev/null)
  buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs add -q "$scratch" "$(command -v busybox)" /bin/sh >/dev/null 2>&1
  buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs config --entrypoint '["/bin/sh","-c","echo built $0"]' --cmd 'by-buildah' --user 7:8 --env X=y "$scratch" 2>/dev/null
  buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs commit -q --disable-compression=false "$scratch" "oci:$work/built:b" >/dev/null 2>&1
  expect_output "an image of buildah runs, with Entrypoint and Cmd" "built by-buildah" trine run --rm "oci:$work/built:b"
fi

if command -v podman >/dev/null; then
  its_podman() { podman --root "$work/p" --runroot "$work/pr" --storage-driver vfs "$@" 2>/dev/null; }
  its_podman load -q -i "$work/docker.tar" >/dev/null
  its_podman save -q -o "$work/saved.tar" web:1
  its_podman save -q --format oci-archive -o "$work/saved-oci.tar" web:1
  expect_output "what podman save writes runs" "hi" trine run --rm "docker-archive:$work/saved.tar" echo hi
  expect_output "as an OCI archive too" "hi" trine run --rm "oci-archive:$work/saved-oci.tar" echo hi
fi

# An image with everything that is hard to unpack, in two layers, compared with what umoci makes of it.
umoci new --image "$layout:hard"
umoci unpack --image "$layout:hard" "$work/hard" >/dev/null 2>&1
root=$work/hard/rootfs
busybox_root "$root"
mkdir -p "$root"/{gone,opaque,deep/"$(printf 'n%.0s' {1..120})"/"$(printf 'm%.0s' {1..120})"}
touch "$root/gone/file" "$root/opaque/below" "$root/removed" "$root/deep/$(printf 'n%.0s' {1..120})/$(printf 'm%.0s' {1..120})/file"
echo linked >"$root/one" && ln "$root/one" "$root/two"
install -m 4755 /dev/null "$root/setuid" && install -o 1234 -g 5678 -m 0600 /dev/null "$root/owned"
setfattr -n user.note -v text "$root/one" 2>/dev/null
setcap cap_net_raw+ep "$root/setuid" 2>/dev/null
mknod "$root/device" c 1 3 && mkfifo "$root/fifo" && truncate -s 1M "$root/sparse" && echo end >>"$root/sparse"
ln -s /etc/passwd "$root/absolute" && ln -s ../../../etc "$root/dots"
touch -d '2001-02-03 04:05:06.789' "$root/one" && touch -d '1999-01-01' "$root/deep"
umoci repack --image "$layout:hard" "$work/hard" >/dev/null 2>&1
rm -rf "$root/gone" "$root/removed" "$root/opaque"
mkdir "$root/opaque" && touch "$root/opaque/above"
umoci repack --image "$layout:hard" "$work/hard" >/dev/null 2>&1
rm -rf "$work/hard"
umoci unpack --image "$layout:hard" "$work/oracle" >/dev/null 2>&1
trine load -q --name hard "oci:$layout:hard" >/dev/null || fail "the hard image loads"
expect_same_tree "files, owners, modes, times, attributes and links are those that umoci unpacks" "$work/oracle/rootfs" hard
finish
