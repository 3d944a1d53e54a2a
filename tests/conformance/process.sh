#!/usr/bin/env bash
# config.md, "Process": what a process is given is what it sees.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle

status() { echo "sed -n 's/^$1:[[:space:]]*//p' /proc/self/status"; }
reads() { echo "set -- \$(cat /proc/self/stat); eval echo \\\${$1}"; }
last_cpu=$(($(nproc) - 1))

# --- any platform ---
inside "config.md#process: args are the program's, with blanks and empty ones" \
  '.process.args = ["/bin/sh", "-c", "printf \"[%s]\" \"$@\"", "sh", "a b", "", "c"]' '' '\[a b\]\[\]\[c\]'
inside "config.md#process: a program without a slash is searched in PATH" '.process.args = ["echo", "found"]' '' found
inside "config.md#process: env is the whole environment" '.process.env = ["PATH=/bin", "HOME=/x", "A=1=2"]' \
  'env | sort | grep -v -e SHLVL -e PWD' $'A=1=2\nHOME=/x\nPATH=/bin'
inside "config.md#process: cwd is where it begins" '.process.cwd = "/home/user"' 'pwd' /home/user
inside "config.md#process: cwd is made where it is missing, in a read-only root too" '.process.cwd = "/not/there" | .root.readonly = true' 'pwd' /not/there
inside "config.md#process: of a variable that is set twice the last holds" '.process.env += ["A=1", "B=2", "A=3"]' 'env | grep -c ^A=; echo $A $B' $'1\n3 2'
refused "config.md#process: cwd must be absolute" '.process.cwd = "home"' 'process\.cwd .home. is not an absolute path'
refused "config.md#process: args must name a program" '.process.args = []' 'process\.args names no program'
refused "config.md#process: cwd must be there" 'del(.process.cwd)' "process: 'cwd' is missing"
refused "config.md#process: a field of a wrong type is named by its path" '.process.user.additionalGids = [1, "x"]' \
  'config\.json: process\.user\.additionalGids\[1\] must be an integer'
inside "config.md#process: an unknown field is ignored" '.process.notInTheSpecification = {"a": 1}' 'echo runs' runs

# --- user ---
inside "config.md#user: uid and gid" '.process.user = {"uid": 1000, "gid": 2000}' 'id -u; id -g' $'1000\n2000'
inside "config.md#user: additionalGids, and no others" '.process.user.additionalGids = [5, 6]' "$(status Groups)" '5 6 ?'
inside "config.md#user: umask" '.process.user.umask = 63' 'umask' '0?077'

# --- rlimits ---
inside "config.md#posix-process: an rlimit's soft and hard value" \
  '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]' 'ulimit -Sn; ulimit -Hn' $'100\n200'
inside "config.md#posix-process: 2^64-1 is no limit" \
  '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": "2^64-1", "hard": "2^64-1"}]' 'ulimit -c' unlimited
refused "config.md#posix-process: an rlimit twice" \
  '.process.rlimits = [range(2) | {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}]' 'RLIMIT_NOFILE twice'
refused "config.md#posix-process: an unknown rlimit" '.process.rlimits = [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]' 'RLIMIT_X'

# --- Linux: capabilities, no_new_privs, oom ---
for set in Bnd:bounding Prm:permitted Eff:effective; do
  inside "config.md#linux-process: capabilities.${set#*:}" \
    '.process.capabilities = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"]}
     | .process.args = ["/bin/grep", "Cap'"${set%:*}"'", "/proc/self/status"]' '' \
    "Cap${set%:*}:[[:space:]]*0*2[01]"
done
inside "config.md#linux-process: capabilities.ambient and inheritable of a user" \
  '.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities |= (.inheritable = ["CAP_KILL"] | .ambient = ["CAP_KILL"])' \
  "$(status CapAmb); $(status CapInh); $(status CapEff)" $'0*20\n0*20\n0*20'
inside "config.md#linux-process: an unknown capability is a warning" '.process.capabilities.bounding += ["CAP_FUTURE"]' \
  'echo runs' '.*CAP_FUTURE.*runs'
inside "config.md#linux-process: noNewPrivileges true" '.process.noNewPrivileges = true' "$(status NoNewPrivs)" 1
inside "config.md#linux-process: noNewPrivileges false" '.process.noNewPrivileges = false' "$(status NoNewPrivs)" 0
inside "config.md#linux-process: oomScoreAdj" '.process.oomScoreAdj = 321' 'cat /proc/self/oom_score_adj' 321
inside "config.md#linux-process: without oomScoreAdj the caller's stays" 'del(.process.oomScoreAdj)' \
  'cat /proc/self/oom_score_adj' "$(cat /proc/self/oom_score_adj)"
refused "config.md#linux-process: oomScoreAdj out of range" '.process.oomScoreAdj = 1001' 'oomScoreAdj must be between'

# --- Linux: scheduling. Of /proc/self/stat: 18 priority, 19 nice, 40 rt_priority, 41 policy. ---
inside "config.md#linux-process: scheduler SCHED_OTHER with nice" '.process.scheduler = {"policy": "SCHED_OTHER", "nice": 7}' \
  "$(reads 19); $(reads 41)" $'7\n0'
inside "config.md#linux-process: scheduler SCHED_BATCH" '.process.scheduler = {"policy": "SCHED_BATCH"}' "$(reads 41)" 3
inside "config.md#linux-process: scheduler SCHED_IDLE" '.process.scheduler = {"policy": "SCHED_IDLE"}' "$(reads 41)" 5
# Where real-time run time is a cgroup's to give, this one gives some.
realtime=.
[[ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]] || realtime='.linux.resources.cpu = {"realtimePeriod": 1000000, "realtimeRuntime": 10000}'
if chrt -f 1 true 2>/dev/null; then
  inside "config.md#linux-process: scheduler SCHED_FIFO with priority" "$realtime |"'.process.scheduler = {"policy": "SCHED_FIFO", "priority": 12}' \
    "$(reads 40); $(reads 41)" $'12\n1'
  inside "config.md#linux-process: scheduler SCHED_RR with RESET_ON_FORK" \
    "$realtime |"'.process.scheduler = {"policy": "SCHED_RR", "priority": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
     | .process.args = ["/bin/sed", "-E", "s/.*[)] (([^ ]+ ){37})([^ ]+ [^ ]+).*/\\3/", "/proc/self/stat"]' '' '3 2'
else
  skipped "config.md#linux-process: scheduler SCHED_FIFO" "this machine gives nobody real-time run time"
fi
if chrt -d --sched-runtime 1000000 --sched-period 10000000 0 true 2>/dev/null; then
  inside "config.md#linux-process: scheduler SCHED_DEADLINE" \
    '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 5000000, "period": 10000000}
     | .process.args = ["/bin/sed", "-E", "s/.*[)] (([^ ]+ ){38})([^ ]+).*/\\3/", "/proc/self/stat"]' '' 6
else
  skipped "config.md#linux-process: scheduler SCHED_DEADLINE" "this machine gives nobody deadline run time"
fi
refused "config.md#linux-process: an unknown scheduler policy" '.process.scheduler = {"policy": "SCHED_X"}' \
  "process.scheduler.policy 'SCHED_X' is unknown"
refused "config.md#linux-process: an unknown scheduler flag" '.process.scheduler = {"policy": "SCHED_OTHER", "flags": ["X"]}' \
  "process.scheduler.flags 'X' is unknown"
refused "config.md#linux-process: scheduler.policy is required" '.process.scheduler = {"nice": 1}' "scheduler: 'policy' is missing"

inside "config.md#linux-process: ioPriority" '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6}' \
  'ionice -p $$' 'best-effort: prio 6'
inside "config.md#linux-process: ioPriority idle" '.process.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}' \
  'ionice -p $$' 'idle.*'
refused "config.md#linux-process: ioPriority.priority out of range" '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 8}' \
  'ioPriority.priority must be between 0 and 7'
refused "config.md#linux-process: an unknown ioPriority.class" '.process.ioPriority = {"class": "X", "priority": 1}' \
  "ioPriority.class 'X' is unknown"
inside "config.md#linux-process: execCPUAffinity is not for the first process" \
  ".process.execCPUAffinity = {\"initial\": \"$last_cpu\", \"final\": \"$last_cpu\"}" "$(status Cpus_allowed_list)" \
  "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)"
refused "config.md#linux-process: execCPUAffinity must be a list" '.process.execCPUAffinity = {"initial": "3-1"}' \
  "execCPUAffinity.initial '3-1' is no list"

# A process that joins: it begins on the initial CPUs, and is bound to the final ones, or to all that the container has.
oci() { "$build/bin/trine-oci" --root "$work/oci" "$@"; }
configure '.process.execCPUAffinity = {}' 'sleep 60'
oci run --detach --bundle "$bundle" joined >/dev/null 2>&1 </dev/null
joins() {
  jq -n --argjson affinity "$2" '{args: ["/bin/sed", "-n", "s/^Cpus_allowed_list:[[:space:]]*//p", "/proc/self/status"], cwd: "/", execCPUAffinity: $affinity}' >"$work/process.json"
  expect_output "$1" "$3" oci exec --process "$work/process.json" joined
}
allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
joins "config.md#linux-process: execCPUAffinity.final" "{\"final\": \"$last_cpu\"}" "$last_cpu"
joins "config.md#linux-process: execCPUAffinity.final after initial" "{\"initial\": \"0\", \"final\": \"$last_cpu\"}" "$last_cpu"
joins "config.md#linux-process: execCPUAffinity.initial alone ends with the start" '{"initial": "0"}' "$allowed"
joins "config.md#linux-process: no execCPUAffinity" '{}' "$allowed"
jq '.args = ["/bin/true"] | .execCPUAffinity = {final: "8000"}' "$work/process.json" >"$work/other.json"
expect_error "config.md#linux-process: execCPUAffinity of a CPU that is not there" 1 'cannot run on the CPUs 8000' oci exec --process "$work/other.json" joined
# What the runtime's own caller has bound it to is not the container's.
bound_to_one() { taskset -c 0 "$@"; }
if [[ $allowed != 0 ]]; then
  expect_output "an engine's own CPUs are not those of a process that joins" "$allowed" bound_to_one "$build/bin/trine-oci" --root "$work/oci" \
    exec joined sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
  configure . "$(status Cpus_allowed_list)"
  expect_output "an engine's own CPUs are not those of a container" "$allowed" bound_to_one "$build/bin/trine-oci" --root "$work/oci" \
    run --bundle "$bundle" bound
else
  skipped "an engine's own CPUs" "this machine has one"
fi
if [[ -d /sys/fs/cgroup/cpuset ]]; then # version 1: one that is given to every container
  expect_output "nor do they stand against those of the cgroup" "$last_cpu" eval \
    "configure '.linux.resources.cpu = {\"cpus\": \"$last_cpu\"}' '$(status Cpus_allowed_list)'; taskset -c 0 '$build/bin/trine-oci' --root '$work/oci' run --bundle '$bundle' bound"
fi
oci delete --force joined

# --- Linux: security modules ---
if [[ -d /sys/kernel/security/apparmor ]]; then
  refused "config.md#linux-process: an apparmorProfile that is not loaded" '.process.apparmorProfile = "no-such-profile"' 'no-such-profile'
else
  skipped "config.md#linux-process: apparmorProfile" "this kernel has no AppArmor"
  refused "config.md#linux-process: apparmorProfile without AppArmor" '.process.apparmorProfile = "p"' 'AppArmor profile p'
fi
if [[ -e /sys/fs/selinux/enforce ]]; then
  skipped "config.md#linux-process: selinuxLabel" "no policy is known here to test with"
else
  refused "config.md#linux-process: selinuxLabel without SELinux" '.process.selinuxLabel = "system_u:system_r:container_t:s0"' 'SELinux label'
  skipped "config.md#linux-process: selinuxLabel" "this kernel has no SELinux"
fi
finish
