#!/usr/bin/env bash
# A terminal works as in a shell. script(1) gives trine a terminal of its own.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program script
busybox_image
before=$(snapshot)
in_terminal() { # COMMAND: in a terminal of 33 rows and 77 columns; carriage returns taken out
  script -qec "stty rows 33 cols 77; $1" /dev/null </dev/null 2>&1 | tr -d '\r'
}
t="$build/bin/trine --root $state"

expect_match "-t gives a terminal" "/dev/pts/0" in_terminal "$t run --rm -t busybox tty"
expect_match "its size is ours" "33 77" in_terminal "$t run --rm -it busybox stty size"
expect_match "/dev/console is that terminal" "136,|88," in_terminal "$t run --rm -t busybox sh -c 'stat -c %t, /dev/console'"
expect_match "TERM is set" "xterm" in_terminal "$t run --rm -t busybox sh -c 'echo \$TERM'"
expect_match "it has job control" "no-error" in_terminal "$t run --rm -it busybox sh -c 'set -m && echo no-error'"
expect_match "our terminal is put back" "cooked:.*icanon" in_terminal "$t run --rm -it busybox true; echo cooked: \$(stty -a | grep -o -- '-\?icanon')"
output=$(echo 'echo typed-$((1+1))' | trine run --rm -it busybox sh | tr -d '\r')
grep -q typed-2 <<<"$output" && pass "-it works without a terminal of ours" || fail "-it works without a terminal of ours" "$output"
output=$(trine run --rm -t busybox sh -c 'head -c 2000000 /dev/zero | tr "\0" x' | wc -c)
[[ $output == 2000000 ]] && pass "no byte of the output is lost" || fail "no byte of the output is lost" "$output"

cat >"$work/killed" <<E2
$t run --rm -it -v $work:/w busybox sh -c ': > /w/up; sleep 100' &
pid=\$!
while [ ! -e $work/up ]; do sleep 0.05; done
kill -TERM \$pid
sleep 0.2
kill -KILL \$(pgrep -P \$pid) 2>/dev/null
wait \$pid
echo after: \$(stty -a | grep -o -- '-\?icanon')
E2
expect_match "it is put back when trine is ended by SIGTERM" "after: icanon" in_terminal "bash $work/killed"
expect_no_leak "nothing is left behind" "$before"
finish
