#!/usr/bin/env bash
# A short run of every fuzzer of the VM class, under AddressSanitizer and UndefinedBehaviorSanitizer: devices with their
# queues and transport, the loaders, the protocol, shared directories. Longer: give it seconds; some: their names. Each
# begins with what is kept of earlier runs (lib/corpus.sh).
#
#   tests/fuzz/machines.sh [SECONDS [NAME...]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/fuzz/lib/fuzz.sh
flags+=(-Ihvm-sandbox -Ihvm-sandbox/include -Itests/unit/hvm-sandbox -Iruntime/backend -Iruntime/backend/include -Iruntime/oci/include -Iisolation/include -Icgroups/include -Inetns/include)
libraries=(-lisal -lzstd -llzma)
base+=(base/log.cpp)
devices="$(echo hvm-sandbox/virtio/*.cpp hvm-sandbox/devices/*/*.cpp) hvm-sandbox/memory/guest_memory.cpp hvm-sandbox/loop/event_loop.cpp tests/unit/hvm-sandbox/driver.cpp"
sources=(
  [balloon]=$devices
  [block]=$devices
  [devices]=$devices
  [elf]="hvm-sandbox/boot/elf.cpp $(echo hvm-sandbox/memory/*.cpp)"
  [image]="hvm-sandbox/boot/bzimage.cpp hvm-sandbox/boot/decompress.cpp hvm-sandbox/boot/lz4.cpp hvm-sandbox/kernel/modules.cpp"
  [protocol]="hvm-sandbox/protocol/frames.cpp"
  [shares]="$(echo hvm-sandbox/virtio/*.cpp hvm-sandbox/devices/fs/*.cpp) hvm-sandbox/memory/guest_memory.cpp tests/unit/hvm-sandbox/driver.cpp"
)
sources[net]=${sources[devices]}
names=(balloon block devices elf image net protocol shares)
(($# < 2)) || names=("${@:2}")
fuzz vm 8192 "${1:-10}" "${names[@]}"
