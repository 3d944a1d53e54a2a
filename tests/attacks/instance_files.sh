#!/usr/bin/env bash
# What an instance wrote is read by export, commit and diff: nothing of it leads them out, holds them or ends them.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
mkdir "$work/outside"
echo "the host's secret" >"$work/outside/file"
trine run --name hostile busybox sh -c 'mkdir -p /x/dir && echo innocent >/x/dir/file && mkfifo /x/pipe && ln -s /x/dir/file /x/file'
upper=$state/lib/instances/$(trine inspect hostile | jq -r '.[0].id')/upper
ln -s "$work/outside" "$upper/x/link"
ln -s "$work/outside/file" "$upper/x/secret"
read_all() {
  timeout 60 "$build/bin/trine" --root "$state" export hostile >"$work/root.tar" &&
    timeout 60 "$build/bin/trine" --root "$state" commit hostile copy:1 >/dev/null &&
    trine save -o "$work/copy.tar" copy:1 && trine diff hostile >"$work/diff"
}

# A directory and a link that leads out of it, exchanged without end.
"$build/tests/bin/racer" "$upper/x/dir" "$upper/x/link" &
racer=$!
rounds=$(scaled 40) seen=0 done=0
for ((i = 0; i < rounds; i++)); do
  read_all 2>"$work/error" && done=$((done + 1))
  if grep -aq "the host's secret" "$work/root.tar" "$work/copy.tar"; then seen=$((seen + 1)); fi
done
kill -9 $racer
wait $racer 2>/dev/null
((seen == 0)) && pass "$rounds rounds against a racing exchange bring nothing from outside ($done went through)" || fail "a racing exchange brings files from outside" "$seen of $rounds"
((done > 0)) && pass "and some went through" || fail "and some went through" "$(<"$work/error")"

# What stands still.
expect_exit "links and a pipe neither lead out nor hold it" 0 read_all
expect_output "they are packed as they are" "p l" eval "tar tvf '$work/root.tar' x/pipe x/secret | cut -c1 | xargs"
python3 - "$upper" <<'PY'
import os, socket, sys
os.chdir(sys.argv[1])
socket.socket(socket.AF_UNIX).bind("socket")
PY
[[ -S $upper/socket ]] || fail "a socket is made"
expect_exit "a socket is left out" 0 read_all
expect_output "of the archive" "" eval "tar tf '$work/root.tar' | grep socket || :"
before=$(snapshot)
python3 - "$upper" <<'PY'
import os, sys
os.chdir(sys.argv[1])
for i in range(1500):
    os.mkdir("d")
    os.chdir("d")
PY
for verb in "export -o /dev/null" commit diff; do
  # shellcheck disable=SC2086 # the verb and its flags
  expect_error "1500 directories in each other end ${verb%% *} with an error" 125 "nested too deep|Too many open files" timeout 60 "$build/bin/trine" --root "$state" $verb hostile
done
python3 - "$upper" <<'PY'
import os, sys
os.chdir(sys.argv[1])
depth = 0
while os.path.isdir("d"):
    os.chdir("d"); depth += 1
for i in range(depth):
    os.chdir(".."); os.rmdir("d")
PY
truncate -s 8E "$upper/x/huge" 2>/dev/null || truncate -s 15T "$upper/x/huge"
mkdir "$work/small" && mount -t tmpfs -o size=4m tmpfs "$work/small"
expect_error "a file of holes fills no more than there is, and that is said" 125 "No space left" trine export -o "$work/small/root.tar" hostile
umount "$work/small"
rm "$upper/x/huge"
expect_no_leak "nothing is left behind" "$before"
finish
