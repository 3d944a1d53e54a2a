#!/usr/bin/env bash
# Registries behind a proxy, with a limited rate, and with a limited number of downloads at the same time.
. "$(dirname "$0")/../lib/harness.sh"
require_root
for program in docker-registry skopeo umoci openssl python3; do require_program $program; done
# The registries listen on an address that is not loopback, where no proxy would be asked: in a network of the test's own.
[[ -n ${TRINE_TEST_APART-} ]] || { rm -rf "$work" && TRINE_TEST_APART=1 exec unshare --net sh -c 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$0"' "$0"; }
. "$(dirname "$0")/../lib/registry.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY all_proxy ALL_PROXY
export REGISTRY_AUTH_FILE=$work/auth.json

start_registry plain
sed -i s/127.0.0.1/192.0.2.1/ "$work/plain.yml"
far_registry() { # FILE.yml LOG: the same on the other address; "host:port" is in $registry then
  env -u REGISTRY_AUTH_FILE docker-registry serve "$1" >"$2" 2>&1 &
  servers+=($!)
  wait_until grep -q 'listening on' "$2"
  registry=192.0.2.1:$(grep -o 'listening on [0-9.:]*' "$2" | grep -o '[0-9]*$')
}
local_registry=$registry
far_registry "$work/plain.yml" "$work/far.log"
far=$registry

layout=$work/layout
umoci init --layout "$layout"
umoci new --image "$layout:some"
umoci unpack --image "$layout:some" "$work/some" >/dev/null 2>&1
for layer in 1 2 3; do
  head -c 1000000 /dev/urandom >"$work/some/rootfs/file$layer"
  umoci repack --refresh-bundle --image "$layout:some" "$work/some" >/dev/null 2>&1
done
skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:some" "docker://$local_registry/some:1"

: >"$work/proxy.log"
python3 "$(dirname "$0")/../lib/proxy.py" "$work/proxy.log" >"$work/proxy.port" &
servers+=($!)
wait_until test -s "$work/proxy.port" || { echo "not ok - the proxy does not start"; exit 1; }
proxy=http://127.0.0.1:$(<"$work/proxy.port")
proxied() { grep -c "$1" "$work/proxy.log"; }
pull_anew() { # [VARIABLE=VALUE]... FLAG... NAME: into an empty store
  local variables=()
  while [[ $1 == *=* && $1 != -* ]]; do variables+=("$1"); shift; done
  rm -rf "$state/lib/images"
  env "${variables[@]}" "$build/bin/trine" --root "$state" pull -q "$@"
}

expect_match "a pull by a proxy" " $far/some:1$" pull_anew "http_proxy=$proxy" --tls-verify=false "$far/some:1"
[[ $(proxied "GET http://$far/v2/some/blobs/") == 4 ]] && pass "goes by the proxy whole" || fail "goes by the proxy whole" "$(<"$work/proxy.log")"
: >"$work/proxy.log"
expect_match "HTTP_PROXY does as well" " $far/some:1$" pull_anew "HTTP_PROXY=$proxy" --tls-verify=false "$far/some:1"
[[ $(proxied "GET http://$far/v2/some/blobs/") == 4 ]] && pass "and is used" || fail "and is used" "$(<"$work/proxy.log")"
: >"$work/proxy.log"
expect_match "no_proxy names what is near" " $far/some:1$" pull_anew "http_proxy=$proxy" "no_proxy=192.0.2.1" --tls-verify=false "$far/some:1"
expect_match "loopback always is" " $local_registry/some:1$" pull_anew "http_proxy=$proxy" "$local_registry/some:1"
[[ ! -s $work/proxy.log ]] && pass "neither goes by the proxy" || fail "neither goes by the proxy" "$(<"$work/proxy.log")"
expect_match "a push by a proxy" " $far/pushed:1$" env "http_proxy=$proxy" "$build/bin/trine" --root "$state" push -q --tls-verify=false "$local_registry/some:1" "$far/pushed:1"
expect_error "a proxy that is not there is said" 125 "cannot (get|reach|connect)|[Cc]onnect" pull_anew http_proxy=http://127.0.0.1:1 --retry 0 --tls-verify=false "$far/some:1"

mkdir "$work/tls" "$work/certs"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=far -addext subjectAltName=IP:192.0.2.1 \
  -keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
cp "$work/tls/cert.pem" "$work/certs/ca.crt"
sed "s|^http: .*|http: {addr: '192.0.2.1:0', tls: {certificate: $work/tls/cert.pem, key: $work/tls/key.pem}}|" "$work/plain.yml" >"$work/secure.yml"
far_registry "$work/secure.yml" "$work/secure.log"
: >"$work/proxy.log"
expect_match "TLS goes through a tunnel, to the registry itself" " $registry/some:1$" pull_anew "https_proxy=$proxy" --cert-dir "$work/certs" "$registry/some:1"
[[ $(proxied "CONNECT $registry") -ge 1 ]] && pass "which the proxy makes" || fail "which the proxy makes" "$(<"$work/proxy.log")"

# Three megabytes at one a second take two seconds at least.
begin=${EPOCHREALTIME/./}
expect_match "a limited rate" " $local_registry/some:1$" pull_anew --limit-rate 1m "$local_registry/some:1"
took=$((${EPOCHREALTIME/./} - begin))
((took > 1800000)) && pass "is kept to" || fail "is kept to" "$took us"
expect_error "a rate that is none is refused" 125 "limit-rate" pull_anew --limit-rate fast "$local_registry/some:1"
expect_error "one that stands still, too" 125 "less than 1k" pull_anew --limit-rate 0 "$local_registry/some:1"
expect_match "one download at a time" " $local_registry/some:1$" pull_anew --jobs 1 "$local_registry/some:1"
expect_error "none at a time is refused" 125 "1 to 100" pull_anew --jobs 0 "$local_registry/some:1"
finish
