#!/usr/bin/env bash
# The VM class again, with the minimal kernel of hvm-sandbox/kernel. It takes long to build, so only one that is there
# already is tested.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86
require_program mkfs.erofs
cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-kernel
kernel=$(find "$cache" -path '*/build.*' -prune -o -name 'vmlinux-*' -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -1 | cut -d' ' -f2)
[[ -s $kernel ]] || skip "there is no minimal kernel: hvm-sandbox/kernel/build-minimal.sh builds it"
guest_kernel=$work/kernel/${kernel##*/}
mkdir "$work/kernel" && cp "$kernel" "$guest_kernel"
run_guests_in_lab integration/vm integration/vm_monitor
