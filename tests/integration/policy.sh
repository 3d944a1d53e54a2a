#!/usr/bin/env bash
# The signature policy against a real registry, with keys and signatures by openssl. Where Debian's skopeo and podman know
# the case (their sigstore part is disabled: signatures they neither make nor accept), they are asked the same, and agree.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/registry.sh"
require_root
for program in docker-registry skopeo podman umoci jq openssl python3; do require_program $program; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
lib=$(cd "$(dirname "$0")/../lib" && pwd)
export HOME=$work/home REGISTRY_AUTH_FILE=$work/auth.json CONTAINERS_REGISTRIES_CONF=$work/registries.conf
mkdir -p "$HOME/.config/containers" "$work/"{keys,oracle}
: >"$work/registries.conf"
start_registry plain
images=$state/lib/images
policy=$work/policy.json

# Two images that differ, A and B.
layout=$work/layout
umoci init --layout "$layout"
umoci new --image "$layout:a"
umoci unpack --image "$layout:a" "$work/root" >/dev/null 2>&1
busybox_root "$work/root/rootfs"
umoci repack --image "$layout:a" "$work/root" >/dev/null 2>&1
umoci config --image "$layout:a" --config.cmd /bin/sh
umoci config --image "$layout:a" --tag b --config.env WHICH=b
# publish IMAGE NAME: without a signature; its digest is in $digest then.
publish() {
  skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$layout:$1" "docker://$registry/$2" || fail "skopeo publishes $2"
  digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$2")
}

# Keys of all kinds, and one more that signs nothing here.
new_key() { openssl genpkey -algorithm "$2" "${@:3}" -out "$work/keys/$1.key" 2>/dev/null && openssl pkey -in "$work/keys/$1.key" -pubout -out "$work/keys/$1.pub"; }
new_key p256 EC -pkeyopt ec_paramgen_curve:P-256
new_key p384 EC -pkeyopt ec_paramgen_curve:P-384
new_key rsa RSA -pkeyopt rsa_keygen_bits:2048
new_key ed25519 ED25519
new_key other EC -pkeyopt ec_paramgen_curve:P-256
new_key weak RSA -pkeyopt rsa_keygen_bits:1024
key() { echo "$work/keys/$1.pub"; }

# payload DIGEST REFERENCE [MORE_OF_CRITICAL]: what a signature is made of, as cosign writes it; its file is in $text.
payloads=0
payload() {
  text=$work/payload.$((++payloads))
  printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"%s},"optional":null}' \
    "$2" "$1" "${3:-}" >"$text"
}
# sign KEY [OPENSSL_FLAG]...: signs $text; what attach.py wants of both is in $layer.
sign() {
  local key=$1
  shift
  case $key in
    ed25519) openssl pkeyutl -sign -rawin -inkey "$work/keys/$key.key" -in "$text" ;;
    *) openssl dgst -sha256 -sign "$work/keys/$key.key" "$@" "$text" ;;
  esac | base64 -w 0 >"$text.sig.$key"
  layer=$text=$text.sig.$key
}
attach() { python3 "$lib/attach.py" "$registry" "$@"; }

# policy_for NAME REQUIREMENT...: rejects all but the scope NAME.
policy_for() {
  local name=$1
  shift
  jq -n --arg scope "$registry/$name" --argjson list "[$(IFS=,; echo "$*")]" '{default: [{type: "reject"}], transports: {docker: {($scope): $list}}}' >"$policy"
}
# signed KEY [IDENTITY]: the requirement.
signed() { jq -nc --arg key "$(key "$1")" --argjson identity "${2:-null}" '{type: "sigstoreSigned", keyPath: $key} + (if $identity then {signedIdentity: $identity} else {} end)'; }
any_tag='{"type":"matchRepository"}'

pull() { trine pull -q --signature-policy "$policy" "$registry/$1"; }
has() { [[ -e $images/names/${registry}%${1//\//%} ]]; }
# accepts CLAIM NAME; refuses CLAIM NAME PATTERN.
accepts() { expect_match "$1" "^sha256:[0-9a-f]* $registry/$2\$" pull "$2"; }
refuses() {
  trine rmi "$registry/$2" >/dev/null 2>&1
  expect_error "$1" 125 "$3" pull "$2"
  ! has "$2" || fail "$1: and it is not in the store"
}
# agrees CODE NAME: what containers/image makes of the same policy.
agrees() { expect_exit "  containers/image agrees" "$1" skopeo --policy "$policy" copy -q --src-tls-verify=false "docker://$registry/$2" "dir:$work/oracle/$RANDOM"; }

# Names and digests.
publish a web:1
a=$digest
publish a web:2
payload "$a" "$registry/web:1" && sign p256 && attach web "$a" "$layer"
policy_for web "$(signed p256)"
accepts "what is signed is pulled" web:1
expect_output "and runs" hi trine run --rm --signature-policy "$policy" "$registry/web:1" echo hi
fingerprint=SHA256:$(openssl pkey -pubin -in "$(key p256)" -outform DER | sha256sum | cut -d' ' -f1)
expect_match "isolation policies learn who has signed it" "^signed by: +$fingerprint\$" trine policy test "$registry/web:1"
refuses "it is not another tag of the same repository" web:2 "for the name '$registry/web:1'"
accepts "by its digest any tag's signature will do" "web@$a"
policy_for web "$(signed other)"
refuses "another key's is no signature" web:1 "not made by the key $(key other)"
policy_for web "$(signed p256 "$any_tag")"
accepts "matchRepository takes any tag" web:2
policy_for web "$(signed p256 '{"type":"matchExact"}')"
accepts "matchExact takes the tag that was signed" web:1
refuses "and no digest" "web@$a" "does not fit"

# By hand.
publish b hand:1
b=$digest
policy_for hand "$(signed p256)"
refuses "what is not signed is refused" hand:1 "no signature on $b counts: it has none"
for kind in p256 p384 rsa ed25519; do
  payload "$b" "$registry/hand" && sign "$kind" && attach hand "$b" "$layer"
  policy_for hand "$(signed "$kind" "$any_tag")"
  accepts "a signature by a key of kind $kind" hand:1
  policy_for hand "$(signed other "$any_tag")"
  refuses "and not by another" hand:1 "not made by"
done
policy_for hand "$(signed ed25519)"
refuses "a signature without a tag does not fit a tag" hand:1 "'$registry/hand', which does not fit: it has no tag"
payload "$b" "$registry/hand:1" && sign rsa -sigopt rsa_padding_mode:pss && attach hand "$b" "$layer"
policy_for hand "$(signed rsa)"
expect_match "RSA signatures may be padded by PSS" "$b" pull hand:1
payload "$b" "$registry/hand:1" && sign weak && attach hand "$b" "$layer"
policy_for hand "$(signed weak)"
expect_error "a weak key is refused" 125 "1024 bits" pull hand:1

sign p256 && good=$layer
policy_for hand "$(signed p256)"
payload "$b" "$registry/hand:1" ',"more":1' && sign p256 && attach hand "$b" "$layer"
refuses "a signed text with more in it is not understood" hand:1 "unknown key .more"
payload "$b" "$registry/hand:1" ',"type":"cosign container image signature"' && sign p256 && attach hand "$b" "$layer"
refuses "nor one that says a thing twice" hand:1 "twice"
payload "$b" "$registry/hand:1" && attach hand "$b" "$text=${good#*=}"
accepts "the same text has the same signature" hand:1
payload "$b" "$registry/hand:2" && attach hand "$b" "$text=${good#*=}"
refuses "a text that was altered is not the one that was signed" hand:1 "not made by"
payload "$a" "$registry/hand:1" && sign p256 && attach hand "$b" "$layer"
refuses "a signature of another image does not count" hand:1 "for the image $a, not for $b"
payload "$b" "$registry/elsewhere:1" && sign p256 && attach hand "$b" "$layer"
refuses "a signature for another repository does not count" hand:1 "elsewhere:1', which does not fit"
policy_for hand "$(signed p256 '{"type":"exactReference","dockerReference":"'"$registry"'/elsewhere:1"}')"
accepts "unless exactReference names it" hand:1
policy_for hand "$(signed p256 '{"type":"exactRepository","dockerRepository":"'"$registry"'/elsewhere"}')"
accepts "or exactRepository" hand:1
policy_for hand "$(signed p256 '{"type":"remapIdentity","prefix":"'"$registry"'/hand","signedPrefix":"'"$registry"'/elsewhere"}')"
accepts "or remapIdentity" hand:1

policy_for hand "$(signed p256)"
payload "$a" "$registry/hand:1" && sign p256
attach hand "$b" "$layer" "$good=application/vnd.dsse.envelope.v1+json" "$good"
accepts "one good signature among others is enough" hand:1
attach hand "$b" "$good=application/vnd.dsse.envelope.v1+json"
refuses "what is attached as something else is no signature" hand:1 "something else"
many=()
for ((i = 0; i < 64; i++)); do many+=("$layer"); done
attach hand "$b" "${many[@]}" "$good"
expect_error "of very many signatures the first 64 are looked at" 125 "1 more than the first 64|and [0-9]* more" pull hand:1
head -c 70000 /dev/zero >"$work/huge"
attach hand "$b" "$work/huge=${good#*=}" "$good"
accepts "one that is too large does not stand in the way" hand:1
attach hand "$b" "$good"
policy_for hand "$(signed p256)" "$(signed other)"
refuses "all requirements must hold" hand:1 "not made by the key $(key other)"
blob=$(sha256sum <"${good%%=*}" | cut -d' ' -f1)
sed -i 's/cosign/COSIGN/' "$work/plain/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob/data"
policy_for hand "$(signed p256)"
refuses "a text that is not what its digest says is not used" hand:1 "does not match its digest"
sed -i 's/COSIGN/cosign/' "$work/plain/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob/data"
accepts "mended, it is" hand:1

# Keys in the policy itself, and several.
policy_for hand "$(jq -nc --arg data "$(base64 -w 0 "$(key p256)")" '{type: "sigstoreSigned", keyData: $data}')"
accepts "a key may stand in the policy" hand:1
policy_for hand "$(jq -nc --arg one "$(key other)" --arg two "$(key p256)" '{type: "sigstoreSigned", keyPaths: [$one, $two]}')"
expect_match "one of several keys is enough" "$b" pull hand:1
policy_for hand "$(jq -nc --arg one "$(base64 -w 0 "$(key other)")" --arg two "$(base64 -w 0 "$(key p256)")" '{type: "sigstoreSigned", keyDatas: [$one, $two]}')"
expect_match "in the policy too" "$b" pull hand:1
cat "$(key p256)" "$(key other)" >"$work/keys/both.pub"
policy_for hand "$(signed both)"
expect_error "a file with two keys is refused" 125 "more than one key" pull hand:1
policy_for hand "$(signed none)"
expect_error "a key that is not there is an error" 125 "keys/none.pub" pull hand:1

# What cannot be verified never counts.
declare -A unsupported=(
  [signedBy]='{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x"}'
  [fulcio]='{"type":"sigstoreSigned","fulcio":{"caPath":"/x","oidcIssuer":"i","subjectEmail":"s"},"rekorPublicKeyPath":"/x"}'
  [rekor]='{"type":"sigstoreSigned","keyPath":"'"$(key p256)"'","rekorPublicKeyPath":"'"$(key p256)"'"}'
)
for kind in "${!unsupported[@]}"; do
  policy_for hand "${unsupported[$kind]}"
  expect_error "$kind is refused as what cannot be verified" 125 "$kind.*cannot verify" pull hand:1
done

# An index: the manifest of the platform is what must be signed.
own=$(dpkg --print-architecture)
jq -n --arg own "$b" --arg arch "$own" --argjson size "$(skopeo inspect --raw --tls-verify=false "docker://$registry/hand:1" | wc -c)" '
  {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
    {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $own, size: $size, platform: {os: "linux", architecture: $arch}}]}' >"$work/index.json"
python3 -c 'import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1], open(sys.argv[2], "rb").read(), {"Content-Type": "application/vnd.oci.image.index.v1+json"}, method="PUT"))' \
  "http://$registry/v2/hand/manifests/multi" "$work/index.json"
index=sha256:$(sha256sum "$work/index.json" | cut -d' ' -f1)
policy_for hand "$(signed p256 "$any_tag")"
accepts "of an index, the signature of the platform's manifest counts" hand:multi
attach hand "$b"
payload "$index" "$registry/hand:multi" && sign p256 && attach hand "$index" "$layer"
refuses "and the index's own does not" hand:multi "no signature on $b counts"
attach hand "$b" "$good"

# reject, and scopes.
policy_for web '{"type":"insecureAcceptAnything"}'
accepts "another repository is accepted without a signature" web:2
agrees 0 web:2
: >"$work/plain.log"
refuses "what the default rejects is not pulled" hand:1 "policy rejects it \($policy: ..default\)"
expect_error "and the registry is not even asked" 1 "^0\$" grep -c '"trine/' "$work/plain.log"
agrees 1 hand:1
podman() { command podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs pull -q --tls-verify=false --signature-policy "$policy" "$registry/$1"; }
echo '{}' >"$REGISTRY_AUTH_FILE"
expect_exit "  nor does podman pull it" 125 podman hand:1
expect_exit "  and podman pulls the other" 0 podman web:2
jq -n --arg host "$registry" --arg repository "$registry/hand" --arg tag "$registry/hand:2" --arg digest "$registry/hand@$b" '
  def accept: [{type: "insecureAcceptAnything"}]; def reject: [{type: "reject"}];
  {default: reject, transports: {docker: {"": reject, ($host): accept, ($repository): reject, ($tag): accept, ($digest): accept}}}' >"$policy"
publish b hand:2
accepts "a host's rules hold for its repositories" web:1
agrees 0 web:1
refuses "a repository's are nearer" hand:1 "docker\[.$registry/hand.\]"
agrees 1 hand:1
accepts "a tag's are nearest" hand:2
agrees 0 hand:2
accepts "so are a digest's" "hand@$b"
agrees 0 "hand@$b"
echo '{"default": [{"type": "reject"}]}' >"$policy"
expect_exit "what the registry has is no matter: the policy comes first" 125 pull hand:none

# Stored images.
trine pull -q "$registry/hand:2" >/dev/null
run_by() { trine run --rm --pull never --signature-policy "$policy" "$@" echo hi; }
policy_for web '{"type":"insecureAcceptAnything"}'
expect_error "a stored image is not run under a name that is rejected" 125 "cannot run $registry/hand:2: the signature policy rejects" run_by "$registry/hand:2"
expect_error "nor with docker:// before it" 125 "policy rejects" run_by "docker://$registry/hand:2"
expect_error "nor by its digest" 125 "policy rejects" run_by "$b"
trine tag "$registry/hand:2" "$registry/web:tagged"
expect_output "under a name that is accepted it is" hi run_by "$registry/web:tagged"
expect_error "under the other it still is not" 125 "policy rejects" run_by "$registry/hand:2"
expect_output "by its digest it is then, for one of its names is accepted" hi run_by "$b"
trine rmi "$registry/web:tagged" >/dev/null
printf '[aliases]\n"shorty" = "%s/web"\n' "$registry" >"$work/registries.conf"
expect_match "a short name is judged by what it stands for" " shorty:1$" trine pull -q --signature-policy "$policy" shorty:1
expect_output "also when it is run" hi run_by shorty:1
trine tag "$registry/hand:2" shorty:2
expect_error "and by Docker's rule when nothing says so" 125 "policy rejects" run_by shorty:2
: >"$work/registries.conf"
policy_for hand "$(signed p256)"
trine rmi "$registry/hand:1" >/dev/null 2>&1
attach hand "$b"
expect_error "an image that is stored already does not get a name without a signature" 125 "it has none" pull hand:1
if ! has hand:1; then pass "it has not got it"; else fail "it has not got it"; fi
expect_output "a run of a stored image asks for no signature" hi run_by "$registry/hand:2"
expect_error "a run that pulls does" 125 "it has none" trine run --rm --signature-policy "$policy" "$registry/hand:1" true
attach hand "$b" "$good"
expect_match "and then runs what is signed" '^hi$' trine run --rm --signature-policy "$policy" "$registry/hand:1" echo hi

# A mirror has the signatures too, and the name is the one that was asked for.
printf '[[registry]]\nprefix = "far.example/hand"\nlocation = "far.example/hand"\n[[registry.mirror]]\nlocation = "%s/hand"\n' "$registry" >"$work/registries.conf"
payload "$b" "far.example/hand:1" && sign p256 && attach hand "$b" "$layer"
registry=far.example policy_for hand "$(signed p256)"
expect_match "a mirror's image is judged by the name it stands for" " far.example/hand:1$" trine pull -q --signature-policy "$policy" far.example/hand:1
jq '.transports.docker |= with_entries(.key = "*.example")' "$policy" >"$policy.new" && mv "$policy.new" "$policy"
expect_match "a wildcard stands for all hosts of a domain" " far.example/hand:1$" trine pull -q --signature-policy "$policy" far.example/hand:1
: >"$work/registries.conf"
attach hand "$b" "$good"

# Archives and layouts.
load() { trine load -q --signature-policy "$policy" "$@"; }
jq -n --arg inside "$layout" --arg above "$work" '{default: [{type: "reject"}], transports: {oci: {($above): [{type: "reject"}], ($inside): [{type: "insecureAcceptAnything"}]}}}' >"$policy"
expect_match "a layout is judged by its path" "^$b" load "oci:$layout:b"
ln -s "$layout" "$work/link"
expect_match "a symlink's is where it leads" "^$b" load "oci:$work/link:b"
cp -r "$layout" "$work/copy"
expect_error "another directory's rules are others" 125 "cannot load oci:$work/copy: the signature policy rejects" load "oci:$work/copy:b"
expect_error "run loads by the same rules" 125 "policy rejects" trine run --rm --signature-policy "$policy" "oci:$work/copy:b" true
expect_output "and runs what it may load" hi trine run --rm --signature-policy "$policy" "oci:$layout:b" echo hi
jq --arg tag "$layout:b" '.transports.oci[$tag] = [{type: "reject"}]' "$policy" >"$policy.new" && mv "$policy.new" "$policy"
expect_error "one tag of a layout may be rejected" 125 "policy rejects" load "oci:$layout:b"
expect_match "and the others not" "$a" load "oci:$layout:a"
jq -n --argjson signed "$(signed p256)" '{default: [{type: "insecureAcceptAnything"}], transports: {"docker-archive": {"": [$signed]}, "oci-archive": {"": [{type: "reject"}]}}}' >"$policy"
skopeo copy -q --insecure-policy "oci:$layout:a" "docker-archive:$work/a.tar:a:1"
expect_error "an archive has no signatures" 125 "demands a signature.*carry none" load "docker-archive:$work/a.tar"
expect_error "each transport has its own rules" 125 "policy rejects" load "oci-archive:$work/a.tar"

# What is not understood is refused, and said where.
refused_policy() {
  echo "$3" >"$policy"
  expect_error "a policy with $1 is refused" 125 "$2" pull web:1
  agrees 1 web:1
}
accept='[{"type":"insecureAcceptAnything"}]'
refused_policy "no default" 'has no default' '{}'
refused_policy "an unknown key" '\$ has the unknown key .more' '{"default": '"$accept"', "more": 1}'
refused_policy "an unknown requirement" '\$.default\[0\].type is no type' '{"default": [{"type": "accept"}]}'
refused_policy "no requirements" '\$.transports.docker\["a.example"\] is empty' '{"default": '"$accept"', "transports": {"docker": {"a.example": []}}}'
refused_policy "a key twice" 'key .default twice' '{"default": '"$accept"', "default": [{"type": "reject"}]}'
refused_policy "two keys for one" 'not exactly one of' '{"default": [{"type": "sigstoreSigned", "keyPath": "/x", "keyData": "eA=="}]}'
refused_policy "an unknown identity" 'signedIdentity.type is no type' '{"default": [{"type": "sigstoreSigned", "keyPath": "/x", "signedIdentity": {"type": "any"}}]}'
refused_policy "no JSON" 'is no JSON' '{"default": '
refused_policy "a relative path" 'no absolute path' '{"default": '"$accept"', "transports": {"oci": {"x": '"$accept"'}}}'
policy=$work/none.json
expect_error "a policy that is named must be there" 125 "none.json: No such file" pull web:1
policy=$work/policy.json

# Where the policy is.
echo '{"default": [{"type": "reject"}]}' >"$HOME/.config/containers/policy.json"
expect_error "the user's own policy is obeyed" 125 "$HOME/.config/containers/policy.json" trine pull -q "$registry/web:1"
expect_error "by run too" 125 "policy rejects" trine run --rm --pull never "$registry/hand:2" true
expect_error "and by load" 125 "policy rejects" trine load -q "oci:$layout:b"
echo '{"default": '"$accept"'}' >"$policy"
expect_match "another file is taken in place of it" "$registry/web:1" pull web:1
rm "$HOME/.config/containers/policy.json"

# image verify.
verify() { trine image verify "$@"; }
fingerprint=$(openssl pkey -pubin -in "$(key p256)" -outform DER | sha256sum | cut -d' ' -f1)
trine rmi "$registry/web:1" >/dev/null 2>&1
expect_output "verify tells digest, name, identity and key" "$a $registry/web:1 signed as $registry/web:1 by $(key p256) (SHA256:$fingerprint)" \
  verify --key "$(key p256)" "$registry/web:1"
if ! has web:1; then pass "and brings nothing"; else fail "and brings nothing"; fi
expect_error "another key does not" 1 "not made by" verify --key "$(key other)" "$registry/web:1"
policy_for web "$(signed p256)"
expect_match "by the policy" "^$a .* signed as" verify --signature-policy "$policy" "docker://$registry/web:1"
expect_error "which may say no" 1 "policy rejects" verify --signature-policy "$policy" "$registry/hand:1"
policy_for web '{"type":"insecureAcceptAnything"}'
expect_error "where nothing is demanded, nothing is verified" 1 "any image is accepted" verify --signature-policy "$policy" "$registry/web:1"
expect_error "what is not there is said" 125 "no image web with the tag none" verify --key "$(key p256)" "$registry/web:none"
trine pull -q "$registry/hand:1" >/dev/null
publish a hand:1
expect_match "what is stored is what is verified, whatever the tag is now" "^$b " verify --key "$(key p256)" "$registry/hand:1"
expect_error "what no registry has is not" 1 "it has none" verify --key "$(key p256)" "$registry/hand@$a"
finish
