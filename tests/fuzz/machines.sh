#!/usr/bin/env bash
# A short run of every fuzzer of the VM class, under AddressSanitizer and UndefinedBehaviorSanitizer: devices with their
# queues and transport, the loaders, the protocol. Longer: give it seconds.
#
#   tests/fuzz/machines.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-20}
command -v clang++-19 >/dev/null || { echo "skipped: clang-19 is not installed"; exit 77; }
out=build/fuzz/vm
mkdir -p "$out"
flags=(-std=c++23 -O1 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D__cpp_concepts=202002L -Wno-builtin-macro-redefined
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
  -Ibase/include -Ihvm-sandbox -Ihvm-sandbox/include -Itests/unit/hvm-sandbox -Iruntime/backend -Iisolation/include -Icgroups/include)
base=(base/error.cpp base/file.cpp base/text.cpp)
declare -A sources=(
  [devices]="$(echo hvm-sandbox/virtio/*.cpp hvm-sandbox/devices/*/*.cpp) hvm-sandbox/memory/guest_memory.cpp hvm-sandbox/loop/event_loop.cpp tests/unit/hvm-sandbox/driver.cpp"
  [elf]="hvm-sandbox/boot/elf.cpp hvm-sandbox/memory/guest_memory.cpp"
  [image]="hvm-sandbox/boot/bzimage.cpp hvm-sandbox/boot/decompress.cpp hvm-sandbox/boot/lz4.cpp hvm-sandbox/kernel/modules.cpp"
  [protocol]="hvm-sandbox/protocol/frames.cpp"
)
for name in devices elf image protocol; do
  read -ra files <<<"${sources[$name]}"
  clang++-19 "${flags[@]}" "tests/fuzz/vm/$name.cpp" "${files[@]}" "${base[@]}" -lisal -lzstd -llzma -o "$out/$name"
  mkdir -p "$out/corpus-$name"
  "$out/$name" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/$name-" \
    "$out/corpus-$name" >"$out/$name.log" 2>&1 || { tail -n 40 "$out/$name.log"; echo "$name: found something"; exit 1; }
  echo "$name: $(grep -o 'Done [0-9]* runs' "$out/$name.log")"
done
