#!/usr/bin/env bash
# A host with many mounts: containers are made in a small mount namespace that is kept, not in a copy of the host's, and
# are the same. What needs the host's view still has it. Then the tests of flags and defaults once more.
[[ -n ${TRINE_TEST_MOUNTS:-} ]] || TRINE_TEST_MOUNTS=private exec unshare --mount "$0" "$@"
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
require_program jq
make_bundle
busybox_image
mkdir -p /run/trine && mount -t tmpfs tmpfs /run/trine # the namespace that is kept is this test's own
mkdir -p "$work/host" "$work/crowd"
echo content >"$work/host/file"
mounts() { awk '{$1 = $2 = $3 = ""; print}' /proc/self/mountinfo; }
inside() { trine run --rm -v "$work/host:/v:ro" --tmpfs /t "$@"; }

expect_exit "a host with few mounts needs no other namespace" 0 inside busybox true
[[ ! -e /run/trine/mounts ]] && pass "… and none is kept" || fail "… and none is kept"
inside busybox sh -c "awk '{print \$5, \$6}' /proc/self/mountinfo; ls /; ls /dev" >"$work/few"
printf '%s\n' "$work/crowd/"{1..400} | xargs mkdir
for i in {1..400}; do mount --bind "$work/host" "$work/crowd/$i"; done
inside busybox sh -c "awk '{print \$5, \$6}' /proc/self/mountinfo; ls /; ls /dev" >"$work/many"
cmp -s "$work/few" "$work/many" && pass "on one with many the container is the same" || fail "on one with many the container is the same" "$(diff "$work/few" "$work/many")"
# Some kernels keep a namespace in another than the first only on some processors (isolation/staging.cpp).
for ((cpu = 0; cpu < $(nproc); ++cpu)); do
  [[ $(stat -fLc %T /run/trine/mounts/namespace) == nsfs ]] || expect_exit "a start on processor $cpu" 0 taskset -c $cpu "$build/bin/trine" --root "$state" run --rm busybox true
done
kept=$(stat -Lc %i /run/trine/mounts/namespace)
[[ $(stat -fLc %T /run/trine/mounts/namespace) == nsfs ]] && pass "… made in a namespace that is kept" || fail "… made in a namespace that is kept"
before=$(mounts)
expect_output "a volume is there" content inside busybox cat /v/file
expect_error "… read-only" 1 "Read-only" inside busybox touch /v/x
expect_exit "the root is written" 0 inside busybox touch /x
expect_match "a terminal" /dev/pts/0 script -qec "'$build/bin/trine' --root '$state' run --rm -t busybox tty" /dev/null
expect_exit "twenty at once" 0 eval 'for i in {1..20}; do inside busybox true & pids+=($!); done; for p in "${pids[@]}"; do wait "$p" || exit 1; done'
[[ $(stat -Lc %i /run/trine/mounts/namespace) == "$kept" ]] && pass "the namespace stays the same" || fail "the namespace stays the same"
[[ $(mounts) == "$before" ]] && pass "no other mount is left" || fail "no other mount is left" "$(diff <(echo "$before") <(mounts))"

configure '.mounts += [{"destination": "/v", "type": "bind", "source": ($work + "/host"), "options": ["rbind", "ro"]}]' 'cat /v/file; grep -c . /proc/self/mountinfo'
expect_match "trine-oci does the same" '^content' oci_run "$bundle"
cat >"$work/hook" <<SH
#!/bin/sh
grep -c "$work/crowd/" /proc/self/mountinfo >"$work/hook.out"
SH
chmod +x "$work/hook"
configure '.hooks = {createContainer: [{path: ($work + "/hook")}]}' true
expect_exit "a hook in the container's namespaces runs" 0 oci_run "$bundle"
expect_output "… and sees the host's mounts" 400 cat "$work/hook.out"

umount /run/trine/mounts/namespace
rm /run/trine/mounts/namespace
printf 'not a namespace' >/run/trine/mounts/namespace
expect_exit "a file in the place of the namespace is no obstacle" 0 inside busybox true
for script in flags defaults; do
  "$(dirname "$0")/$script.sh" >"$work/log" 2>&1 && pass "$script.sh passes among many mounts" || fail "$script.sh passes among many mounts" "$(grep -v '^ok' "$work/log")"
done
umount "$work/crowd/"*
umount --recursive /run/trine
finish
