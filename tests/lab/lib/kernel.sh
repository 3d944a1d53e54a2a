# shellcheck shell=bash
# Debian's kernel and its modules, unpacked into the cache; never installed.

# make_kernel DIRECTORY: $kernel_name's kernel as `kernel`, its modules as `modules/lib/modules/RELEASE`, and `release`.
make_kernel() {
  local directory=$1 release
  require_disk 800 "the kernel $kernel_name"
  note "unpacking the kernel $kernel_name $kernel_version"
  mkdir "$directory/deb"
  with_apt download_kernel "$directory/deb"
  dpkg-deb -x "$directory"/deb/*.deb "$directory/deb/root" || broken "cannot unpack $kernel_name into $directory"
  release=$(basename "$directory"/deb/root/lib/modules/*)
  mkdir -p "$directory/modules/lib/modules"
  mv "$directory/deb/root/lib/modules/$release" "$directory/modules/lib/modules/"
  depmod -b "$directory/modules" "$release" || broken "cannot list the modules of $release"
  boot_image "$directory/deb/root/boot/vmlinuz-$release" "$directory/kernel"
  echo "$release" >"$directory/release"
  cp "$directory/deb/root/boot/config-$release" "$directory/config"
  rm -rf "$directory/deb"
}

# The lists may be older than the archive: then they are read again, once.
download_kernel() {
  apt_download "$1" "$kernel_name" || { apt_update && apt_download "$1" "$kernel_name"; } ||
    lack "cannot download the kernel package $kernel_name: $(grep -m1 '^E:' "$cache/apt/log")" "lab prepare $machine --update"
}

# boot_image VMLINUZ RESULT: what QEMU loads. On x86 the ELF file inside the bzImage, because the guest would take
# seconds to decompress it. Its place is in the header: Linux Documentation/x86/boot.rst, protocol 2.08.
boot_image() {
  local sectors offset length
  cp "$1" "$2"
  [[ $debian_architecture == amd64 ]] || return 0
  sectors=$(od -An -tu1 -j 497 -N 1 "$1")
  offset=$(od -An -tu4 -j 584 -N 4 "$1")
  length=$(od -An -tu4 -j 588 -N 4 "$1")
  # The last four bytes are the length of the ELF file, no part of the xz stream.
  dd if="$1" iflag=skip_bytes,count_bytes skip=$(((sectors + 1) * 512 + offset)) count=$((length - 4)) status=none |
    xz -dc >"$2.elf" 2>/dev/null && mv "$2.elf" "$2"
  rm -f "$2.elf" # a kernel that is packed otherwise boots as it is
}

# prepare_machine: sets $kernel (a directory), $release, $initramfs (a file) and $root_directory.
prepare_machine() {
  local chosen=$cache/kernels/$kernel_package.chosen
  # What the package's name stands for is asked once: later runs work without a network.
  if [[ $update == yes || ! -s $chosen ]]; then
    with_apt kernel_of "$kernel_package" >"$chosen.$$"
    mv "$chosen.$$" "$chosen"
  fi
  read -r kernel_name kernel_version <"$chosen"
  [[ -n $kernel_version ]] || { rm -f "$chosen"; broken "$chosen was damaged, and is removed" "try again"; }
  kernel=$cache/kernels/${kernel_name}_$kernel_version
  cached "$kernel" make_kernel
  release=$(<"$kernel/release")
  make_initramfs
  machine_root
}
