# shellcheck shell=bash
# The initramfs: busybox, the modules that mount a root from 9p, and guest/init.sh.

busybox_for_guest() { # the path of a static busybox of the machine's architecture
  if [[ $debian_architecture == "$(dpkg --print-architecture)" ]]; then command -v busybox; else foreign_busybox; fi
}

# make_initramfs: sets $initramfs. Its name is the hash of all that goes in.
make_initramfs() {
  local key
  busybox=$(busybox_for_guest)
  key=$({ cat "$lab_dir/guest/init.sh" "$lab_dir/lib/initramfs.sh" "$lab_dir/machines/$machine.sh" "$busybox"; echo "$kernel"; } | sha256sum | head -c 32)
  cached "$cache/initramfs/$key" pack_initramfs
  initramfs=$cache/initramfs/$key/initramfs
}

pack_initramfs() {
  local tree=$1/tree module file
  mkdir -p "$tree"/{bin,modules}
  cp "$busybox" "$tree/bin/busybox"
  cp "$lab_dir/guest/init.sh" "$tree/init"
  chmod 755 "$tree/init" "$tree/bin/busybox"
  for module in "${boot_modules[@]}" "${late_modules[@]}"; do
    modprobe -d "$kernel/modules" -S "$release" --show-depends "$module" || broken "$kernel_name has no module $module"
  done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$1/list"
  while read -r file; do
    cp "$file" "$tree/modules/"
    basename "$file" >>"$tree/modules/order"
  done <"$1/list"
  # Not compressed: the guest would take longer to unpack it than QEMU to copy it.
  (cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) >"$1/initramfs" || broken "cannot pack the initramfs"
  rm -rf "$tree" "$1/list"
}
