# shellcheck shell=bash
# What integration and attack scripts share. A script sources this, runs cases, and ends with `finish`.
#
# TRINE_BUILD is the build tree; each script gets a state directory of its own, which is checked for leaks and
# removed in the end.
set -uo pipefail

build=${TRINE_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release}
work=$(mktemp -d /tmp/trine-test.XXXXXX)
state=$work/state
mkdir -p "$state"
failures=0
cases=0

trine() { "$build/bin/trine" --root "$state" "$@"; }
# start COMMAND...: in the background; trine's own process is $started, which `trine ... &` would not give.
start() {
  "$build/bin/trine" --root "$state" "$@" &
  started=$!
}

# Not in a child that a signal ends before it executes its command: bash runs the trap there too.
cleanup() {
  [[ $BASHPID == "$$" ]] || return
  # What runs in the background would go on without its files.
  trine ps --quiet 2>/dev/null | xargs -r "$build/bin/trine" --root "$state" rm --force >/dev/null 2>&1
  awk -v below="$work/" 'index($5, below) == 1 {print $5}' /proc/self/mountinfo | tac | xargs -r umount -l
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

# scaled TIMES: how often to do what is done many times. On a slow machine TRINE_TEST_SCALE divides it.
scaled() { echo $((($1 + ${TRINE_TEST_SCALE:-1} - 1) / ${TRINE_TEST_SCALE:-1})); }

# skip WHY: ends the script as skipped.
skip() {
  echo "skipped: $1"
  exit 77
}
require_root() { [[ $(id -u) == 0 ]] || skip "needs root"; }
require_program() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

pass() { cases=$((cases + 1)); echo "ok - $1"; }
fail() {
  cases=$((cases + 1))
  failures=$((failures + 1))
  echo "not ok - $1${2:+: $2}"
}

# The command's output (both streams) is in $output and its exit code in $code.
run() {
  output=$("$@" 2>&1 </dev/null)
  code=$?
}

# expect_output CLAIM WANTED COMMAND...: exit code 0 and exactly this output.
expect_output() {
  local claim=$1 wanted=$2
  shift 2
  run "$@"
  if [[ $code == 0 && $output == "$wanted" ]]; then pass "$claim"; else fail "$claim" "exit $code, got '$output', wanted '$wanted'"; fi
}
# expect_match CLAIM PATTERN COMMAND...: exit code 0 and output that matches the extended regular expression.
expect_match() {
  local claim=$1 pattern=$2
  shift 2
  run "$@"
  if [[ $code == 0 ]] && grep -Eq -- "$pattern" <<<"$output"; then pass "$claim"; else fail "$claim" "exit $code, got '$output', wanted /$pattern/"; fi
}
# expect_exit CLAIM CODE COMMAND...
expect_exit() {
  local claim=$1 wanted=$2
  shift 2
  run "$@"
  if [[ $code == "$wanted" ]]; then pass "$claim"; else fail "$claim" "exit $code, wanted $wanted: $output"; fi
}
# expect_error CLAIM CODE PATTERN COMMAND...: fails with this code and says so.
expect_error() {
  local claim=$1 wanted=$2 pattern=$3
  shift 3
  run "$@"
  if [[ $code == "$wanted" ]] && grep -Eq -- "$pattern" <<<"$output"; then pass "$claim"; else fail "$claim" "exit $code, got '$output', wanted $wanted and /$pattern/"; fi
}

# What an instance could leave behind, as a text to compare. Groups and processes of others are left out.
snapshot() {
  awk '{print $5}' /proc/self/mountinfo | sort
  find /sys/fs/cgroup -maxdepth 3 -type d -name 'trine-[0-9a-f]*' 2>/dev/null | sort
  find "$state/run/instances" "$state/lib/instances" "$state/lib/names" "$state/lib/images/tmp" -mindepth 1 2>/dev/null | sort
  pgrep -f "$state" | while read -r pid; do [[ $pid == "$$" ]] || tr '\0' ' ' 2>/dev/null </proc/"$pid"/cmdline; done
}
# expect_no_leak CLAIM BEFORE
expect_no_leak() {
  local after
  after=$(snapshot)
  if [[ $after == "$2" ]]; then pass "$1"; else fail "$1" "$(diff <(echo "$2") <(echo "$after"))"; fi
}

# wait_until COMMAND...: polls for an event that nothing announces, a minute at most.
wait_until() {
  local deadline=$((SECONDS + 60))
  while ! "$@"; do
    ((SECONDS < deadline)) || return 1
    read -rt 0.01 <> <(:) || :
  done
}

# expect_nothing_left CLAIM: soon, by the script's own function `remains`, which prints what is.
expect_nothing_left() {
  wait_until eval '[[ -z $(remains) ]]'
  local left
  left=$(remains)
  if [[ -z $left ]]; then pass "$1"; else fail "$1" "$left"; fi
}

# busybox_root DIR: a root file system of Debian's static busybox.
busybox_root() {
  local root=$1
  mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,root,home/user}
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  # One process for 400 links: a test makes many of these roots.
  "$root/bin/busybox" --list | perl -ne 'chomp; symlink "busybox", "'"$root"'/bin/$_" unless $_ eq "busybox"'
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$root/etc/group"
}

# busybox_image [CONFIG_FLAGS...]: loads an image called busybox, made by umoci, into the script's store.
busybox_image() {
  local layout=$work/layout
  require_program umoci
  command -v busybox >/dev/null || skip "busybox-static is not installed"
  umoci init --layout "$layout"
  umoci new --image "$layout:busybox"
  umoci unpack --image "$layout:busybox" "$work/unpacked" >/dev/null 2>&1
  busybox_root "$work/unpacked/rootfs"
  umoci repack --image "$layout:busybox" "$work/unpacked" >/dev/null 2>&1
  umoci config --image "$layout:busybox" --config.cmd /bin/sh "$@"
  rm -rf "$work/unpacked"
  trine load --quiet "oci:$layout:busybox" >/dev/null || { echo "not ok - cannot load the busybox image"; exit 1; }
}

finish() {
  echo "$cases cases, $failures failed"
  ((failures == 0))
  exit
}
