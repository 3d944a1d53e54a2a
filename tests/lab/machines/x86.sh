# shellcheck shell=bash
# The x86 machine: the build machine's own root, and AMD's virtualization with nested paging.

qemu="qemu-system-x86_64"
debian_architecture=amd64
host_packages=(qemu-system-x86 busybox-static cpio kmod xz-utils util-linux e2fsprogs debian-archive-keyring)
: "${kernel_package:=linux-image-amd64}" # the cloud flavour has no 9p
kernel_options="console=ttyS0 tsc=reliable" # the emulator has one clock for all processors

# pc rather than microvm: 9p, virtio-serial and whatever a test adds sit on PCI.
machine_arguments=(-M pc -cpu max,+svm)
boot_modules=(virtio_pci 9pnet_virtio 9p overlay virtio_console virtio_blk ext4)
late_modules=(kvm_amd vhost_vsock tun erofs virtiofs)

machine_root() { root_directory=/; }
