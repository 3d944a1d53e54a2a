#!/usr/bin/env bash
# trine-oci checkpoint and restore: what criu is told, by a stand-in that writes its arguments down, and once by criu
# itself where criu can work.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
oci() { "$build/bin/trine-oci" --root "$work/oci" "$@"; }
status_of() { oci state "$1" | jq -r .status; }
before=$(awk '{print $5}' /proc/self/mountinfo | sort)
with_container() {
  oci delete --force c
  configure "$1" "$2" && oci run --detach --bundle "$bundle" c </dev/null >"$work/output" 2>"$work/error" || { fail "a container starts" "$(cat "$work/error")"; finish; }
}
volume='.mounts += [{"destination": "/data", "type": "bind", "source": "\($work)/host", "options": ["rbind"]}]'
mkdir -p "$work/host" "$work/none" "$work/fake" "$work/images"

with_container "$volume" 'sleep 1000'
real=$PATH
without_criu() { env PATH="$work/none" "$build/bin/trine-oci" --root "$work/oci" "$@"; }
expect_error "without criu its package is named" 1 "hint: apt-get install criu" without_criu checkpoint --image-path "$work/images" c
expect_error "… also for a restore" 1 "hint: apt-get install criu" without_criu restore --bundle "$bundle" d
[[ $(status_of c) == running ]] && pass "… and the container runs on" || fail "… and the container runs on"

# The stand-in: its arguments, a line each; a restore leaves a process behind as criu does.
cat >"$work/fake/criu" <<SH
#!/bin/sh
PATH=$real
printf '%s\n' "\$@" >"$work/arguments"
while [ \$# -gt 0 ]; do
  case \$1 in
    dump|pre-dump|restore) verb=\$1 ;;
    --images-dir) images=\$2 ;;
    --pidfile) pidfile=\$2 ;;
    --root) awk -v root="\$2" '\$5 == root' /proc/self/mountinfo >"$work/root-mount" ;;
  esac
  shift
done
if [ -e "$work/break" ]; then
  printf '(00.1) Warn\n(00.2) Error (criu/x.c:1): the cause\n(00.3) Error (criu/y.c:2): what follows\n' >"\$images/\${verb#pre-}.log"
  exit 1
fi
[ "\$verb" != restore ] || { sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 </dev/null & echo \$! >"\$pidfile"; }
SH
chmod +x "$work/fake/criu"
PATH=$work/fake:$real
# told CLAIM WORD...: the words follow each other among criu's arguments
told() {
  local claim=$1 wanted
  shift
  wanted=$(printf '%s\n' "$@")
  [[ $'\n'$(<"$work/arguments")$'\n' == *$'\n'"$wanted"$'\n'* ]] && pass "$claim" || fail "$claim" "wanted '$*' in: $(tr '\n' ' ' <"$work/arguments")"
}
not_told() { grep -qx -- "$2" "$work/arguments" && fail "$1" "$(tr '\n' ' ' <"$work/arguments")" || pass "$1"; }

pid=$(oci state c | jq .pid)
expect_exit "a pre-dump" 0 oci checkpoint --image-path "$work/images/1" --pre-dump c
told "… is criu's, of the first process" pre-dump --tree "$pid"
told "… and tracks the memory" --track-mem
[[ $(status_of c) == running ]] && pass "… and the container runs on" || fail "… and the container runs on"
expect_exit "a checkpoint that leaves it running" 0 oci checkpoint --image-path "$work/images/2" --work-path "$work/w" --parent-path ../1 \
  --leave-running --tcp-established --tcp-skip-in-flight --ext-unix-sk --shell-job --file-locks --manage-cgroups-mode full --empty-ns network c
told "… is told so" --leave-running
told "… with the earlier images" --prev-images-dir ../1
told "… in directories with their full paths" --images-dir "$work/images/2"
told "… with the log elsewhere" --work-dir "$work/w"
for word in --tcp-established --skip-in-flight --ext-unix-sk --shell-job --file-locks --manage-cgroups=full; do told "… with $word" $word; done
told "… without the network" --empty-ns net
told "… with volumes as external mounts" --external 'mnt[/data]:/data'
[[ $(status_of c) == running ]] && pass "… and it runs on" || fail "… and it runs on"
expect_match "… and its standard streams are recorded" '/dev/null"' cat "$work/images/2/descriptors.json"
expect_error "lazy pages are refused" 1 "lazy-pages is not supported" oci checkpoint --lazy-pages c
expect_error "an unknown cgroup mode is refused" 1 "soft, full, strict or ignore" oci checkpoint --manage-cgroups-mode x c
expect_error "an absolute parent is refused" 1 "relative to --image-path" oci checkpoint --parent-path /x c
: >"$work/break"
expect_error "criu's first error is the message" 1 "dump by criu failed: the cause" oci checkpoint --image-path "$work/images/3" c
[[ $(status_of c) == running ]] && pass "… and the container is as it was" || fail "… and the container is as it was"
expect_error "… of a restore, too" 1 "restore by criu failed: the cause" oci restore --bundle "$bundle" --image-path "$work/images/2" d
expect_error "… which leaves no container" 1 "does not exist" oci state d
rm "$work/break"
expect_exit "a checkpoint" 0 oci checkpoint --image-path "$work/images/4" c
not_told "… ends the processes" --leave-running
told "… and cgroups are soft by default" --manage-cgroups=soft
expect_error "… and the container is gone" 1 "does not exist" oci state c

expect_error "a restore without images is refused" 1 "[Nn]o such file" oci restore --bundle "$bundle" --image-path "$work/no" c
echo '["pipe:[7]", "/dev/null", "pipe:[8]"]' >"$work/images/4/descriptors.json"
expect_exit "a detached restore" 0 oci restore --detach --pid-file "$work/pid" --bundle "$bundle" --image-path "$work/images/4" c
told "… is criu's, which leaves it" restore --restore-detached
told "… and finds volumes" --external "mnt[/data]:$work/host"
told "… and gets our streams for lost pipes" --inherit-fd 'fd[0]:pipe:[7]' --inherit-fd 'fd[2]:pipe:[8]'
[[ -s $work/root-mount ]] && pass "… and the root is a mount" || fail "… and the root is a mount" "$(cat "$work/arguments")"
[[ $(status_of c) == running && $(oci state c | jq .pid) == "$(cat "$work/pid")" ]] && pass "… and the container runs" || fail "… and the container runs"
grep -q '/c$' "/proc/$(cat "$work/pid")/cgroup" && pass "… in its cgroup" || fail "… in its cgroup" "$(cat "/proc/$(cat "$work/pid")/cgroup")"
[[ $(awk '{print $5}' /proc/self/mountinfo | sort) == "$before" ]] && pass "… and no mount is left on the host" || fail "… and no mount is left on the host"
expect_error "an id that is taken is refused" 1 "exists already" oci restore --bundle "$bundle" --image-path "$work/images/4" c
oci delete --force c
oci restore --pid-file "$work/pid2" --bundle "$bundle" --image-path "$work/images/4" c &
waiting=$!
wait_until test -s "$work/pid2"
kill -TERM "$(cat "$work/pid2")"
wait $waiting
[[ $? == 7 ]] && pass "a restore in the foreground ends as its program does" || fail "a restore in the foreground ends as its program does"
expect_error "… and removes the container" 1 "does not exist" oci state c
echo '["/dev/null", "file[1d:4]'"$work"'/out", "/dev/null"]' >"$work/images/4/descriptors.json"
echo kept >"$work/out"
oci restore --detach --bundle "$bundle" --image-path "$work/images/4" c | cat
grep -qE '^fd\[([3-9]|[1-9][0-9])\]:file\[1d:4\]$' "$work/arguments" && pass "a restore into a pipe writes on to the file there was" || fail "a restore into a pipe writes on to the file there was" "$(cat "$work/arguments")"
[[ $(cat "$work/out") == kept ]] && pass "… which keeps what it has" || fail "… which keeps what it has"
oci delete --force c
rm "$work/out"
expect_error "… and is needed" 1 "redirect descriptor 1" eval 'oci restore --detach --bundle "$bundle" --image-path "$work/images/4" c | cat; exit ${PIPESTATUS[0]}'
configure '.process.terminal = true' true
expect_error "a container with a terminal is refused" 1 "with a terminal" oci restore --bundle "$bundle" --image-path "$work/images/4" c

PATH=$real
if ! command -v criu >/dev/null; then
  echo "skipped: by criu itself: it is not installed"
elif ! criu check >"$work/check" 2>&1; then
  echo "skipped: by criu itself: criu check: $(grep -m1 Error "$work/check")"
else
  with_container "$volume" 'i=0; while :; do i=$((i+1)); echo $i >/data/count; sleep 0.1; done'
  wait_until test -s "$work/host/count"
  expect_exit "criu checkpoints it" 0 oci checkpoint --image-path "$work/real" c
  count=$(cat "$work/host/count")
  expect_exit "criu restores it" 0 oci restore --detach --bundle "$bundle" --image-path "$work/real" c
  wait_until sh -c "[ \$(cat $work/host/count) -gt $count ]" && pass "… and it goes on where it was" || fail "… and it goes on where it was"
  [[ $(status_of c) == running ]] && pass "… as a running container" || fail "… as a running container"
fi
oci delete --force c
[[ $(awk '{print $5}' /proc/self/mountinfo | sort) == "$before" ]] && pass "no mount is left" || fail "no mount is left"
finish
