#!/usr/bin/env bash
# Instances that are made now and started later, and those that ended and are started again: create, start, restart.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
before=$(snapshot)
status_of() { trine ps --all --format json | jq -r --arg name "$1" '.[] | select(.name == $name) | .status'; }
records() { find "$state/run/instances" "$state/lib/instances" -mindepth 1 -maxdepth 1 | wc -l; }

# --- what an instance was made with ---
cd "$work" || exit
mkdir shared && echo shared >shared/file
id=$(WORD='two words' trine create --name made -e WORD -e 'BYTES=a"\ä'$'\377' -e UNSET -v ./shared:/shared busybox sh -c 'echo "$WORD" ${UNSET-none} $(cat /shared/file) $(wc -l </count); printf %s "$BYTES" | od -An -tx1; echo >>/count')
cd / || exit
[[ $id =~ ^[0-9a-f]{64}$ ]] && pass "create prints the id" || fail "create prints the id" "$id"
expect_output "it has not run" created status_of made
expect_match "its command is known" '^sh -c echo' eval "trine inspect made | jq -r '.[0].command | join(\" \")'"
expect_output "what has not run is waited for in vain" 0 trine wait made
expect_output "start prints what it has started" made eval 'WORD=other UNSET=there trine start made'
expect_output "… which ends" 0 trine wait made
expect_output "it had the variables, bytes and paths of when it was made" $'two words none shared\n 61 22 5c c3 a4 ff' eval 'trine logs made 2>/dev/null'
expect_output "start -a shows what it writes; it has its files" $'two words none shared 1\n 61 22 5c c3 a4 ff' eval 'trine start -a made 2>/dev/null'
expect_output "its end is known when start -a is back" exited status_of made
expect_output "restart starts it once more" made trine restart made
trine wait made >/dev/null
expect_output "… and its log goes on" 3 eval 'trine logs made 2>/dev/null | grep -c words'
trine rm made >/dev/null
trine create --name input -i busybox sh -c 'read -r line; echo "got $line" >&2; exit 4' >/dev/null
expect_exit "start -ai types, and exits with its exit code" 4 eval 'echo word | trine start -ai input 2>"$work/errors"'
expect_output "… its standard error on ours" "got word" cat "$work/errors"
trine rm input >/dev/null
trine create --name screen -t busybox sh -c 'tty; stty size' >/dev/null
expect_match "one that was made with a terminal has one again" '/dev/pts/0' trine start -a screen
trine rm screen >/dev/null
expect_exit "what ran in the foreground" 3 trine run --name front busybox sh -c 'echo again; exit 3'
expect_exit "… can be started in the background" 3 eval 'trine start -a front >"$work/output"'
expect_output "… and shows what it writes" again cat "$work/output"
trine rm front >/dev/null
mkdir -p "$work/bundle/rootfs" && busybox_root "$work/bundle/rootfs"
(cd "$work/bundle" && "$build/bin/trine-oci" spec && sed -i 's/"sh"/"echo", "of a bundle"/; s/"terminal": true/"terminal": false/' config.json)
(cd "$work" && trine create --name bundled bundle:./bundle >/dev/null)
expect_output "a bundle is made and started" "of a bundle" trine start -a bundled
trine rm bundled >/dev/null

# --- what runs, what goes ---
trine run -d --name long busybox sleep 1000 >/dev/null
pid_of() { trine inspect "$1" | jq '.[0].pid'; }
first=$(pid_of long)
expect_output "start leaves alone what runs" "long $first" eval 'echo $(trine start long) $(pid_of long)'
expect_output "restart stops it and starts it" long trine restart -t 0 long
[[ $(status_of long) == running && $(pid_of long) != "$first" ]] && pass "… as another process" || fail "… as another process" "$(trine inspect long)"
expect_error "what runs is not removed" 125 "it is running" trine rm long
expect_output "… but by force" long trine rm -f long
trine create --name once --rm busybox echo once >/dev/null
expect_output "create --rm makes one that is started once" once trine start -a once
expect_output "… and is gone then" 0 records
trine create --name a busybox sleep 1000 >/dev/null
trine create --name b busybox sleep 1000 >/dev/null
expect_output "several are started at once" $'a\nb' trine start a b
trine rm -f a b >/dev/null

# --- what cannot be ---
expect_error "there is none of that name" 125 "there is no instance nothing" trine start nothing
expect_error "one that is wrong does not keep the others" 125 "there is no instance nothing" eval 'trine create --name right busybox true >/dev/null; trine start nothing right'
trine wait right >/dev/null
expect_output "… from being started" exited status_of right
trine rm right >/dev/null
expect_error "create of an image that is not there" 125 "no image nothere" trine create --pull never nothere
expect_error "create with a flag of another class" 125 "--vm-pages cannot be given for a container" trine create --vm-pages merged busybox
expect_error "create --detach" 125 "trine start runs it in the background" trine create -d busybox
expect_error "start -a of two" 125 "takes one instance" trine start -a one two
expect_output "nothing of them is left" 0 records
trine create --name wrong busybox nothere >/dev/null
expect_error "a program that is not there" 127 "nothere" trine start wrong
expect_output "… leaves it as it was made" created status_of wrong
trine rm wrong >/dev/null
trine create --name moved -v "$work/shared:/shared" busybox true >/dev/null
mv "$work/shared" "$work/elsewhere"
expect_exit "a volume that is gone is made anew, as by run" 0 trine start -a moved
trine rm moved >/dev/null
trine create --name taken busybox true >/dev/null
expect_error "a name that one has that has not run" 125 "the name taken is taken" trine run --name taken busybox true
trine rm taken >/dev/null

mkdir "$work/removed"
expect_output "a directory that is gone keeps nobody from running" here eval 'cd "$work/removed" && rmdir "$work/removed" && trine run --name nowhere busybox echo here'
expect_output "… nor from starting it again" here trine start -a nowhere
trine rm nowhere >/dev/null

# --- killed while it is started again ---
trine run --name killed busybox sh -c 'echo kept >/file; exit 7' >/dev/null
for times in $(seq "$(scaled 20)"); do
  "$build/bin/trine" --root "$state" start killed >/dev/null &
  started=$!
  [[ $((times % 2)) == 0 ]] || read -rt "0.00$((times % 9))" <> <(:) || :
  kill -KILL $started
  wait $started 2>/dev/null
  trine wait killed >/dev/null
done
expect_output "killed at any moment, it keeps its files" kept eval 'trine wait killed >/dev/null; trine export killed | tar -xO file'
expect_match "… and an exit code" '^(7|137)$' eval "trine inspect killed | jq '.[0].exitCode'"
# Twice at once: one of them starts it.
trine run --name both busybox true
for _ in 1 2 3 4; do trine start both >/dev/null 2>"$work/both" & done
wait
grep -v -e "is running" -e "has changed meanwhile" -e "trine ps -a" "$work/both" >"$work/others"
expect_output "four who start it at once do not harm each other" "" cat "$work/others"
trine wait both >/dev/null
trine rm killed both >/dev/null
expect_no_leak "nothing is left" "$before"
finish
