#!/usr/bin/env bash
# The devices of a VM: trine's beside QEMU's, in turn, on one kernel with one initramfs, measured in the guest by
# device_load.c. It runs in the x86 lab, whose clock counts instructions, so that a busy machine measures the same.
# QEMU is the microvm of vm.sh with virtio devices as it has them by default, and a share by virtio-9p.
#
#   tests/bench/vm_devices.sh [ROUNDS [block|net|fs...]]    1 round of all when nothing is given
#
# TRINE_BENCH_FILES is how many files a share has (200); TRINE_BENCH_MONITORS whom to measure ("trine qemu");
# TRINE_BENCH_SECONDS when to give up (3000). A guest that sleeps takes the lab as long as one that works.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab/lab
build=${TRINE_BUILD:-$here/../../build/release}
"$lab" prepare x86 >/dev/null
kernels=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels
read -r name version <"$kernels/linux-image-amd64.amd64"
stock=$kernels/${name}_$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
release=$(<"$stock/release")
# As packages have it, which is what `trine kernel import` takes.
mkdir -p "$work/stock/boot" "$work/stock/lib" "$work/modules"
cp "$stock/kernel" "$work/stock/boot/vmlinuz-$release"
ln -s "$stock/modules/lib/modules" "$work/stock/lib/modules"
kernel=$("$build/bin/trine" --root "$work/state" kernel import "$work/stock")
cp "$work/state/lib/kernels/$kernel/vmlinux" "$work/"
# What is built meanwhile changes nothing.
mkdir -p "$work/build/bin" "$work/build/tests/bin"
cp "$build/bin/trine-vmm" "$work/build/bin/"
cp "$build/tests/bin/device_load" "$work/build/tests/bin/"
# What the guest loads, in this order.
modprobe -S "$release" -d "$stock/modules" -D -a virtio_mmio virtio_blk virtio_net 9pnet_virtio 9p virtiofs |
  awk '!seen[$2]++ {print $2}' | while read -r module; do
  # Without its signature, which takes the guest longer to check than all that is measured.
  objcopy --strip-debug "$module" "$work/modules/${module##*/}"
  echo "${module##*/}" >>"$work/modules/order"
done
"$lab" run x86 --icount --timeout "${TRINE_BENCH_SECONDS:-3000}" --share "$work" -- \
  env TRINE_BUILD="$work/build" bash "$here/vm_devices_in_lab.sh" "$work" \
  "${TRINE_BENCH_FILES:-200}" "${TRINE_BENCH_MONITORS:-trine qemu}" "$@"
