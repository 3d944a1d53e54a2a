#!/usr/bin/env bash
# config-linux.md, "Seccomp".
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
agent=$build/tests/bin/agent

# profile DEFAULT RULES [MORE]: a filter that lets a shell live.
profile() { echo ".linux.seccomp = {\"defaultAction\": \"$1\", \"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_AARCH64\"], \"syscalls\": [$2]${3:+, $3}}"; }
rule() { echo "{\"names\": [\"mkdir\", \"mkdirat\"], \"action\": \"$1\"${2:+, $2}}"; }
make='mkdir /tmp/x'
status() { echo "sed -n 's/^$1:[[:space:]]*//p' /proc/self/status"; }

inside "config-linux.md#seccomp: without it there is no filter" 'del(.linux.seccomp)' "$(status Seccomp)" 0
inside "config-linux.md#seccomp: a filter is there" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)")" "$(status Seccomp)" 2

# --- actions ---
inside "config-linux.md#seccomp: SCMP_ACT_ALLOW" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ALLOW)")" "$make && rmdir /tmp/x && echo made" made
inside "config-linux.md#seccomp: SCMP_ACT_ERRNO is EPERM by default" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)")" "$make 2>&1; true" '.*Operation not permitted'
inside "config-linux.md#seccomp: errnoRet" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO '"errnoRet": 123')")" "$make 2>&1; true" '.*No medium found'
for row in KILL:159 KILL_THREAD:159 KILL_PROCESS:159 TRAP:159; do
  inside "config-linux.md#seccomp: SCMP_ACT_${row%:*}" "$(profile SCMP_ACT_ALLOW "$(rule "SCMP_ACT_${row%:*}")")" "($make) 2>/dev/null; echo \$?" ".*${row#*:}"
done
inside "config-linux.md#seccomp: SCMP_ACT_TRACE without a tracer is ENOSYS" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_TRACE)")" "$make 2>&1; true" '.*Function not implemented'
inside "config-linux.md#seccomp: SCMP_ACT_LOG lets it pass" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_LOG)")" "$make && rmdir /tmp/x && echo made" made
refused "config-linux.md#seccomp: defaultErrnoRet" \
  "$(profile SCMP_ACT_ERRNO '{"names": ["execve", "read", "write", "open", "openat", "close", "mmap", "mprotect", "munmap", "brk", "arch_prctl", "exit_group",
    "set_tid_address", "getuid", "geteuid", "getgid", "getegid", "getpid", "getppid", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "ioctl", "fcntl",
    "stat", "newfstatat", "fstat", "getcwd", "vfork", "fork", "clone", "wait4", "prctl", "setuid", "set_robust_list", "rseq", "prlimit64", "readlink",
    "uname", "capset", "capget", "setresuid", "setresgid", "setgroups", "umask", "getrandom", "close_range", "exit", "access"], "action": "SCMP_ACT_ALLOW"}' \
    '"defaultErrnoRet": 123') | .process.args = [\"/bin/ln\", \"-s\", \"a\", \"/tmp/b\"]" 'No medium found'
refused "config-linux.md#seccomp: errnoRet for an action that returns none" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_LOG '"errnoRet": 1')")" 'syscalls\[0\]\.errnoRet is given for an action'
refused "config-linux.md#seccomp: defaultErrnoRet for an action that returns none" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_LOG)" '"defaultErrnoRet": 1')" 'defaultErrnoRet is given for an action'
refused "config-linux.md#seccomp: an unknown action" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_MOON)")" "syscalls\[0\]\.action 'SCMP_ACT_MOON' is unknown"
refused "config-linux.md#seccomp: an unknown architecture" '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_MOON"]}' "architectures 'SCMP_ARCH_MOON' is unknown"
refused "config-linux.md#seccomp: defaultAction is required" '.linux.seccomp = {}' "'defaultAction' is missing"
inside "config-linux.md#seccomp: a system call that nobody knows is passed over" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"}')" 'echo runs' runs
inside "config-linux.md#seccomp: every architecture of the specification is known" \
  '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [("X86", "X86_64", "X32", "ARM", "AARCH64", "LOONGARCH64", "M68K", "SH", "SHEB") | "SCMP_ARCH_" + .]}' \
  'echo runs' runs

# --- conditions on arguments: of kill(2) with signal 0, whose second argument is 0 ---
for row in EQ:0:denied EQ:1:allowed NE:0:allowed NE:1:denied LT:1:denied LT:0:allowed LE:0:denied GT:0:allowed GE:0:denied; do
  IFS=: read -r op value result <<<"$row"
  inside "config-linux.md#seccomp: SCMP_CMP_$op $value" \
    "$(profile SCMP_ACT_ALLOW "{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 1, \"value\": $value, \"op\": \"SCMP_CMP_$op\"}]}")" \
    'kill -0 $$ 2>/dev/null && echo allowed || echo denied' "$result"
done
inside "config-linux.md#seccomp: SCMP_CMP_MASKED_EQ" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 12, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}')" \
  'kill -9 1 2>/dev/null && echo allowed || echo denied; kill -0 1 2>/dev/null && echo allowed || echo denied' $'denied\nallowed'
inside "config-linux.md#seccomp: several conditions must all hold" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]}')" \
  'kill -0 1 2>/dev/null && echo allowed || echo denied; kill -0 0 2>/dev/null && echo allowed || echo denied' $'denied\nallowed'
refused "config-linux.md#seccomp: an unknown operator" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 0, "op": "SCMP_CMP_MOON"}]}')" "op 'SCMP_CMP_MOON' is unknown"
refused "config-linux.md#seccomp: a seventh argument" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}')" 'index above 5'

# --- flags ---
for flag in TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV; do
  inside "config-linux.md#seccomp: SECCOMP_FILTER_FLAG_$flag" \
    "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)" "\"flags\": [\"SECCOMP_FILTER_FLAG_$flag\"]")" "$make 2>&1; true" '.*Operation not permitted'
done
refused "config-linux.md#seccomp: an unknown flag" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)" '"flags": ["X"]')" "flags 'X' is unknown"

# --- with and without no_new_privs, which decides when the filter is loaded ---
for nnp in true false; do
  inside "config-linux.md#seccomp: with noNewPrivileges $nnp" ".process.noNewPrivileges = $nnp | .process.user.uid = 1000 | $(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)")" \
    "$make 2>&1; id -u" $'.*Operation not permitted\n1000'
done

# --- what the caller inherited ---
exec 9</etc/hostname
inside "config-linux.md#seccomp: a profile without close_range leaves the caller's descriptors closed" \
  "$(profile SCMP_ACT_ALLOW '{"names": ["close_range"], "action": "SCMP_ACT_ERRNO"}')" '[ -e /proc/self/fd/9 ] && echo leaked || echo closed' 'closed'
exec 9<&-

# --- the listener ---
# answered CLAIM FILTER SHELL PATTERN: as inside, with an agent that lets what it is asked about fail with ENOMEDIUM.
answered() {
  rm -f "$work/agent" "$work/state.json"
  timeout 60 "$agent" "$work/agent" "$work/state.json" &
  local server=$!
  wait_until test -S "$work/agent"
  inside "$@"
  wait "$server" || fail "$1: the agent" "exit $?"
}
listener="\"listenerPath\": \"$work/agent\", \"listenerMetadata\": \"MKNOD=/dev/null;A=b\""
for nnp in true false; do
  answered "config-linux.md#seccomp: SCMP_ACT_NOTIFY asks the listener, noNewPrivileges $nnp" \
    ".process.noNewPrivileges = $nnp | $(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)" "$listener")" "$make 2>&1; true" '.*No medium found'
done
inside_state() {
  if jq -e "$2" "$work/state.json" >/dev/null; then pass "$1"; else fail "$1" "$(cat "$work/state.json")"; fi
}
inside_state "config-linux.md#containerprocessstate: fds" '.fds == ["seccompFd"]'
inside_state "config-linux.md#containerprocessstate: metadata" '.metadata == "MKNOD=/dev/null;A=b"'
inside_state "config-linux.md#containerprocessstate: pid is the runtime's name for it" '.pid > 1 and .pid == .state.pid'
inside_state "config-linux.md#containerprocessstate: state" '.ociVersion and .state.ociVersion and .state.id and (.state.status == "creating") and .state.bundle'
answered "config-linux.md#seccomp: SCMP_ACT_NOTIFY for what the start itself calls last" \
  ".process.noNewPrivileges = false | $(profile SCMP_ACT_ALLOW '{"names": ["umask", "sendmsg", "write", "futex", "sched_yield", "munmap", "madvise"], "action": "SCMP_ACT_NOTIFY"}' "$listener")" 'true' ''
answered "config-linux.md#seccomp: SCMP_ACT_NOTIFY with SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV and TSYNC" \
  "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)" "$listener, \"flags\": [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\", \"SECCOMP_FILTER_FLAG_TSYNC\"]")" "$make 2>&1; true" '.*No medium found'
answered "config-linux.md#seccomp: SCMP_ACT_NOTIFY with a state of many annotations" \
  "(.annotations = ([range(500) | {key: \"a\\(.)\", value: (\"v\" * 40)}] | from_entries)) | $(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)" "$listener")" "$make 2>&1; true" '.*No medium found'
inside_state "config-linux.md#containerprocessstate: a long state arrives whole" '.state.annotations | length == 500'
refused "config-linux.md#seccomp: a listenerPath where nobody listens" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)" "\"listenerPath\": \"$work/nobody\"")" 'cannot reach the seccomp listener .*nobody: No such file'
refused "config-linux.md#seccomp: SCMP_ACT_NOTIFY without a listenerPath" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)")" 'no listenerPath'
refused "config-linux.md#seccomp: listenerMetadata without a listenerPath" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_LOG)" '"listenerMetadata": "x"')" 'without a listenerPath'
inside "config-linux.md#seccomp: a listenerPath without SCMP_ACT_NOTIFY is ignored" "$(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_ERRNO)" "\"listenerPath\": \"$work/nobody\"")" 'echo runs' runs

# --- by way of create and start, and by exec ---
oci() { "$build/bin/trine-oci" --root "$work/oci" "$@"; }
begin_agent() {
  rm -f "$work/agent" "$work/state.json"
  timeout 60 "$agent" "$work/agent" "$work/state.json" &
  server=$!
  wait_until test -S "$work/agent"
}
configure ".process.noNewPrivileges = true | $(profile SCMP_ACT_ALLOW "$(rule SCMP_ACT_NOTIFY)" "$listener")" "$make; sleep 60"
oci create --bundle "$bundle" gated >"$work/out" 2>&1 </dev/null
begin_agent
if oci start gated && wait_until grep -q 'No medium found' "$work/out"; then pass "config-linux.md#seccomp: SCMP_ACT_NOTIFY by create and start"; else fail "config-linux.md#seccomp: SCMP_ACT_NOTIFY by create and start" "$(cat "$work/out")"; fi
inside_state "config-linux.md#containerprocessstate: status of one that starts" '.state.status == "created" and .pid == .state.pid'
first=$server
begin_agent
run oci exec gated /bin/sh -c "$make 2>&1; true"
if [[ $output == *"No medium found" ]]; then pass "config-linux.md#seccomp: SCMP_ACT_NOTIFY for a process that joins"; else fail "config-linux.md#seccomp: SCMP_ACT_NOTIFY for a process that joins" "$output"; fi
inside_state "config-linux.md#containerprocessstate: pid of a process that joins" '.state.status == "running" and .pid != .state.pid'
wait "$server"
oci delete --force gated
wait "$first"
finish
