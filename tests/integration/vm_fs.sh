#!/usr/bin/env bash
# Host directories in a VM (-v, --mount): what its programs do with files is what they would do in a container.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
. "$(dirname "$0")/../lib/guest_claims.sh"
require_root
require_vm
busybox_image
before=$(snapshot)
run_it() { trine run --rm --isolation vm "$@"; }
share=$work/share
mkdir -p "$share" "$work/tools" "$work/outside"
echo secret >"$work/outside/secret"

write_claims "$work/tools/claims"

## Everything that needs no limit, in one guest.
echo from the host >"$share/old"
echo question >"$share/told"
mkdir "$share/many" "$share/sub"
for ((i = 0; i < 1000; i++)); do : >"$share/many/file-$i"; done
ln -s ../outside/secret "$share/leads-out"
ln -s "$work/outside/secret" "$share/leads-far"
printf '%s' '#!/bin/sh' >"$share/program"
printf '\necho ran "$@"\n' >>"$share/program"
chmod 755 "$share/program"
mkfifo "$share/pipe"
mkdir -m 777 "$share/open"
chmod 755 "$work" "$share"
head -c 4M /dev/urandom >"$share/big"
big=$(sha256sum <"$share/big" | cut -d' ' -f1)
echo single >"$work/single"
echo sibling >"$work/sibling"
cat >"$work/tools/main" <<END
. /tools/claims
cd /data
cat told
echo ready >ready
claim "what the host has can be read" '[ "\$(cat old)" = "from the host" ]'
claim "a file of 4 MiB is read as it is" '[ "\$(sha256sum <big | cut -d" " -f1)" = $big ]'
claim "… and copied" 'cp big copy && cmp big copy'
claim "a file is written, and appended to" 'echo one >new; echo two >>new; [ "\$(cat new)" = "one
two" ]'
claim "a file is cut and grown" 'echo 123456 >cut; truncate -s 3 cut; [ "\$(cat cut)" = 123 ]; truncate -s 5000000 cut; [ \$(stat -c %s cut) = 5000000 ]'
claim "a file is written at an offset" 'dd if=/dev/zero of=hole bs=1 count=1 seek=100000 2>/dev/null; [ \$(stat -c %s hole) = 100001 ]'
claim "names change" 'echo x >a; mv a b; [ ! -e a ] && [ "\$(cat b)" = x ] && mv b sub/c && [ "\$(cat sub/c)" = x ]'
claim "a file takes another's place" 'echo 1 >a; echo 2 >b; mv b a; [ "\$(cat a)" = 2 ]'
claim "directories are made and removed" 'mkdir -p deep/er/still; touch deep/er/f; rm -r deep; [ ! -e deep ]'
refused "… not when there is something in them" "not empty" rmdir many
claim "a hard link is the same file" 'echo x >l1; ln l1 l2; echo y >>l1; [ "\$(cat l2)" = "x
y" ] && [ \$(stat -c %h l1) = 2 ] && [ \$(stat -c %i l1) = \$(stat -c %i l2) ]'
claim "a symlink is what it says" 'ln -s b/c/d symlink; [ "\$(readlink symlink)" = b/c/d ]'
claim "a thousand files are listed" '[ \$(ls many | wc -l) = 1000 ] && [ \$(ls -l many | grep -c file-) = 1000 ]'
claim "… and gone when they are removed" 'rm -r many; [ ! -e many ]'
claim "modes" 'touch m; chmod 4751 m; [ \$(stat -c %a m) = 4751 ]'
claim "owners" 'touch o; chown 1234:567 o; [ "\$(stat -c %u:%g o)" = 1234:567 ]'
claim "times" 'touch -d "2001-02-03 04:05:06" t; [ "\$(stat -c %y t | cut -c1-19)" = "2001-02-03 04:05:06" ]'
claim "a pipe of the guest's own processes" 'mkfifo p; (echo through >p &) ; [ "\$(cat p)" = through ]'
claim "… also one that the host made" '(echo through >pipe &) ; [ "\$(cat pipe)" = through ]'
refused "a device cannot be made" "not permitted" mknod device b 7 0
claim "a program is executed" '[ "\$(./program x)" = "ran x" ]'
claim "a file that is removed while it is open stays" 'echo kept >gone; exec 5<gone; rm gone; [ "\$(cat <&5)" = kept ]'
exec 5<&-
claim "a symlink out of the share is the guest's" '[ "\$(readlink leads-out)" = ../outside/secret ] && ! cat leads-out && ! cat leads-far && mkdir /outside && echo own >/outside/secret && [ "\$(cat leads-out)" = own ]'
claim "… also when it takes a directory's place and gives it back all the time" 'mkdir swap; (i=0; while [ \$i -lt 20 ]; do rmdir swap; ln -s ../outside swap; rm swap; mkdir swap; i=\$((i+1)); done) & i=0; while [ \$i -lt 20 ]; do case \$(cat swap/secret 2>&1) in secret) exit 1;; esac; i=\$((i+1)); done; wait'
claim "what a user makes is the user's" 'su user -c "echo mine >open/mine; mkdir open/directory; ln -s x open/link" && [ "\$(stat -c %u:%g open/mine open/directory open/link | sort -u)" = 1000:1000 ]'
refused "… who may not write everywhere" "denied" 'su user -c "echo x >/data/forbidden"'
refused "… nor read everything" "denied" 'touch closed; chmod 600 closed; su user -c "cat /data/closed"'
claim "a write takes a set-user-id bit off" 'echo x >suid; chown 1000 suid; chmod 4777 suid; su user -c "echo y >>/data/suid"; [ \$(stat -c %a suid) = 777 ]'
claim "locks are among the guest's processes" 'touch lock; (flock -x 9; flock -n lock true || exit 0; exit 1) 9<lock'
claim "the file system's size is told" 'df -k /data | grep -q [0-9]'
claim "sync" 'sync; sync -d new; sync -f new'
refused "what is read-only cannot be written" "Read-only" 'echo x >/ro/new'
refused "… nor removed" "Read-only" 'rm /ro/old'
refused "… nor changed" "Read-only" 'chmod 600 /ro/old'
claim "… but read" '[ "\$(cat /ro/old)" = "from the host" ]'
claim "a single file is mounted" '[ "\$(cat /etc/single)" = single ]; echo changed >/etc/single'
i=0; while ! grep -q answer told && [ \$i -lt 300 ]; do sleep 0.1; i=\$((i+1)); done
claim "what the host changes is seen" 'grep -q answer told && [ -e from-host ]'
echo finished
END
start run --rm --isolation vm -v "$share:/data" -v "$share:/ro:ro" -v "$work/tools:/tools:ro" --mount "type=bind,source=$work/single,target=/etc/single" -v "$work/made/by/v:/made" busybox sh /tools/main >"$work/claims" 2>&1
guest=$started
wait_for_guest test -s "$share/ready" || fail "the guest comes up"
: >"$share/from-host"
echo answer >>"$share/told"
wait "$guest"
relay "$work/claims"
[[ $(<"$share/new") == $'one\ntwo' && $(stat -c %u:%g "$share/o") == 1234:567 && $(stat -c %a "$share/m") == 4751 && $(readlink "$share/symlink") == b/c/d ]] &&
  pass "the host sees what the guest wrote" || fail "the host sees what the guest wrote" "$(ls -l "$share")"
cmp -s "$share/big" "$share/copy" && pass "… to the last byte" || fail "… to the last byte"
[[ $(<"$work/single") == changed && $(<"$work/sibling") == sibling ]] && pass "… also in a single file" || fail "… also in a single file"
[[ -d $work/made/by/v ]] && pass "-v makes a directory that is missing" || fail "-v makes a directory that is missing"
[[ $(<"$work/outside/secret") == secret ]] && pass "nothing outside the share was touched" || fail "nothing outside the share was touched"

## A full file system.
mkdir "$work/small"
mount -t tmpfs -o size=2m tmpfs "$work/small"
cat >"$work/tools/full" <<'END'
. /tools/claims
cd /data
echo precious >kept
refused "a full file system is told" "No space" 'dd if=/dev/zero of=filler bs=64k count=100'
claim "… and nothing is lost on it" '[ "$(cat kept)" = precious ] && [ $(stat -c %s filler) -gt 1000000 ]'
claim "… and it goes on when there is room" 'rm filler && echo more >>kept && [ "$(tail -1 kept)" = more ]'
echo finished
END
run run_it -v "$work/small:/data" -v "$work/tools:/tools" busybox sh /tools/full
echo "$output" >"$work/claims"
relay "$work/claims"
[[ $(cat "$work/small/kept") == $'precious\nmore' ]] && pass "the host has what was written" || fail "the host has what was written"
umount "$work/small"

## Mapped owners: what a container has, seen from inside and on the host.
cat >"$work/tools/mapped" <<'END'
cd /m
stat -c '%n %u:%g' of-user of-root of-nobody below/file
su user -c 'echo mine >mine; mkdir directory; ln -s x link; ln mine again; mv again other'
stat -c '%n %u:%g' mine directory link other
chown 5001:6001 mine && stat -c '%n %u:%g' mine
chown 77 directory; touch by-root; chmod 700 of-nobody
stat -c '%u:%g' /single
END
maps='idmap=uids=3000-1000-5#0-5000-10;gids=4000-1000-5#0-6000-10'
expect_mapped() { # CLASS
  local tree=$work/mapped-$1
  mkdir -m 777 "$tree" && mkdir "$tree/below"
  touch "$tree"/{of-user,of-root,of-nobody} "$tree/single"
  mount -t tmpfs -o mode=777 tmpfs "$tree/below" && touch "$tree/below/file"
  chown -h 3000:4000 "$tree"/{of-user,single} && chown 9000:9000 "$tree/of-nobody"
  expect_output "$1: owners are mapped inside, of the mount and not of one below it" "of-user 1000:1000
of-root 5000:6000
of-nobody 65534:65534
below/file 0:0
mine 1000:1000
directory 1000:1000
link 1000:1000
other 1000:1000
mine 5001:6001
chown: directory: Value too large for defined data type
touch: by-root: Value too large for defined data type
chmod: of-nobody: Value too large for defined data type
1000:1000" trine run --rm --isolation "$1" -v "$tree:/m:$maps" -v "$tree/single:/single:$maps" -v "$work/tools:/tools:ro" busybox sh /tools/mapped
  expect_output "$1: … and on the host they are the file system's" "mine 1:1
other 1:1
directory 3000:4000
link 3000:4000
of-nobody 9000:9000 644" eval "cd $tree && stat -c '%n %u:%g' mine other directory link && stat -c '%n %u:%g %a' of-nobody"
  [[ ! -e $tree/by-root ]] && pass "$1: … and who has no owner there makes nothing" || fail "$1: … and who has no owner there makes nothing"
  expect_error "$1: a file system that cannot map owners" 125 "cannot map the owners of /m.*Invalid argument.*" trine run --rm --isolation "$1" -v "/proc/sys:/m:$maps" busybox true
  umount "$tree/below"
}
for class in container vm; do expect_mapped $class; done

## What cannot be.
expect_error "a source that is missing" 125 "no/such.*No such file" run_it --mount "type=bind,source=/no/such,target=/t" busybox true
mkfifo "$work/fifo"
expect_error "a source that is no file" 125 "fifo with a guest: it is no directory or regular file" run_it -v "$work/fifo:/t" busybox true
expect_error "more than it can have" 125 "at most 32 mounts" run_it --volume="$share:/"{1..33} busybox true
expect_no_leak "nothing is left behind" "$before"
finish
