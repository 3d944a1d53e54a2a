#!/usr/bin/env bash
# Root of a Linux guest, with every capability, against the directories that are shared with it: it fills them, digs, leads
# out by links, handles and nodes, and holds all that it can. What it could have reached is looked at from the host.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
. "$(dirname "$0")/../lib/guest_claims.sh"
require_root
require_vm
busybox_image
before=$(snapshot)
ulimit -n 16384 2>/dev/null # of the monitor as well, which lets a guest hold a part of it
most=$(ulimit -n)

mkdir -p "$work"/{full,outside,tools} "$work"/share/{swap,swap/sub} "$work"/{other,mapped}
mount -t tmpfs -o size=2m,nr_inodes=200 tmpfs "$work/full" || skip "a tmpfs cannot be mounted"
mount -t tmpfs -o strictatime tmpfs "$work/outside"
share=$work/share
echo "secret, and longer" >"$work/outside/secret"
touch -d 2001-02-03 "$work/outside/secret" "$work/outside"
echo within >"$share/swap/secret"
echo precious >"$share/inside"
ln -s "$work/outside" "$share/link"
ln -s "$work/outside/secret" "$share/far"
ln -s ../outside/secret "$share/near"
chmod 777 "$share" "$work/mapped" && chown 70000:70000 "$work/mapped"
# The time that it was last read, its content's and owner's, and its names.
outside() { stat -c '%n %x %y %z %h %a %u' "$work/outside/secret" "$work/outside"; }
untouched=$(outside)

cp "$build/tests/bin/share_guest" "$work/tools/share_guest"
write_claims "$work/tools/claims"
cat >"$work/tools/attack" <<END
. /tools/claims
outside=$work/outside
END
cat >>"$work/tools/attack" <<'END'
cd /data
await() { i=0; while [ ! -e "$1" ] && [ $i -lt 3000 ]; do sleep 0.1; i=$((i+1)); done; }
refused "a file system of the host's is filled" "No space" 'dd if=/dev/zero of=/full/filler bs=64k count=100'
refused "… with names as well" "No space" 'i=0; while [ $i -lt 300 ]; do echo >/full/name-$i || exit 1; i=$((i+1)); done'
claim "… and another share has its room" 'echo room >/other/room && sync -f /other/room'
for name in far near; do
  refused "what the host's symlink leads to ($name) is not there" "No such file" cat $name
  refused "… and is not made" "nonexistent" "echo x >$name"
done
ln -s $outside/secret own-far
ln -s ../../../../../../../../../../../..$outside/secret own-near
ln -s /proc/1/root$outside/secret own-magic
ln -s /proc/self/fd/7/../outside/secret own-fd
exec 7</data
for name in own-far own-near own-magic own-fd; do refused "nor what a symlink of the guest's does ($name)" "No such file" cat $name; done
refused "a descriptor's name leads no further" "No such file" 'cat /proc/self/fd/7/../outside/secret /proc/self/cwd/../outside/secret'
/tools/share_guest devices /data
/tools/share_guest links /data/inside /other /data/own-far
cp /tools/share_guest program
/tools/share_guest attributes program
claim "a set-user-id program of root's, where owners are mapped" 'cp program /mapped/program && chmod 6755 /mapped/program && [ $(stat -c %u:%a /mapped/program) = 0:6755 ]'
/tools/share_guest handles /data /data/inside
claim "a directory that is gone takes nothing" 'mkdir doomed && cd doomed && rmdir ../doomed && ! touch x 2>/dev/null && ! mkdir ../doomed/y 2>/dev/null; cd /data'
mkdir /p && mount -t proc proc /p || echo "no /proc/sys of its own"
echo x >/other/race
await /other/racing
/tools/share_guest race swap /p/sys/vm/drop_caches 60
echo x >/other/raced
echo finished
exec /tools/share_guest hold /data
END
start run --rm --name attacker --isolation vm --cap-add ALL --security-opt seccomp=unconfined -v "$work/full:/full" -v "$share:/data" -v "$work/other:/other" \
  -v "$work/mapped:/mapped:idmap=uids=70000-0-10;gids=70000-0-10" -v "$work/tools:/tools:ro" busybox sh /tools/attack >"$work/said" 2>&1
has_come_to() { [[ -e $work/other/$1 ]] || ! kill -0 "$started" 2>/dev/null; }
wait_for_guest has_come_to race
"$build/tests/bin/racer" "$share/swap" "$share/link" &
racer=$!
echo x >"$work/other/racing"
wait_for_guest has_come_to raced
kill -KILL $racer
wait $racer 2>/dev/null
holds() { grep -q '^held' "$work/said" || ! kill -0 "$started" 2>/dev/null; }
wait_for_guest holds
relay "$work/said"

## What the host has of it.
expect_output "nothing outside was read, written, linked or made" "$untouched" outside
expect_output "… and it is what it was" "secret, and longer" cat "$work/outside/secret"
[[ $(<"$share/inside") == precious && $(stat -c %h "$share/inside") == 1 ]] && pass "nothing inside is lost" || fail "nothing inside is lost" "$(stat "$share/inside")"
expect_output "no device was made" "" find "$share" "$work"/{other,full,mapped} '(' -type b -o -type c ')'
expect_output "a program's attributes are a guest's" security.capability "$build/tests/bin/share_guest" list "$share/program"
expect_output "a set-user-id program is nobody's who is root" "70000 6755" stat -c '%u %a' "$work/mapped/program"
monitor=$(pgrep -P "$started" -x trine-vmm)
descriptors=$(find "/proc/$monitor/fd" -mindepth 1 | wc -l)
((descriptors > 1000 && descriptors < most)) && pass "the monitor holds no more than it may ($descriptors of $most)" || fail "the monitor holds no more than it may" "$descriptors of $most"
expect_output "its guest goes on" "goes on" trine exec attacker echo goes on
expect_exit "… with its other shares" 0 trine exec attacker sh -c 'echo also here >/other/after && rm /full/filler && echo room >/full/after'
expect_output "… which the host sees" $'also here\nroom' cat "$work"/{other,full}/after
expect_exit "what was removed while it is open is gone" 1 test -e "$share/held-0"
expect_exit "it is killed" 0 trine kill --signal KILL attacker
wait "$started"
code=$?
[[ $code == 137 ]] && pass "which is its exit code" || fail "which is its exit code" "$code: $(<"$work/said")"
umount "$work/full" "$work/outside" && pass "nobody holds what was shared" || fail "nobody holds what was shared"
expect_no_leak "nothing is left behind" "$before"
finish
