#!/usr/bin/env bash
# The guest kernels that are kept: what `trine kernel` takes, what it refuses and why, and which one is used.
. "$(dirname "$0")/../lib/harness.sh"
[[ -x $build/bin/trine-kernel ]] || skip "trine-kernel is not built"
require_program gzip
options=(PVH ACPI BLK_DEV_INITRD DEVTMPFS VIRTIO_MMIO VIRTIO_BLK CGROUPS VIRTIO_CONSOLE VIRTIO_VSOCKETS HW_RANDOM_VIRTIO EROFS_FS EROFS_FS_XATTR OVERLAY_FS TMPFS)

# kernel_file FILE RELEASE OPTION...: what can be told of a kernel without running it.
kernel_file() {
  local file=$1 release=$2
  shift 2
  {
    printf '\177ELF Linux version %s (trine@trine) IKCFG_ST' "$release"
    printf 'CONFIG_%s=y\n' "$@" | gzip -n
    printf 'IKCFG_ED'
  } >"$file"
}
# package_tree DIRECTORY RELEASE: a kernel with everything built in, as a package has it.
package_tree() {
  mkdir -p "$1/boot" "$1/lib/modules/$2"
  printf '\177ELF' >"$1/boot/vmlinuz-$2"
  printf 'kernel/drivers/%s.ko\n' virtio_mmio virtio_blk virtio_rng virtio_console vmw_vsock_virtio_transport crc32c_generic erofs overlay \
    >"$1/lib/modules/$2/modules.builtin"
}

expect_match "there is none at first" "^KERNEL +SIZE +DRIVERS +DEFAULT$" trine kernel ls
kernel_file "$work/vmlinux" 6.1.0-one "${options[@]}"
expect_output "a kernel that has everything built in is one file" "6.1.0-one" trine kernel import "$work/vmlinux"
package_tree "$work/tree" 6.1.0-two
expect_output "a package's directory is taken too" "6.1.0-two" trine kernel import "$work/tree"
expect_match "the last that was imported is the default" "6.1.0-one +0 MiB +built in *
6.1.0-two .* yes" trine kernel ls
expect_error "the default is not removed while there are others" 125 "trine kernel use" trine kernel rm 6.1.0-two
expect_output "another can be the default" "" trine kernel use 6.1.0-one
expect_match "and then is" "6.1.0-one .* yes" trine kernel ls
expect_output "one that is not needed goes" "" trine kernel rm 6.1.0-two
expect_error "and is gone" 125 "no guest kernel 6.1.0-two" trine kernel use 6.1.0-two
expect_output "to import it again replaces it" "6.1.0-one" trine kernel import "$work/vmlinux"
expect_output "the last one goes, though it is the default" "" trine kernel rm 6.1.0-one
expect_match "what is left is nothing" "^$" ls -A "$state/lib/kernels"

expect_error "a file that is no kernel" 125 "neither a bzImage nor an ELF" trine kernel import /etc/passwd
expect_error "a program is no kernel" 125 "no kernel of Linux" trine kernel import /bin/true
expect_error "a file that is not there" 125 "No such file" trine kernel import "$work/none"
kernel_file "$work/without" 6.1.0-three "${options[@]/EROFS_FS/EROFS}"
expect_error "a kernel without what a guest needs, by name" 125 "CONFIG_EROFS_FS CONFIG_EROFS_FS_XATTR" trine kernel import "$work/without"
printf '\177ELF Linux version 6.1.0-four (trine@trine)' >"$work/silent"
expect_error "one that does not tell what it has" 125 "CONFIG_IKCONFIG=y" trine kernel import "$work/silent"
kernel_file "$work/names" ../../../escaped "${options[@]}"
expect_error "one whose release is a path" 125 "does not say which version" trine kernel import "$work/names"
expect_error "one of no such name" 125 "no guest kernel ../kernels" trine kernel rm ../kernels
expect_match "nothing is left of what was refused" "^$" ls -A "$state/lib/kernels"
finish
