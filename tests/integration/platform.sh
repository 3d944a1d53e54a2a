#!/usr/bin/env bash
# Images for several platforms: which is taken, and what runs an image of another architecture.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/registry.sh"
require_root
for program in umoci skopeo jq docker-registry; do require_program $program; done
# binfmt_misc is mounted for this script alone, but what is registered holds for the machine: it goes in the end.
if [[ -z ${TRINE_TEST_APART-} ]]; then
  rm -rf "$work"
  TRINE_TEST_APART=1 exec unshare --mount "$0"
fi
busybox_image
layout=$work/layout
own=$(dpkg --print-architecture)
foreign=mips64le

# An image for two platforms: ours, and one whose only program begins as those of its architecture do.
umoci config --image "$layout:busybox" --tag mine --config.env WHICH=mine
mkdir -p "$work/foreign/bin"
printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x08\0\x01\0\0\0' >"$work/foreign/bin/program"
chmod 755 "$work/foreign/bin/program"
tar -C "$work/foreign" -cf "$work/foreign.tar" bin
umoci new --image "$layout:theirs"
umoci raw add-layer --image "$layout:theirs" "$work/foreign.tar" 2>/dev/null
umoci config --image "$layout:theirs" --architecture $foreign --os linux --config.cmd /bin/program --config.env WHICH=theirs
jq -c --arg own "$own" --arg foreign $foreign '
  def entry($tag; $platform): (.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag)) | del(.annotations) + {platform: $platform};
  {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
   manifests: [entry("theirs"; {os: "linux", architecture: $foreign}), entry("mine"; {os: "linux", architecture: $own})]}' "$layout/index.json" >"$work/multi"
digest=$(sha256sum <"$work/multi" | cut -d' ' -f1)
mkdir "$work/both" && cp -r "$layout/blobs" "$layout/oci-layout" "$work/both"
cp "$work/multi" "$work/both/blobs/sha256/$digest"
jq -nc --arg d "sha256:$digest" --argjson s "$(stat -c %s "$work/multi")" '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.index.v1+json", digest: $d, size: $s, annotations: {"org.opencontainers.image.ref.name": "web"}}]}' >"$work/both/index.json"

expect_output "of an image for several platforms this machine's runs" "mine" trine run --rm "oci:$work/both:web" sh -c 'echo $WHICH'
trine load -q --platform "linux/$foreign" --name theirs:1 "oci:$work/both:web" >/dev/null || fail "another is loaded when it is asked for"
expect_output "inspect tells what an image is for" "linux/$foreign" eval "'$build/bin/trine' --root '$state' inspect theirs:1 | jq -r '.[0] | .Os + \"/\" + .Architecture'"
expect_output "and what this one is for" "linux/$own" eval "'$build/bin/trine' --root '$state' inspect busybox | jq -r '.[0] | .Os + \"/\" + .Architecture'"
expect_error "a platform that is not there is said, with those that are" 125 "it has: linux/$foreign, linux/$own" trine load --platform linux/s390x "oci:$work/both:web"
expect_error "a text that is no platform" 125 "is no platform" trine load --platform 'linux/a b' "oci:$work/both:web"
expect_error "run refuses it too" 125 "is no platform" trine run --platform /// "oci:$work/both:web"
expect_error "an image for one platform is not taken for another" 125 "not for linux/s390x" trine load --platform linux/s390x "oci:$layout:busybox"
expect_error "nor without being asked" 125 "or load this one with --platform linux/$foreign" trine load "oci:$layout:theirs"
skopeo copy -q --insecure-policy --override-arch $foreign "oci:$layout:theirs" "docker-archive:$work/theirs.tar:theirs:2"
expect_error "an archive of docker's neither" 125 "it is for linux/$foreign, not for linux/$own" trine load "docker-archive:$work/theirs.tar"
expect_match "but when it is asked for" "theirs:2" trine load -q --platform $foreign "docker-archive:$work/theirs.tar"
skopeo copy -q --insecure-policy --all "oci:$work/both:web" "dir:$work/dir"
expect_output "of a directory with an index, this machine's runs" "mine" trine run --rm "dir:$work/dir" sh -c 'echo $WHICH'
expect_match "and another is loaded from it" " theirs:3$" trine load -q --platform "linux/$foreign" --name theirs:3 "dir:$work/dir"
expect_error "what is stored for one platform is not run for another" 125 "no image busybox for linux/$foreign" \
  trine run --rm --pull never --platform "linux/$foreign" busybox true
expect_output "what is stored for it is" "hi" trine run --rm --platform "linux/$own" busybox echo hi

# Running it.
binfmt=/proc/sys/fs/binfmt_misc
mount -t binfmt_misc none $binfmt 2>/dev/null || [[ -e $binfmt/register ]] || skip "this kernel has no binfmt_misc"
grep -qs '^enabled' $binfmt/*mips64el* && skip "an interpreter for $foreign is registered already"
entry=trine-test-$$
unregister() { [[ ! -e $binfmt/$entry ]] || echo -1 >$binfmt/$entry; }
trap '[[ $BASHPID != "$$" ]] || { unregister; stop_servers; }; cleanup' EXIT
# Called so, busybox prints its arguments: the program, and the program's own.
cp "$(command -v busybox)" "$work/echo"
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x08\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
register() { printf '%s' ":$entry:M::$magic:$mask:$work/echo:$1" >$binfmt/register; }
before=$(snapshot)
expect_error "an image of another architecture says which package runs it" 125 "apt-get install qemu-user-static" trine run --rm theirs:1
register "" || fail "an interpreter is registered"
expect_error "an interpreter without flag F is not enough" 125 "without flag F" trine run --rm theirs:1
unregister && register F
expect_output "with one that the kernel holds open, it runs" "/bin/program" trine run --rm theirs:1
expect_output "with its arguments" "/bin/program a b" trine run --rm theirs:1 /bin/program a b
expect_output "from an index, for the platform that is asked for" "/bin/program" trine run --rm --platform $foreign "oci:$work/both:web"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
start_registry plain
skopeo copy -q --insecure-policy --all --dest-tls-verify=false "oci:$work/both:web" "docker://$registry/web:1"
expect_match "run pulls it for the platform that is asked for" "^/bin/program$" trine run --rm --platform "linux/$foreign" "$registry/web:1"
expect_match "what is stored under that name is for another then, and is pulled again" "^mine$" trine run --rm --platform "linux/$own" "$registry/web:1" sh -c 'echo $WHICH'
expect_error "a platform that the registry does not have" 125 "no image for linux/s390x" trine run --rm --platform s390x "$registry/web:1"
stop_servers
expect_error "a VM runs this machine's programs alone" 125 "a VM runs programs for linux/$own" trine run --rm --isolation vm theirs:1
echo 0 >$binfmt/$entry
expect_error "one that is disabled does not count" 125 "no interpreter enabled" trine run --rm theirs:1
unregister
expect_no_leak "nothing is left behind" "$before"
finish
