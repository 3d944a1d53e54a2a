#!/usr/bin/env bash
# trine save and history: what is saved is read by others, and by trine again, as it was.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
for program in umoci skopeo podman jq getfattr; do require_program $program; done
busybox_image
layout=$work/layout
odd_image --history.created_by $'made by\e[31m a test'
trine load -q --name more:1 "oci:$layout:more" >/dev/null
trine load -q --name base:1 "oci:$layout:busybox" >/dev/null

archive=$work/images.tar
expect_exit "two images are saved" 0 trine save more:1 base:1 -o "$archive"
expect_output "each of their layers once" 2 eval "jq '[.[].Layers[]] | unique | length' <(tar xOf '$archive' manifest.json)"
expect_output "to the standard output they are the same bytes" "$(sha256sum <"$archive")" eval "'$build/bin/trine' --root '$state' save more:1 base:1 | sha256sum"
mkdir "$work/unpacked" && tar xf "$archive" -C "$work/unpacked"
expect_output "every blob has its digest" "" eval "cd '$work/unpacked/blobs/sha256' && for f in *; do echo \"\$f  \$f\"; done | sha256sum --check --quiet"
umoci unpack --image "$work/unpacked:more:1" "$work/theirs" >/dev/null 2>&1
if diff <(describe_tree "$work/oracle/rootfs") <(describe_tree "$work/theirs/rootfs") >"$work/diff"; then
  pass "umoci unpacks what was there"
else
  fail "umoci unpacks what was there" "$(head -n 20 "$work/diff")"
fi
expect_match "skopeo reads it as an archive of docker's" '"Os": "linux"' skopeo inspect "docker-archive:$archive:more:1"
engine() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"; }
expect_match "podman loads it" "more:1" engine load -i "$archive"
engine rmi -af >/dev/null 2>&1
expect_match "trine loads both again" "more:1" eval "mkdir '$work/other' && '$build/bin/trine' --root '$work/other' load -q 'docker-archive:$archive'"
trine rmi more:1 >/dev/null
trine load -q "oci-archive:$archive:more:1" >/dev/null
expect_same_tree "and has the same files" "$work/oracle/rootfs" more:1
trine save -o "$work/second.tar" more:1 && trine save -o "$archive" more:1
expect_output "what trine packed keeps its id" "$(trine inspect more:1 | jq -r '.[0].Id')" \
  eval "tar xOf '$archive' index.json | jq -r .manifests[0].digest | sed s,:,/, | xargs -I@ tar xOf '$archive' blobs/@ | jq -r .config.digest"

# What goes wrong leaves no file, and the one there was.
before=$(snapshot)
expect_error "an image that is not there" 125 "there is no image nosuch" trine save -o "$work/new.tar" base:1 nosuch
expect_error "a directory that is not there" 125 "/nosuch/" trine save -o "$work/nosuch/new.tar" base:1
mkdir "$work/small" && mount -t tmpfs -o size=64k tmpfs "$work/small"
expect_error "a full disk" 125 "No space left" trine save -o "$work/small/new.tar" base:1
[[ -z $(ls -A "$work/small") ]] && pass "leaves nothing there" || fail "leaves nothing there" "$(ls -A "$work/small")"
umount "$work/small"
expect_error "a full device" 125 "No space left" eval "'$build/bin/trine' --root '$state' save base:1 >/dev/full"
script -qec "$build/bin/trine --root $state save base:1" /dev/null </dev/null >"$work/out" 2>&1
grep -q "does not write an archive to a terminal" "$work/out" && pass "a terminal is spared" || fail "a terminal is spared" "$(head -c 300 "$work/out")"
[[ ! -e $work/new.tar ]] && pass "no file is left half written" || fail "no file is left half written"
expect_no_leak "and nothing else" "$before"

expect_match "history lists the steps, the last one first" "^....-..-..T.* made by \[31m a test +[0-9.]+[kM]B" trine history more:1
run trine history more:1
[[ $output != *$'\e'* ]] && pass "without what would move the cursor" || fail "without what would move the cursor" "$output"
expect_output "as JSON it is whole" $'made by\e[31m a test' eval "'$build/bin/trine' --root '$state' history --format json more:1 | jq -r '.[0].CreatedBy'"
finish
