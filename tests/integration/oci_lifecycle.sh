#!/usr/bin/env bash
# trine-oci by hand, as an engine calls it: what each command does, when it is refused, and what is left.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle

states=$work/states
prefix=lc-${work##*.} # of every id, and so of every cgroup
oci() { timeout --foreground 30 "$build/bin/trine-oci" --root "$states" "$@"; }
# The container inherits the standard output: in $(...) its end would be waited for.
create() { # ID FLAG...: what is said, and what the container writes, goes to $work/out
  local id=$1
  shift
  oci create --bundle "$bundle" "$@" "$id" >"$work/out" 2>&1 </dev/null
}
begin() { oci start "$1"; }
remains() {
  find /sys/fs/cgroup -maxdepth 3 -type d -name "$prefix*" 2>/dev/null
  awk '{print $5}' /proc/self/mountinfo | grep -F "$work/"
  pgrep -f "$states|sleep (8765|9876)" | xargs -r ps -o pid=,args= -p
  find "$states" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null
}
status_of() { oci state "$1" | jq -r .status; }
expect_status() { expect_output "$1" "$3" status_of "$2"; }
in_state() { [[ $(status_of "$1" 2>/dev/null) == "$2" ]]; }
# expect_create CLAIM ID FLAG...
expect_create() {
  local claim=$1
  shift
  if create "$@"; then pass "$claim"; else fail "$claim" "$(<"$work/out")"; fi
}
# expect_no_create CLAIM PATTERN ID FLAG...
expect_no_create() {
  local claim=$1 pattern=$2
  shift 2
  if create "$@"; then
    fail "$claim" "it was made"
    oci delete --force "$1"
  elif grep -Eq -- "$pattern" "$work/out"; then pass "$claim"; else fail "$claim" "$(<"$work/out")"; fi
}

a=$prefix-a b=$prefix-b
for command in state start kill delete exec pause resume ps events update; do
  words=("$a")
  [[ $command == exec ]] && words+=(true)
  expect_error "$command of no container" 1 'does not exist' oci $command "${words[@]}"
done
expect_exit "delete --force of no container is no error" 0 oci delete --force "$a"
expect_error "an id that leads elsewhere" 1 'no container id' oci state ../x

# --- create, start, kill, delete ---
configure . 'echo ran >/mark; exec sleep 8765'
expect_create "create" "$a" --pid-file "$work/pid"
expect_status "a created container is created" "$a" created
[[ ! -e $bundle/rootfs/mark ]] && pass "its program does not run before start" || fail "its program does not run before start"
# While it waits, it holds its program's streams and what start needs: its gate.
held_by() { for fd in "/proc/$1/fd"/*; do readlink "$fd"; done | sed 's/:.*//; s,.*/,,' | sort -u | grep -vxE 'null|pipe|out|socket'; }
expect_exit "a created container holds no descriptor that start does not need" 1 held_by "$(<"$work/pid")"
expect_output "the pid-file names its process" "$(<"$work/pid")" eval "oci state $a | jq -r .pid"
expect_output "state tells the bundle" "$bundle" eval "oci state $a | jq -r .bundle"
expect_output "list tells it" "$a" oci list -q
expect_no_create "an id that is taken" 'exists already' "$a"
expect_status "and the container is as it was" "$a" created
expect_output "exec in a created one" "there" oci exec "$a" echo there
expect_exit "start" 0 begin "$a"
wait_until test -e "$bundle/rootfs/mark"
expect_status "a started container is running" "$a" running
expect_error "start twice" 1 'it is running, not created' begin "$a"
expect_error "delete of a running one" 1 'it is running' oci delete "$a"
expect_match "ps tells its process" "^\[$(<"$work/pid")\]$" oci ps -f json "$a"
expect_match "events --stats" '"type": ?"stats"' oci events --stats "$a"
expect_output "… also of its network, which is none" "[]" eval "oci events --stats $a | jq -c .data.network_interfaces"
expect_exit "pause" 0 oci pause "$a"
expect_status "a paused container is paused" "$a" paused
expect_error "exec in a paused one" 1 'paused' oci exec "$a" true
expect_error "pause twice" 1 'it is paused' oci pause "$a"
expect_exit "resume" 0 oci resume "$a"
expect_status "and is running again" "$a" running
expect_error "resume of a running one" 1 'not paused' oci resume "$a"
expect_exit "exec gives the exit code" 5 oci exec "$a" sh -c 'exit 5'
expect_error "exec of a missing command" 127 'executable file not found in' oci exec "$a" nosuch
expect_error "exec of what is not executable" 126 'permission denied|Permission denied' oci exec "$a" /etc/passwd
expect_error "an unknown signal" 1 "unknown signal 'MOON'" oci kill "$a" MOON
expect_exit "signal 0 only looks" 0 oci kill "$a" 0
expect_exit "kill" 0 oci kill "$a" KILL
wait_until in_state "$a" stopped
expect_status "a killed container is stopped" "$a" stopped
expect_output "and has no process" "0" eval "oci state $a | jq -r .pid"
expect_error "kill of a stopped one" 1 'container not running' oci kill "$a" KILL
expect_error "exec in a stopped one" 1 'container not running' oci exec "$a" true
expect_error "start of a stopped one" 1 'it is stopped, not created' begin "$a"
expect_exit "delete" 0 oci delete "$a"
expect_error "delete twice" 1 'does not exist' oci delete "$a"
expect_nothing_left "nothing is left of it"

for signal in 9 KILL SIGKILL; do
  create "$a" && begin "$a"
  expect_exit "kill by the name $signal" 0 oci kill "$a" $signal
  wait_until in_state "$a" stopped || fail "$signal ends it"
  oci delete "$a"
done
create "$a"
expect_exit "delete of a created one" 0 oci delete "$a"
create "$a"
expect_exit "kill of a created one" 0 oci kill "$a" KILL
wait_until in_state "$a" stopped
expect_status "ends it" "$a" stopped
oci delete "$a"
create "$a" && begin "$a"
expect_exit "delete --force of a running one" 0 oci delete --force "$a"
create "$a" && begin "$a" && oci pause "$a"
expect_exit "delete --force of a paused one" 0 oci delete --force "$a"
expect_nothing_left "nothing is left of them"

# --- errors of create and start ---
configure '.process.args = ["nosuch"]'
expect_no_create "a missing command is create's error" 'executable file not found in' "$a"
configure '.process.cwd = "/bin/busybox/else"'
expect_no_create "a working directory that cannot be made" 'busybox/else' "$a"
expect_no_create "a bundle that is not there" 'nowhere' "$a" --bundle "$work/nowhere"
configure '.process.terminal = true'
expect_no_create "a terminal without a socket" 'console-socket' "$a"
expect_no_create "a socket that nobody listens at" 'cannot connect|nobody' "$a" --console-socket "$work/nobody"
configure .
expect_no_create "a pid-file that cannot be written" 'nowhere' "$a" --pid-file "$work/nowhere/pid"
expect_nothing_left "nothing is left of what could not be made"

# --- run ---
configure . 'exit 7'
expect_exit "run gives the exit code" 7 oci run --bundle "$bundle" "$a"
configure . 'echo out; echo err >&2'
expect_output "run passes the output on" $'out\nerr' oci run --bundle "$bundle" "$a"
configure . 'kill -TERM 1; exec sleep 8765'
oci run --bundle "$bundle" "$a" >/dev/null 2>&1 &
pid=$!
wait_until in_state "$a" running
oci kill "$a" KILL
wait $pid
code=$?
[[ $code == 137 ]] && pass "run gives 128 and the signal" || fail "run gives 128 and the signal" "$code"
configure .
oci run --keep --bundle "$bundle" "$a" >/dev/null 2>&1
expect_status "run --keep leaves the state" "$a" stopped
oci delete "$a"
configure . 'exec sleep 8765'
oci run -d --bundle "$bundle" "$a" >/dev/null 2>&1 </dev/null
expect_status "run -d returns while it runs" "$a" running
oci delete --force "$a"
expect_nothing_left "nothing is left of them"

# --- a bundle that goes away ---
configure .
create "$a"
mv "$bundle" "$bundle.moved"
expect_exit "start after the bundle has moved" 0 begin "$a"
wait_until in_state "$a" stopped
expect_exit "delete after the bundle has moved" 0 oci delete "$a"
mv "$bundle.moved" "$bundle"
create "$a"
mv "$bundle/config.json" "$work/config.json"
expect_exit "start without config.json" 0 begin "$a"
wait_until in_state "$a" stopped
expect_exit "delete without config.json" 0 oci delete "$a"
mv "$work/config.json" "$bundle/config.json"

# --- what is handed over ---
echo preserved >"$work/third"
configure . 'cat <&3; echo; ls /proc/self/fd | tr "\n" " "'
oci run --bundle "$bundle" --preserve-fds 1 "$a" >"$work/out" 2>&1 3<"$work/third" 4<"$work/third"
[[ $(<"$work/out") == $'preserved\n\n0 1 2 3 4 ' ]] && pass "--preserve-fds gives as many as are named" ||
  fail "--preserve-fds gives as many as are named" "$(<"$work/out")" # 4 is that of ls itself
expect_error "--log-format json" 1 'does not exist' oci --log "$work/log" --log-format json state "$a"
expect_output "writes one object that jq can read" "error container $a does not exist" jq -r '"\(.level) \(.msg)"' "$work/log"
expect_match "with a time" '^20..-..-..T' jq -r .time "$work/log"
if command -v python3 >/dev/null; then
  timeout 30 python3 "$(dirname "$0")/../lib/console.py" "$work/console" >"$work/received" 2>&1 &
  receiver=$!
  wait_until test -S "$work/console"
  configure '.process.terminal = true | .process.consoleSize = {"height": 33, "width": 77}' 'tty; stty size; echo end; exec sleep 8765'
  expect_create "create with a console socket" "$a" --console-socket "$work/console"
  begin "$a"
  wait "$receiver"
  expect_match "its receiver has the terminal" '^/dev/(pts/0|console)$' cat "$work/received"
  expect_match "of the size that the bundle names" '^33 77$' cat "$work/received"
  oci delete --force "$a"
else
  echo "skipped: a console socket: python3 is not installed"
fi

configure . 'exec sleep 8765'
for signal in HUP INT QUIT TERM; do
  create "$a" && oci kill "$a" $signal
  wait_until in_state "$a" stopped && pass "$signal ends a container that is not started" || fail "$signal ends a container that is not started"
  oci delete --force "$a"
done

# --- hooks ---
mkdir "$work/hooks"
hook() { # STAGE: appends the stage to a list, and keeps the state that it is given
  printf '{"path": "/bin/sh", "args": ["sh", "-c", "echo %s >>%s/order; cat >%s/%s"], "env": ["PATH=/bin:/usr/bin"]}' "$1" "$2" "$2" "$1"
}
stages=(prestart createRuntime createContainer startContainer poststart poststop)
hooks={}
for stage in "${stages[@]}"; do
  folder=$work/hooks
  [[ $stage == startContainer ]] && folder=/hooks # its path is the container's
  hooks=$(jq ".$stage = [$(hook "$stage" "$folder")]" <<<"$hooks")
done
configure ".hooks = $hooks | .mounts += [{\"destination\": \"/hooks\", \"type\": \"bind\", \"source\": \"$work/hooks\", \"options\": [\"rw\", \"bind\"]}]" \
  'exec sleep 8765'
expect_create "create with hooks" "$a"
expect_output "create runs three stages" "prestart createRuntime createContainer" eval "echo \$(cat $work/hooks/order)"
begin "$a"
expect_output "start runs two more" "prestart createRuntime createContainer startContainer poststart" eval "echo \$(cat $work/hooks/order)"
oci kill "$a" KILL
wait_until in_state "$a" stopped
oci delete "$a"
expect_output "delete runs the last" "${stages[*]}" eval "echo \$(cat $work/hooks/order)"
for pair in prestart:created createRuntime:creating createContainer:creating startContainer:created poststart:running poststop:stopped; do
  expect_output "${pair%:*} is told the state ${pair#*:}" "$a ${pair#*:} $bundle" jq -r '"\(.id) \(.status) \(.bundle)"' "$work/hooks/${pair%:*}"
done
slow='{"path": "/bin/sleep", "args": ["sleep", "8765"], "timeout": 1}'
failing='{"path": "/bin/false"}'
for stage in prestart createRuntime createContainer; do
  configure ".hooks.$stage = [$slow]"
  expect_no_create "$stage: a timeout ends it" 'hook' "$a"
  configure ".hooks.$stage = [$failing]"
  expect_no_create "$stage: its failure is create's" 'hook' "$a"
done
configure '.hooks.createContainer = [{"path": "/bin/sleep", "args": ["sleep", "8765"]}]'
create "$a" & creator=$!
wait_until pgrep -xf 'sleep 8765' >/dev/null
kill -9 "$(($(ps -o ppid= -p "$(pgrep -xf 'sleep 8765')")))" # its first process runs the hook
wait $creator && fail "a first process that is killed is create's error" || pass "a first process that is killed is create's error"
oci state "$a" >/dev/null 2>&1 && fail "and nothing is left of it" || pass "and nothing is left of it"
for stage in startContainer poststart; do
  for wrong in failing slow; do
    configure ".hooks.$stage = [${!wrong}]" 'exec sleep 9876'
    create "$a" || fail "create with a $wrong $stage" "$(<"$work/out")"
    expect_error "$stage: that it is $wrong is start's error" 1 'hook' begin "$a"
    wait_until in_state "$a" stopped
    expect_status "$stage: and the container's end" "$a" stopped
    oci delete "$a"
  done
done
configure ".hooks.poststart = [$failing]" 'exec sleep 8765'
expect_error "poststart: its failure is the end of run, too" 1 'hook' oci run --bundle "$bundle" "$a"
expect_error "and nothing is left of it" 1 'does not exist' oci state "$a"
configure .
create "$a"
oci delete "$a"
create "$a" && oci kill "$a" KILL && wait_until in_state "$a" stopped
echo '{' >"$states/$a/state.json"
expect_error "a damaged state is said" 1 'damaged' oci state "$a"
expect_exit "and delete --force takes it away" 0 oci delete --force "$a"
for wrong in failing slow; do
  configure ".hooks.poststop = [${!wrong}]"
  create "$a"
  expect_match "poststop: that it is $wrong is only said" 'hook' oci delete "$a"
  expect_error "and the container is gone" 1 'does not exist' oci state "$a"
done
expect_nothing_left "nothing is left of hooks"

# --- at once, and cut short ---
configure . 'exec sleep 8765'
wins=0
for ((i = 0; i < 10; i++)); do
  create "$a"
  begin "$a" 2>/dev/null & one=$!
  begin "$a" 2>/dev/null & two=$!
  wait $one && wins=$((wins + 1))
  wait $two && wins=$((wins + 1))
  oci delete --force "$a"
done
[[ $wins == 10 ]] && pass "of two starts at once one wins" || fail "of two starts at once one wins" "$wins of 10"
wins=0
for ((i = 0; i < 10; i++)); do
  oci create --bundle "$bundle" "$b" >/dev/null 2>&1 & one=$!
  oci create --bundle "$bundle" "$b" >/dev/null 2>&1 & two=$!
  wait $one && wins=$((wins + 1))
  wait $two && wins=$((wins + 1))
  oci delete --force "$b"
done
[[ $wins == 10 ]] && pass "of two creates at once one wins" || fail "of two creates at once one wins" "$wins of 10"
kill_creates() { # TIMES CLAIM
  for ((i = 0; i < $1; i++)); do
    "$build/bin/trine-oci" --root "$states" create --bundle "$bundle" "$a" >/dev/null 2>&1 </dev/null &
    pid=$!
    read -rt "0.00$((i / 5))$((i % 5 * 2))" <> <(:) || :
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    run oci delete --force "$a"
    [[ $code == 0 && -z $(remains) ]] && continue
    wait_until eval '[[ -z $(remains) ]]' || fail "create killed at moment $i" "exit $code: $output; $(remains)"
  done
  expect_nothing_left "$2"
}
kill_creates 30 "create killed at 30 moments: delete --force leaves nothing"

# --- in the host's mount namespace ---
configure '.linux.namespaces |= map(select(.type != "mount"))' 'exec sleep 8765'
expect_create "create, in the host's mount namespace" "$a"
expect_exit "start of it" 0 begin "$a"
expect_output "exec there is in its root, too" "in its root" oci exec "$a" sh -c '[ -e /usr/lib ] || echo in its root'
oci kill "$a" KILL
wait_until in_state "$a" stopped
expect_exit "delete of it" 0 oci delete "$a"
expect_nothing_left "its mounts have gone"
kill_creates "$(scaled 30)" "create of one killed at many moments: delete --force leaves nothing"
odd="$work/a b\\c"
mkdir "$odd" && cp "$bundle/config.json" "$odd/" && cp -a "$bundle/rootfs" "$odd/rootfs"
bundle=$odd expect_create "create, in a directory of an odd name" "$a"
oci delete --force "$a"
expect_nothing_left "its mounts are found again"
configure '.linux.namespaces |= map(select(.type != "mount")) | .process.args = ["/nosuch"]'
expect_no_create "one that fails" 'no such file' "$a"
expect_nothing_left "leaves nothing either"

configure '.linux.resources = {memory: {limit: 524288}} | .process.args = ["/bin/true"]'
expect_exit "512 KiB of memory are enough for true" 0 oci run --bundle "$bundle" "$a"
expect_exit "a relative --root is taken from where we are" 0 env -C "$work" "$build/bin/trine-oci" --root states list

# What crun has besides.
configure . 'echo by another name'
mv "$bundle/config.json" "$bundle/other.json"
expect_output "--config names the file, in the bundle" "by another name" oci run --bundle "$bundle" --config other.json "$a"
expect_output "or anywhere" "by another name" oci run --bundle "$bundle" -f "$bundle/other.json" "$a"
configure . 'exec sleep 8765'
create "$a" && create "$b" && begin "$a" && begin "$b"
expect_error "kill --regex wants a regular expression" 1 "is no regular expression" oci kill --regex '*(' KILL
expect_exit "flags may stand behind the id" 0 oci update "$a" --pids-limit 77
oci kill "$a" KILL && wait_until in_state "$a" stopped
expect_error "what fails for one is told with its name" 1 "$a: container not running" oci kill --regex "^$prefix" KILL
wait_until in_state "$a" stopped && wait_until in_state "$b" stopped && pass "and does not keep the others" || fail "and does not keep the others"
expect_exit "delete --regex takes none that does not match" 0 oci delete --force --regex "x$prefix"
expect_status "which are there" "$a" stopped
configure . 'exec sleep 8765'
create "$prefix-0" && begin "$prefix-0" # the first of the list
expect_error "delete --regex names what it cannot delete" 1 "$prefix-0: it is running" oci delete --regex "^$prefix"
expect_output "and deletes the others" "$prefix-0" oci list -q
expect_exit "delete of several takes those that are there" 1 oci delete --force=false "$a" "$b"
create "$b" && expect_error "and names those that are not" 1 "container $a does not exist" oci delete "$a" "$b"
expect_output "without keeping the others" "$prefix-0" oci list -q
expect_exit "delete --force --regex ends them" 0 oci delete --force --regex "^$prefix"
expect_nothing_left "delete --regex leaves nothing"
configure '.annotations = {"run.oci.keep_original_groups": "1"} | .linux.namespaces |= map(select(.type != "user"))' 'grep Groups: /proc/self/status'
expect_match "run.oci.keep_original_groups keeps the caller's groups" '^Groups:.*4 5 $' setpriv --groups 4,5 "$build/bin/trine-oci" --root "$states" run --bundle "$bundle" "$a"

# A group that is there already, and frozen: whoever joins it stops.
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then frozen=/sys/fs/cgroup/$prefix-frozen knob=cgroup.freeze on=1 off=0
else frozen=/sys/fs/cgroup/freezer/$prefix-frozen knob=freezer.state on=FROZEN off=THAWED; fi
if mkdir "$frozen" 2>/dev/null; then
  echo $on >"$frozen/$knob"
  configure ".linux.cgroupsPath = \"/$prefix-frozen\""
  expect_error "a frozen cgroup is refused, not waited for" 1 "unexpectedly frozen" oci run --bundle "$bundle" "$a"
  configure ".linux.cgroupsPath = \"/$prefix-frozen/below/it\""
  expect_error "so is a new one below it" 1 "below/it: the container.s cgroup unexpectedly frozen, or one above it" oci run --bundle "$bundle" "$a"
  [[ ! -e $frozen/below ]] && pass "which is not left behind" || fail "which is not left behind"
  echo $off >"$frozen/$knob"
  expect_exit "and not when it is thawed" 0 oci run --bundle "$bundle" "$a"
  # The groups above a container's stay, as with runc.
  find /sys/fs/cgroup -maxdepth 3 -depth -type d -path "*/$prefix-frozen*" -exec rmdir {} +
else
  echo "skipped: a frozen cgroup: this machine has no freezer"
fi

many=$(scaled 200) failed=0
configure .
for ((i = 0; i < many; i++)); do
  create "$a" && begin "$a" && wait_until in_state "$a" stopped && oci delete "$a" || failed=$((failed + 1))
done
[[ $failed == 0 ]] && pass "$many in a row succeed" || fail "$many in a row succeed" "$failed failed"
expect_nothing_left "$many in a row leave nothing"
finish
