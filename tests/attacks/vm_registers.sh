#!/usr/bin/env bash
# A guest that is no Linux drives every register, ring and port of its machine against the rules (hostile_guest/): the
# monitor goes on or ends with one word of why, takes no memory for it, and nothing outside of the machine changes. Such a
# guest runs wherever there is /dev/kvm.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_hostile_guest

mkdir "$work/share" "$work/fixed" "$work/outside"
echo secret | tee "$work/share/inside" "$work/fixed/inside" >"$work/outside/secret"
ln -s ../outside "$work/share/leads-out"
head -c 1M /dev/urandom >"$work/fixed.img"
sum_outside() { (cd "$work" && find fixed outside fixed.img -exec stat -c '%n %A %u:%g %s' {} + | sort; find fixed outside fixed.img -type f -exec sha256sum {} +); }
before=$(sum_outside)

# machine NAME WORDS: in the background, as $started: one that does what the words say, and has a device of each kind. Of
# memory it gets no more than its guest's 64 MiB and 40 more.
machine() {
  local name=$1 words=$2
  head -c 1M /dev/zero >"$work/$name.img"
  : >"$work/$name"
  (ulimit -Sd 106496; exec "$build/tests/bin/monitor_host" "$build/bin/trine-vmm" --kernel "$build/tests/bin/hostile_guest" --memory 64m \
    --command-line "$words" --disk "$work/$name.img" --read-only-disk "$work/fixed.img" --mapped-disk "$work/fixed.img" --share "$work/share,tag=share" \
    --share "$work/fixed,tag=fixed,ro" --console "$work/$name" 2>"$work/$name.errors") &
  started=$!
}
has_come_to_its_end() { grep -aq '^finished' "$work/$1" || ! kill -0 "$2" 2>/dev/null; }
# Of all but the guest's memory, which is the one large mapping.
own_memory() { awk '/^[0-9a-f]+-/{count = 0} /^Size:/{count = $2 < 65536} /^Rss:/{if (count) sum += $2} END {print sum}' "/proc/$1/smaps"; }
# ends CLAIM PROCESS CODE: told to, with this code.
ends() {
  kill -TERM "$2"
  wait "$2"
  local code=$?
  if [[ $code == "$3" ]]; then pass "$1"; else fail "$1" "exit $code"; fi
}

machine beside beside
beside=$started
wait_for_guest test -s "$work/beside" || fail "a guest that keeps the rules works" "$(cat "$work/beside.errors")"

# attack NAME WORDS
attack() {
  local own word claim descriptors
  machine "$1" "$2"
  wait_for_guest has_come_to_its_end "$1" "$started"
  while read -r word claim; do
    case $word in
      yes) pass "$1: $claim" ;;
      no) fail "$1: $claim" "$2" ;;
    esac
  done < <(grep -aE '^(yes|no) ' "$work/$1")
  if grep -aq '^finished' "$work/$1"; then pass "the monitor of '$2' goes on"; else fail "the monitor of '$2' goes on" "$(tail -5 "$work/$1.errors")"; fi
  own=$(own_memory "$started")
  ((own > 0 && own < 8192)) && pass "… and has not grown ($own KiB)" || fail "… and has not grown" "$own KiB"
  descriptors=$(find "/proc/$started/fd" -mindepth 1 | wc -l)
  ((descriptors > 0 && descriptors < 2048)) && pass "… nor holds many descriptors ($descriptors)" || fail "… nor holds many descriptors" "$descriptors"
  ends "… and ends when it is told, in a storm of notifications" "$started" 13
  if [[ $(grep -vc '^trine-vmm: warning: the guest broke a rule of virtio: the driver of ' "$work/$1.errors") == 0 && -s $work/$1.errors ]]; then
    pass "… and says which drivers broke a rule, nothing else"
  else
    fail "… and says which drivers broke a rule, nothing else" "$(<"$work/$1.errors")"
  fi
}
attack list "all 1 ${TRINE_TEST_SCALE:-1}"
attack random "random $RANDOM $(scaled 20000)"

# expect_end CLAIM WORDS CODE [PATTERN]: of itself, with a word of why.
expect_end() {
  machine single "$2"
  wait "$started"
  local code=$?
  if [[ $code == "$3" ]] && { [[ -z ${4-} ]] || grep -q -- "$4" "$work/single.errors"; }; then pass "$1"; else fail "$1" "exit $code: $(<"$work/single.errors")"; fi
}
expect_end "accesses wider than registers, and over their bounds" wide 0
grep -aq '^finished' "$work/single" && pass "… do nothing" || fail "… do nothing"
expect_end "a guest that runs what is in a register ends" execute 12 "the guest cannot go on"
expect_end "… as one does that faults" fault 12 "the guest cannot go on"

had=$(stat -c %s "$work/beside")
grows() { (($(stat -c %s "$work/beside") > had)); }
wait_for_guest grows && pass "the machine beside them goes on" || fail "the machine beside them goes on"
grep -aq '^no ' "$work/beside" && fail "… with its disk as it was" "$(grep -a '^no ' "$work/beside")" || pass "… with its disk as it was"
ends "… and ends when it is told" "$beside" 13
[[ $(sum_outside) == "$before" ]] && pass "nothing else has changed" || fail "nothing else has changed" "$(diff <(echo "$before") <(sum_outside))"
remains() { pgrep -f "$build/bin/trine-vmm.*$work"; }
expect_nothing_left "no process is left"
finish
