#!/usr/bin/env bash
# trine exec in a container: what the program gets, what it cannot reach, and what is left when either side ends.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program script
busybox_image --config.env FROM_IMAGE=1 --config.workingdir /home/user
t="$build/bin/trine --root $state"
in_terminal() { # COMMAND: in a terminal of 33 rows and 77 columns; carriage returns taken out
  script -qec "stty rows 33 cols 77; $1" /dev/null </dev/null 2>&1 | tr -d '\r'
}
instance() { trine ps --format json | jq -r --arg name "$1" '.[] | select(.name == $name)'; }
is_up() { [[ -n $(instance "$1") ]]; }
# up NAME ARGUMENT...: an instance that runs in the background.
up() {
  local name=$1
  shift
  start run --name "$name" "$@" >"$work/$name.out" 2>&1 </dev/null
  wait_until is_up "$name" || fail "$name comes up" "$(<"$work/$name.out")"
}
require_program jq
before=$(snapshot)

# --- what it gets ---
up one --rm -e B=mine --hostname box --ulimit nofile=100:200 --cap-add NET_ADMIN busybox sh -c 'echo one >/mark; exec sleep 4321'
wait_until trine exec one test -e /mark
expect_output "the instance's variables, directory and name, and its files" "1 mine /home/user box one" \
  trine exec one sh -c 'echo $FROM_IMAGE $B $(pwd) $(hostname) $(cat /mark)'
id=$(instance one | jq -r .id)
expect_output "it is found by the beginning of its id" box trine exec "${id:0:7}" hostname
expect_output "-e adds and replaces, a name alone takes away, -w changes the directory" "2 new /tmp no" \
  trine exec -e FROM_IMAGE=2 -e NEW=new -e B -w /tmp one sh -c 'echo $FROM_IMAGE $NEW $(pwd) ${B-no}'
expect_output "-u is resolved in the instance's files, HOME with it" "uid=1000(user) gid=1000(user) groups=1000(user),2000(extra) /home/user" \
  trine exec -u user one sh -c 'echo $(id) $HOME'
expect_output "-u takes numbers that no file names" "uid=4711 gid=0(root) groups=0(root)" trine exec -u 4711 one id
expect_output "… and a group" "uid=4711 gid=42 groups=42" trine exec -u 4711:42 one id
expect_error "a name that the instance does not have is an error" 125 "unknown user nobody-here" trine exec -u nobody-here one id
status() { sed -nE 's/^(Cap(Inh|Prm|Eff|Bnd|Amb)|Seccomp|NoNewPrivs):\t/\1 /p'; }
first=$(trine exec one cat /proc/1/status | status)
expect_output "capabilities, seccomp and no_new_privs are those of the first process" "$first" eval 'trine exec one cat /proc/self/status | status'
expect_output "another user has no capabilities, and may not get more than the instance has" "CapEff 0000000000000000 $(grep CapBnd <<<"$first")" \
  eval 'echo $(trine exec -u user one cat /proc/self/status | status | grep -E "CapEff|CapBnd")'
expect_match "--privileged gives all capabilities, and the filter stays" "CapEff 0*$(sed -n 's/CapBnd:\t0*//p' /proc/self/status) .*Seccomp 2" \
  eval 'echo $(trine exec --privileged one cat /proc/self/status | status)'
expect_output "limits are the instance's" "100 200" trine exec one sh -c 'echo $(ulimit -n) $(ulimit -Hn)'
up limited --rm --pids-limit 20 busybox sleep 4321
expect_output "it is in the instance's cgroup" "$(trine exec limited cat /proc/1/cgroup)" trine exec limited cat /proc/self/cgroup
expect_error "… whose limit of processes holds" 2 "can't fork" trine exec limited sh -c 'i=0; while [ $((i += 1)) -lt 30 ]; do sleep 2 & done'
expect_output "kill ends an instance" limited trine kill limited
for ns in ipc mnt net pid uts cgroup; do
  expect_output "it is in the instance's $ns namespace" "$(trine exec one readlink /proc/1/ns/$ns)" trine exec one readlink /proc/self/ns/$ns
done

# --- streams, codes, signals ---
output=$(printf 'typed' | trine exec -i one cat)
[[ $output == typed ]] && pass "-i brings standard input" || fail "-i brings standard input" "$output"
output=$(printf 'typed' | trine exec one cat)
[[ -z $output ]] && pass "without it there is none" || fail "without it there is none" "$output"
output=$(trine exec one sh -c 'echo out; echo err >&2' 2>/dev/null)
[[ $output == out ]] && pass "its two outputs are two" || fail "its two outputs are two" "$output"
expect_exit "the exit code is the program's" 7 trine exec one sh -c 'exit 7'
expect_exit "a signal's is 128 and its number" 137 trine exec one sh -c 'kill -KILL $$'
expect_exit "a program that there is not" 127 trine exec one no-such-program
expect_exit "a file that is no program" 126 trine exec one /etc/passwd
expect_error "a directory that there is not" 125 "working directory /no/such" trine exec -w /no/such one true
expect_error "no command" 125 "needs an instance and a command" trine exec one
expect_error "no such instance" 125 "no instance nine" trine exec nine true
expect_match "-t gives a terminal of our size" "/dev/pts/[0-9]+ 33 77 xterm" in_terminal "$t exec -it one sh -c 'echo \$(tty) \$(stty size) \$TERM'"
expect_match "our terminal is put back" "cooked: icanon" in_terminal "$t exec -it one true; echo cooked: \$(stty -a | grep -o -- '-\?icanon')"
cat >"$work/resized" <<E2
$t exec -it one sh -c 'trap "stty size; exit 5" WINCH; : >/ready; while :; do sleep 0.1; done' &
until $t exec one rm /ready 2>/dev/null; do sleep 0.05; done
stty rows 22 cols 66
wait \$!
echo code: \$?
E2
expect_match "it hears of a new size" "22 66" in_terminal "bash $work/resized"
output=$(echo 'echo typed-$((1+1))' | trine exec -it one sh | tr -d '\r')
grep -q typed-2 <<<"$output" && pass "-it works without a terminal of ours, and ends with its input" || fail "-it works without a terminal of ours, and ends with its input" "$output"
start exec one sh -c 'trap "exit 9" TERM; : >/up; while :; do sleep 0.1; done'
wait_until trine exec one rm /up 2>/dev/null
kill -TERM "$started"
wait "$started"
code=$?
[[ $code == 9 ]] && pass "a signal reaches the program" || fail "a signal reaches the program" "$code"
expect_output "-d returns at once, with nothing said" "" trine exec -d one sh -c 'echo lost; sleep 1; echo done >/detached'
wait_until trine exec one test -s /detached && pass "… and the program goes on" || fail "… and the program goes on"
expect_output "-d with a terminal" "" trine exec -dt one sh -c 'sleep 0.5; tty >/detached'
wait_until trine exec one grep -qs /dev/pts /detached && pass "… which stays" || fail "… which stays"
expect_exit "-d tells of a program that there is not" 127 trine exec -d one no-such-program
start exec one sh -c 'echo $$ >/orphan; while :; do sleep 0.1; done'
wait_until trine exec one test -s /orphan
kill -KILL "$started"
wait "$started" 2>/dev/null
trine exec one sh -c 'kill -0 $(cat /orphan)' && pass "a killed exec leaves its program running, as in Docker" || fail "a killed exec leaves its program running, as in Docker"
codes=$(for i in {1..8}; do (trine exec one sh -c "exit $i"; echo $?) & done; wait)
[[ $(sort <<<"$codes" | tr -d '\n') == 12345678 ]] && pass "eight at once" || fail "eight at once" "$codes"

# --- attacks ---
trine exec one sh -c 'cp /bin/busybox /bin/innocent; printf "#!/proc/self/exe\n" >/evil; chmod +x /evil; ln -s /proc/self/exe /self' # CVE-2019-5736
sum=$(sha256sum <"$build/bin/trine")
for program in /evil /self /proc/self/exe; do
  start exec one "$program" sleep 3 >/dev/null 2>&1 </dev/null
  trine exec one sh -c 'i=0; while [ $((i += 1)) -lt 200 ]; do for p in /proc/[0-9]*; do { echo overwritten >$p/exe; } 2>/dev/null && echo wrote $p; done; done' >"$work/written" 2>/dev/null
  kill "$started" 2>/dev/null
  wait "$started"
done
[[ $(sha256sum <"$build/bin/trine") == "$sum" ]] && pass "trine's program cannot be written by way of /proc/PID/exe" || fail "trine's program cannot be written by way of /proc/PID/exe"
exec {leak}<"$work"
expect_output "no descriptor of ours comes along" $'0\n1\n2\n3' trine exec one ls /proc/self/fd # 3 is ls' own
refusals=0
for fd in {0..20}; do # CVE-2024-21626
  trine exec one sh -c "rm -f /link; ln -s /proc/self/fd/$fd /link"
  for directory in "/proc/self/fd/$fd" /link; do
    run trine exec -w "$directory" one cat ../../../../../../../../etc/debian_version
    [[ $code != 0 && $output != *[0-9].[0-9]* ]] && refusals=$((refusals + 1)) || echo "$directory: exit $code: $output"
  done
done
exec {leak}<&-
[[ $refusals == 42 ]] && pass "no working directory leads out by a descriptor, nor by a link to one" || fail "no working directory leads out by a descriptor, nor by a link to one" "$refusals of 42"
for user in 0x0 1000a 4294967296 ' 0' + -1 1:2:3 1:x; do # CVE-2026-30892
  run trine exec -u "$user" one id -u
  [[ $code == 125 ]] && pass "-u '$user' is refused" || fail "-u '$user' is refused" "$code: $output"
done
for evil in 'mkfifo /etc/passwd' 'ln -s /proc/1/mem /etc/passwd' 'mkdir /etc/passwd' 'dd if=/dev/zero of=/etc/passwd bs=1M count=0 seek=4000'; do
  up evil --rm busybox sh -c "rm /etc/passwd; $evil; : >/ready; exec sleep 4321"
  wait_until [ -e "/proc/$(instance evil | jq .pid)/root/ready" ]
  run timeout 10 "$build/bin/trine" --root "$state" exec -u user evil id
  [[ $code == 125 && $output == *"/etc/passwd of the image"* ]] && pass "an instance's '$evil' does not hold us up" || fail "an instance's '$evil' does not hold us up" "$code: $output"
  run trine kill evil
done

# --- ends ---
start exec one sleep 4321
child=$started
wait_until eval 'trine exec one grep -l 4321 /proc/[0-9]*/cmdline 2>/dev/null | grep -qv "^/proc/1/"'
expect_output "kill ends it" one trine kill one
wait "$child"
code=$?
[[ $code == 137 ]] && pass "an exec ends with its instance, with 137" || fail "an exec ends with its instance, with 137" "$code"
expect_error "there is no exec in what has ended" 125 "no instance one" trine exec one true
up user --rm -u user --security-opt no-new-privileges --security-opt seccomp=unconfined busybox sleep 4321
expect_output "an instance's own user is exec's" "1000" trine exec user id -u
expect_output "… as are no_new_privs and the lack of a filter" "NoNewPrivs 1 Seccomp 0" eval 'echo $(trine exec user cat /proc/self/status | status | grep -E "NoNewPrivs|Seccomp")'
expect_output "-u 0 makes it root again, with what the instance may have" "$(trine exec user cat /proc/1/status | status | sed -n 's/CapBnd/CapEff/p')" \
  eval 'trine exec -u 0 user cat /proc/self/status | status | grep CapEff'
run trine kill user
up kept busybox sh -c 'exec sleep 4321'
run trine kill kept
expect_error "nor in what is kept" 125 "cannot exec in kept: it is not running" trine exec kept true
run trine rm kept
. "$(dirname "$0")/../lib/bundle.sh"
make_bundle
configure '.process.env += ["OF=bundle"] | .process.user = {uid: 5, gid: 6}' 'exec sleep 4321'
up bundled --rm "bundle:$bundle"
expect_output "an instance of a bundle is gone into by what its config.json said" "bundle 5 6" trine exec bundled sh -c 'echo $OF $(id -u) $(id -g)'
echo '{}' >"$bundle/config.json"
expect_output "… when it was started" bundle trine exec bundled sh -c 'echo $OF'
run trine kill bundled
wait
expect_no_leak "nothing is left behind" "$before"
finish
