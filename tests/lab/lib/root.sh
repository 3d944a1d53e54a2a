# shellcheck shell=bash
# The arm64 user space: Debian packages unpacked side by side. No package's scripts run, because they would have to run
# under emulation; what they would have made and the lab needs is made here.

# What a person and the tests use, and what trine is linked with when it is cross-built: one tree is both.
root_packages=(
  base-files base-passwd bash coreutils diffutils findutils gawk grep gzip hostname sed tar util-linux bsdutils mount
  login passwd procps psmisc iproute2 kmod libc-bin strace jq file busybox-static uidmap attr e2fsprogs erofs-utils
  libc6-dev libstdc++-12-dev libseccomp-dev libbpf-dev libelf-dev zlib1g-dev libnl-3-dev nlohmann-json3-dev
  libcli11-dev libssl-dev libzstd-dev liblzma-dev libisal-dev libcurl4-openssl-dev libsystemd-dev libcap-dev catch2
)

# make_root: sets $root_directory, keyed by what it is made of.
make_root() {
  local key
  key=$({ echo "${root_packages[*]}"; cat "$lab_dir/lib/root.sh"; } | sha256sum | head -c 16)
  root_directory=$cache/roots/$debian_architecture-$key
  cached "$root_directory" unpack_root
  ln -sfn "$debian_architecture-$key" "$cache/roots/$debian_architecture" # where cmake/aarch64.cmake looks
}

# foreign_busybox: the path of the user space's static busybox, for the initramfs.
foreign_busybox() { make_root && echo "$root_directory/usr/bin/busybox"; }

unpack_root() {
  local root=$1 archive name
  require_disk 1500 "the $debian_architecture user space"
  note "making the $debian_architecture user space of ${#root_packages[@]} packages and what they depend on"
  mkdir "$root/deb"
  with_apt download_root "$root/deb"
  mkdir -p "$root"/usr/{bin,sbin,lib}
  for name in bin sbin lib; do ln -s "usr/$name" "$root/$name"; done
  for archive in "$root"/deb/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$root" --keep-directory-symlink --no-same-owner -p ||
      broken "cannot unpack ${archive##*/} into $root" "is the disk full?"
  done
  rm -rf "$root/deb"
  cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  ln -sf gawk "$root/usr/bin/awk"
  mkdir -p "$root"/{proc,sys,dev,run,tmp,root,lab,var/tmp}
}

# download_root DIRECTORY: the packages and all that they depend on, in the versions of the lists.
download_root() {
  local urls
  [[ $update == no && -n $(apt-cache policy base-files 2>/dev/null) ]] || apt_update
  fetch_root "$1" || { apt_update && fetch_root "$1"; } ||
    lack "cannot download the $debian_architecture user space: $(apt_complaint)" "is the network there?"
}

fetch_root() {
  apt-get install -y -qq --download-only -o Dir::Cache::archives="$1" "${root_packages[@]}" >"$cache/apt/log" 2>&1
}
