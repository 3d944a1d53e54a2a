#!/usr/bin/env bash
# Pull, push, login and logout against Debian's docker-registry on loopback; round trips with skopeo and umoci.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
. "$(dirname "$0")/../lib/registry.sh"
require_root
for program in docker-registry skopeo umoci jq openssl python3 script; do require_program $program; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
export REGISTRY_AUTH_FILE=$work/auth.json CONTAINERS_REGISTRIES_CONF=$work/registries.conf
: >"$work/registries.conf"
images=$state/lib/images
start_registry plain
plain=$registry

# An image of three layers, the middle one of 30 MB that do not compress, the others of all kinds of files.
layout=$work/layout
umoci init --layout "$layout"
umoci new --image "$layout:hard"
unpack() { umoci unpack --image "$layout:hard" "$work/hard" >/dev/null 2>&1; }
repack() { umoci repack --refresh-bundle --image "$layout:hard" "$work/hard" >/dev/null 2>&1; }
unpack
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
repack
head -c 30000000 /dev/urandom >"$root/random"
repack
rm -rf "$root/gone" "$root/removed" "$root/opaque"
mkdir "$root/opaque" && touch "$root/opaque/above"
repack
umoci config --image "$layout:hard" --config.cmd /bin/sh
umoci unpack --image "$layout:hard" "$work/oracle" >/dev/null 2>&1
skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:hard" "docker://$plain/hard:1"
digest=$(skopeo inspect --tls-verify=false "docker://$plain/hard:1" | jq -r .Digest)

expect_output "pull prints digest and name" "$digest $plain/hard:1" trine pull -q "$plain/hard:1"
expect_same_tree "what skopeo pushed is pulled, with all metadata" "$work/oracle/rootfs" "$plain/hard:1"
before=$(grep -c ' "trine/' "$work/plain.log")
expect_output "a pull of what is there moves nothing" "$digest $plain/hard:1" trine pull "$plain/hard:1"
asked=$(($(grep -c ' "trine/' "$work/plain.log") - before))
if ((asked <= 2)); then pass "and asks twice at most"; else fail "and asks twice at most" "$asked requests"; fi
expect_output "an image is pulled by its digest" "$digest $plain/hard@$digest" trine pull -q "$plain/hard@$digest"
expect_error "a tag that is not there is said" 125 "no image hard with the tag none" trine pull "$plain/hard:none"
expect_error "a platform that it is not for is said" 125 "not for linux/s390x" trine pull --platform linux/s390x "$plain/hard:1"

# Progress: live on a terminal, lines elsewhere; results alone go to the standard output.
shown() { # [VARIABLE=VALUE]... COMMAND...: what a terminal gets
  rm -rf "$work/shown"
  env TERM=xterm script -qec "$1" /dev/null </dev/null 2>&1
}
pull_it="$build/bin/trine --root $work/shown pull $plain/hard:1"
expect_match "a terminal sees what comes, as it comes" $'\e\[[0-9]A.*MB/[0-9.]+MB' shown "$pull_it"
expect_match "with colour" $'\e\[32m' shown "$pull_it"
expect_output "NO_COLOR takes that away" 0 eval "shown 'NO_COLOR=1 $pull_it' | grep -c \$'\e\[32m'; true"
expect_output "a dumb terminal gets lines" 0 eval "shown 'TERM=dumb $pull_it' | grep -c \$'\e'; true"
expect_output "--progress plain as well" 0 eval "shown '$pull_it --progress plain' | grep -c \$'\e'; true"
expect_output "and --quiet the result" 1 eval "shown '$pull_it --quiet' | wc -l"

# Only what is missing is moved.
echo new >"$root/new"
repack
skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:hard" "docker://$plain/hard:2"
layers=$(grep -c ' "GET /v2/hard/blobs/.* "trine/' "$work/plain.log")
run trine pull -q "$plain/hard:2"
moved=$(($(grep -c ' "GET /v2/hard/blobs/.* "trine/' "$work/plain.log") - layers))
if ((moved == 2)); then pass "of a changed image only the new layer and the configuration are moved"; else fail "of a changed image only the new layer is moved" "$moved blobs"; fi

# An index of two platforms.
own=$(dpkg --print-architecture)
second=$(skopeo inspect --tls-verify=false "docker://$plain/hard:2" | jq -r .Digest)
size_of() { skopeo inspect --raw --tls-verify=false "docker://$plain/hard@$1" | wc -c; }
jq -n --arg other "$digest" --arg own "$second" --arg arch "$own" --argjson sizes "[$(size_of "$digest"), $(size_of "$second")]" '
  "application/vnd.oci.image.manifest.v1+json" as $type | {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
    {mediaType: $type, digest: $other, size: $sizes[0], platform: {os: "linux", architecture: "s390x"}},
    {mediaType: $type, digest: $own, size: $sizes[1], platform: {os: "linux", architecture: $arch}}]}' >"$work/index.json"
python3 -c 'import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1], open(sys.argv[2], "rb").read(), {"Content-Type": "application/vnd.oci.image.index.v1+json"}, method="PUT"))' \
  "http://$plain/v2/hard/manifests/multi" "$work/index.json"
expect_output "of an index the manifest for this machine is taken" "$second $plain/hard:multi" trine pull -q "$plain/hard:multi"
expect_error "a platform that is not there is listed with those that are" 125 "it has: linux/s390x, linux/$own" trine pull --platform linux/riscv64 "$plain/hard:multi"
expect_error "a manifest that is not for what its index says is refused" 125 "not for linux/s390x" trine pull --platform s390x "$plain/hard:multi"

# run pulls.
expect_output "run pulls what is missing" "hi" trine run --rm "docker://$plain/hard:2" echo hi
expect_error "run --pull never does not" 125 "no image" trine run --rm --pull never "$plain/none:1" true
printf '[aliases]\n"shorty" = "%s/hard"\n[[registry]]\nprefix = "far.example"\nlocation = "far.example"\n[[registry.mirror]]\nlocation = "%s"\n' "$plain" "$plain" >"$work/registries.conf"
expect_output "a short name is pulled by its alias" "$digest shorty:1" trine pull -q shorty:1
expect_output "a mirror is asked before the registry" "$digest far.example/hard:1" trine pull -q far.example/hard:1

# push: what is there, what is next door, what is nowhere.
expect_output "a push of what is there keeps the digest" "$digest $plain/hard:again" trine push -q "$plain/hard:1" "$plain/hard:again"
expect_output "so does one into another repository" "$digest $plain/next/door:1" trine push -q "$plain/hard:1" "$plain/next/door:1"
start_registry other
other=$registry
expect_match "an image goes to another registry" "^sha256:[0-9a-f]{64} $other/moved:1$" trine push -q "$plain/hard:1" "$other/moved:1"
skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$other/moved:1" "oci:$work/moved:1"
umoci unpack --image "$work/moved:1" "$work/moved-root" >/dev/null 2>&1
expect_same_tree "skopeo and umoci find there all files with all metadata" "$work/moved-root/rootfs" "$plain/hard:1"
first=$(trine push -q "$plain/hard:1" "$other/moved:2")
expect_output "a layer that is packed anew has the same digest each time" "${first% *}" skopeo inspect --format '{{.Digest}}' --tls-verify=false "docker://$other/moved:1"
trine tag "$plain/hard:1" "$other/named:1"
expect_match "an image's own name says where it goes" " $other/named:1$" trine push -q "$other/named:1"
expect_error "a push of what is not there is said" 125 "no image nothing" trine push nothing "$other/x"

# Ten at a time, and kill -9.
rm -rf "$work/many"
: >"$work/plain.log"
for ((i = 0; i < 10; i++)); do "$build/bin/trine" --root "$work/many" pull -q "$plain/hard:1" >/dev/null 2>"$work/many.$i" & pulls+=($!); done
failed=0
for pid in "${pulls[@]}"; do wait "$pid" || failed=$((failed + 1)); done
if ((failed == 0)); then pass "ten pulls at once succeed"; else fail "ten pulls at once succeed" "$(cat "$work"/many.*)"; fi
bytes=$(grep -o 'GET /v2/hard/blobs/[^ ]* HTTP/1.1" 20[06] [0-9]*' "$work/plain.log" | awk '{n += $NF} END {print n}')
if ((bytes < 36000000)); then pass "and fetch each layer once"; else fail "and fetch each layer once" "$bytes bytes"; fi
trine_many() { "$build/bin/trine" --root "$work/many" "$@"; }
kills=${TRINE_TEST_KILLS:-$(scaled 20)}
for ((i = 0; i < kills; i++)); do
  trine_many rmi "$plain/hard:1" >/dev/null 2>&1
  setsid "$build/bin/trine" --root "$work/many" pull -q "$plain/hard:1" >/dev/null 2>&1 &
  victim=$!
  read -rt "0.$(printf %03d $((RANDOM % 250)))" <> <(:) || :
  kill -9 -- "-$victim" 2>/dev/null
  wait "$victim" 2>/dev/null
  trine_many pull -q "$plain/hard:1" >/dev/null 2>"$work/error" || { fail "a pull after kill -9" "$(<"$work/error")"; break; }
done
expect_output "after kill -9 at $kills random points the image is whole" "hi" trine_many run --rm "$plain/hard:1" sh -c 'sha256sum /random >/dev/null && echo hi'
expect_output "and no partial file is left" "" find "$work/many/lib/images/partial" -mindepth 1

# Accounts and TLS.
mkdir "$work/tls" "$work/certs"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$work/tls/key.pem" -out "$work/tls/cert.pem" 2>/dev/null
cp "$work/tls/cert.pem" "$work/certs/ca.crt"
python3 -Wignore -c 'import crypt; print("user:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' >"$work/htpasswd"
start_registry private "auth: {htpasswd: {realm: test, path: $work/htpasswd}}"
private=$registry
expect_error "a private registry's error says how to log in" 125 "trine login $private" trine pull -q "$private/hard:1"
log_in() { trine login -u user --password-stdin "$private" <<<"$1"; }
expect_error "a wrong password is refused, and not kept" 125 "denied" log_in wrong
if [[ ! -e $REGISTRY_AUTH_FILE ]]; then pass "nothing is kept of it"; else fail "nothing is kept of it"; fi
expect_match "the right one is kept" "^logged in to $private" log_in secret
expect_output "for its owner alone" "600" stat -c %a "$REGISTRY_AUTH_FILE"
expect_match "a push with credentials" " $private/hard:1$" trine push -q "$plain/hard:1" "$private/hard:1"
expect_output "skopeo reads the same credentials" "$(trine pull -q "$private/hard:1" | cut -d' ' -f1)" skopeo inspect --format '{{.Digest}}' --tls-verify=false "docker://$private/hard:1"
cp "$REGISTRY_AUTH_FILE" "$work/kept.json"
expect_output "logout forgets" "logged out of $private" trine logout "$private"
expect_error "and then access is denied" 125 "denied" trine pull -q "$private/hard:1"
expect_error "a second logout says that there is nothing" 125 "no credentials" trine logout "$private"
cat >"$work/docker-credential-test" <<E2
#!/bin/sh
read -r server
[ "\$1 \$server" = "get $private" ] && echo '{"ServerURL": "", "Username": "user", "Secret": "secret"}'
E2
chmod +x "$work/docker-credential-test"
printf '{"credHelpers": {"%s": "test"}}' "$private" >"$REGISTRY_AUTH_FILE"
PATH=$work:$PATH expect_match "a credential helper is asked" " $private/hard:1$" trine pull -q "$private/hard:1"
rm "$REGISTRY_AUTH_FILE"

start_registry secure "" ", tls: {certificate: $work/tls/cert.pem, key: $work/tls/key.pem}"
secure=$registry
expect_error "an unknown authority is refused, with what to do" 125 "certs.d" trine push -q "$plain/hard:1" "$secure/hard:1"
expect_match "one of --cert-dir is trusted" " $secure/hard:1$" trine push -q --cert-dir "$work/certs" "$plain/hard:1" "$secure/hard:1"
expect_match "--tls-verify=false trusts any" " $secure/hard:1$" trine pull -q --tls-verify=false "$secure/hard:1"
finish
