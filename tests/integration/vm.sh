#!/usr/bin/env bash
# One table of cases for both classes: what an image's process sees and does is the same in a container and in a VM.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_vm
busybox_image --config.env FROM_IMAGE=1 --config.workingdir /home/user
before=$(snapshot)
run_it() { trine run --rm --isolation "$class" "$@"; }

cases_of_both() {
  expect_output "$class: output is all there is" "hello" run_it busybox echo hello
  expect_exit "$class: the exit code is the program's" 7 run_it busybox sh -c 'exit 7'
  expect_exit "$class: a signal's is 128 and its number" 143 run_it busybox sh -c 'sh -c "kill -TERM \$\$"; exit $?'
  expect_exit "$class: a program that there is not" 127 run_it busybox no-such-program
  expect_exit "$class: a file that is no program" 126 run_it busybox /etc/passwd
  expect_output "$class: variables, directory, name, user" "1 mine /tmp box uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)" \
    run_it -e B=mine -w /tmp --hostname box -u user busybox sh -c 'echo $FROM_IMAGE $B $(pwd) $(hostname) $(id)'
  expect_match "$class: capabilities are Docker's, seccomp filters" "00000000a80425fb.* 2" \
    run_it busybox sh -c 'echo $(sed -n "s/CapEff://p;s/Seccomp://p" /proc/self/status)'
  expect_output "$class: limits hold" "100" run_it --ulimit nofile=100:200 busybox sh -c 'ulimit -n'
  expect_error "$class: --pids-limit holds" 2 "can't fork" \
    run_it --pids-limit 10 busybox sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do sleep 2 & done'
  expect_error "$class: --read-only makes the root read-only" 1 "Read-only" run_it --read-only busybox touch /x
  expect_output "$class: --tmpfs is writable in it" "x" run_it --read-only --tmpfs /t busybox sh -c 'echo x >/t/f; cat /t/f'
  expect_output "$class: the root can be written" "x" run_it busybox sh -c 'echo x >/f; rm /bin/ls; cat /f'
  expect_output "$class: PID 1 is the program, with no other to be seen" "1" run_it busybox sh -c 'ls -d /proc/[0-9]* | grep -vc "/$$\$" >/dev/null; echo $$'
  output=$(printf 'from standard input' | run_it -i busybox cat)
  [[ $output == "from standard input" ]] && pass "$class: -i brings standard input" || fail "$class: -i brings standard input" "$output"
  output=$(run_it busybox sh -c 'echo out; echo err >&2' 2>/dev/null)
  [[ $output == out ]] && pass "$class: its two outputs are two" || fail "$class: its two outputs are two" "$output"
  output=$(run_it busybox sh -c 'head -c 3000000 /dev/zero' | wc -c)
  [[ $output == 3000000 ]] && pass "$class: no byte of the output is lost" || fail "$class: no byte of the output is lost" "$output"
  output=$(script -qec "stty rows 33 cols 77; $build/bin/trine --root $state run --rm --isolation $class -it busybox sh -c 'tty; stty size'" /dev/null </dev/null 2>&1 | tr -d '\r' | tr '\n' ' ')
  [[ $output == *"/dev/pts/0"*"33 77"* ]] && pass "$class: -t gives a terminal of our size" || fail "$class: -t gives a terminal of our size" "$output"
  output=$(echo 'echo typed-$((1+1))' | run_it -it busybox sh | tr -d '\r')
  grep -q typed-2 <<<"$output" && pass "$class: -it works without a terminal of ours, and ends with its input" || fail "$class: -it works without a terminal of ours, and ends with its input" "$output"
  start run --rm --isolation "$class" busybox sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done' >"$work/signalled"
  wait_for_guest grep -q up "$work/signalled"
  kill -TERM "$started"
  wait "$started"
  code=$?
  [[ $code == 9 ]] && pass "$class: a signal reaches the program" || fail "$class: a signal reaches the program" "$code"
}

# What other commands do with an instance that runs.
cases_of_others() {
  start run --name "main-$class" --isolation "$class" -e B=mine -u user busybox sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.1; done' >"$work/main" 2>&1
  main=$started
  wait_for_guest grep -q up "$work/main"
  in_it() { trine exec "$@"; }
  expect_output "$class: exec has the instance's variables, directory, user" "1 mine /home/user uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)" \
    in_it "main-$class" sh -c 'echo $FROM_IMAGE $B $(pwd) $(id)'
  expect_output "$class: exec changes them" "2 /tmp uid=0(root) gid=0(root) groups=0(root)" in_it -e B=2 -w /tmp -u 0 "main-$class" sh -c 'echo $B $(pwd) $(id)'
  expect_output "$class: exec is among the instance's processes, and filtered like them" "same 2" \
    in_it "main-$class" sh -c '[ $(readlink /proc/1/ns/pid) = $(readlink /proc/self/ns/pid) ] && echo same $(sed -n "s/Seccomp://p" /proc/self/status)'
  expect_exit "$class: exec's exit code is the program's" 7 in_it "main-$class" sh -c 'exit 7'
  expect_exit "$class: exec of a program that there is not" 127 in_it "main-$class" no-such-program
  expect_exit "$class: exec of a file that is no program" 126 in_it "main-$class" /etc/passwd
  expect_error "$class: exec in a directory that there is not" 125 "working directory /no/such" in_it -w /no/such "main-$class" true
  output=$(printf 'from standard input' | in_it -i "main-$class" cat)
  [[ $output == "from standard input" ]] && pass "$class: exec -i brings standard input" || fail "$class: exec -i brings standard input" "$output"
  output=$(in_it "main-$class" sh -c 'echo out; echo err >&2' 2>/dev/null)
  [[ $output == out ]] && pass "$class: exec's two outputs are two" || fail "$class: exec's two outputs are two" "$output"
  output=$(in_it "main-$class" sh -c 'head -c 1000000 /dev/zero' | wc -c)
  [[ $output == 1000000 ]] && pass "$class: no byte of exec's output is lost" || fail "$class: no byte of exec's output is lost" "$output"
  output=$(script -qec "stty rows 33 cols 77; $build/bin/trine --root $state exec -it main-$class sh -c 'tty; stty size'" /dev/null </dev/null 2>&1 | tr -d '\r' | tr '\n' ' ')
  [[ $output == *"/dev/pts/"*"33 77"* ]] && pass "$class: exec -t gives a terminal of our size" || fail "$class: exec -t gives a terminal of our size" "$output"
  output=$(for i in 1 2 3 4 5 6; do (in_it "main-$class" sh -c "exit $i"; echo $?) & done; wait)
  [[ $(sort <<<"$output" | tr -d '\n') == 123456 ]] && pass "$class: six execs at once" || fail "$class: six execs at once" "$output"
  expect_output "$class: exec -d says nothing" "" in_it -d "main-$class" sh -c 'echo lost; sleep 0.5; echo done >/tmp/detached'
  wait_until in_it "main-$class" test -s /tmp/detached && pass "$class: … and its program goes on" || fail "$class: … and its program goes on"
  expect_output "$class: exec -dt" "" in_it -dt "main-$class" sh -c 'sleep 0.5; tty >/tmp/terminal'
  wait_until in_it "main-$class" grep -qs /dev/pts /tmp/terminal && pass "$class: … has a terminal" || fail "$class: … has a terminal"
  expect_match "$class: stats are of its processes" "^main-$class +$class +[0-9.]+% +[0-9.]+[kM]B +0B +0B +[1-9]$" eval "trine stats --no-stream main-$class | tail -1"
  start exec "main-$class" sh -c 'trap "exit 5" TERM; echo up; while :; do sleep 0.1; done' >"$work/signalled"
  wait_until grep -q up "$work/signalled"
  kill -TERM "$started"
  wait "$started"
  code=$?
  [[ $code == 5 ]] && pass "$class: a signal reaches exec's program" || fail "$class: a signal reaches exec's program" "$code"
  start exec "main-$class" sh -c 'text=$(head -c 8000000 /dev/zero | tr "\0" x); echo $$ >/tmp/busy; while :; do :; done'
  wait_until in_it "main-$class" test -s /tmp/busy
  expect_match "$class: … also of exec's" "^main-$class +$class +[1-9][0-9.]*% +([89]|[1-9][0-9])[0-9.]*MB +0B +0B +[2-9]$" eval "trine stats --no-stream | grep main-$class"
  expect_exit "$class: … which end" 0 in_it "main-$class" sh -c 'kill -KILL $(cat /tmp/busy)'
  wait "$started"
  start exec "main-$class" sh -c 'echo $$ >/tmp/orphan; while :; do sleep 0.1; done'
  wait_until in_it "main-$class" test -s /tmp/orphan
  kill -KILL "$started"
  wait "$started" 2>/dev/null
  expect_exit "$class: a killed exec leaves its program running, as in Docker" 0 in_it "main-$class" sh -c 'kill -0 $(cat /tmp/orphan)'
  start exec "main-$class" sh -c 'echo up; exec sleep 4321' >"$work/under"
  under=$started
  wait_until grep -q up "$work/under"
  start wait "main-$class" >"$work/waited"
  waiting=$started
  expect_output "$class: stop sends the stop signal" "main-$class" trine stop "main-$class"
  wait "$main"
  code=$?
  [[ $code == 9 ]] && pass "$class: … which the program handles" || fail "$class: … which the program handles" "$code"
  wait "$under"
  code=$?
  [[ $code == 137 ]] && pass "$class: an exec ends with its instance, with 137" || fail "$class: an exec ends with its instance, with 137" "$code"
  wait "$waiting"
  [[ $(<"$work/waited") == 9 ]] && pass "$class: wait prints the exit code" || fail "$class: wait prints the exit code" "$(<"$work/waited")"
  expect_output "$class: … also afterwards" 9 trine wait "main-$class"
  expect_error "$class: no exec in what has ended" 125 "it is not running" in_it "main-$class" true
  expect_exit "$class: the instance goes" 0 trine rm "main-$class"
  start run --rm --name "stubborn-$class" --isolation "$class" busybox sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done' >"$work/stubborn"
  wait_for_guest grep -q up "$work/stubborn"
  start wait "stubborn-$class" >"$work/waited"
  waiting=$started
  wait_until eval '[[ -e /proc/$waiting/fdinfo/3 ]]'
  expect_output "$class: stop -t 1 kills what runs on" "stubborn-$class" trine stop -t 1 "stubborn-$class"
  wait "$waiting"
  [[ $(<"$work/waited") == 137 ]] && pass "$class: wait is told of one that is removed at its end" || fail "$class: wait is told of one that is removed at its end" "$(<"$work/waited")"
}

for class in container vm; do cases_of_both; cases_of_others; done

## What is only the VM's.
class=vm
expect_output "the kernel is the guest's, the default one" "$(trine kernel ls | awk '$NF == "yes" {print $1}')" run_it busybox uname -r
expect_output "--cpus are its processors" "4" run_it --cpus 4 busybox nproc
expect_output "a part of a processor counts as one" "2" run_it --cpus 1.5 busybox nproc
expect_match "--memory is its memory" "^(1[5-9][0-9]|2[0-4][0-9])$" run_it --memory 256m busybox sh -c 'echo $(($(sed -n "s/MemTotal: *//;s/ kB//p" /proc/meminfo | head -1) / 1024))'
expect_error "a process that eats the guest's memory is killed, which is said" 137 "out of memory" run_it --memory 192m busybox sh -c 'exec tail /dev/zero'
run env TRINE_VM_BOOT_SECONDS=1 "$build/bin/trine" --root "$state" run --rm --isolation vm busybox true
[[ $code == 125 && $output == *"said nothing for 1 s"* ]] && pass "a guest that does not come up is ended" || fail "a guest that does not come up is ended" "$code: $output"

## What has no meaning in a VM is refused by name.
expect_error "--device" 125 "device cannot be given with --isolation vm" run_it --device /dev/null busybox true
expect_error "--network host" 125 "network host cannot be given with --isolation vm" run_it --network host busybox true
expect_error "too little memory" 125 "too little for a VM" run_it --memory 32m busybox true
expect_error "a host without /dev/kvm: never a container" 125 "cannot open /dev/kvm|did not come up" \
  unshare -m sh -c "mount --bind /dev/null /dev/kvm && exec '$build/bin/trine' --root '$state' run --rm --isolation vm busybox true"
expect_no_leak "nothing is left behind" "$before"
finish
