#!/usr/bin/env bash
# Layers that try to write outside of their root: nothing of the host changes, whatever becomes of the layer.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/layout.sh"
require_root
mkdir -p "$work/victim" && echo host >"$work/victim/file" && chmod 644 "$work/victim/file"

untouched() {
  if [[ $(cat "$work/victim/file") == host && $(ls "$work/victim") == file && $(stat -c '%a %h' "$work/victim/file") == "644 1" ]]; then
    pass "$1"
  else
    fail "$1" "$(ls -la "$work/victim")"
  fi
}
attack() { # CLAIM NAME TAR...
  local claim=$1
  shift
  image "$@"
  run trine load -q --name attack "oci:$work/$1"
  untouched "$claim"
}
# tar_of FILE ENTRY...: members are taken from the current directory; names are transformed by $rename
tar_of() { local out=$1; shift; tar --numeric-owner -P -cf "$out" ${rename:+--transform "$rename"} "$@"; }

mkdir "$work/t" && cd "$work/t" || exit 1
echo evil >file
rename="s,file,../../../../../..$work/victim/file," tar_of a.tar file
attack "a path with .. stays inside" dots a.tar
rename="s,file,$work/victim/file," tar_of b.tar file
attack "an absolute path stays inside" absolute b.tar
ln -s "$work/victim" link && tar_of c.tar link && rename="s,file,link/file," tar_of d.tar file
tar --concatenate -f c.tar d.tar
attack "a path through a symlink of the same layer stays inside" symlink c.tar
tar_of e.tar link && rename="s,file,link/file," tar_of f.tar file
attack "a path through a symlink of a lower layer stays inside" symlink2 e.tar f.tar
ln -s "$work/victim/file" leaf && tar_of g.tar leaf && rename="s,file,leaf," tar_of h.tar file
tar --concatenate -f g.tar h.tar
attack "a file in the place of a symlink does not follow it" leaf g.tar
ln file hard && rename="s,^file\$,$work/victim/file,;flags=rh" tar_of i.tar file hard
attack "a hardlink to a file of the host is not made" hard i.tar
mkdir .wh..opq && : >".wh.file" && rename="s,^\.wh\.file,link/.wh.file," tar_of j.tar link .wh.file
attack "a whiteout through a symlink stays inside" whiteout j.tar
: >".wh..." && tar_of k.tar .wh...
attack "a whiteout of .. is refused" whiteout2 k.tar
[[ $code == 125 ]] && pass "… by an error" || fail "… by an error" "$output"
mknod disk b 254 0 && tar_of l.tar disk && image device l.tar
expect_exit "an image may hold a device" 0 trine load -q --name device "oci:$work/device"

mkdir many && for ((i = 0; i < 200; i++)); do echo $i >"many/$i" && tar_of "l$i.tar" "many/$i"; done
cp "$(command -v busybox)" sh && tar_of busybox.tar sh
# shellcheck disable=SC2046
image deep busybox.tar $(seq -f 'l%g.tar' 0 199)
expect_output "an image of 201 layers runs" "0 100 199" trine run --rm "oci:$work/deep" /sh -c 'read a </many/0; read b </many/100; read c </many/199; echo $a $b $c'
truncate -s 10M zeroes && head -c 3000 /dev/urandom >garbage
image garbage garbage
expect_error "a layer that is no archive is refused" 125 "^trine: " trine load "oci:$work/garbage"
finish
