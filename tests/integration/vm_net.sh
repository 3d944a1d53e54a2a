#!/usr/bin/env bash
# A guest in the place of a network namespace's interface: addresses, routes, traffic both ways, and what is left behind.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/vm.sh"
require_root
require_program ip
require_program tc
require_program jq
require_vm
large=3000000
eval "$(declare -f busybox_root | sed '1s/busybox_root/small_root/')"
busybox_root() { small_root "$1" && head -c $large /dev/urandom >"$1/large"; }
busybox_image
# The far end is a namespace too: the host's own network stays as it is.
near=trine-test-near-$$
far=trine-test-far-$$
clean_up_namespaces() { ip netns del "$near" 2>/dev/null; ip netns del "$far" 2>/dev/null; rm -rf "/etc/netns/$near"; }
trap 'clean_up_namespaces; cleanup' EXIT
prepare_namespaces() {
  clean_up_namespaces
  ip netns add "$near" && ip netns add "$far" || skip "network namespaces cannot be made here"
  ip -n "$near" link add eth0 type veth peer name far0 netns "$far" || skip "there is no veth here"
  ip -n "$near" link set lo up
  ip -n "$near" link set eth0 mtu 1400 address 02:00:00:00:00:77 up
  ip -n "$near" addr add 10.77.0.2/24 dev eth0
  ip -n "$near" addr add fd77::2/64 dev eth0 nodad
  ip -n "$near" route add default via 10.77.0.1
  ip -n "$near" route add 10.99.0.0/16 via 10.77.0.7 metric 5
  ip -n "$near" route add default via fd77::1
  ip -n "$far" link set far0 mtu 1400 up
  ip -n "$far" addr add 10.77.0.1/24 dev far0
  ip -n "$far" addr add fd77::1/64 dev far0 nodad
  ip -n "$far" link set lo up
  ip -n "$far" addr add 192.0.2.1/32 dev lo
  mkdir -p "/etc/netns/$near"
  echo "nameserver 10.77.0.1" >"/etc/netns/$near/resolv.conf"
}
# takes_at_least CLAIM RATE COMMAND...: it prints how many of the $large bytes have come. The first second's are free.
takes_at_least() {
  local claim=$1 least=$((large * 1000 / $2 - 1000)) begin took
  shift 2
  begin=$(date +%s%N)
  run "$@"
  took=$((($(date +%s%N) - begin) / 1000000))
  if [[ $code == 0 && $output == "$large" ]] && ((took >= least)); then pass "$claim ($took of at least $least ms)"; else fail "$claim" "exit $code, $output bytes in $took ms, which is to take $least"; fi
}
in_far() { ip netns exec "$far" "$@"; }
links_and_filters() { ip -n "$near" -o link show | sed 's/^[0-9]*: \([^:]*\).*/\1/'; tc -n "$near" qdisc show dev eth0; tc -n "$near" filter show dev eth0 ingress; }
listens() { in_far sh -c "grep -q ':$1 .* 0A ' /proc/net/tcp /proc/net/tcp6"; }
prepare_namespaces
clean_up_namespaces
before=$(snapshot) # with the directory that ip-netns(8) keeps
prepare_namespaces
untouched=$(links_and_filters)

expect_output "a container joins the namespace, with its resolver" "inet 10.77.0.2/24 nameserver 10.77.0.1" \
  trine run --rm --network "ns:/run/netns/$near" busybox sh -c 'echo $(ip -4 -o addr show dev eth0 | grep -o "inet [^ ]*") $(cat /etc/resolv.conf)'
expect_error "a path that is no namespace" 125 "/etc/passwd is no network namespace" trine run --rm --isolation vm --network ns:/etc/passwd busybox true
expect_error "a namespace that there is not" 125 "cannot open the network namespace /run/netns/none" trine run --rm --isolation vm --network ns:/run/netns/none busybox true

head -c 20000000 /dev/urandom >"$work/big"
sum=$(sha256sum <"$work/big" | cut -d' ' -f1)
mkdir "$work/www"
cp "$work/big" "$work/www/big"
head -c 4000000 "$work/big" >"$work/www/part"
part=$(sha256sum <"$work/www/part" | cut -d' ' -f1)
in_far busybox httpd -f -p 8080 -h "$work/www" &
server=$!
wait_until listens 1F90
# A process of the first processor sends by the first of two queues, one of the second by the second.
start run --rm --name net --isolation vm --cpus 2 --vm-net-queues 2 --network "ns:/run/netns/$near" busybox sh -c '
  echo "link $(cat /sys/class/net/eth0/address) $(cat /sys/class/net/eth0/mtu)"
  echo "interfaces" $(ls /sys/class/net)
  ip -o addr show dev eth0 | sed -n "s/.*\(inet6* [^ ]*\) .*scope global.*/\1/p"
  ip route | sort; ip -6 route show default
  cat /etc/resolv.conf
  echo "queues" $(ls /sys/class/net/eth0/queues)
  echo "processors" $(cat /sys/class/net/eth0/queues/tx-*/xps_cpus)
  ping -c 1 -W 10 10.77.0.1 >/dev/null && echo "ping yes"
  ping -c 1 -W 10 -s 1372 192.0.2.1 >/dev/null && echo "routed ping of the MTU yes"
  ping -6 -c 1 -W 10 fd77::1 >/dev/null && echo "ping6 yes"
  echo "got $(wget -q -O - http://10.77.0.1:8080/big | sha256sum | cut -d" " -f1)"
  echo "got6 $(wget -q -O - "http://[fd77::1]:8080/big" | sha256sum | cut -d" " -f1)"
  for processor in 1 2; do (taskset $processor wget -q -O - http://10.77.0.1:8080/part | sha256sum >/tmp/$processor) & done
  wait; echo "beside each other" $(cut -d" " -f1 /tmp/1 /tmp/2)
  nc -l -p 9000 >/tmp/in & echo listening; wait $!; echo "came $(sha256sum </tmp/in | cut -d" " -f1)"
  while [ ! -e /tmp/end ]; do sleep 0.2; done; echo "carrier $(cat /sys/class/net/eth0/carrier)"' >"$work/out" 2>"$work/errors"
trine_pid=$started
wait_for_guest grep -q listening "$work/out" || fail "the guest comes as far as to listen" "$(cat "$work/out" "$work/errors")"
said() { if grep -qxF -- "$2" "$work/out"; then pass "$1"; else fail "$1" "no '$2' in: $(<"$work/out")"; fi; }
said "the guest has the interface's address and MTU" "link 02:00:00:00:00:77 1400"
said "… that interface and loopback only" "interfaces eth0 lo"
said "… its IPv4 address" "inet 10.77.0.2/24"
said "… its IPv6 address" "inet6 fd77::2/64"
grep -q "^default via 10.77.0.1 dev eth0" "$work/out" && pass "… its default route" || fail "… its default route" "$(<"$work/out")"
grep -q "^10.99.0.0/16 via 10.77.0.7 dev eth0 .*metric 5" "$work/out" && pass "… its other routes" || fail "… its other routes" "$(<"$work/out")"
grep -q "^default via fd77::1 dev eth0" "$work/out" && pass "… its IPv6 default route" || fail "… its IPv6 default route" "$(<"$work/out")"
said "… as many queues as were asked for" "queues rx-0 rx-1 tx-0 tx-1"
said "… one for each processor" "processors 1 2"
said "… the namespace's resolver" "nameserver 10.77.0.1"
said "a ping reaches the other side" "ping yes"
said "… also through the router, with as much as the MTU allows" "routed ping of the MTU yes"
said "… and by IPv6" "ping6 yes"
said "20 MB arrive whole" "got $sum"
said "… also by IPv6" "got6 $sum"
said "both processors get 4 MB at a time, each by a queue of its own" "beside each other $part $part"
expect_exit "the other side sends 20 MB" 0 in_far timeout 120 busybox nc -w 60 10.77.0.2 9000 -e cat "$work/big"
wait_for_guest grep -q "^came " "$work/out"
said "… which arrive whole" "came $sum"
traffic() { trine stats --no-stream --format json "$1" | jq -c ".[0].network | map($2)"; }
expect_output "three times 20 MB and some more were received, and little was sent" '[{"name":"eth0","much":true,"little":true}]' \
  traffic net '{name, much: (.rx_bytes > 60000000 and .rx_packets > 1000), little: (.tx_bytes > 10000 and .tx_bytes < 10000000)}'
expect_error "the interface is one guest's" 125 "network interface eth0 is a machine's already" \
  trine run --rm --isolation vm --network "ns:/run/netns/$near" busybox true
expect_error "… and none of its queues is another's" 125 "network interface eth0 is a machine's already" \
  trine run --rm --isolation vm --cpus 2 --vm-net-queues 2 --network "ns:/run/netns/$near" busybox true
expect_output "… which keeps it" "yes" trine exec net sh -c 'ping -c 1 -W 10 10.77.0.1 >/dev/null && echo yes'
ip -n "$near" link del "$(ip -n "$near" -o link show | sed -n 's/^[0-9]*: \(trine[0-9]*\).*/\1/p')"
trine exec net touch /tmp/end
wait "$trine_pid"
code=$?
[[ $code == 0 ]] && pass "a guest whose tap is deleted goes on" || fail "a guest whose tap is deleted goes on" "$code: $(<"$work/errors")"
said "… without a link" "carrier 0"
grep -q "the tap of the guest's network is gone" "$work/errors" && pass "… which is said" || fail "… which is said" "$(<"$work/errors")"
[[ $(links_and_filters) == "$untouched" ]] && pass "nothing is left in the namespace" || fail "nothing is left in the namespace" "$(links_and_filters)"

rate=300000
start run --rm --name killed --isolation vm --network "ns:/run/netns/$near" --vm-net-rate "bytes=$rate" --vm-disk-rate "bytes=$rate" \
  busybox sh -c 'httpd -p 8080 -h / && echo up; sleep 1000' >"$work/killed" 2>&1
wait_for_guest grep -q up "$work/killed"
takes_at_least "a guest reads its image as fast as its limit lets it" "$rate" trine exec killed sh -c 'wc -c </large'
head -c "$large" "$work/big" >"$work/www/some"
takes_at_least "… gets so much of its network" "$rate" trine exec killed sh -c 'wget -q -O - http://10.77.0.1:8080/some | wc -c'
takes_at_least "… and sends so much" "$rate" in_far sh -c 'busybox wget -q -O - http://10.77.0.2:8080/large | wc -c'
expect_output "as much was received as was sent, and no more than by this guest" '[{"name":"eth0","received":true,"sent":true}]' \
  traffic killed '{name, received: (.rx_bytes > 3000000 and .rx_bytes < 6000000), sent: (.tx_bytes > 3000000 and .tx_bytes < 6000000)}'
[[ $(links_and_filters) != "$untouched" ]] && pass "a guest that runs has the interface" || fail "a guest that runs has the interface"
kill -KILL "$started"
wait "$started" 2>/dev/null
expect_exit "the next command after a kill -9 of trine" 0 trine ps
[[ $(links_and_filters) == "$untouched" ]] && pass "… leaves nothing in the namespace" || fail "… leaves nothing in the namespace" "$(links_and_filters)"
kill "$server"
wait "$server" 2>/dev/null
clean_up_namespaces
expect_no_leak "nothing is left behind" "$before"
finish
