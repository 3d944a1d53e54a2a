# shellcheck shell=bash
# Compares trees of files: what is in an image of the store, and what another tool unpacks of it.

# describe_tree DIR: every file with type, mode, owner, time, size, link target, link count, device, attributes
# and content.
describe_tree() {
  (
    cd "$1" || exit
    find . -mindepth 1 \( -type d -printf '%p %y %m %U:%G %T@\n' -o -printf '%p %y %m %U:%G %T@ %s %l %n\n' \) | sort
    find . -type f -exec sha256sum {} + | sort -k2
    find . \( -type b -o -type c \) -exec stat -c '%n %t,%T' {} + | sort
    find . -mindepth 1 -print0 | sort -z | xargs -0 getfattr -h -d -m '^(user|security|system.posix_acl)' 2>/dev/null
  )
}

# odd_image [FLAG...]: the image more in $layout, busybox's with one file of every kind on top; $work/oracle has what umoci
# unpacks of it. The flags are of umoci repack.
odd_image() {
  local root=$work/more/rootfs
  umoci unpack --image "$layout:busybox" "$work/more" >/dev/null 2>&1
  install -o 70000 -g 80000 -m 4711 /dev/null "$root/owned" && mknod "$root/null" c 1 3 && mkfifo "$root/fifo"
  echo one >"$root/one" && ln "$root/one" "$root/two" && rm "$root/etc/group"
  rm -r "$root/tmp" && mkdir "$root/tmp" && echo opaque >"$root/tmp/file"
  truncate -s 1M "$root/sparse" && ln -s ../../etc "$root/dots"
  head -c 100000 /dev/urandom >"$root/$(printf 'n%.0s' {1..200})"
  setfattr -n user.note -v text "$root/one" && setcap cap_net_raw+ep "$root/owned"
  touch -d '2001-02-03 04:05:06.789' "$root/one"
  umoci repack --image "$layout:more" "$@" "$work/more" >/dev/null 2>&1
  umoci unpack --image "$layout:more" "$work/oracle" >/dev/null 2>&1
}

# mount_layers LAYER...: layers as the store keeps them, one over the other on $work/merged. unmount_layers undoes it.
mount_layers() {
  local merged=$work/merged count=0 list='' layer
  mkdir -p "$merged"
  for layer in "$@"; do
    if [[ -f $layer ]]; then
      mkdir -p "$work/layer-$count" && mount -t erofs -o ro "$layer" "$work/layer-$count" && layer=$work/layer-$count
    fi
    list+=:$layer
    count=$((count + 1))
  done
  # An overlay without an upper layer is made of two lower ones at least.
  mount -t overlay overlay -o "ro,lowerdir=${list#:}" "$merged" 2>/dev/null || mount --bind "${list#:}" "$merged"
}
unmount_layers() {
  local layer
  umount "$work/merged"
  for layer in "$work"/layer-*; do [[ ! -d $layer ]] || { umount "$layer" && rmdir "$layer"; }; done
}

# expect_same_tree CLAIM DIR IMAGE: the image, as its layers lie one over the other, is what DIR has.
expect_same_tree() {
  local layers
  mapfile -t layers < <(trine inspect "$3" | jq -r '.[0].Layers[]')
  mount_layers "${layers[@]}"
  if diff <(describe_tree "$2") <(describe_tree "$work/merged") >"$work/diff"; then pass "$1"; else fail "$1" "$(head -n 20 "$work/diff")"; fi
  unmount_layers
}
