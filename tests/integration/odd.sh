#!/usr/bin/env bash
# What users and machines do to a program: interrupt it, close its streams, fill its disk, forbid it to write.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
trine run --rm busybox true
before=$(snapshot)

exec {never}<> <(:)
pause() { read -rt "$1" -u "$never" || :; }

# A program that ends at the first signal that it hears. As PID 1 it hears none before it has set its traps, so the
# sender does not give up.
for signal in INT TERM; do
  lasted=0
  for ((i = 0; i < 30; i++)); do
    { start run --rm busybox sh -c 'trap "exit 3" INT TERM; while :; do sleep 1 & wait; done'; } 2>/dev/null
    pause "0.00$((i / 10))$((i % 10))"
    for ((tries = 0; tries < 1000; tries++)); do
      kill -"$signal" "$started" 2>/dev/null || break
      pause 0.005
    done
    wait "$started" 2>/dev/null
    (($? == 3 || $? > 128)) || lasted=$((lasted + 1))
  done
  trine ps >/dev/null
  ((lasted == 0)) && pass "SIG$signal ends it at any moment" || fail "SIG$signal ends it at any moment" "$lasted went wrong"
  expect_no_leak "SIG$signal at any moment leaves nothing" "$before"
done

# Streams.
yes_size=$(trine run --rm busybox yes 2>/dev/null | head -c 100000 | wc -c)
[[ $yes_size == 100000 ]] && pass "a reader that goes away ends the program" || fail "a reader that goes away ends the program" "$yes_size"
trine images >/dev/full 2>"$work/error"
(($? != 0)) && grep -q "No space left" "$work/error" && pass "a full output is said" || fail "a full output is said" "$(cat "$work/error")"
expect_match "-t gives a terminal where there is none" "/dev/pts/0" trine run --rm -t busybox tty
big=$(head -c 3000000 /dev/urandom | base64 -w0)
[[ $(trine run --rm -i busybox sha256sum <<<"$big") == "$(sha256sum <<<"$big")" ]] && pass "megabytes through -i arrive" || fail "megabytes through -i arrive"
expect_no_leak "none of this leaves anything" "$before"

# A full disk: the image is there, and not a byte is left for the writable layer.
mkdir "$work/small" && mount -t tmpfs -o size=4m tmpfs "$work/small"
mkdir -m 700 "$work/small/run" && mount -t tmpfs -o mode=0700 tmpfs "$work/small/run"
small() { "$build/bin/trine" --root "$work/small" "$@"; }
small load --quiet "oci:$work/layout:busybox" >/dev/null
small run --rm busybox true
cat /dev/zero >"$work/small/filler" 2>/dev/null
expect_error "a program on a full disk hears of it" 1 "No space left" small run --rm busybox sh -c 'dd if=/dev/zero of=/file bs=100k count=1'
rm "$work/small/filler"
inodes=$(df --output=iused "$work/small" | tail -n 1)
mount -o remount,nr_inodes="$((inodes + 1))" "$work/small"
expect_error "a start without a free inode is said" 125 "No space left" small run --rm busybox true
mount -o remount,nr_inodes=0 "$work/small"
expect_exit "and works again when there is room" 0 small run --rm busybox true
[[ -z $(find "$work/small/lib/instances" "$work/small/run/instances" -mindepth 1 2>/dev/null) ]] && pass "and nothing of it is left" || fail "and nothing of it is left" "$(find "$work/small" | tail -n 5)"
umount "$work/small/run" "$work/small"

# What cannot be written.
mkdir -p "$work/fixed/rootfs" && busybox_root "$work/fixed/rootfs"
(cd "$work/fixed" && runc spec && jq '.process.terminal = false | .process.args = ["echo", "read-only"] | .mounts |= map(select(.type != "cgroup"))' config.json >new && mv new config.json)
mount --bind "$work/fixed" "$work/fixed" && mount -o remount,bind,ro "$work/fixed"
expect_output "a bundle on a read-only file system runs" "read-only" trine run --rm "bundle:$work/fixed"
umount "$work/fixed" && rmdir "$work/fixed/rootfs/proc"
mount --bind "$work/fixed" "$work/fixed" && mount -o remount,bind,ro "$work/fixed"
expect_error "one that lacks a mount point is said" 125 "/proc.*Read-only" trine run --rm "bundle:$work/fixed"
umount "$work/fixed"
mkdir "$work/shared" && jq '.linux.namespaces |= map(select(.type != "mount"))' "$work/fixed/config.json" >"$work/shared/config.json"
expect_error "a bundle without a mount namespace is for trine-oci" 125 "no mount namespace" trine run --rm "bundle:$work/shared"
mkdir "$work/locked" && mount -t tmpfs -o ro tmpfs "$work/locked"
expect_error "a state directory that cannot be written is said" 125 "Read-only" "$build/bin/trine" --root "$work/locked" run --rm "bundle:$work/fixed"
umount "$work/locked"
expect_no_leak "nor does this leave anything" "$before"
finish
