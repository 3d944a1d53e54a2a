#!/usr/bin/env bash
# The examples do what they say, twice: they can be run again, and leave nothing behind.
. "$(dirname "$0")/../lib/harness.sh"
require_root
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
before=$(snapshot)
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

run "$examples/make_image.sh" "$work/image"
[[ $code == 0 ]] && pass "make_image.sh makes an image" || fail "make_image.sh makes an image" "$output"
expect_output "and it runs" "guest" trine run --rm -u guest "oci:$work/image" id -un
if command -v umoci >/dev/null; then
  expect_exit "and other tools take it for one" 0 umoci stat --image "$work/image"
fi
run "$examples/make_image.sh" "$work/again"
diff -r "$work/image" "$work/again" >/dev/null && pass "the same files give the same image" || fail "the same files give the same image"

for time in first second; do
  run "$examples/quickstart.sh"
  [[ $code == 0 ]] && pass "quickstart.sh runs the $time time" || fail "quickstart.sh runs the $time time" "$output"
done
for claim in "the host reads: answered in the container" "out of memory (its limit is 16 MiB)" "can't fork" \
  "sethostname: Operation not permitted" "Network is unreachable"; do
  grep -qF -- "$claim" <<<"$output" && pass "it shows: $claim" || fail "it shows: $claim" "$output"
done
[[ -z $(ls -A "$TMPDIR") ]] && pass "nothing is left in the temporary directory" || fail "nothing is left in the temporary directory" "$(ls "$TMPDIR")"
expect_no_leak "nothing is left behind" "$before"
finish
