#!/usr/bin/env bash
# Debian as debootstrap makes it, packed by four tools: every image runs, and is file by file what umoci unpacks.
#
# The root is made once, from the mirror that this machine's apt uses, and kept outside the checkout.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
. "$(dirname "$0")/../lib/docker.sh"
require_root
for program in debootstrap umoci skopeo buildah jq getfattr; do require_program $program; done
suite=bookworm
architecture=$(dpkg --print-architecture)
tarball=$cache/debootstrap-$suite-$architecture.tar
root=$work/root

mirror_of_apt() { # knows nothing before the first apt-get update
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Component: main' | head -n 1
}
# make_tarball: the root as an archive. It appears whole or not at all.
make_tarball() {
  local mirror
  mirror=$(mirror_of_apt)
  [[ -n $mirror ]] || { apt-get update -qq >/dev/null 2>&1; mirror=$(mirror_of_apt); }
  [[ -n $mirror ]] || skip "apt has no source of $suite here"
  # What it mounts in the root while it works is in a mount namespace of its own, and so goes with it.
  unshare --mount debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$work/log" 2>&1 ||
    skip "debootstrap failed: $(tail -n 1 "$work/log")"
  rm -f "$root"/var/cache/apt/archives/*.deb
  tar --numeric-owner --xattrs --acls -C "$root" -cf "$tarball.$$" . && mv "$tarball.$$" "$tarball"
  rm -rf "$root"
}
extract() { mkdir -p "$1" && tar --numeric-owner --xattrs --xattrs-include='*' --acls -C "$1" -xpf "$tarball"; }
# unpack IMAGE DIR: what umoci makes of an image of an OCI layout.
unpack() { umoci raw unpack --image "$1" "$2" >/dev/null 2>&1 || fail "umoci unpacks $1"; }

[[ -e $tarball ]] || make_tarball
extract "$root"
packages=$(env -i PATH="$PATH" chroot "$root" dpkg -l)
before=$(snapshot)

# check MAKER NAME ORACLE
check() {
  expect_output "$1: dpkg knows its packages" "$packages" trine run --rm "$2" dpkg -l
  expect_output "$1: root is root" "uid=0(root) gid=0(root) groups=0(root)" trine run --rm "$2" id
  # Only root may read where passwd looks.
  expect_match "$1: set-user-id programs have their effect" "^nobody L" trine run --rm -u nobody "$2" passwd -S
  expect_output "$1: and none with no-new-privileges" "nobody P" trine run --rm -u nobody --security-opt no-new-privileges "$2" passwd -S
  expect_output "$1: it says what it is" "$(cat "$root/etc/os-release")" trine run --rm "$2" cat /etc/os-release
  expect_same_tree "$1: every file is as umoci unpacks it" "$3" "$2"
}

layout=$work/layout
umoci init --layout "$layout"
umoci new --image "$layout:debian"
umoci unpack --image "$layout:debian" "$work/bundle" >/dev/null 2>&1
extract "$work/bundle/rootfs"
umoci repack --image "$layout:debian" "$work/bundle" >/dev/null 2>&1
rm -rf "$work/bundle"
unpack "$layout:debian" "$work/oracle"
expect_match "an image of umoci loads" "^sha256:" trine load -q --name umoci "oci:$layout:debian"
check "umoci" umoci "$work/oracle"

skopeo copy -q --insecure-policy "oci:$layout:debian" "docker-archive:$work/skopeo.tar:debian:skopeo"
expect_match "an archive of skopeo loads" "debian:skopeo$" trine load -q "docker-archive:$work/skopeo.tar"
check "skopeo" debian:skopeo "$work/oracle"
rm -rf "$work/oracle" "$work/skopeo.tar"

its_buildah() { buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs "$@" 2>"$work/log"; }
container=$(its_buildah from scratch)
its_buildah copy -q "$container" "$root" / >/dev/null
its_buildah commit -q --rm "$container" "oci-archive:$work/buildah.tar:debian" >/dev/null
skopeo copy -q --insecure-policy "oci-archive:$work/buildah.tar:debian" "oci:$work/buildah:debian"
unpack "$work/buildah:debian" "$work/oracle"
expect_match "an archive of buildah loads" "^sha256:" trine load -q --name buildah "oci-archive:$work/buildah.tar"
check "buildah" buildah "$work/oracle"
rm -rf "$work/oracle" "$work/b" "$work/br" "$work/buildah" "$work/buildah.tar"
# What docker save writes, by a daemon of our own that has no network and no files but below $work.
trap 'stop_docker; cleanup' EXIT
if ! find_docker; then
  echo "skipped: docker save: there is no dockerd here, and none to be had: $(tail -n 1 "$work/log")"
elif ! start_docker --bridge none --iptables=false --ip-forward=false --ip-masq=false; then
  echo "skipped: docker save: dockerd does not start here: $(tail -n 1 "$work/log")"
else
  its_docker import --change 'CMD ["/bin/sh"]' "$tarball" debian:docker >/dev/null
  its_docker save -o "$work/docker.tar" debian:docker
  stop_docker
  skopeo copy -q --insecure-policy "docker-archive:$work/docker.tar" "oci:$work/saved:debian"
  unpack "$work/saved:debian" "$work/oracle"
  expect_match "an archive of docker save loads" "debian:docker$" trine load -q "docker-archive:$work/docker.tar"
  check "docker" debian:docker "$work/oracle"
fi
stop_docker
expect_no_leak "nothing is left behind" "$before"
finish
