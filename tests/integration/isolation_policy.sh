#!/usr/bin/env bash
# The isolation policy as a user meets it: /etc/trine/isolation.d in an /etc of the script's own, which other programs on the
# machine do not see. That the class is vm shows in what `trine policy test` says, and in the error of a run: there is no
# guest kernel in the script's store.
[[ ${TRINE_OWN_MOUNTS:-} ]] || { [[ $(id -u) == 0 ]] && TRINE_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"; }
. "$(dirname "$0")/../lib/harness.sh"
require_root
for program in jq setpriv; do require_program $program; done
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
export HOME=$work/home
unset XDG_CONFIG_HOME
mkdir -p "$HOME" "$work/etc"
cp -a /etc/. "$work/etc/"
mount --bind "$work/etc" /etc
rm -rf /etc/trine
unset TRINE_OWN_MOUNTS
rules=/etc/trine/isolation.d
busybox_image
digest=$(trine inspect busybox | jq -r '.[0].Digest')
trine tag busybox registry.example/team/web:2

# policy FILE JSON: is in place then, and nothing else is.
policy() {
  rm -rf "$rules" "$HOME/.config"
  more "$@"
}
more() { mkdir -p "$rules" && printf '%s' "$2" >"$rules/$1"; }
own() { mkdir -p "$HOME/.config/trine/isolation.d" && printf '%s' "$2" >"$HOME/.config/trine/isolation.d/$1"; }
# demand MATCH: the policy is that one demand.
demand() { policy 10.json '{"rules": [{"class": "vm", "enforce": true, "match": '"$1"'}]}'; }
# The error of class vm where there is no guest kernel.
vm_error='there is no guest kernel'
# class CLAIM WANTED [FLAG]... IMAGE: of a test and of a run.
class() {
  local claim=$1 wanted=$2
  shift 2
  expect_match "$claim" "^class: +$wanted\$" trine policy test "$@"
  case $wanted in
    container) expect_output "  and it runs so" container trine run --rm "$@" echo container ;;
    vm) expect_error "  and it runs so" 125 "$vm_error" trine run --rm "$@" true ;;
  esac
}
# refused CLAIM PATTERN [FLAG]... IMAGE: by a test and by a run.
refused() {
  local claim=$1 pattern=$2
  shift 2
  expect_error "$claim" 125 "$pattern" trine policy test "$@"
  expect_error "  and by the run" 125 "$pattern" trine run --rm "$@" true
}
before=$(snapshot)

# Without a policy.
class "without a policy it is a container" container busybox
class "with --isolation auto too" container --isolation auto busybox
class "--isolation vm says what it says" vm --isolation vm busybox
expect_match "check says that there is none" "$rules: there is none" trine policy check
if command -v strace >/dev/null; then
  calls=$(strace -f -e trace=open,openat -o /dev/stdout "$build/bin/trine" --root "$state" run --rm busybox true 2>/dev/null | grep -c 'isolation\.d')
  [[ $calls == 2 ]] && pass "that costs one call for the system's and one for the user's" || fail "that costs one call for the system's and one for the user's" "$calls"
fi

# Rules that say what is fitting.
policy 10.json '{"rules": [{"class": "vm", "match": {"image": "docker.io/library/busybox"}, "reason": "try it"}]}'
class "a rule without enforce is nothing to a run without --isolation" container busybox
class "and decides for auto" vm --isolation auto busybox
expect_match "test names the rule and its reason" "^decided by: +$rules/10.json: \\$.rules\\[0\\]: try it\$" trine policy test --isolation auto busybox
class "a flag goes before it" container --isolation container busybox
class "it is about that image only" container --isolation auto registry.example/team/web:2
class "by its id an image has all its names" vm --isolation auto "$(trine inspect busybox | jq -r '.[0].Id' | cut -c8-20)"
policy 10.json '{"default": "auto", "rules": [{"class": "vm", "match": {"image": "docker.io/library/busybox"}}]}'
class "auto can be the default" vm busybox
class "of what no rule fits auto makes a container" container registry.example/team/web:2
policy 10.json '{"default": "vm"}'
class "a class can be the default" vm busybox
class "and auto falls back on it" vm --isolation auto busybox
class "which a flag weakens" container --isolation container busybox

# Demands.
policy 10.json '{"rules": [{"class": "vm", "enforce": true, "match": {"image": "registry.example/*"}, "reason": "strangers"}]}'
class "a demand decides without --isolation" vm registry.example/team/web:2
class "and with auto" vm --isolation auto registry.example/team/web:2
class "what it asks for may be asked for" vm --isolation vm registry.example/team/web:2
refused "no flag weakens it" "cannot run registry.example/team/web:2 with --isolation container: the isolation policy demands vm \\($rules/10.json: \\$.rules\\[0\\]\\): strangers" \
  --isolation container registry.example/team/web:2
expect_match "the error has the cure" "hint: run it with --isolation vm or auto" eval "trine policy test --isolation container registry.example/team/web:2 2>&1 || :"
class "others are not concerned" container --isolation container busybox
class "docker:// before the name changes nothing" vm docker://registry.example/team/web:2
expect_error "what a VM cannot serve fails, and says who chose the class" 125 \
  "--privileged cannot be given with --isolation vm, the class that the isolation policy has chosen \\($rules/10.json" trine run --rm --privileged registry.example/team/web:2 true
policy 10.json '{"rules": [{"class": "full", "enforce": true}]}'
refused "what is not built in is not replaced" "$rules/10.json: \\$.rules\\[0\\]\\), which is not built into" busybox
refused "not by the next weaker class either" "the isolation policy demands full" --isolation vm busybox

demand '{"image": "registry.example/*"}'
expect_match "test pulls nothing, and says that it does not know all" "class: +vm" trine policy test registry.example/none:1
[[ $output == *"not in the store"* ]] && pass "  which it warns of" || fail "  which it warns of" "$output"

# Order.
policy 10.json '{"rules": [{"class": "container", "match": {"digest": "'"$digest"'"}}]}'
more 20.json '{"rules": [{"class": "vm", "enforce": true}]}'
class "the first rule that fits decides" container --isolation container busybox
mv "$rules/20.json" "$rules/05.json"
refused "in the order of the files' names" "$rules/05.json" --isolation container busybox

# What rules go by.
demand '{"privileges": ["host-network", "capability:SYS_ADMIN", "bind", "seccomp", "device"]}'
class "an ordinary workload asks for no privilege" container busybox
for flags in "--network host" "--network ns:/proc/1/ns/net" "--cap-add sys_admin" "--cap-add all" "--privileged" "-v /tmp:/mnt" "--security-opt seccomp=unconfined" "--device /dev/null"; do
  read -ra words <<<"$flags"
  expect_error "$flags asks for one" 125 "demands vm" trine run --rm --isolation container "${words[@]}" busybox true
done
class "another capability is not concerned" container --cap-add net_raw busybox
start run --rm --name up busybox sh -c 'echo ready; exec sleep 1000' >"$work/up.out" 2>&1 </dev/null
wait_until grep -q ready "$work/up.out"
expect_error "exec --privileged asks for them later" 125 "cannot exec in up with --privileged: the isolation policy demands vm" trine exec --privileged up true
expect_exit "another program is not concerned" 0 trine exec up true
policy 10.json '{"rules": [{"class": "vm", "enforce": true, "match": {"privileges": "any", "image": "registry.example/*"}}]}'
expect_exit "exec --privileged for another image" 0 trine exec --privileged up true
policy 10.json '{"rules": ['
expect_error "nor is it given by a broken policy" 125 "is no JSON" trine exec --privileged up true
trine kill up >/dev/null
demand '{"privileges": "any"}'
class "any is any" vm --sysctl net.ipv4.ip_forward=1 busybox
class "and none is none" container busybox
demand '{"user": ["nobody-here", "0"]}'
class "the user by number" vm busybox
demand '{"user": "root"}'
class "the user by name" vm busybox
demand '{"user": "daemon"}'
class "another user" container busybox
demand '{"labels": {"tier": "front*"}}'
class "without the label" container busybox
class "a label by flag" vm --label tier=front-end busybox
class "another value" container --label tier=back busybox
demand '{"digest": "'"$digest"'"}'
class "the digest, by any name" vm registry.example/team/web:2
demand '{"signed": false}'
class "what is loaded is unsigned" vm busybox
demand '{"signed": true}'
class "and not signed" container busybox
mkdir -p "$state/lib/images/signers"
fingerprint=SHA256:$(printf x | sha256sum | cut -d' ' -f1)
echo "$fingerprint" >"$state/lib/images/signers/${digest#sha256:}"
class "what a pull has noted counts" vm busybox
demand '{"signer": "'"$fingerprint"'"}'
class "with the key" vm busybox
demand '{"signer": "SHA256:'"$(printf y | sha256sum | cut -d' ' -f1)"'"}'
class "and no other" container busybox
rm -r "$state/lib/images/signers"

# Sources.
demand '{"image": "oci:'"$work"'/*"}'
class "an image where it lies" container busybox
expect_error "by its real path" 125 "demands vm" trine run --rm --isolation container "oci:$work/../${work##*/}/layout:busybox" true
cd "$work" || exit
expect_error "by a relative path" 125 "demands vm" trine run --rm --isolation container oci:layout:busybox true
ln -s layout "$work/link"
expect_error "by a symlink" 125 "demands vm" trine run --rm --isolation container "oci:link:busybox" true
mkdir -p "$work/bundle/rootfs"
busybox_root "$work/bundle/rootfs"
(cd "$work/bundle" && "$build/bin/trine-oci" spec && jq '.process.args = ["echo", "container"] | .process.terminal = false' config.json >c && mv c config.json)
expect_output "a bundle is not concerned" container trine run --rm "bundle:$work/bundle"
demand '{"privileges": "device"}'
expect_error "but may ask for anything" 125 "demands vm" trine run --rm --isolation container "bundle:$work/bundle"
expect_error "a VM runs no bundle" 125 "a bundle cannot be given with --isolation vm, the class that" trine run --rm "bundle:$work/bundle"

# One's own policy.
policy 10.json '{"rules": [{"class": "vm", "enforce": true, "match": {"image": "registry.example/*"}}]}'
own 10.json '{"rules": [{"class": "vm", "enforce": true, "match": {"image": "docker.io/library/busybox"}}, {"class": "container", "enforce": true}]}'
refused "one's own policy adds to the system's" "$HOME/.config/trine/isolation.d/10.json: \\$.rules\\[0\\]" --isolation container busybox
refused "and takes nothing from it" "$rules/10.json" --isolation container registry.example/team/web:2
expect_output "XDG_CONFIG_HOME is where it is" container env XDG_CONFIG_HOME="$work" "$build/bin/trine" --root "$state" run --rm --isolation container busybox echo container

# Broken policies.
broken() { refused "$1" "$2" busybox; }
policy 10.json '{"rules": [{"class": "vm",}]}'
broken "what is no JSON ends every run" "$rules/10.json is no JSON: line 1"
expect_error "with any flag" 125 "$rules/10.json is no JSON" trine run --rm --isolation container busybox true
expect_exit "but no other verb" 0 trine images
policy 10.json '{"rules": [{"class": "vm", "match": {"imge": "*"}}]}'
broken "an unknown key" "$rules/10.json: \\$.rules\\[0\\].match has the unknown key .imge"
policy 10.json '{"rules": [{"class": "vm", "match": {"image": "busybox"}}]}'
broken "a pattern that never fits" "names no registry"
more 20.json '{"defaults": 1}'
run trine policy check
[[ $code == 1 && $output == *10.json*20.json* ]] && pass "check tells of all that is wrong" || fail "check tells of all that is wrong" "$code $output"
printf '{}' >"$work/good.json"
expect_output "check of one file" "$work/good.json: 0 rules" trine policy check "$work/good.json"
expect_error "check of a directory" 1 "names no registry" trine policy check "$rules"
policy 10.json '{"default": "auto"}'
expect_match "check of what is good" "$rules/10.json: 0 rules and the default" trine policy check
chmod 666 "$rules/10.json"
broken "a file that others may write to" "$rules/10.json can be written to by others"
chmod 644 "$rules/10.json" && chown 1 "$rules/10.json"
broken "a file of somebody else's" "$rules/10.json belongs to user 1"
chown 0 "$rules/10.json" && chmod 1777 "$rules"
broken "a directory that others may write to" "$rules can be written to by others"
chmod 755 "$rules" && chmod 777 /etc/trine
broken "a directory above it" "$rules/.. can be written to by others"
chmod 755 /etc/trine && rm "$rules/10.json" && mkfifo "$rules/10.json"
broken "a pipe, which nobody waits for" "$rules/10.json is no file"
rm "$rules/10.json" && ln -s "$work/good.json" "$rules/10.json"
broken "a symlink" "$rules/10.json is a symlink"
rm "$rules/10.json" && head -c 2000000 /dev/zero >"$rules/10.json"
broken "a file without an end" "$rules/10.json"
rm -r "$rules" && touch "$rules"
broken "a file in the directory's place" "cannot open the isolation policy $rules"
rm "$rules"

# A user without privileges.
policy 10.json '{"rules": [{"class": "vm", "enforce": true, "match": {"user": "65534"}, "reason": "no user of ours"}]}'
mkdir -p "$work/nobody"
chown 65534:65534 "$work/nobody"
chmod 711 "$work"
as_nobody() { HOME=$work/nobody setpriv --reuid 65534 --regid 65534 --clear-groups "$build/bin/trine" --root "$work/nobody" "$@"; }
if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$build/bin/trine"; then
  expect_error "the system's policy holds for users" 125 "demands vm .*no user of ours" as_nobody policy test --isolation container debian
  expect_match "and by their own numbers" "^user: +65534 \\(nobody\\)" as_nobody policy test debian
  chmod 700 "$rules"
  expect_error "one that they cannot read lets nothing run" 125 "cannot open the isolation policy $rules: Permission denied" as_nobody run debian
  chmod 755 "$rules"
  mkdir -p "$work/nobody/.config/trine/isolation.d"
  printf '{"default": "vm"}' >"$work/nobody/.config/trine/isolation.d/1.json"
  chown -R 65534:65534 "$work/nobody/.config"
  rm "$rules/10.json"
  expect_match "their own policy is theirs" "^class: +vm\$" as_nobody policy test debian
fi
rm -rf "$rules"

# The command line.
expect_error "test needs an image" 125 "needs one image" trine policy test --isolation auto
expect_error "and no command" 125 "needs one image" trine policy test busybox true
expect_match "flags may stand behind the image" "^class: +vm\$" trine policy test busybox --isolation vm
expect_error "there is no other verb" 125 "trine policy test IMAGE" trine policy show
expect_match "help tells of both" "policy test IMAGE" trine policy --help
expect_exit "the example is right" 0 trine policy check "$examples/isolation-policy.json"
expect_no_leak "nothing is left behind" "$before"
finish
