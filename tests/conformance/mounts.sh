#!/usr/bin/env bash
# config.md, "Mounts": every option of the table, in the order given, and mapped owners.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
trap 'umount -R "$work/tree" 2>/dev/null; cleanup' EXIT

# What a bundle binds: a directory with another mount in it.
tree=$work/tree
mkdir "$tree"
mount -t tmpfs -o mode=755 tmpfs "$tree" && mount --make-private "$tree"
mkdir "$tree/sub"
mount -t tmpfs -o mode=755 tmpfs "$tree/sub"
echo outer >"$tree/file"
echo inner >"$tree/sub/file"
chown 1000:1000 "$tree/file" "$tree/sub/file"

tmpfs() { echo ".mounts += [{\"destination\": \"/m\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [$1]}]"; }
bind() { echo ".mounts += [{\"destination\": \"/m\", \"type\": \"none\", \"source\": \"$tree\", \"options\": [$1]}]"; }
# Fields of mountinfo: 6 is the mount's own options, 7 its propagation; behind the dash are the file system's.
own() { echo "awk '\$5 == \"$1\" {print \$6}' /proc/self/mountinfo"; }

# --- destination, order, source ---
inside "config.md#mounts: destination may be relative to /" \
  '.mounts += [{"destination": "a/b", "type": "tmpfs", "source": "tmpfs"}]' "$(own /a/b)" 'rw.*'
inside "config.md#mounts: in the listed order" \
  '.mounts += [{"destination": "/m", "type": "tmpfs", "source": "one"}, {"destination": "/m", "type": "tmpfs", "source": "two"}]' \
  "awk '\$5 == \"/m\" {print \$(NF - 1)}' /proc/self/mountinfo" $'one\ntwo'
inside "config.md#mounts: a missing destination is made, for a file a file" \
  ".mounts += [{\"destination\": \"/new/file\", \"source\": \"$tree/file\", \"options\": [\"bind\"]}]" 'cat /new/file' outer
mkdir "$bundle/beside" && echo beside >"$bundle/beside/file"
inside "config.md#mounts: a bind's source may be relative to the bundle" \
  '.mounts += [{"destination": "/m", "type": "bind", "source": "beside", "options": ["bind"]}]' 'cat /m/file' beside
refused "config.md#mounts: a source that is not there" "$(bind '"bind"' | sed 's/tree"/tree-not"/')" 'tree-not on /m: No such file'
refused "config.md#mounts: an unknown file system" '.mounts += [{"destination": "/m", "type": "moonfs", "source": "x"}]' 'moonfs: this kernel has no such file system'
refused "config.md#mounts: an option that nobody knows" "$(tmpfs '"moon"')" "moon"
inside "config.md#linux-mount-options: a file system's own go to it" "$(tmpfs '"size=64k", "mode=711", "uid=5"')" \
  'stat -c "%a %u" /m; df -k /m | tail -n 1 | tr -s " " | cut -d" " -f2' $'711 5\n64'

# --- one option of the mount each: what mountinfo says ---
for row in ro:ro rw:rw nosuid:rw,nosuid nodev:rw,nodev noexec:rw,noexec noatime:rw,noatime nodiratime:rw,nodiratime \
  relatime:rw,relatime norelatime:rw strictatime:rw nostrictatime:rw,relatime atime:rw,relatime diratime:rw,relatime suid:rw dev:rw exec:rw \
  defaults:rw nosymfollow:rw.* symfollow:rw async:rw loud:rw silent:rw iversion:rw noiversion:rw nolazytime:rw nomand:rw; do
  inside "config.md#linux-mount-options: ${row%%:*}" "$(tmpfs "\"${row%%:*}\"")" "$(own /m)" "${row#*:}(,relatime)?"
done
for row in sync:sync dirsync:dirsync lazytime:lazytime; do
  inside "config.md#linux-mount-options: ${row%%:*}" "$(tmpfs "\"${row%%:*}\"")" "awk '\$5 == \"/m\" {print \$NF}' /proc/self/mountinfo" ".*${row#*:}.*"
done
inside "config.md#linux-mount-options: ro and noexec are obeyed" "$(bind '"bind", "ro", "noexec"')" 'touch /m/x 2>&1; cat /m/file' $'.*Read-only file system\nouter'
inside "config.md#linux-mount-options: nosymfollow is obeyed" "$(tmpfs '"nosymfollow"')" 'ln -s /etc/group /m/link; cat /m/link 2>&1; true' '.*(Too many|Symbolic link loop|symbolic links).*'
inside "config.md#linux-mount-options: of contradicting ones the last" "$(tmpfs '"ro", "nosuid", "rw", "suid"')" "$(own /m)" 'rw(,relatime)?'

# --- bind mounts ---
inside "config.md#linux-mount-options: bind takes one mount" "$(bind '"bind"')" 'cat /m/file; ls /m/sub' outer
inside "config.md#linux-mount-options: rbind takes those below" "$(bind '"rbind"')" 'cat /m/file /m/sub/file' $'outer\ninner'
inside "config.md#linux-mount-options: ro is not recursive" "$(bind '"rbind", "ro"')" "$(own /m); $(own /m/sub)" 'ro.*'$'\n''rw.*'
for row in rro:ro rnosuid:nosuid rnodev:nodev rnoexec:noexec rnoatime:noatime rnodiratime:nodiratime rrelatime:relatime; do
  inside "config.md#linux-mount-options: ${row%%:*}" "$(bind "\"rbind\", \"${row%%:*}\"")" "$(own /m); $(own /m/sub)" ".*${row#*:}.*"$'\n'".*${row#*:}.*"
done
mount -o remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime "$tree/sub"
for row in rrw:ro rsuid:nosuid rdev:nodev rexec:noexec ratime:noatime rdiratime:nodiratime rstrictatime:noatime; do
  inside "config.md#linux-mount-options: ${row%%:*}" "$(bind "\"rbind\", \"${row%%:*}\"")" \
    "$(own /m/sub) | tr , '\n' | grep -x ${row#*:}; echo gone" gone
done
for row in rnorelatime rnostrictatime rsymfollow rnosymfollow; do
  inside "config.md#linux-mount-options: $row" "$(bind "\"rbind\", \"$row\"")" 'cat /m/sub/file' inner
done
mount -o remount,bind,rw,suid,dev,exec,relatime,diratime "$tree/sub"

# --- propagation: of a source that is shared ---
mount --make-rshared "$tree"
for row in private:- rprivate:- slave:master:.* rslave:master:.* unbindable:unbindable runbindable:unbindable; do
  inside "config.md#linux-mount-options: ${row%%:*}" "$(bind "\"rbind\", \"${row%%:*}\"")" "awk '\$5 == \"/m\" {print \$7}' /proc/self/mountinfo" "${row#*:}"
done
for row in shared rshared; do
  inside "config.md#linux-mount-options: $row" "$(bind "\"rbind\", \"$row\"")" "awk '\$5 == \"/m\" {print \$7}' /proc/self/mountinfo" 'shared:.*'
done
mount --make-rprivate "$tree"

# --- remount, tmpcopyup ---
inside "config.md#linux-mount-options: remount changes what is there" \
  "$(tmpfs '"mode=755"') | .mounts += [{\"destination\": \"/m\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"remount\", \"ro\", \"size=128k\"]}]" \
  "$(own /m); df -k /m | tail -n 1 | tr -s ' ' | cut -d' ' -f2" 'ro.*'$'\n''128'
inside "config.md#linux-mount-options: bind with remount changes the mount alone" \
  "$(bind '"bind"') | .mounts += [{\"destination\": \"/m\", \"source\": \"$tree\", \"options\": [\"bind\", \"remount\", \"ro\"]}]" \
  "$(own /m)" 'ro.*'
mkdir -p "$bundle/rootfs/full/dir" && echo up >"$bundle/rootfs/full/dir/file" && chown -R 7:8 "$bundle/rootfs/full" && chmod 777 "$bundle/rootfs/full/dir"
inside "config.md#linux-mount-options: tmpcopyup fills the tmpfs from the image" \
  '.mounts += [{"destination": "/full", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]' \
  'cat /full/dir/file; stat -c "%u:%g" /full/dir/file; rm /full/dir/file' $'up\n7:8'
[[ $(cat "$bundle/rootfs/full/dir/file") == up ]] && pass "config.md#linux-mount-options: tmpcopyup leaves the image alone" ||
  fail "config.md#linux-mount-options: tmpcopyup leaves the image alone"

# --- what a mount finds in the root, and what is still made in it ---
for options in '"ro"' '"rro"'; do
  inside "config.md#mounts: places and devices are made in a tmpfs that is $options" \
    ".mounts |= map(if .destination == \"/dev\" then .options += [$options, \"mode=755\"] else . end)
     | .mounts += [{\"destination\": \"/m\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [$options]},
                  {\"destination\": \"/m/below\", \"type\": \"tmpfs\", \"source\": \"tmpfs\"}]" \
    "$(own /dev); $(own /m); $(own /m/below); test -c /dev/null && test -d /dev/pts && touch /m/below/file && echo all; touch /dev/x 2>&1; true" \
    'ro,.*'$'\n''ro,.*'$'\n''rw,.*'$'\n''all'$'\n''.*Read-only file system'
done
inside "config.md#mounts: a remount after it holds" \
  '.mounts += [{"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]},
     {"destination": "/m", "type": "tmpfs", "source": "tmpfs", "options": ["remount", "rw"]}, {"destination": "/m/below", "type": "tmpfs", "source": "tmpfs"}]' \
  "$(own /m)" 'rw.*'
mkdir -p "$bundle/rootfs/here"
echo covered >"$bundle/rootfs/here/file"
# Twice over: the root's place for it, then that with what is mounted there by then.
in_root() { # OPTION [MORE]
  echo ".mounts += [{\"destination\": \"/here\", \"source\": \"$tree\", \"options\": [\"bind\"]},
    {\"destination\": \"/here/sub\", \"source\": \"$tree/sub\", \"options\": [\"bind\"]},
    {\"destination\": \"/m\", \"source\": \"$bundle/rootfs/here\", \"options\": [$1]${2:+, $2}}]"
}
inside "config.md#mounts: a source in the root is what earlier mounts made it" "$(in_root '"rbind"')" 'cat /m/file /m/sub/file' $'outer\ninner'
inside "config.md#mounts: … and bind takes one of them" "$(in_root '"bind"')" 'cat /m/file; ls /m/sub' outer
inside "config.md#mounts: … and later ones do not change it" \
  "$(in_root '"rbind"') | .mounts |= .[:-3] + [.[-1], .[-3]]" 'cat /m/file' covered
refused "config.md#mounts: a source in the root that is not there" \
  ".mounts += [{\"destination\": \"/m\", \"source\": \"$bundle/rootfs/not/there\", \"options\": [\"bind\"]}]" '/not/there.*No such file'
ln -sfn "$tree" "$bundle/rootfs/away"
refused "config.md#mounts: a source in the root does not lead out of it" \
  ".mounts += [{\"destination\": \"/m\", \"source\": \"$bundle/rootfs/away/file\", \"options\": [\"bind\"]}]" 'No such file'
rm "$bundle/rootfs/away"
inside "runc: a destination may be named by its path on the host" \
  ".mounts += [{\"destination\": \"$bundle/rootfs/here\", \"source\": \"$tree\", \"options\": [\"bind\"]}]" 'cat /here/file' outer

# --- mapped owners ---
ln -sfn nowhere "$work/dangling"
ln -sfn ../made/for/it "$bundle/rootfs/etc/dangling"
inside "crun's mount option copy-symlink: a symlink stays one" ".mounts += [{\"destination\": \"/etc/copied\", \"source\": \"$work/dangling\", \"options\": [\"rbind\", \"copy-symlink\"]}]" \
  'readlink /etc/copied' nowhere
inside "config.md#mounts: a destination that is a dangling symlink is what it leads to" \
  '.mounts += [{"destination": "/etc/dangling", "source": "/etc/hostname", "options": ["bind"]}]' 'test -s /made/for/it && echo there' there
reachable=$(mktemp -d /tmp/trine-root.XXXXXX)
chmod 755 "$reachable" && cp -a "$bundle/rootfs" "$reachable"
trap 'umount -R "$work/tree" 2>/dev/null; rm -rf "$reachable"; cleanup' EXIT
maps='"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}, {"containerID": 1000, "hostID": 0, "size": 1}],
      "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 1}, {"containerID": 1000, "hostID": 3000, "size": 1}]'
shift_ids='"uidMappings": [{"containerID": 0, "hostID": 5000, "size": 5000}], "gidMappings": [{"containerID": 0, "hostID": 6000, "size": 5000}]'
user='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 5000}] | .linux.gidMappings = .linux.uidMappings'
mapped() { echo ".mounts += [{\"destination\": \"/m\", \"source\": \"$tree\", \"options\": [$1]${2:+, $2}}]"; }
owners='stat -c %u:%g /m/file /m/sub/file'
inside "config.md#posix-platform-mounts: uidMappings and gidMappings of a mount" "$(mapped '"bind", "idmap"' "$shift_ids")" \
  'stat -c %u:%g /m/file' '6000:7000'
inside "config.md#posix-platform-mounts: mappings without the option are taken" "$(mapped '"bind"' "$shift_ids")" \
  'stat -c %u:%g /m/file' '6000:7000'
inside "config.md#linux-mount-options: idmap is not recursive" "$(mapped '"rbind", "idmap"' "$shift_ids")" "$owners" $'6000:7000\n1000:1000'
inside "config.md#linux-mount-options: ridmap is" "$(mapped '"rbind", "ridmap"' "$shift_ids")" "$owners" $'6000:7000\n6000:7000'
inside "config.md#linux-mount-options: idmap of a source in the root" "$(in_root '"rbind", "idmap"' "$shift_ids")" "$owners" $'6000:7000\n1000:1000'
inside "config.md#linux-mount-options: idmap of a source in the root, in a user namespace" "$user | $(in_root '"rbind", "idmap"')" "$owners" $'1000:1000\n65534:65534'
inside "config.md#mounts: a source in the root is what earlier mounts made it, in a user namespace" "$user | $(in_root '"rbind"')" 'cat /m/file /m/sub/file' $'outer\ninner'
inside "config.md#linux-mount-options: idmap with the container's own mappings" "$user | $(mapped '"rbind", "ridmap"')" "$owners" $'1000:1000\n1000:1000'
inside "config.md#linux-mount-options: without idmap the owners are strangers" "$user | $(mapped '"bind"')" 'stat -c %u:%g /m/file' '65534:65534'
inside "config.md#linux-mount-options: idmap with other attributes" "$user | $(mapped '"rbind", "ridmap", "rro", "nosuid"')" \
  "touch /m/x 2>&1; $(own /m)" $'.*Read-only file system\nro,nosuid.*'
chmod 700 "$work"
inside "config.md#mounts: a source that root of the user namespace cannot reach" "$user | .root.path = \"$reachable/rootfs\" | $(mapped '"bind"')" 'cat /m/file' outer
chmod 711 "$work"
refused "config.md#linux-mount-options: idmap without mappings or a user namespace" "$(mapped '"bind", "idmap"')" 'has idmap without uidMappings'
refused "config.md#posix-platform-mounts: uidMappings need gidMappings" "$(mapped '"bind", "idmap"' '"uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]')" 'both or neither'
refused "config.md#linux-mount-options: idmap of what is no bind mount" \
  ".mounts += [{\"destination\": \"/m\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\"idmap\"], $maps}]" 'is for bind mounts'
[[ $(stat -c %u "$tree/file") == 1000 ]] && pass "config.md#posix-platform-mounts: the source's owners stay" || fail "config.md#posix-platform-mounts: the source's owners stay"

umount -R "$tree"
finish
