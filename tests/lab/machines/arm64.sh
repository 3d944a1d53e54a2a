# shellcheck shell=bash
# The arm64 machine: a Debian arm64 user space, and virtualization by VHE with a GICv3.

qemu="qemu-system-aarch64"
debian_architecture=arm64
host_packages=(qemu-system-arm cpio kmod util-linux e2fsprogs debian-archive-keyring)
: "${kernel_package:=linux-image-arm64}" # the cloud flavour has no 9p
kernel_options="console=ttyAMA0"

# Pointer authentication by QEMU's own hash: the architected one costs most of the emulator's time.
machine_arguments=(-M virt,virtualization=on,gic-version=3 -cpu max,pauth-impdef=on)
boot_modules=(rtc_pl031 virtio_pci 9pnet_virtio 9p overlay virtio_console virtio_blk ext4)
late_modules=(vhost_vsock tun erofs virtiofs)

machine_root() { make_root; }
