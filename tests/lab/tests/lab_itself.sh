#!/usr/bin/env bash
# The lab keeps its word: exit codes, streams, nothing left running, caches that repair themselves, needs that are named.
. "$(dirname "$0")/../../lib/harness.sh"
. "$(dirname "$0")/../lib/testing.sh"
require_lab x86

# Emulators of this script's labs, by the cache that their command line names; a lab that another started is not ours.
emulators() { pgrep -f "^qemu-system-.*$cache/runs/" | wc -l; }
run_directories() { find "$cache/runs" -mindepth 1 -maxdepth 1 | wc -l; }
# A cache of its own, so that it can be damaged; the packages come from the one that there is.
shared_cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab
cache=$work/cache/trine-lab
mkdir -p "$cache"
cp -a --reflink=auto "$shared_cache"/{apt,kernels,initramfs} "$cache/"
export XDG_CACHE_HOME=$work/cache

## Words that mean nothing are refused before anything starts.
expect_error "a machine that there is not is refused" 2 "no machine 'vax'" "$lab" run vax -- true
expect_error "a run without a command is refused" 2 "needs a command" "$lab" run x86
expect_error "an option that there is not is refused" 2 "no option '--fast'" "$lab" run x86 --fast -- true
expect_match "the help names the verbs" "lab run MACHINE" "$lab" --help

## What this machine lacks is named.
mkdir -p "$work/few"
for program in bash env awk df tail tr mkdir id dirname readlink basename sed grep date cat; do ln -s "$(command -v $program)" "$work/few/"; done
expect_error "without QEMU the package is named" 69 "not installed: qemu-system-x86 .*" env "PATH=$work/few" "$lab" run x86 -- true
expect_error "too little memory is said" 69 "of 900000000 MiB needs as much free memory" "$lab" run x86 --memory 900000000 -- true
expect_error "a kernel that Debian has not is said" 69 "no kernel package linux-image-0.1" "$lab" run x86 --kernel linux-image-0.1 -- true
if mkdir "$work/full" && mount -t tmpfs -o size=1m tmpfs "$work/full" 2>/dev/null; then
  expect_error "a full disk is said" 69 "needs [0-9]+ MiB of disk" env "XDG_CACHE_HOME=$work/full" "$lab" run x86 -- true
  umount "$work/full"
fi

## A run.
"$lab" run x86 -- sh -c 'echo to out; echo to err >&2; pwd; exit 7' >"$work/out" 2>"$work/err"
code=$?
[[ $code == 7 ]] && pass "the exit code is the command's" || fail "the exit code is the command's" "$code: $(cat "$work/err")"
[[ $(<"$work/out") == $'to out\n'"$PWD" ]] && pass "its output is all there is, and it runs where the caller is" || fail "its output is all there is, and it runs where the caller is" "$(cat "$work/out")"
[[ $(<"$work/err") == "to err" ]] && pass "its errors come apart" || fail "its errors come apart" "$(cat "$work/err")"
mkdir "$work/share"
expect_exit "exit code 0, and a share is written to" 0 "$lab" run x86 --share "$work/share" -- sh -c "head -c 3000000 /dev/zero >$work/share/file; touch /etc/of-the-lab"
[[ $(stat -c %s "$work/share/file") == 3000000 ]] && pass "what it wrote to the share is here" || fail "what it wrote to the share is here"
[[ ! -e /etc/of-the-lab ]] && pass "what it wrote elsewhere is not" || fail "what it wrote elsewhere is not"
expect_error "a hang ends at the time limit, and the console is shown" 124 "console's last lines" "$lab" run x86 --timeout 12 -- sleep 1000
[[ $(emulators) == 0 && $(run_directories) == 0 ]] && pass "no emulator is left, and no directory" || fail "no emulator is left, and no directory" "$(emulators), $(run_directories)"

## Labs that are killed, and caches that are damaged.
"$lab" run x86 -- sleep 1000 &
killed=$!
wait_until test -n "$(find "$cache/runs" -name console -size +0)"
wait_until eval '(($(emulators) == 1))'
kill -9 $killed
wait $killed 2>/dev/null
wait_until eval '(($(emulators) == 0))' && pass "an emulator dies with a lab that is killed" || fail "an emulator dies with a lab that is killed"
kernel=$(dirname "$(find "$cache"/kernels/*-amd64_* -maxdepth 1 -name kernel -type f | head -1)")
truncate -s 1M "$kernel/kernel"
rm -r "$kernel"/modules/lib/modules/*/kernel/fs
for file in "$cache"/initramfs/*/initramfs; do truncate -s 4096 "$file"; done
mkdir "$kernel.new.half" && touch "$kernel.new.half/kernel"
"$lab" run x86 -- true >/dev/null 2>"$work/first" &
first=$!
"$lab" run x86 -- true >/dev/null 2>"$work/second"
[[ $? == 0 ]] && wait $first && pass "a damaged cache is made again, with two labs at once" || fail "a damaged cache is made again, with two labs at once" "$(cat "$work/first" "$work/second")"
[[ $(cat "$work/first" "$work/second" | grep -c "unpacking") == 1 ]] && pass "by one of them" || fail "by one of them" "$(cat "$work/first" "$work/second")"
[[ $(run_directories) == 0 && ! -e $kernel.new.half ]] && pass "what killed labs left is cleared away" || fail "what killed labs left is cleared away"
finish
