#!/usr/bin/env bash
# trine stats: what instances use. Both classes share a few cases in vm.sh; here is what containers have beyond them.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program jq
busybox_image
near=trine-test-near-$$
far=trine-test-far-$$
ip netns add "$near" 2>/dev/null && ip netns del "$near" # makes the directory that ip-netns(8) keeps
before=$(snapshot)
# up NAME SCRIPT FLAG...: an instance whose script has said that it is ready.
up() {
  local name=$1 script=$2
  shift 2
  start run --rm --name "$name" "$@" busybox sh -c "$script" >"$work/$name.out" 2>&1 </dev/null
  wait_until grep -q ready "$work/$name.out" || fail "$name comes up" "$(<"$work/$name.out")"
}
figure() { jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2" <<<"$figures"; }
between() { # between NAME FIGURE LEAST MOST
  local value
  value=$(figure "$1" "$2")
  jq -en "$value >= $3 and $value <= $4" >/dev/null && pass "$2 of $1" || fail "$2 of $1" "$value, which is not between $3 and $4"
}

expect_output "without instances there is the heading" "NAME   CLASS   CPU   MEM   RX   TX   PIDS" trine stats --no-stream
up busy 'echo ready; while :; do :; done'
up still 'sleep 1000 & sleep 1000 & echo ready; wait'
up limited 'head -c 20000000 /dev/zero >/dev/shm/pages; echo ready; exec sleep 1000' --memory 64m --pids-limit 9 --cpus 1
figures=$(trine stats --no-stream --format json)
[[ $(jq -r '.[].name' <<<"$figures" | sort | xargs) == "busy limited still" ]] && pass "all that run are shown" || fail "all that run are shown" "$figures"
between busy cpu_percent 10 110
between still cpu_percent 0 10
between busy processes 1 1
between still processes 3 3
between limited processes 1 1
between limited memory_bytes 20000000 64000000
between busy cpu_microseconds 100000 600000000
[[ $(figure busy class) == container ]] && pass "the class is told" || fail "the class is told" "$figures"
expect_match "a table has a line for each that is named" "^NAME +CLASS +CPU +MEM +RX +TX +PIDS
still +container +[0-9.]+% +[0-9.]+[kM]B +0B +0B +3$" trine stats --no-stream still
output=$(timeout 3.8 "$build/bin/trine" --root "$state" stats --format json still | jq -r '.[0].name' | head -2 | xargs)
[[ $output == "still still" ]] && pass "without --no-stream it goes on" || fail "without --no-stream it goes on" "$output"
expect_error "one that there is not" 125 "no instance absent" trine stats --no-stream absent
expect_error "a format that there is not" 125 "--format 'xml' is unknown" trine stats --format xml
[[ $(figure busy 'network | length') == 0 ]] && pass "without an interface there is no traffic" || fail "without an interface there is no traffic" "$figures"
trine kill busy still limited >/dev/null

up host 'echo ready; exec sleep 1000' --network host
expect_output "the host's traffic is no container's" null eval "trine stats --no-stream --format json host | jq -c .[0].network"
expect_match "… and the table says so" "^host +container .* -- +-- +1$" eval "trine stats --no-stream host | tail -1"
trine kill host >/dev/null

# A container in a namespace that somebody else has made, with a cable to another.
clean_up_namespaces() { ip netns del "$near" 2>/dev/null; ip netns del "$far" 2>/dev/null; }
trap 'clean_up_namespaces; cleanup' EXIT
if ip netns add "$near" && ip netns add "$far" && ip -n "$near" link add eth0 type veth peer name far0 netns "$far"; then
  ip -n "$near" link set eth0 up
  ip -n "$near" addr add 10.77.0.2/24 dev eth0
  ip -n "$far" link set far0 up
  ip -n "$far" addr add 10.77.0.1/24 dev far0
  head -c 1000000 /dev/urandom >"$work/some"
  ip netns exec "$far" busybox httpd -f -p 8080 -h "$work" &
  server=$!
  wait_until ip netns exec "$far" grep -q ':1F90 .* 0A ' /proc/net/tcp6
  up cabled 'wget -q -O /dev/null http://10.77.0.1:8080/some && echo ready; exec sleep 1000' --network "ns:/run/netns/$near"
  figures=$(trine stats --no-stream --format json cabled)
  [[ $(figure cabled 'network[].name') == eth0 ]] && pass "loopback is not told of" || fail "loopback is not told of" "$figures"
  between cabled 'network[0].rx_bytes' 1000000 2000000
  between cabled 'network[0].rx_packets' 10 100000
  between cabled 'network[0].tx_bytes' 100 300000
  expect_match "the table has it in bytes, of all interfaces" "^cabled +container +[0-9.]+% +[0-9.]+[kM]B +1[0-9.]*MB +[0-9.]+k?B +1$" eval "trine stats --no-stream cabled | tail -1"
  trine kill cabled >/dev/null
  kill "$server"
  wait "$server" 2>/dev/null
else
  echo "skipped: traffic: network namespaces with a cable cannot be made here"
fi
clean_up_namespaces
expect_error "one that has ended" 125 "no instance busy" trine stats --no-stream busy
expect_no_leak "nothing is left behind" "$before"
finish
