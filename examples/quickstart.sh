#!/usr/bin/env bash
# From nothing to a running container, on Debian 12 as root: installs what is needed, builds trine, makes a small
# image from Debian's busybox-static, and runs it in four ways. Each trine command is printed before its output.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh

install_packages "${build_packages[@]}" "${run_packages[@]}"
cmake -S . -B build/quickstart -G Ninja -DCMAKE_BUILD_TYPE=Release -DTRINE_TESTS=OFF >/dev/null
cmake --build build/quickstart

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trine() { build/quickstart/bin/trine --root "$work/state" "$@"; }
show() {
  echo
  echo "\$ $*"
  "$@"
}

add_blob() { # FILE: puts it among the image's blobs and prints its digest
  local digest
  digest=$(sha256sum <"$1" | cut -d' ' -f1)
  cp "$1" "$work/image/blobs/sha256/$digest"
  echo "$digest"
}

# An OCI image layout by hand: one layer (a root file system), a configuration, a manifest, an index.
make_image() {
  local root=$work/root layout=$work/image applet layer config manifest
  mkdir -p "$root"/{bin,etc,tmp} "$layout/blobs/sha256"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  tar -C "$root" -cf "$work/layer" .
  layer=$(add_blob "$work/layer")
  printf '{"os":"linux","architecture":"%s","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$layer" >"$work/config"
  config=$(add_blob "$work/config")
  printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
    "$config" "$(stat -c %s "$work/config")" "$layer" "$(stat -c %s "$work/layer")" >"$work/manifest"
  manifest=$(add_blob "$work/manifest")
  echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"busybox"}}]}' \
    "$manifest" "$(stat -c %s "$work/manifest")" >"$layout/index.json"
}
make_image

show trine load --name busybox "oci:$work/image"

# A plain run: the container has its own host name, processes and network.
show trine run --rm busybox sh -c 'echo "hello from $(hostname), process $$"; ip addr show lo | grep inet'

# Limits are kept by the kernel; a program that takes more memory is killed, and trine says so.
show trine run --rm --memory 64m --cpus 0.5 --pids-limit 20 busybox sh -c 'for i in 1 2 3; do sleep 0.1 & done; wait; echo "three processes are fine"'
show trine run --rm --memory 16m busybox sh -c 'x=$(head -c 64000000 /dev/zero | tr "\0" x)' || echo "(exit code $?)"

# With -i the standard input goes in, as from a keyboard; a directory of the host is mounted by -v.
mkdir "$work/notes"
echo 'echo "written by $(id -un)" > /notes/hello; ls -l /notes' >"$work/input"
show trine run --rm -i -v "$work/notes:/notes" busybox sh <"$work/input"
echo "on the host: $(cat "$work/notes/hello")"

# What it must not do it cannot: mount, set the clock, make a user namespace, read a disk, write to /proc/sys.
show trine run --rm busybox sh -c '
  mount -t tmpfs none /tmp
  date -s 2001-01-01
  unshare -U true
  mknod /tmp/disk b 254 0 && cat /tmp/disk
  echo 1 > /proc/sys/kernel/panic
  grep -E "^(CapEff|Seccomp):" /proc/self/status'
