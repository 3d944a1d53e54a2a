#!/usr/bin/env bash
# The store as a whole: what it takes, what is given back, damage found and repaired, many at once.
. "$(dirname "$0")/../lib/harness.sh"
require_root
for program in umoci jq; do require_program $program; done
busybox_image
store=$state/lib/images
reload() { trine load -q "oci:$work/layout:busybox" >/dev/null; }
layer() { trine inspect busybox | jq -r '.[0].Layers[0]'; }
sound() { expect_match "$1" "the store is sound" trine system check; }

expect_match "df counts images and layers" "^Layers +1 " trine system df
sound "a new store is sound"

# Damage of every kind is found, and repaired so that a load brings all back.
damage() { # CLAIM PATTERN COMMAND...: damages the store
  local claim=$1 pattern=$2
  shift 2
  "$@"
  expect_error "$claim is found" 1 "$pattern" trine system check
  expect_match "… and repaired" "^repair: " trine system check --repair
  sound "… so that the store is sound"
  reload
  expect_output "… and the image runs again" "hi" trine run --rm busybox echo hi
}
hex() { trine inspect busybox | jq -r ".[0].$1" | cut -d: -f2; }
flip() { printf '\x5a\xa5' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
if [[ -f $(layer) ]]; then
  damage "a changed byte of a layer" "bytes are not those" flip "$(layer)" 9000
  damage "a changed superblock" "damaged" flip "$(layer)" 1030
  damage "a truncated layer" "damaged" truncate -s 8192 "$(layer)"
fi
damage "a missing layer" "is missing" rm -rf "$(layer)"
damage "a damaged record" "record .* is damaged" truncate -s 20 "$store/images/$(hex Digest).json"
damage "a changed manifest" "does not match its digest" flip "$store/manifests/$(hex Digest)" 10
damage "a missing configuration" "is missing" rm "$store/configs/$(hex Id)"
ln -s "$(printf '0%.0s' {1..64})" "$store/names/ghost:latest"
expect_error "a name that leads nowhere is found" 1 "ghost:latest leads to no image" trine system check
trine system check --repair >/dev/null
sound "… and taken away"
mkdir -p "$store/tmp/dead" && head -c 1M /dev/zero >"$store/tmp/dead/file"
trine system check --repair >/dev/null
[[ ! -e $store/tmp/dead ]] && pass "what a dead import left is removed" || fail "what a dead import left is removed"

# What runs is never taken away.
start run --rm busybox sleep 1000
wait_until eval 'trine ps | grep -q sleep'
expect_error "an image in use is not removed" 125 "instance" trine rmi busybox
expect_match "prune leaves it" "^freed 0B$" trine image prune --all
[[ -e $(layer) ]] && pass "… with its layers" || fail "… with its layers"
kill -9 "$started" && wait "$started" 2>/dev/null
wait_until eval '! trine ps | grep -q sleep'
expect_match "afterwards prune --all takes it" "^Deleted: sha256:" trine image prune --all
left=$(find "$store"/{layers,sums,locks,manifests,configs,tmp} -mindepth 1)
[[ -z $left ]] && pass "nothing is left of it" || fail "nothing is left of it" "$left"
expect_match "df says so" "^Layers +0 " trine system df

# Images without a name.
reload
digest=$(hex Digest)
rm "$store/names/busybox:latest"
expect_match "an image without a name is reclaimable" "^Layers +1 +[0-9.]+[kMG]?B +[1-9]" trine system df
expect_match "prune takes it" "^Deleted: sha256:" trine image prune
reload

# Mounted for a look.
expect_match "image mount prints where" "^/" trine image mount busybox
place=$output
[[ -x $place/bin/busybox ]] && ! touch "$place/new" 2>/dev/null && pass "the files are there, read-only" || fail "the files are there, read-only"
expect_exit "image unmount undoes it" 0 trine image unmount busybox
[[ ! -e $place ]] && pass "… and leaves nothing" || fail "… and leaves nothing"
mkdir "$work/here"
expect_output "on a directory of one's own too" "$work/here" trine image mount busybox "$work/here"
expect_exit "and off again" 0 trine image unmount "$work/here"
expect_error "what is not mounted cannot be unmounted" 125 "cannot unmount" trine image unmount busybox

# Ten at once, of an image that is not there: each succeeds, one unpacks.
trine rmi busybox >/dev/null
pids=()
for ((i = 0; i < 10; i++)); do
  "$build/bin/trine" --root "$state" load -q --name "n:$i" "oci:$work/layout:busybox" >/dev/null 2>"$work/error-$i" &
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
[[ $failed == 0 ]] && pass "ten loads of one image at once succeed" || fail "ten loads of one image at once succeed" "$(cat "$work"/error-*)"
[[ $(ls "$store/layers" | wc -l) == 1 && $(trine images | grep -c '^n:') == 10 ]] && pass "… and store one layer under ten names" || fail "… and store one layer under ten names"
[[ -z $(find "$store/locks" "$store/tmp" -mindepth 1) ]] && pass "… with no lock left" || fail "… with no lock left"

# Killed at any moment, the store stays sound and the next load succeeds.
for ((i = 0; i < $(scaled 20); i++)); do
  for name in $(trine images | awk '/^n:/ {print $1}'); do trine rmi "$name" >/dev/null; done
  "$build/bin/trine-images" --store "$store" load --quiet --name n:0 "oci:$work/layout:busybox" >/dev/null 2>&1 &
  pid=$!
  read -rt "0.0$((i % 10))$((i / 10))" <> <(:) || :
  kill -9 $pid 2>/dev/null
  wait $pid 2>/dev/null
  run trine system check
  [[ $code == 0 ]] || fail "a load killed after $i steps leaves a sound store" "$output"
  trine load -q --name n:0 "oci:$work/layout:busybox" >/dev/null || fail "a load after a kill"
done
pass "loads killed at $(scaled 20) moments leave a sound store"
expect_output "from which the image runs" "hi" trine run --rm n:0 echo hi
finish
