#!/usr/bin/env bash
# The start of a VM, from the command to the first line of its workload: trine beside QEMU's microvm, each with Debian's
# cloud kernel and with the minimal one of hvm-sandbox/kernel/. It runs in the x86 lab, whose clock counts instructions,
# so that a busy machine measures the same. QEMU gets the unpacked kernel, as trine has it, and an initramfs whose first
# program prints the line; trine starts an image, with its layers, namespaces, cgroups and seccomp.
#
#   tests/bench/vm.sh [ROUNDS]    1 when it is not given, after one that warms the caches
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab/lab
build=${TRINE_BUILD:-$here/../../build/release}
minimal=$("$here/../../hvm-sandbox/kernel/build-minimal.sh")
"$lab" prepare x86 --kernel linux-image-cloud-amd64 >/dev/null 2>&1 || true # unpacked is all that it has to be
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels
read -r name version <"$kernels/linux-image-cloud-amd64.amd64"
stock=$kernels/${name}_$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As packages have it, which is what `trine kernel import` takes.
release=$(<"$stock/release")
mkdir -p "$work/stock/boot" "$work/stock/lib"
cp "$stock/kernel" "$work/stock/boot/vmlinuz-$release"
cp -r "$stock/modules/lib/modules" "$work/stock/lib/"
cp "$minimal" "$work/"
"$lab" run x86 --icount --timeout 3000 --share "$work" -- \
  env TRINE_BUILD="$build" bash "$here/vm_in_lab.sh" "${1:-1}" "$work/stock" "$work/${minimal##*/}"
