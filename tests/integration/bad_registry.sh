#!/usr/bin/env bash
# Registries that lie, stall or are out of order: one clear error each, the store sound, what has come kept.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/registry.sh"
require_root
for program in python3 jq; do require_program $program; done
start_bad_registry
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
export REGISTRY_AUTH_FILE=$work/auth.json
images=$state/lib/images

# refused MODE PATTERN [FLAG]...: the pull fails with one error, and puts nothing into the store.
refused() {
  local mode=$1 pattern=$2
  shift 2
  expect_error "$mode" 125 "$pattern" timeout 60 "$build/bin/trine" --root "$state" pull -q --retry 1 --timeout 2 "$@" "$bad/$mode"
  (($(grep -c '^trine: ' <<<"$output") == 1)) || fail "$mode is one error" "$output"
  local left
  left=$(find "$images"/{images,layers,names,tmp,locks} -mindepth 1 2>/dev/null)
  [[ -z $left ]] || fail "$mode leaves nothing in the store" "$left"
}
# works MODE: the pull succeeds in spite of all, the layer is whole; then it is removed.
works() {
  run timeout 60 "$build/bin/trine" --root "$state" pull -q --timeout 5 "$bad/$1"
  if [[ $code == 0 ]]; then pass "$2"; else fail "$2" "$output"; fi
  run trine rmi "$bad/$1"
  [[ -z $(find "$images/partial" -mindepth 1) ]] || fail "$1 leaves no partial file" "$(ls "$images/partial")"
}
requests() { grep -c "$1" "$work/bad.log"; }

works ok "an honest registry works"
refused html "web page"
refused token-for-ever "access is denied"
refused basic-for-ever "trine login"
refused bad-realm "no https address"
refused busy "no more requests.*slow down"
refused busy-long "come back in 3600 s"
refused circle "redirects"
refused to-file "redirects"
refused huge "larger than"
refused deep "nested too deep"
refused both "index and a manifest"
refused false-digest "digest"
refused escape "is no digest"
refused too-small "more bytes|another size|wrong|Content-Range|does not"
refused too-large "too early|too small|another size|HTTP status|does not"
refused stall "too slow|timed out|Operation too slow"
refused silent "Empty reply|cannot get"
refused missing "does not have the blob"
refused damaged "does not match its digest"
expect_output "damaged bytes are not kept" "" find "$images/partial" -mindepth 1
works busy-once "Retry-After is waited for"
works down-twice "a registry that is down for a moment is asked again"
works no-ranges "a server without ranges gives one stream"
works wrong-range "a server whose ranges are wrong is asked for one stream"
works late-wrong-range "so is one whose later ranges are wrong"
works drop-once "a dropped connection goes on where it ended"

expect_error "a connection that always drops ends the pull" 125 "cannot get the blob" trine pull -q --retry 1 "$bad/drop"
kept=$(find "$images/partial" -name '*.map' | wc -l)
if ((kept == 1)); then pass "what came of the layer is kept"; else fail "what came of the layer is kept" "$(ls "$images/partial")"; fi
: >"$work/bad.log"
works ok "another registry that has the layer goes on with it"
if ! grep -q 'bytes=0-' "$work/bad.log"; then pass "the beginning is not fetched again"; else fail "the beginning is not fetched again" "$(<"$work/bad.log")"; fi

expect_error "a layer that stalls ends the pull" 125 "cannot get the blob" trine pull -q --retry 0 --timeout 2 "$bad/slow"
: >"$work/bad.log"
works ok "the next pull goes on"
if ! grep -q 'bytes=0-' "$work/bad.log"; then pass "and fetches only what is missing"; else fail "and fetches only what is missing" "$(<"$work/bad.log")"; fi

printf '{"auths": {"%s/away": {"auth": "%s"}, "%s": {"auth": "%s"}}}' "$bad" "$(printf user:secret | base64)" \
  "$bad" "$(printf user:wrong | base64)" >"$work/auth.json"
: >"$work/bad.log"
works away "credentials of the longest path are used, and a redirect is followed"
expect_match "the redirect's target gets no credentials" "^GET /away .* -$" grep ' /away ' "$work/bad.log"
expect_output "not once" "0" awk '/ \/away / && $NF != "-" {n++} END {print n + 0}' "$work/bad.log"

busybox_image
expect_output "the store is sound after all that" "hi" trine run --rm busybox echo hi
finish
