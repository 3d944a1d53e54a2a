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

# In the version that was chosen, or not at all: the directory is named after it.
download_kernel() {
  apt_download "$1" "$kernel_name=$kernel_version" ||
    { apt_update && apt_download "$1" "$kernel_name=$kernel_version"; } || exit $kernel_is_gone
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

kernel_is_gone=3

# choose_kernel: sets $kernel_name, $kernel_version and $kernel. What a package's name stands for is asked once: later
# runs work without a network, and with the same kernel.
choose_kernel() {
  local chosen=$cache/kernels/$kernel_package.$debian_architecture
  if [[ $update == yes || ! -s $chosen ]]; then
    with_apt kernel_of "$kernel_package" >"$chosen.$$" || { rm -f "$chosen.$$"; exit 69; }
    mv "$chosen.$$" "$chosen"
  fi
  read -r kernel_name kernel_version <"$chosen" || :
  [[ $kernel_name == linux-image-* && -n ${kernel_version-} ]] || { rm -f "$chosen"; choose_kernel; return; }
  kernel=$cache/kernels/${kernel_name}_$kernel_version
}

# prepare_machine: sets $kernel (a directory), $release, $initramfs (a file) and $root_directory.
prepare_machine() {
  local status
  choose_kernel
  set +e # cached sets it again for what it calls
  cached "$kernel" make_kernel
  status=$?
  set -e
  if ((status == kernel_is_gone)); then
    note "$kernel_name $kernel_version is gone from Debian's archive: choosing again"
    update=yes
    choose_kernel
    set +e
    cached "$kernel" make_kernel
    status=$?
    set -e
    ((status != kernel_is_gone)) || lack "cannot download $kernel_name $kernel_version: $(apt_complaint)" "is the network there?"
  fi
  ((status == 0)) || exit "$status"
  release=$(<"$kernel/release")
  make_initramfs
  machine_root
}
