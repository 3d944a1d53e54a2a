# shellcheck shell=bash
# What the benches of containers share. Sourced first of all: goes into a mount namespace of the script's own, takes its
# arguments, ROUNDS and perhaps `plain`, and makes the bundle in $bundle: what engines give, with runc's example mounts
# and Docker's seccomp profile; `plain` leaves seccomp out. State directories are on a tmpfs, as /run is: $state/run and
# $others.
[[ -n ${TRINE_BENCH_MOUNTS:-} ]] || TRINE_BENCH_MOUNTS=private exec unshare -m "$0" "$@"
# shellcheck source=tests/lib/harness.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/harness.sh"
rounds=${1:-200}
variant=${2:-seccomp}
require_root
require_program runc
others=$work/others
profile=/usr/share/containers/seccomp.json
[[ -r $profile ]] || skip "$profile is not there (Debian package golang-github-containers-common)"

bundle=$work/bundle
mkdir -p "$bundle" "$state/run" "$others"
mount -t tmpfs -o mode=0755 tmpfs "$state/run"
mount -t tmpfs -o mode=0755 tmpfs "$others"
busybox_root "$bundle/rootfs"

# The profile's rules for this machine and for a container without more than Docker's capabilities.
case $(uname -m) in
  x86_64) architecture=amd64 names='["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"]' ;;
  aarch64) architecture=arm64 names='["SCMP_ARCH_AARCH64","SCMP_ARCH_ARM"]' ;;
esac
seccomp=$(jq --arg here "$architecture" --argjson names "$names" '
  def holds: ((.includes.arches // [$here]) | index($here)) and ((.includes.caps // []) | length == 0 or . == ["CAP_SYS_CHROOT"])
    and ((.excludes.caps // []) | any(. == "CAP_SYS_CHROOT" or . == "CAP_AUDIT_WRITE") | not);
  {defaultAction, defaultErrnoRet, architectures: $names,
   syscalls: [.syscalls[] | select(holds) | {names, action, args: [.args[]? | {index, value, valueTwo, op}]}
     + if .errnoRet then {errnoRet} else {} end]}' "$profile")
# Without a terminal, and with the mounts that all of them can make: crun 1.8 refuses a cgroup mount on a machine with
# both versions of cgroups.
[[ $variant != plain ]] || seccomp=null
(cd "$bundle" && runc spec)
jq --argjson seccomp "$seccomp" '.process.terminal = false | .process.args = ["/bin/true"]
    | .mounts |= map(select(.type != "cgroup")) | .linux.seccomp = $seccomp
    | .linux.namespaces |= (. + [{"type": "cgroup"}] | unique_by(.type))' "$bundle/config.json" >"$bundle/new"
mv "$bundle/new" "$bundle/config.json"

# crun 1.8 refuses a machine with both versions of cgroups: the v2 mount goes out of the way, for all.
# usable_crun: whether it runs then.
usable_crun() {
  local run=(crun --root "$others/crun" run -b "$bundle" bench-crun)
  "${run[@]}" >/dev/null 2>&1 && return
  umount /sys/fs/cgroup/unified 2>/dev/null && echo "/sys/fs/cgroup/unified is unmounted for all: crun refuses a machine with both versions of cgroups"
  "${run[@]}" >/dev/null 2>&1 || { echo "crun is left out: $("${run[@]}" 2>&1 | head -n 1)"; return 1; }
}
