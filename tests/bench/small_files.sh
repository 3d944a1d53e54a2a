#!/usr/bin/env bash
# An image of 100,000 small files: pulled from a registry on loopback, and removed, beside podman.
#
#   tests/bench/small_files.sh [ROUNDS [FILES]]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
# shellcheck source=tests/lib/registry.sh
. "$here/../lib/registry.sh"
rounds=${1:-5}
files=${2:-100000}
require_root
for program in docker-registry skopeo umoci podman python3; do require_program $program; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
start_registry plain

umoci init --layout "$work/image"
umoci new --image "$work/image:small"
# Of 100 to 8,000 bytes, 50 in a directory, as programs' packages have them.
python3 - "$files" >"$work/layer.tar" <<'PYTHON'
import io, random, sys, tarfile
random.seed(1)
text = bytes(random.choice(b"abcdefghijklmnop \n") for _ in range(1 << 16))
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as tar:
    for number in range(int(sys.argv[1])):
        if number % 50 == 0:
            directory = tarfile.TarInfo(f"lib/package{number // 50}")
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
        size, start = random.randint(100, 8000), random.randint(0, 50000)
        member = tarfile.TarInfo(f"lib/package{number // 50}/module{number}.js")
        member.size, member.mtime = size, 1700000000
        tar.addfile(member, io.BytesIO(text[start:start + size]))
PYTHON
umoci raw add-layer --image "$work/image:small" "$work/layer.tar" 2>/dev/null
echo "$files files, $(($(stat -c %s "$work/layer.tar") >> 20)) MB of tar"
rm "$work/layer.tar"
skopeo copy -q --insecure-policy --dest-tls-verify=false "oci:$work/image:small" "docker://$registry/small:1"

pods="podman --root $work/p --runroot $work/pr"
ours="$build/bin/trine --root $work/s"
cat >"$work/podman-once" <<E2
$pods rmi -af >/dev/null 2>&1
exec $pods pull -q --tls-verify=false $registry/small:1
E2
cat >"$work/trine-once" <<E2
$ours rmi $registry/small:1 >/dev/null 2>&1
exec $ours pull --quiet $registry/small:1
E2
echo "pull (each removes the one before first):"
"$build/tests/bin/timer" "$rounds" podman "sh $work/podman-once" trine "sh $work/trine-once"
removals() { # STORE
  local round begin
  for ((round = 0; round < rounds; round++)); do
    "$build/bin/trine" --root "$1" pull --quiet "$registry/small:1" >/dev/null
    begin=${EPOCHREALTIME/./}
    "$build/bin/trine" --root "$1" rmi "$registry/small:1" >/dev/null
    echo "$(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
  done | sort -n | xargs echo
}
echo "removal, here ($(findmnt -no FSTYPE,OPTIONS -T "$work")): $(removals "$work/s")"
truncate -s 4G "$work/disk" && mkfs.ext4 -qF "$work/disk" && mkdir "$work/mounted" && mount -o loop "$work/disk" "$work/mounted"
echo "removal, on an ext4 as mkfs makes it: $(removals "$work/mounted/s")"
umount "$work/mounted"
$pods rmi -af >/dev/null 2>&1 || true
