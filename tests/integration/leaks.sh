#!/usr/bin/env bash
# A thousand in a row, fifty at once, and trine killed at any moment: nothing is left.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
trine run --rm busybox true
before=$(snapshot)
files=$(find "$state" | wc -l)

many=$(scaled 1000) together=$(scaled 50) kills=$(scaled 60)
failed=0
for ((i = 0; i < many; i++)); do trine run --rm busybox true || failed=$((failed + 1)); done
[[ $failed == 0 ]] && pass "$many runs in a row succeed" || fail "$many runs in a row succeed" "$failed failed"
expect_no_leak "$many runs in a row leave nothing" "$before"
[[ $(find "$state" | wc -l) == "$files" ]] && pass "no file more than before" || fail "no file more than before" "$(find "$state" | wc -l), not $files"

pids=()
for ((i = 0; i < together; i++)); do
  trine run --rm -m 64m --pids-limit 50 busybox sh -c 'sleep 0.2' &
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
[[ $failed == 0 ]] && pass "$together at once succeed" || fail "$together at once succeed" "$failed failed"
expect_no_leak "$together at once leave nothing" "$before"

# Killed at a moment that creeps through the whole of a start.
for ((i = 0; i < 60; i += 60 / kills)); do
  "$build/bin/trine" --root "$state" run --rm -m 64m busybox sleep 5 &
  pid=$!
  read -rt "0.000$((i % 10))" <> <(:) || :
  read -rt "0.00$((i / 10))" <> <(:) || :
  kill -9 $pid
  wait $pid 2>/dev/null
done
trine ps >/dev/null
wait_until test "$(pgrep -cf 'sleep 5$')" = 0
trine ps >/dev/null
expect_no_leak "trine killed at $kills moments: the next command clears away what is left" "$before"

cp "$build/bin/trine-images" "$work/"
for ((i = 0; i < 10; i++)); do
  "$build/bin/trine-images" --store "$state/lib/images" load --name "x:$i" "oci:$work/layout:busybox" >/dev/null &
  pid=$!
  read -rt "0.00$i" <> <(:) || :
  kill -9 $pid
  wait $pid 2>/dev/null
done
trine images >/dev/null
[[ -z $(ls "$state/lib/images/tmp") ]] && pass "a load killed at ten moments leaves no partial image" || fail "a load killed at ten moments leaves no partial image"
expect_output "and the store is sound" "hi" trine run --rm busybox echo hi
finish
