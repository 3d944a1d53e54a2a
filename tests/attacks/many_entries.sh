#!/usr/bin/env bash
# A layer of a million files, as hostile as large: it is loaded in bounded memory, used, and removed without a trace.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/layout.sh"
require_root
require_program python3
command -v busybox >/dev/null || skip "busybox-static is not installed"

directories=$(scaled 1000)
python3 - "$(command -v busybox)" "$directories" >"$work/many.tar" <<'PYTHON'
import sys
import tarfile

busybox, directories = sys.argv[1], int(sys.argv[2])
out = sys.stdout.buffer


def header(name, mode, size=0, type=tarfile.REGTYPE):
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size, entry.type = mode, size, type
    return entry.tobuf(tarfile.USTAR_FORMAT)


program = open(busybox, "rb").read()
out.write(header("busybox", 0o755, len(program)) + program + bytes(-len(program) % 512))
for d in range(directories):
    out.write(header(f"d{d}", 0o755, type=tarfile.DIRTYPE))
    out.write(b"".join(header(f"d{d}/f{i}", 0o644) for i in range(1000)))
out.write(bytes(1024))
PYTHON
image many "$work/many.tar"
rm "$work/many.tar"
before=$(snapshot)
expect_exit "$directories,000 files are loaded within 256 MiB of address space" 0 \
  prlimit --as=$((256 << 20)) "$build/bin/trine" --root "$state" load -q --name many "oci:$work/many"
expect_output "all are there" "$directories $((directories * 1000))" \
  trine run --rm many /busybox sh -c 'cd / && echo "$(echo d[0-9]* | wc -w) $(echo d[0-9]*/f* | wc -w)"'
expect_exit "the image is removed" 0 trine rmi many
expect_no_leak "and nothing is left" "$before"
expect_output "nor any file of it" "0" eval "find '$state/lib' -name 'f999' | wc -l"
finish
