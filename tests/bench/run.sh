#!/usr/bin/env bash
# Start and end of a container that runs `true`: trine beside crun, runc and the floor, in turn, on one bundle, which
# has what engines give: runc's example mounts and Docker's seccomp profile. Ratios are to the first row, the floor.
# `trine image` runs the same from a stored image. All keep their state on a tmpfs, as /run is.
#
#   tests/bench/run.sh [ROUNDS [plain]]    plain: without seccomp in the bundle
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ -n ${TRINE_BENCH_MOUNTS:-} ]] || TRINE_BENCH_MOUNTS=private exec unshare -m "$0" "$@"
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
rounds=${1:-200}
variant=${2:-seccomp}
require_root
require_program runc
profile=/usr/share/containers/seccomp.json
[[ -r $profile ]] || skip "$profile is not there (Debian package golang-github-containers-common)"

bundle=$work/bundle
mkdir -p "$bundle" "$state/run" "$work/state-of-others"
mount -t tmpfs -o mode=0755 tmpfs "$state/run"
mount -t tmpfs -o mode=0755 tmpfs "$work/state-of-others"
busybox_root "$bundle/rootfs"
busybox_image

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

crun_run="crun --root $work/state-of-others/crun run -b $bundle bench-crun"
commands=(floor "$build/tests/bin/floor $bundle/rootfs"
  trine "$build/bin/trine --root $state run --rm bundle:$bundle"
  "trine image" "$build/bin/trine --root $state run --rm busybox true"
  runc "runc --root $work/state-of-others/runc run -b $bundle bench-runc")
if ! $crun_run >/dev/null 2>&1 && umount /sys/fs/cgroup/unified 2>/dev/null; then
  echo "/sys/fs/cgroup/unified is unmounted for all: crun refuses a machine with both versions of cgroups"
fi
if $crun_run >/dev/null 2>&1; then
  commands+=(crun "$crun_run")
else
  echo "crun is left out: $($crun_run 2>&1 | head -n 1)"
fi
"$build/tests/bin/timer" "$rounds" "${commands[@]}"
umount "$state/run" "$work/state-of-others"
