#!/usr/bin/env bash
# Layers as EROFS images: what is in them, what the kernel and erofs-utils say of them, and what they cost.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
for program in umoci jq fsck.erofs mkfs.erofs; do require_program $program; done
busybox_image
grep -q '^erofs$' "$state/lib/images/layer-form" || skip "this kernel keeps layers as directories: $(sed -n 2p "$state/lib/images/layer-form")"
layer_files() { trine inspect "$1" | jq -r '.[0].Layers[]'; }

layer=$(layer_files busybox)
[[ -f $layer && $layer == *.erofs ]] && pass "a layer is one file" || fail "a layer is one file" "$layer"
run fsck.erofs "$layer"
[[ $code == 0 ]] && pass "fsck.erofs finds nothing wrong with it" || fail "fsck.erofs finds nothing wrong with it" "$output"
before=$(snapshot)
expect_output "it runs" "hi" trine run --rm busybox echo hi
expect_output "files can be written and removed over it" "new" trine run --rm busybox sh -c 'echo new >/etc/passwd && rm /etc/group && cat /etc/passwd && ! ls /etc/group 2>/dev/null'
expect_no_leak "a run mounts nothing that stays" "$before"

# Instances at a time share one mount; the last one takes it away, or the next command when that was killed.
layer_mounts() { awk -v under="$state/run/layers/" 'index($5, under) == 1 {n++} END {print n + 0}' /proc/self/mountinfo; }
for name in first second; do
  start run --rm --name $name busybox sh -c 'trap exit TERM; echo runs; sleep 6789 & wait' >"$work/$name.out" 2>&1
  declare "$name=$started"
  wait_until grep -q runs "$work/$name.out"
done
expect_output "two instances of an image share its mount" 1 layer_mounts
# shellcheck disable=SC2154 # declared by name
{ kill "$first" && wait "$first"; }
expect_output "the end of one leaves it to the other" 1 layer_mounts
# shellcheck disable=SC2154
{ kill -9 "$second" && wait "$second"; } 2>/dev/null
expect_output "a killed trine leaves it" 1 layer_mounts
trine ps >/dev/null
expect_output "which the next command mends" 0 layer_mounts
expect_no_leak "and all that it left with it" "$before"

trine load -q --name again "oci:$work/layout:busybox" >/dev/null
sum=$(sha256sum <"$layer")
other=$work/other && mkdir "$other"
"$build/bin/trine" --root "$other" load -q "oci:$work/layout:busybox" >/dev/null
[[ $sum == "$(sha256sum <"$other/lib/images/layers/${layer##*/}")" ]] && pass "two stores have the same bytes of a layer" || fail "two stores have the same bytes of a layer"

# Whiteouts, opaque directories and all kinds of files, in layers one over the other.
layout=$work/layout
umoci new --image "$layout:kinds"
umoci unpack --image "$layout:kinds" "$work/kinds" >/dev/null 2>&1
root=$work/kinds/rootfs
busybox_root "$root"
mkdir -p "$root"/{gone,opaque,many,"$(printf 'n%.0s' {1..255})"}
touch "$root/gone/file" "$root/opaque/below" "$root/removed"
head -c 3000 /dev/urandom >"$root/tail" && head -c 4096 /dev/urandom >"$root/block" && head -c 100000 /dev/urandom >"$root/blocks"
echo one >"$root/one" && ln "$root/one" "$root/two"
install -o 70000 -g 80000 -m 2711 /dev/null "$root/owned"
mknod "$root/null" c 1 3 && mknod "$root/disk" b 259 70000 && mkfifo "$root/fifo"
truncate -s 10M "$root/sparse" && echo middle | dd of="$root/sparse" bs=1 seek=5000000 conv=notrunc status=none
ln -s "$(printf 'l%.0s' {1..3000})" "$root/long-link"
for ((i = 0; i < 600; i++)); do echo $i >"$root/many/a-file-with-a-name-$i"; done
setfattr -n user.note -v text "$root/one" && setcap cap_net_raw+ep "$root/owned"
setfattr -n user.large -v "$(head -c 3000 /dev/zero | tr '\0' v)" "$root/block"
touch -d '1901-02-03 04:05:06.789' "$root/one"
umoci repack --image "$layout:kinds" "$work/kinds" >/dev/null 2>&1
rm -rf "$root/gone" "$root/removed" "$root/opaque"
mkdir "$root/opaque" && touch "$root/opaque/above"
umoci repack --image "$layout:kinds" "$work/kinds" >/dev/null 2>&1
rm -rf "$work/kinds"
umoci unpack --image "$layout:kinds" "$work/oracle" >/dev/null 2>&1
trine load -q --name kinds "oci:$layout:kinds" >/dev/null
damaged=''
for layer in $(layer_files kinds); do fsck.erofs "$layer" >/dev/null 2>&1 || damaged+=" $layer"; done
[[ -z $damaged ]] && pass "fsck.erofs finds nothing wrong with any" || fail "fsck.erofs finds nothing wrong with any" "$damaged"
expect_same_tree "the kernel shows what umoci unpacks" "$work/oracle/rootfs" kinds
# Their tree has the holes that a tar has not.
rm "$work/oracle/rootfs/sparse" && mkfs.erofs -x 2 -T 0 "$work/theirs.erofs" "$work/oracle/rootfs" >/dev/null 2>&1
mine=$(($(layer_files kinds | xargs cat | wc -c) - 10 * 1024 * 1024)) theirs=$(stat -c %s "$work/theirs.erofs")
((mine < theirs * 5 / 4)) && pass "the images are not much larger than what mkfs.erofs makes" || fail "the images are not much larger than what mkfs.erofs makes" "$mine, not $theirs"

# Removal.
mapfile -t files < <(layer_files kinds)
trine rmi kinds >/dev/null
[[ ! -e ${files[0]} ]] && ! grep -q "$(basename "${files[0]}" .erofs)" /proc/self/mountinfo && pass "a removed image leaves neither file nor mount" || fail "a removed image leaves neither file nor mount"
expect_output "others stay" "hi" trine run --rm busybox echo hi

# Where images cannot be mounted, layers are directories; both kinds serve together.
directories=$work/directories && mkdir -p "$directories/lib/images"
printf 'directory\nset by the test\nany\n' >"$directories/lib/images/layer-form"
"$build/bin/trine" --root "$directories" load -q "oci:$layout:busybox" >/dev/null
expect_output "an administrator can have directories" "hi" "$build/bin/trine" --root "$directories" run --rm busybox echo hi
[[ -d $("$build/bin/trine" --root "$directories" inspect busybox | jq -r '.[0].Layers[0]') ]] && pass "… and has them" || fail "… and has them"
rm "$directories/lib/images/layer-form"
"$build/bin/trine" --root "$directories" load -q "oci:$layout:kinds" >/dev/null
expect_output "an image has layers of both kinds" "above" "$build/bin/trine" --root "$directories" run --rm kinds ls /opaque
expect_match "check tells how layers are kept" "^layers are kept as (erofs|directory): " trine system check

finish
