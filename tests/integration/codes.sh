#!/usr/bin/env bash
# Exit codes, standard streams and signals.
. "$(dirname "$0")/../lib/harness.sh"
require_root
busybox_image
before=$(snapshot)

expect_exit "the program's exit code is trine's" 7 trine run --rm busybox sh -c 'exit 7'
expect_error "a missing program is 127" 127 "not found in .PATH" trine run --rm busybox nope
expect_error "a missing path is 127" 127 "No such file" trine run --rm busybox /nope
expect_error "what is not executable is 126" 126 "Permission denied" trine run --rm busybox /etc/passwd
expect_error "a directory is 126" 126 "Permission denied" trine run --rm busybox /etc
expect_error "an unknown user is 125" 125 "unknown user" trine run --rm -u nobody busybox true
expect_error "an unknown image is 125" 125 "no image" trine run --rm missing true
expect_error "an unknown verb is put right" 125 "did you mean trine run" trine rum
expect_exit "death by a signal is 128+n" 137 trine run --rm --init busybox sh -c 'kill -9 $$'
for verb in run images load rmi inspect ps rm; do
  expect_match "trine $verb --help says how it is used" "^Usage: trine $verb " trine $verb --help
  expect_error "trine $verb takes no flag of another's" 125 "has no flag --bogus" trine $verb --bogus
done
printf '#!/bin/sh\necho from a script "$@"\n' >"$work/script"
chmod +x "$work/script"
expect_output "a script is executed" "from a script a b" trine run --rm -v "$work/script:/script" busybox /script a b
printf '#!/no/such/interpreter\n' >"$work/broken"
chmod +x "$work/broken"
expect_error "a missing interpreter is said" 127 "interpreter" trine run --rm -v "$work/broken:/broken" busybox /broken

output=$(printf 'a\nb\n' | trine run --rm -i busybox cat)
[[ $output == $'a\nb' ]] && pass "-i connects the standard input" || fail "-i connects the standard input" "$output"
output=$(head -c 3000000 /dev/zero | trine run --rm -i busybox wc -c)
[[ $output == 3000000 ]] && pass "no byte of the input is lost" || fail "no byte of the input is lost" "$output"
trine run --rm busybox echo x >/dev/full 2>"$work/error"
[[ $? != 0 ]] && pass "a full standard output fails the program" || fail "a full standard output fails the program"
trine images >/dev/full 2>"$work/error"
[[ $? == 125 ]] && grep -q 'No space left' "$work/error" && pass "trine says that its output is full" || fail "trine says that its output is full" "$(cat "$work/error")"
trine run --rm busybox echo x <&- >&- 2>&-
pass "closed standard streams do no harm ($?)"

for signal in TERM INT HUP USR1; do
  rm -f "$work/ready"
  start run --rm -v "$work:/w" busybox sh -c "trap 'exit 42' $signal; : > /w/ready; while :; do sleep 0.05; done"
  pid=$started
  wait_until test -e "$work/ready"
  kill -$signal $pid
  wait $pid
  status=$?
  [[ $status == 42 ]] && pass "SIG$signal is passed on" || fail "SIG$signal is passed on" "exit $status"
done
expect_no_leak "nothing is left behind" "$before"
finish
