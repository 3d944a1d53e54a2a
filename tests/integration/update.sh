#!/usr/bin/env bash
# trine update: the limits of a container that runs, seen in its cgroup's files and by what its programs may do.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program jq
busybox_image
before=$(snapshot)
# up NAME FLAG...: an instance that sleeps, and has said that it runs.
up() {
  local name=$1
  shift
  start run --rm --name "$name" "$@" busybox sh -c 'echo ready; trap "exit 7" USR1; while :; do sleep 1; done' >"$work/$name.out" 2>&1 </dev/null
  wait_until grep -q ready "$work/$name.out" || fail "$name comes up" "$(<"$work/$name.out")"
}
# limit NAME V1_FILE V2_FILE: what the kernel has of it.
limit() {
  local directory
  while read -r directory; do
    if [[ -e $directory/$2 ]]; then cat "$directory/$2" && return; fi
    if [[ -e $directory/$3 ]]; then cat "$directory/$3" && return; fi
  done < <(jq -r '.cgroups[]' "$state/run/instances/$(trine inspect "$1" | jq -r '.[0].id // .[0].Id')"/*.json)
}
# has CLAIM NAME V1_FILE V2_FILE PATTERN
has() {
  local value
  value=$(limit "$2" "$3" "$4")
  [[ $value =~ ^($5)$ ]] && pass "$1" || fail "$1" "'$value', not /$5/"
}

up web --memory 64m --pids-limit 20 --cpus 0.5 --cpu-shares 100 --cpuset-cpus 0
expect_output "the instance's name is printed" web trine update --memory 128m web
has "memory goes up" web memory.limit_in_bytes memory.max 134217728
has "the others stay: processes" web pids.max pids.max 20
has "time" web cpu.cfs_quota_us cpu.max "50000( 100000)?"
trine update --memory 32m web >/dev/null
has "memory goes down" web memory.limit_in_bytes memory.max 33554432
trine update --cpus 1.5 --pids-limit 7 --cpu-shares 512 --cpuset-cpus 0 web >/dev/null
has "time goes up" web cpu.cfs_quota_us cpu.max "150000( 100000)?"
has "processes go down" web pids.max pids.max 7
has "shares" web cpu.shares cpu.weight "512|20|59"
has "and nothing else changes" web memory.limit_in_bytes memory.max 33554432
expect_error "a limit on processes holds" 2 "can't fork" trine exec web sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 3 & done'
trine update --cpus 0 --pids-limit -1 --memory 0 web >/dev/null
has "no limit of time" web cpu.cfs_quota_us cpu.max "-1|max 100000"
has "no limit of processes" web pids.max pids.max max
has "no limit of memory" web memory.limit_in_bytes memory.max "max|9223372036854771712"
trine update web --memory 16m >/dev/null
has "flags may stand behind the name" web memory.limit_in_bytes memory.max 16777216
expect_exit "the memory's new limit holds" 137 trine exec web sh -c 'head -c 40m /dev/zero | tail >/dev/null'
expect_exit "and the instance has lived through it all" 0 trine exec web true
trine kill -s USR1 web >/dev/null
wait "$started"
[[ $(<"$work/web.out") == *"(its limit is 16 MiB)"* ]] && pass "the end tells the limit that held" || fail "the end tells the limit that held" "$(<"$work/web.out")"

up web --memory 64m
expect_exit "some memory is used" 0 trine exec web sh -c 'head -c 30m /dev/zero >/dev/shm/pages'
expect_error "less than that is refused" 125 "cannot set the memory limit of .*" trine update --memory 8m web
has "and the limit stays" web memory.limit_in_bytes memory.max 67108864
expect_error "less than any program needs" 125 "--memory '1m': it is less than 6 MiB" trine update --memory 1m web
expect_error "no size" 125 "--memory 'much': it is no size" trine update --memory much web
expect_error "swap goes with memory" 125 "give --memory too" trine update --memory-swap 1g web
expect_error "nothing to change" 125 "needs a limit to change" trine update web
expect_error "no instance" 125 "needs one instance" trine update --cpus 1
expect_error "two of them" 125 "needs one instance" trine update --cpus 1 web web
expect_error "one that there is not" 125 "no instance absent" trine update --cpus 1 absent
expect_error "a flag that cannot be changed" 125 "has no flag --env" trine update --env a=b web
if [[ ! -e /sys/fs/cgroup/cgroup.controllers ]]; then
  expect_error "a controller that it was not started with" 125 "no directory with the controller pids" trine update --pids-limit 5 web
fi
trine kill web >/dev/null
wait "$started"
trine run --name ended busybox true
expect_error "one that has ended" 125 "cannot update ended: it is not running" trine update --cpus 1 ended
trine rm ended >/dev/null
expect_no_leak "nothing is left behind" "$before"
finish
