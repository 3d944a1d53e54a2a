#!/usr/bin/env bash
# From a fresh Debian 12 to running containers: installs what is needed, builds trine, makes a small image from
# Debian's static busybox, and runs it, in a virtual machine too where the host can. Each trine command is printed
# before its output. Run it as root, as often as you like: nothing is kept but the packages, and what it builds in
# build/.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh

exec 2>&1   # one stream, so that errors stand below the commands that they belong to
say() { printf '\n== %s\n' "$*"; }
# trine …: prints the command as you would type it, then runs it and tells an exit code that is not 0.
trine() {
  local word code=0
  printf '\n$ trine'
  for word in "$@"; do
    if [[ $word =~ ^[[:alnum:]_./:=@,+-]+$ ]]; then printf ' %s' "$word"; else printf " '%s'" "${word//\'/\'\\\'\'}"; fi
  done
  printf '\n'
  build/quickstart/bin/trine --root "$state" "$@" || code=$?
  ((code == 0)) || echo "(exit code $code)"
}

say "Install and build"
install_packages "${build_packages[@]}" "${run_packages[@]}"
cmake --preset release -B build/quickstart -DTRINE_TESTS=OFF >/dev/null
cmake --build build/quickstart

# A state directory of its own, so that the images you have are left alone; without --root it is /var/lib/trine.
scratch=$(mktemp -d)
state=$scratch/state
trap 'rm -rf "$scratch"' EXIT

say "An image that something else made: here tar and sha256sum, usually buildah, podman or docker"
examples/make_image.sh "$scratch/image"
trine load --name box "oci:$scratch/image"
trine images

say "A plain run: the container's own host name, processes and users"
trine run --rm --hostname box box sh -c 'echo "I am $(id -un) on $(hostname), process $$ of:"; ps'

say "With limits: 64 MiB of memory, half a CPU, 10 processes, and none of root's rights"
trine run --rm --memory 64m --cpus 0.5 --pids-limit 10 --user guest --cap-drop ALL box \
  sh -c 'id; grep CapEff /proc/self/status; for i in $(seq 20); do sleep 1 & done'

say "More memory than its limit: the kernel ends it, and trine says so"
trine run --rm --memory 16m box sh -c 'head -c 64m /dev/zero | tail -c 64m > /dev/null'

say "Interactive, with a directory of the host: a shell that reads what you type, here from a pipe"
mkdir "$scratch/work"
echo "written on the host" >"$scratch/work/letter"
trine run --rm --interactive --volume "$scratch/work:/work" --workdir /work box sh <<'TYPED'
cat letter
echo "answered in the container" > answer
TYPED
echo "the host reads: $(cat "$scratch/work/answer")"

say "What a container must not do, it cannot, though it runs as root"
trine run --rm box mount -t tmpfs none /mnt
trine run --rm box hostname changed
trine run --rm box sh -c 'echo 1 > /proc/sys/kernel/panic'
trine run --rm box mkdir /sys/fs/cgroup/mine
trine run --rm box sh -c 'mknod /disk b 8 0 && cat /disk'   # it may make the file, not open the device
trine run --rm box unshare -U true
trine run --rm box mount -o remount,rw /proc/sys
trine run --rm --read-only box touch /file
trine run --rm --network none box ping -c 1 192.0.2.1

say "The same image in a virtual machine, under a kernel of its own"
# guest_kernel: downloads Debian's kernel for virtual machines, of whatever version it is now, and names the file.
guest_kernel() {
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ {print $2; exit}')
  (cd "$scratch" && apt-get download -qq "${package:-linux-image-cloud-amd64}" 2>/dev/null && echo "$scratch"/linux-image-*.deb)
}
build/quickstart/bin/trine --root "$state" check >"$scratch/check" || true
if grep -qE '^(KVM|guest code|agent) +missing|imitates the processor' "$scratch/check"; then
  trine check
  echo "Left out: the table says what this host lacks, the hints what to do."
elif ! kernel=$(guest_kernel); then
  echo "Left out: a kernel for the guest cannot be downloaded (Debian's package linux-image-cloud-amd64)."
else
  trine kernel import "$kernel"
  trine check
  trine run --rm --isolation vm --memory 256m box sh -c 'echo "I am $(id -un) on Linux $(uname -r) with $(nproc) processor"'
fi

say "Done. Next: examples/README.md, or any image you have: build/quickstart/bin/trine run -it docker-archive:FILE"
