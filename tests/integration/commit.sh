#!/usr/bin/env bash
# import, export, diff and commit: files of instances become archives and images, with nothing lost.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
require_root
for program in umoci skopeo podman jq getfattr; do require_program $program; done
busybox_image

# An image with what can be changed, and an instance that changes it in all ways. It is kept, and so is what it wrote.
layout=$work/layout
umoci unpack --image "$layout:busybox" "$work/base" >/dev/null 2>&1
root=$work/base/rootfs
mkdir -p "$root"/data/{keep,remove/sub,replace/old,tofile} "$root/data/deep/er" "$root/data/same"
for file in keep/a changed removed remove/b replace/old/c deep/er/d meta totree tolink; do echo "$file" >"$root/data/$file"; done
echo twice >"$root/data/one" && ln "$root/data/one" "$root/data/two"
umoci repack --image "$layout:data" "$work/base" >/dev/null 2>&1
trine load -q --name data:1 "oci:$layout:data" >/dev/null
cat >"$work/changes" <<'SH'
cd /data && echo more >>changed && rm removed && rm -r remove && rm -r replace && mkdir replace && echo new >replace/new
rm -r tofile && echo file >tofile && rm totree && mkdir totree && echo in >totree/in && ln -sf /etc/passwd tolink
chown 70000:80000 meta && chmod 4711 meta && echo added >deep/er/added && mkdir -p new/tree && echo x >new/tree/x
mkfifo fifo && ln -s nowhere new/dangling && ln changed linked && : >"name with
newline" && truncate -s 100k new/sparse && touch -d '2001-02-03 04:05:06' new/tree/x && cp /bin/busybox new/large
chmod 700 /data/keep
SH
expect_exit "an instance that changes files is kept" 0 trine run --name changed -v "$work/changes:/changes:ro" data:1 sh /changes

# diff, with podman as the oracle; but podman's own fails where a file has become a directory.
grep -v totree "$work/changes" >"$work/simple"
trine run --name simple -v "$work/simple:/changes:ro" data:1 sh /changes || fail "simpler changes"
engine() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver overlay --cgroup-manager cgroupfs --runtime "$build/bin/trine-oci" "$@"; }
skopeo copy -q --insecure-policy "oci:$layout:data" "oci-archive:$work/data.tar:data:1"
engine load -q -i "$work/data.tar" >/dev/null 2>&1
# Without CAP_SYS_RESOURCE, which not every machine that runs tests has, the limits that podman asks for are refused.
if engine run --name changed --network none --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 -v "$work/simple:/changes:ro" localhost/data:1 sh /changes >/dev/null 2>"$work/log"; then
  # Of a directory that was made anew podman prints D, and what is in it; docker and trine say what of it is gone.
  expect_output "diff prints what podman diff prints" "$(engine diff changed | grep -a ' /data' | grep -v replace | LC_ALL=C sort)" \
    eval "'$build/bin/trine' --root '$state' diff simple | grep -a ' /data' | grep -v replace | LC_ALL=C sort"
else
  echo "skipped: podman cannot run here: $(tail -n 1 "$work/log")"
fi
wanted='A /changes
C /data
C /data/changed
C /data/deep
C /data/deep/er
A /data/deep/er/added
A /data/fifo
C /data/keep
A /data/linked
C /data/meta
A /data/name with
newline
A /data/new
A /data/new/dangling
A /data/new/large
A /data/new/sparse
A /data/new/tree
A /data/new/tree/x
D /data/remove
D /data/removed
C /data/replace
A /data/replace/new
D /data/replace/old
C /data/tofile
C /data/tolink
C /data/totree
A /data/totree/in'
expect_output "diff prints each path with what became of it" "$wanted" trine diff changed
script -qec "$build/bin/trine --root $state diff changed" /dev/null </dev/null >"$work/out" 2>&1
grep -q 'name with\\012newline' "$work/out" && pass "to a terminal without what would move the cursor" || fail "to a terminal without what would move the cursor" "$(<"$work/out")"

# export: what an instance sees is in the archive.
mkdir "$work/seen"
trine export -o "$work/root.tar" changed || fail "export"
tar -C "$work/seen" --xattrs --xattrs-include='*' -xf "$work/root.tar"
expect_output "an archive has removed files no more, and new ones" "no added 4711 70000:80000" \
  eval "cd '$work/seen/data'; echo \$(ls removed 2>/dev/null || echo no) \$(cat deep/er/added) \$(stat -c '%a %u:%g' meta)"
expect_output "hardlinks are hardlinks" "yes" eval "cd '$work/seen/data' && [ changed -ef linked ] && echo yes"
expect_output "to the standard output it is the same bytes" "$(sha256sum <"$work/root.tar")" eval "'$build/bin/trine' --root '$state' export changed | sha256sum"
script -qec "$build/bin/trine --root $state export changed" /dev/null </dev/null >"$work/out" 2>&1
grep -q "does not write an archive to a terminal" "$work/out" && pass "a terminal is spared" || fail "a terminal is spared" "$(head -c 300 "$work/out")"

# commit: an image with one layer more, which is what export shows.
expect_match "commit prints digest and name" "^sha256:[0-9a-f]{64} changed:2$" trine commit -m "as tested" -a "a test" \
  -c 'CMD ["echo", "committed"]' -c 'ENV A=1 B="two words"' -c 'LABEL key=value' -c 'EXPOSE 80 53/udp' -c 'workdir /data' -c 'WORKDIR new' changed changed:2
expect_same_tree "its files are those that export shows" "$work/seen" changed:2
expect_output "it runs what --change says" "committed" trine run --rm changed:2
expect_output "with that environment, in that directory" "1 two words /data/new" trine run --rm changed:2 sh -c 'echo $A $B $PWD'
trine save --format oci -o "$work/oci" changed:2 && umoci unpack --image "$work/oci:changed:2" "$work/umoci" >/dev/null 2>&1
expect_same_tree "umoci unpacks the same" "$work/umoci/rootfs" changed:2
expect_match "skopeo reads it" '"key": "value"' skopeo inspect "oci:$work/oci:changed:2"
expect_output "it has the base's layers and one more" "1" eval "'$build/bin/trine' --root '$state' inspect data:1 changed:2 | jq '(.[1].Layers | length) - (.[0].Layers | length)'"
expect_match "history tells the command and the comment" "sh /changes .*as tested" trine history --no-trunc changed:2
expect_output "and who made it" "a test" eval "'$build/bin/trine' --root '$state' inspect changed:2 | jq -r '.[0].Config.author'"
expect_match "whiteouts and opaque directories are in the layer" "data/.wh.removed" eval "tar tf '$work'/oci/blobs/sha256/\$(jq -r '.layers[-1].digest[7:]' '$work'/oci/blobs/sha256/\$(jq -r '.manifests[0].digest[7:]' '$work/oci/index.json'))"
expect_match "an image need not have a name" "^sha256:[0-9a-f]{64}$" trine commit changed
id=$(trine run --rm changed:2 sh -c 'ls /data | wc -l')
expect_exit "an instance of it runs" 0 trine run --name second changed:2 sh -c 'rm /data/two; echo 3 >/data/three'
trine commit second changed:3 >/dev/null
expect_output "which is committed again" "$id three" trine run --rm changed:3 sh -c 'echo $(ls /data | wc -l) $(ls /data/three | sed s,.*/,,)'
expect_output "nothing changed is nothing to print" "" eval "'$build/bin/trine' --root '$state' run --name idle busybox true && '$build/bin/trine' --root '$state' diff idle"

# An image in Docker's format, whose manifest has other types.
skopeo copy -q --insecure-policy --format v2s2 "oci:$layout:data" "dir:$work/docker"
trine load -q --name docker:1 "dir:$work/docker" >/dev/null
trine run --name of-docker docker:1 sh -c 'echo x >/data/x'
trine commit of-docker docker:2 >/dev/null
expect_output "what is committed on an image in Docker's format runs" "x" trine run --rm docker:2 cat /data/x
expect_output "and is of one family of types" "application/vnd.oci.image.layer.v1.tar application/vnd.oci.image.layer.v1.tar+gzip" \
  eval "'$build/bin/trine' --root '$state' inspect docker:2 | jq -r '.[0].Manifest.layers[].mediaType' | sort -u | xargs"

# While it runs: what is on the disk.
mkfifo "$work/ready"
start run --name live -v "$work/ready:/ready" busybox sh -c 'echo live >/state; mkdir /many; for i in 1 2 3; do echo $i >/many/$i; done; echo >/ready; while :; do mkdir -p /a/b/c /d; echo x >/a/b/c/f; mv /a/b/c/f /d/f; rm -r /a /d; done'
read -r <"$work/ready"
expect_output "a running instance is committed, exported and compared, whatever it does to its directories" "ok" \
  eval 'for ((i = $(scaled 20); i > 0; i--)); do trine commit live live:1 && trine export live && trine diff live || exit; done >/dev/null; echo ok'
expect_output "with what it has written" "live 6" trine run --rm live:1 sh -c 'echo $(cat /state) $(cat /many/1 /many/2 /many/3 | tr "\n" + | sed "s/+$//" | tr -d + | sed "s/123/6/")'
expect_output "and exported" "live" eval "'$build/bin/trine' --root '$state' export live | tar -xO state"
expect_match "and compared" "^A /state$" trine diff live
expect_output "nothing is mounted after that" "" eval "grep '$state/lib/images/tmp' /proc/self/mountinfo || :"
trine rm --force live >/dev/null
wait "$started" 2>/dev/null

# What is read is not removed under the reader.
mkfifo "$work/slow"
start export changed >"$work/slow" &
exec 5<"$work/slow"
head -c 1 <&5 >/dev/null
expect_error "an instance is not removed while it is read" 125 "its files are being read" trine rm changed
cat <&5 >/dev/null
exec 5<&-
wait
expect_exit "one that is read no more can be" 0 trine rm simple
start run --rm --name brief -v "$work/ready:/ready" busybox sh -c 'head -c 200000 /dev/zero >/file; echo >/ready; cat /ready >/dev/null'
run=$started
read -r <"$work/ready"
id=$(trine inspect brief | jq -r '.[0].id')
start export brief >"$work/slow" &
exec 5<"$work/slow"
dd bs=1 count=1 <&5 >"$work/brief.tar" 2>/dev/null
echo >"$work/ready"
wait "$run"
[[ -e $state/lib/instances/$id/upper/file ]] && pass "what an instance that removes itself wrote stays while it is read" || fail "what an instance that removes itself wrote stays while it is read"
cat <&5 >>"$work/brief.tar"
exec 5<&-
wait
expect_output "and is in the archive" "200000" eval "tar -xOf '$work/brief.tar' file | wc -c"
trine ps >/dev/null
[[ ! -e $state/lib/instances/$id ]] && pass "the next command removes it" || fail "the next command removes it"

# import: any compression, from a file and from a pipe.
tar -C "$work/seen" --sort=name --xattrs --xattrs-include='*' -cf "$work/plain.tar" .
gzip -k "$work/plain.tar" && xz -T1 -0 -k "$work/plain.tar" && bzip2 -1 -k "$work/plain.tar"
if command -v zstd >/dev/null; then zstd -q -k "$work/plain.tar" -o "$work/plain.tar.zst"; fi
for file in "$work"/plain.tar*; do
  expect_match "import of ${file##*/}" "^sha256:[0-9a-f]{64} imported:${file##*.}$" trine import -c 'CMD ["sh", "-c", "cat /data/changed"]' "$file" "imported:${file##*.}"
done
expect_same_tree "it has the archive's files" "$work/seen" imported:xz
expect_output "and runs" "changed
more" trine run --rm imported:gz
expect_output "of one layer, whatever the compression" "1" eval "'$build/bin/trine' --root '$state' inspect imported:tar imported:gz imported:xz imported:bz2 | jq -r '.[].Layers[]' | sort -u | wc -l"
expect_match "from a pipe, compressed by a program" " piped:latest$" eval "xz -c '$work/root.tar' | '$build/bin/trine' --root '$state' import -m note - piped"
expect_same_tree "with the same files" "$work/seen" piped
expect_match "with the note in its history" "note" trine history piped
expect_output "for the platform that is asked for" "linux/arm64" eval "'$build/bin/trine' --root '$state' import --platform arm64 '$work/plain.tar' other >/dev/null; '$build/bin/trine' --root '$state' inspect other | jq -r '.[0] | .Os + \"/\" + .Architecture'"
trine save -o "$work/imported.tar" imported:gz
expect_match "podman loads an imported image" "imported:gz" engine load -q -i "$work/imported.tar"
engine rmi -af >/dev/null 2>&1

# What goes wrong.
before=$(snapshot)
expect_error "an instance that is not there" 125 "no instance nosuch" trine commit nosuch
expect_error "a name that is none" 125 "name" trine commit changed 'No/Such Name'
expect_error "an instruction that is none" 125 "no such instruction" trine commit -c 'RUN true' changed x
expect_error "a quotation that does not end" 125 "does not end" trine commit -c 'ENV A="x' changed x
expect_error "a port that is none" 125 "is no port" trine commit -c 'EXPOSE 70000' changed x
expect_error "two names" 125 "one name at most" trine commit changed a b
expect_error "a file that is no archive" 125 "checksum|no tar|header" trine import "$work/changes" x
expect_error "an empty one" 125 "it is empty" trine import /dev/null x
head -c 30000 "$work/plain.tar.xz" >"$work/cut.xz"
expect_error "one that is cut off" 125 "xz has failed" trine import "$work/cut.xz" x
expect_error "one that is cut off within its compression" 125 "truncated|damaged" eval "head -c 30000 '$work/plain.tar.gz' | '$build/bin/trine' --root '$state' import - x"
expect_error "a file that is not there" 125 "No such file" trine import "$work/nosuch" x
expect_exit "a name that images give a meaning to" 0 trine run --name marked busybox sh -c 'echo >/.wh.etc'
expect_error "is not packed" 125 "begin with .wh." trine commit marked x
expect_exit "but exported" 0 trine export -o "$work/marked.tar" marked
mkdir "$work/bundle" && echo '{}' >"$work/bundle/config.json"
expect_error "a full disk" 125 "No space left" eval "'$build/bin/trine' --root '$state' export changed >/dev/full"
expect_exit "a device is written to" 0 trine export -o /dev/null changed
[[ -c /dev/null ]] && pass "and stays one" || { fail "and stays one"; rm -f /dev/null; mknod -m 666 /dev/null c 1 3; }
expect_error "an export into a directory that is not there" 125 "/nosuch/" trine export -o "$work/nosuch/x.tar" changed
trine rm marked >/dev/null
expect_no_leak "nothing is left behind" "$before"
finish
