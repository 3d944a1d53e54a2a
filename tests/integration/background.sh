#!/usr/bin/env bash
# Instances in the background: run -d, their supervisor, their logs, and what is left when any of their processes is killed.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
before=$(snapshot)

status_of() { trine ps --all --format json | jq -r --arg name "$1" '.[] | select(.name == $name) | .status'; }
supervisor_of() { ps -o ppid= -p "$(trine inspect "$1" | jq '.[0].pid')" | tr -d ' '; }
run_d() { trine run -d "$@"; }
has_line() { trine logs "$1" 2>&1 | grep -q "$2"; }

id=$(run_d --name one busybox sh -c 'echo out; echo err >&2; read -r line; echo "read <$line>"; printf part; exit 7')
[[ $id =~ ^[0-9a-f]{64}$ ]] && pass "run -d prints the id" || fail "run -d prints the id" "$id"
expect_output "wait tells its exit code" 7 trine wait one
expect_output "the standard output is in the log" $'out\nread <>\npart' eval 'trine logs one 2>/dev/null'
expect_output "… and the standard error, on ours" err eval 'trine logs one 2>&1 >/dev/null'
expect_match "… with its time" '^20[0-9-]+T[0-9:.]+Z out$' eval 'trine logs -t one 2>/dev/null | sed -n 1p'
expect_output "… the last lines of it" $'read <>\npart' eval 'trine logs --tail 2 one 2>/dev/null'
expect_output "… nothing of the future" "" trine logs --since 2100-01-01 one
expect_output "… all that is older than that" 3 eval 'trine logs --until 2100-01-01T00:00:00+02:00 one 2>/dev/null | grep -c .'
expect_output "… what was written within the last hour" 3 eval 'trine logs --since 1h one 2>/dev/null | grep -c .'
expect_error "a time that is none" 125 "--since 'soon': it is no time" trine logs --since soon one
expect_output "it is kept" exited status_of one
expect_output "it is removed" one trine rm one
expect_error "and its log with it" 125 "there is no instance one" trine logs one

# --- the streams of those who start it ---
exec {lock}>"$work/lock"
expect_output "who reads what run -d prints is not held up by what runs" 64 eval 'printf %s "$(run_d --name held busybox sleep 1000)" | wc -c'
supervisor=$(supervisor_of held)
expect_output "its supervisor is one small process, and no child of anybody's" "trine-supervisor 1" eval "echo \$(tr '\\0' '\\n' </proc/$supervisor/cmdline | head -1 | xargs basename) \$(ps -o ppid= -p $supervisor)"
mine=$(awk '/^Private_Dirty/{print $2}' "/proc/$supervisor/smaps_rollup")
((mine <= 400)) && pass "it takes $mine KiB of its own" || fail "it takes at most 400 KiB of its own" "$mine"
expect_output "it has nothing of ours open" "" eval "find /proc/$supervisor/fd -lname '/dev/pts/*' -o -lname '/dev/tty*' -o -lname '$work/lock'"
exec {lock}>&-
expect_output "exec works" here trine exec held echo here
expect_output "stop ends it" held trine stop -t 1 held
expect_output "… with the exit code of a killed one" 137 eval "trine inspect held | jq '.[0].exitCode'"
trine rm held >/dev/null
mkdir -p "$work/bundle/rootfs" && busybox_root "$work/bundle/rootfs"
(cd "$work/bundle" && "$build/bin/trine-oci" spec && sed -i 's/"sh"/"echo", "of a bundle"/; s/"terminal": true/"terminal": false/' config.json)
run_d --name bundled "bundle:$work/bundle" >/dev/null
trine wait bundled >/dev/null
expect_output "a bundle runs in the background" "of a bundle" trine logs bundled
expect_output "… and is removed" bundled eval "echo \$(trine rm bundled) \$(trine ps -aq)"
expect_error "run -d of a program that is not there" 127 "nothere" run_d busybox nothere
expect_error "run -d of an image that is not there" 125 "nothere" run_d --pull never nothere
expect_output "a failed start leaves nothing" "" trine ps -aq

# --- following ---
run_d --rm --name talker busybox sh -c 'i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i + 1)); done; exec sleep 1000' >/dev/null
trine logs -f talker >"$work/followed" &
follower=$!
wait_until grep -q '^line 299$' "$work/followed" && pass "logs -f shows what is written" || fail "logs -f shows what is written" "$(tail -2 "$work/followed")"
trine kill talker >/dev/null
wait $follower && pass "… and ends with the instance" || fail "… and ends with the instance" $?
[[ $(wc -l <"$work/followed") == 300 ]] && pass "… every line once" || fail "… every line once" "$(wc -l <"$work/followed")"
expect_output "with --rm it goes, and its log too" "" eval "trine ps -aq; find $state/lib/instances -name 'log*'"

run_d --name long --log-opt max-size=4k --log-opt max-file=2 busybox sh -c 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; [ $((i % 50)) != 0 ] || sleep 0.01; i=$((i + 1)); done' >/dev/null
trine wait long >/dev/null
expect_match "a log has the size that it may have" '^[4-9][0-9][0-9][0-9]$' eval "cat $state/lib/instances/*/log $state/lib/instances/*/log.1 | wc -c"
expect_output "… and the last that was written" "line 999" trine logs --tail 1 long
run_d --name silent --log-driver none busybox echo hello >/dev/null
trine wait silent >/dev/null
expect_error "--log-driver none keeps nothing" 125 "there is no log of silent" trine logs silent
trine rm long silent >/dev/null

# --- terminals, input ---
run_d --rm -t --name seen busybox sh -c 'tty; exec sleep 1000' >/dev/null
wait_until has_line seen /dev/pts/0 && pass "-dt gives a terminal" || fail "-dt gives a terminal" "$(trine logs seen)"
trine kill seen >/dev/null

# --- attach ---
run_d --rm -i --name cat busybox cat >/dev/null
expect_output "attach types, and shows" $'one\ntwo' eval "printf 'one\\ntwo\\n' | trine attach cat"
run_d -i --name coded busybox sh -c 'read -r line; echo "got $line" >&2; exit 5' >/dev/null
expect_exit "its exit code is the instance's" 5 eval 'echo word | trine attach coded 2>"$work/errors"'
expect_output "… the standard error is on ours" "got word" cat "$work/errors"
trine rm coded >/dev/null
run_d --rm -i --name large busybox sh -c 'head -c 3000000 | cat' >/dev/null
expect_output "3 MB go in and come out" 3000000 eval 'head -c 3000000 /dev/zero | trine attach large | wc -c'
run_d --rm -it --name shell busybox sh >/dev/null
# at_terminal ARGUMENT...: trine attach in a terminal of 44 by 55; $keys is its keyboard, $work/screen what it shows.
mkfifo "$work/keyboard"
at_terminal() {
  exec {keys}<>"$work/keyboard"
  script -qec "stty rows 44 cols 55; $build/bin/trine --root $state attach $*" /dev/null <&"$keys" >"$work/screen" &
  terminal=$!
}
shows() { grep -q "$1" "$work/screen"; }
at_terminal shell
printf '\n' >&"$keys"
wait_until shows '/ #'
printf 'stty size\n' >&"$keys"
wait_until shows '44 55' && pass "a terminal is typed to, and has our size" || fail "a terminal is typed to, and has our size" "$(<"$work/screen")"
printf '\020\021' >&"$keys"
wait $terminal && pass "ctrl-p ctrl-q leave it alone" || fail "ctrl-p ctrl-q leave it alone" $?
expect_output "… and it goes on" 42 trine exec shell echo 42
at_terminal shell
printf 'exit 3\n' >&"$keys"
wait $terminal
[[ $? == 3 ]] && pass "a terminal's end has its exit code" || fail "a terminal's end has its exit code" "$(<"$work/screen")"
exec {keys}>&-
run_d --name trap busybox sh -c 'trap "echo caught; exit 6" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
wait_until has_line trap up
"$build/bin/trine" --root "$state" attach trap >"$work/first" &
first=$!
"$build/bin/trine" --root "$state" attach --no-stdin trap >"$work/second" &
second=$!
# A socket for each, and the one that listens.
attached() { (($(find "/proc/$(supervisor_of trap)/fd" -lname 'socket:*' | wc -l) == $1 + 1)); }
wait_until attached 2
kill -TERM $first
wait $first
[[ $? == 6 ]] && pass "a signal is passed on" || fail "a signal is passed on" "$(<"$work/first")"
wait $second
[[ $? == 6 && $(<"$work/second") == caught ]] && pass "everybody who is attached sees it" || fail "everybody who is attached sees it" "$(<"$work/second")"
trine rm trap >/dev/null
start run --rm --name front busybox sleep 1000 </dev/null >/dev/null
wait_until trine exec front true 2>/dev/null
expect_error "attach to one in the foreground" 125 "runs in the foreground" trine attach front
trine kill front >/dev/null
wait "$started"
expect_error "attach to one that is not there" 125 "there is no instance" trine attach front
expect_error "keys that are none" 125 "no list of keys" trine attach --detach-keys ctrl-pq front

# --- killed at any moment ---
run_d --name orphan busybox sleep 1000 >/dev/null
first=$(trine inspect orphan | jq '.[0].pid')
kill -KILL "$(supervisor_of orphan)"
wait_until eval "! kill -0 $first 2>/dev/null" && pass "an instance ends with its supervisor" || fail "an instance ends with its supervisor"
expect_output "… which is said" "exited 137" eval "trine ps >/dev/null; trine wait orphan >/dev/null; trine inspect orphan | jq -r '.[0] | \"\\(.status) \\(.exitCode)\"'"
trine rm orphan >/dev/null
for ((i = 0; i < 10; ++i)); do
  start run -d --rm --name "shot$i" busybox sleep 1000 >/dev/null 2>&1
  read -rt "0.00$i" <> <(:)
  kill -KILL "$started" 2>/dev/null
  wait "$started" 2>/dev/null
done
remains() { trine ps -q | xargs -r "$build/bin/trine" --root "$state" rm --force >/dev/null; trine ps -aq; pgrep -f "trine-supervisor.*$state"; }
expect_nothing_left "a run -d that is killed at any moment leaves an instance or nothing"

# --- a disk that is full ---
full() { "$build/bin/trine" --root "$work/full" "$@"; }
mkdir -p "$work/full/lib"
mount -t tmpfs -o size=4m tmpfs "$work/full/lib"
full load --quiet "oci:$work/layout:busybox" >/dev/null
full run -d --name writer busybox sh -c 'head -c 8000000 /dev/zero | tr "\0" "x"; echo; trap "exit 9" TERM; while :; do sleep 0.1; done' >/dev/null
fill() { head -c 1000000 /dev/zero >>"$work/full/lib/ballast" 2>/dev/null; [[ $(df --output=avail "$work/full/lib" | tail -1) == 0 ]]; }
wait_until fill
expect_output "a full disk keeps no instance from running" here full exec writer echo here
full stop writer >/dev/null 2>&1
ended() { full inspect writer 2>/dev/null | jq -r '.[0] | "\(.status) \(.exitCode)"'; }
expect_output "… and none from ending with its exit code" "exited 9" ended
mount -o remount,size=32m "$work/full/lib"
expect_output "… which is kept when there is room again" "exited 9" ended
full ps >/dev/null 2>&1
expect_output "… where it lasts" "" find "$work/full/run/instances" -mindepth 1
full rm writer >/dev/null
umount "$work/full/lib"
expect_no_leak "nothing is left" "$before"
finish
