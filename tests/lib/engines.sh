# shellcheck shell=bash
# What every engine must be able to do with trine-oci as its runtime. A script sources this after harness.sh, gives
#   engine ARG...         the engine's command line, as podman and docker have it
#   run_flags=(...)       what `run` needs on this machine
#   engine_mounts         the mount points that the engine sees
#   engine_states         the state directories of containers
# and calls engine_cases with the name of an image of busybox.
#
# TRINE_TEST_CLASS=vm has each container be a VM, by its annotation, on a machine that runs guests: see take_class.
# TRINE_TEST_CGROUPS=systemd has the engine let systemd make the cgroups, for a machine that it runs and that nobody
# needs afterwards: systemd is spoken to below /run, which is not set apart then.

# shellcheck disable=SC2034 # the scripts that source this use it
runtime=$build/bin/trine-oci
manager=${TRINE_TEST_CGROUPS:-cgroupfs}
parent=/trine-test-${work##*.} # the cgroup that holds the containers of this script, and no other
[[ $manager == cgroupfs ]] || parent=trine_test_${work##*.}.slice
class=${TRINE_TEST_CLASS:-container}
run_flags=() annotation=() top_flags=() engine_limit=60
exec_missing=127
memory_flag=64m memory_bytes=67108864 memory_outside=67108864 memory_told='64MiB|67\.1MB|67\.11MB'

# own_namespaces SCRIPT: what engines do to the network, and to files below /run, /opt and /var/lib/cni, stays in here.
own_namespaces() {
  [[ $manager == cgroupfs || -d /run/systemd/system ]] || skip "systemd does not run here"
  [[ -n ${TRINE_TEST_APART-} ]] && return
  rm -rf "$work"
  # shellcheck disable=SC2016
  TRINE_TEST_APART=1 exec unshare --mount --net sh -c \
    '{ [ "$TRINE_TEST_CGROUPS" = systemd ] || mount -t tmpfs none /run; } && mount -t tmpfs none /opt && mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up && exec "$0"' "$1"
}

# take_class: what differs between containers and VMs, before $run_flags are used. A VM has the kernel that
# TRINE_TEST_KERNEL names, by a vm.json that only this script sees.
take_class() {
  [[ $class == vm ]] || return
  # shellcheck source=/dev/null
  . "${BASH_SOURCE[0]%/*}/vm.sh"
  require_vm
  mkdir -p /etc/trine
  mount -t tmpfs -o mode=755 none /etc/trine
  echo "{\"kernels\": \"$state/lib/kernels\", \"memory\": \"256m\", \"boot_seconds\": $TRINE_VM_BOOT_SECONDS}" >/etc/trine/vm.json
  engine_limit=300 # a VM comes up in ten seconds, or in as many minutes on a busy machine under emulation
  annotation=(--annotation dev.trine.isolation=vm)
  # The group on the host holds the machine and 64 MiB for its monitor.
  top_flags=(-o pid,args) # what the guest's own ps tells
  memory_flag=192m memory_bytes=$((192 << 20)) memory_outside=$(((192 + 64) << 20)) memory_told='192MiB|201\.3MB' # podman tells what the container was given
}

busybox_archive() {
  command -v busybox >/dev/null || skip "busybox-static is not installed"
  busybox_root "$work/busybox"
  : >"$work/busybox/bin/text"
  tar -C "$work/busybox" -cf "$work/busybox.tar" .
}

# group_value PID CONTROLLER V1_FILE V2_FILE: what the container's cgroup holds.
group_value() {
  local path
  path=$(awk -F: -v name="$2" '$2 == name {print $3}' "/proc/$1/cgroup")
  if [[ -n $path ]]; then cat "/sys/fs/cgroup/$2$path/$3"; else cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/$4"; fi
}
# processes_limit NAME PID: a VM's is in its guest.
processes_limit() { if [[ $class == vm ]]; then engine exec "$1" cat /sys/fs/cgroup/pids.max; else group_value "$2" pids pids.max pids.max; fi; }
# fetch: the page of port_case.
fetch() {
  exec 3<>/dev/tcp/127.0.0.1/18080 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && timeout 5 tail -n 1 <&3
}
pid_of() { engine inspect -f '{{.State.Pid}}' "$1"; }
status_of() { engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"; }

# remains: what is left of this script's containers.
remains() {
  find /sys/fs/cgroup -mindepth 2 -path "*$parent/*" -type d -not -name conmon 2>/dev/null # podman keeps that one
  engine_mounts | grep -F "$work/"
  pgrep -f 'sleep 7654' | xargs -r ps -o pid=,args= -p
  engine_states
}
# expect_no_remains CLAIM: and takes away what the engine is right to keep.
expect_no_remains() {
  expect_nothing_left "$1"
  if [[ $manager == systemd ]]; then systemctl stop "$parent"; fi
  # For hierarchies of version 1 that are not mounted podman makes plain directories with a file in them.
  find /sys/fs/cgroup -path "*$parent/*" -type f -fstype tmpfs -delete 2>/dev/null
  find /sys/fs/cgroup -mindepth 1 -path "*$parent*" -depth -type d -exec rmdir {} + 2>/dev/null
}

in_terminal() { # COMMAND [TYPED]: in a terminal of 33 rows and 77 columns; carriage returns taken out
  export -f engine
  export work runtime parent manager engine_limit
  SHELL=/bin/bash timeout "$engine_limit" script -qec "stty rows 33 cols 77; $1" /dev/null < <(printf '%s' "${2-}") 2>&1 | tr -d '\r'
}

short_run_cases() {
  local image=$1
  its_run() { engine run --rm "${run_flags[@]}" "$@"; }
  expect_output "run gives the output" "hi" its_run "$image" echo hi
  expect_exit "run gives the exit code" 7 its_run "$image" sh -c 'exit 7'
  expect_error "a missing command is 127, and named" 127 'nosuch' its_run "$image" nosuch
  expect_exit "a missing command by its path is 127" 127 its_run "$image" /bin/nosuch
  expect_exit "a command that is not executable is 126" 126 its_run "$image" /bin/text
  expect_exit "a folder is no command: 126" 126 its_run "$image" /etc
  output=$(echo typed | its_run -i "$image" cat)
  [[ $output == typed ]] && pass "-i gives it the input" || fail "-i gives it the input" "$output"
  expect_output "-u, -w, -e and -h reach it" "1000 /tmp x box" its_run -u 1000 -w /tmp -e V=x -h box "$image" \
    sh -c 'echo $(id -u) $(pwd) $V $(hostname)'
  expect_output "--read-only" "read-only" its_run --read-only "$image" sh -c 'touch /x 2>/dev/null || echo read-only'
  expect_output "--cap-drop" "0000000000000000" its_run --cap-drop ALL "$image" sh -c 'sed -n "s/CapEff:.//p" /proc/self/status'
  expect_output "--tmpfs" "tmpfs" its_run --tmpfs /t "$image" sh -c 'awk "\$2 == \"/t\" {print \$3}" /proc/mounts'
  mkdir -p "$work/volume"
  expect_output "a volume is written" "" its_run -v "$work/volume:/v" "$image" sh -c 'echo inside >/v/file'
  [[ $(<"$work/volume/file") == inside ]] && pass "and seen outside" || fail "and seen outside"
  expect_exit "a volume that is read-only" 1 its_run -v "$work/volume:/v:ro" "$image" touch /v/file
  run_terminal_case "$image"
}

run_terminal_case() {
  local image=$1
  # podman gives out what it has got to read of a terminal: of 45 that ended at once 3 lost it, with runc as well.
  expect_match "run -t gives a terminal of our size" '33 77' in_terminal \
    "engine run --rm ${run_flags[*]} -it $image sh -c 'for i in \$(seq 50); do stty size | grep 77 && break; sleep 0.1; done; sleep 0.5'"
}

# flags_together: the flags of the cases above in one run, for a class that takes its time to start.
flags_together() {
  local image=$1
  its_run() { engine run --rm "${run_flags[@]}" "$@"; }
  expect_error "a missing command is 127, and named" 127 'nosuch' its_run "$image" nosuch
  expect_exit "a command that is not executable is 126" 126 its_run "$image" /bin/text
  mkdir -p "$work/volume"
  chmod 777 "$work/volume"
  output=$(echo typed | its_run -i -u 1000 -w /tmp -e V=x -h box --read-only --cap-drop ALL --tmpfs /t -v "$work/volume:/v" \
    -v "$work/volume:/ro:ro" "$image" sh -c 'cat; echo $(id -u) $(pwd) $V $(hostname); touch /x 2>/dev/null || echo read-only
      sed -n "s/CapBnd:.//p" /proc/self/status; awk "\$2 == \"/t\" {print \$3}" /proc/mounts; echo inside >/v/file
      touch /ro/file 2>/dev/null || echo only read; exit 7')
  code=$?
  [[ $code == 7 ]] && pass "run gives the exit code" || fail "run gives the exit code" "$code"
  [[ $output == $'typed\n1000 /tmp x box\nread-only\n0000000000000000\ntmpfs\nonly read' ]] &&
    pass "run gives the output, -i the input; -u, -w, -e, -h, --read-only, --cap-drop, --tmpfs, and a volume that is read-only" ||
    fail "run and its flags" "$output"
  [[ $(<"$work/volume/file") == inside ]] && pass "a volume is written, and seen outside" || fail "a volume is written, and seen outside"
  run_terminal_case "$image"
}

long_run_cases() {
  local image=$1 pid
  expect_match "run -d" '^[0-9a-f]{64}$' engine run -d --name one "${run_flags[@]}" -m $memory_flag --memory-swap $memory_flag --pids-limit 55 --cpu-shares 512 \
    -v "$work/volume:/v" "$image" sh -c 'trap "exit 5" TERM; echo started; sleep 7654 & wait'
  pid=$(pid_of one)
  expect_output "its memory limit" "$memory_outside" group_value "$pid" memory memory.limit_in_bytes memory.max
  expect_output "its limit of processes" "55" processes_limit one "$pid"
  expect_match "its processor weight" '^(512|20)$' group_value "$pid" cpu cpu.shares cpu.weight
  expect_output "logs" "started" engine logs one
  expect_output "exec" "out" engine exec one echo out
  expect_exit "exec gives the exit code" 9 engine exec one sh -c 'exit 9'
  expect_exit "exec of a missing command is $exec_missing" "$exec_missing" engine exec one nosuch
  expect_exit "exec of what is not executable is 126" 126 engine exec one /bin/text
  output=$(echo typed | engine exec -i one cat)
  [[ $output == typed ]] && pass "exec -i gives it the input" || fail "exec -i gives it the input" "$output"
  expect_output "exec -u, -w and -e" "1000 /tmp x" engine exec -u 1000 -w /tmp -e V=x one sh -c 'echo $(id -u) $(pwd) $V'
  expect_match "exec -t gives a terminal" '/dev/pts/[0-9]' in_terminal "engine exec -it one tty"
  expect_match "exec -t has our size" '33 77' in_terminal "engine exec -it one sh -c 'for i in \$(seq 50); do stty size | grep 77 && break; sleep 0.1; done; sleep 0.5'"
  expect_match "top" 'sleep 7654' engine top one "${top_flags[@]}"
  expect_match "stats tell its memory" "$memory_told" engine stats --no-stream one
  expect_exit "pause" 0 engine pause one
  expect_output "it is paused" "paused 0" status_of one
  if engine exec one true >/dev/null 2>&1; then fail "exec in a paused container is refused"; else pass "exec in a paused container is refused"; fi
  expect_exit "unpause" 0 engine unpause one
  expect_output "it runs on" "running 0" status_of one
  expect_exit "update" 0 engine update --cpu-shares 700 one
  expect_match "update has its effect" '^(700|27)$' group_value "$pid" cpu cpu.shares cpu.weight
  expect_exit "stop" 0 engine stop -t 10 one
  expect_output "stop sends SIGTERM first" "exited 5" status_of one
  expect_exit "start again" 0 engine start one
  expect_output "it runs again" "running 0" status_of one
  expect_exit "restart" 0 engine restart -t 10 one
  expect_output "and again" "running 0" status_of one
  expect_exit "kill" 0 engine kill -s KILL one
  wait_until eval '[[ $(status_of one) == exited* ]]'
  expect_output "kill ends it" "exited 137" status_of one
  if engine kill one >/dev/null 2>&1; then fail "kill of a stopped one is an error"; else pass "kill of a stopped one is an error"; fi
  expect_exit "rm" 0 engine rm one
}

attach_cases() {
  local image=$1 held
  # An engine lets go of a container when its input ends: this one does not.
  mkfifo "$work/input"
  exec {held}<>"$work/input"
  echo typed >&"$held"
  # shellcheck disable=SC2016
  engine run -d -i --name three "${run_flags[@]}" "$image" sh -c 'read line; echo "got $line"; exit 4' >/dev/null 2>&1
  output=$(engine attach three <"$work/input" 2>&1)
  exec {held}>&-
  [[ $output == "got typed" ]] && pass "attach gives it the input, and us its output" ||
    fail "attach gives it the input, and us its output" "$output"
  wait_until eval '[[ $(status_of three) == exited* ]]'
  expect_output "and it has ended" "exited 4" status_of three
  engine rm -f three >/dev/null 2>&1
  engine run -d -it --name three "${run_flags[@]}" "$image" \
    sh -c 'read line; tty; i=0; until [ "$(stty size 2>/dev/null)" = "33 77" ] || [ $i = 100 ]; do i=$((i + 1)); sleep 0.1; done; stty size' >/dev/null 2>&1
  expect_match "attach to a terminal, of our size" '/dev/pts/0 33 77' eval 'echo $(in_terminal "engine attach three" $'"'typed\n'"')'
  engine rm -f three >/dev/null 2>&1
}

# engine_cases IMAGE
engine_cases() {
  if [[ $class == vm ]]; then flags_together "$1"; else short_run_cases "$1"; fi
  long_run_cases "$1"
  attach_cases "$1"
  if [[ $class != vm ]]; then # port_case removes a running one
    engine run -d --name two "${run_flags[@]}" "$1" sleep 7654 >/dev/null 2>&1
    expect_exit "rm -f of a running one" 0 engine rm -f two
  fi
  expect_no_remains "cgroups, mounts, processes and states: nothing is left"
}

# port_case IMAGE FLAG...: a port of the container, reached from the engine's network.
port_case() {
  local image=$1
  shift
  run engine run -d --name web "$@" -p 18080:80 "$image" sh -c 'mkdir /w; echo page >/w/index.html; exec httpd -f -p 80 -h /w'
  if [[ $code != 0 ]]; then fail "a published port" "$output"; return; fi
  wait_until eval '[[ $(fetch 2>&1) == page ]]'
  expect_output "a published port" "page" fetch
  expect_exit "rm -f of it" 0 engine rm -f web
}
