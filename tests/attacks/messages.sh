#!/usr/bin/env bash
# Sizes that do not fit: id maps, names, environments (CVE-2021-43784 and its kin).
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program runc
mkdir -p "$work/b" && busybox_root "$work/b/rootfs" && (cd "$work/b" && runc spec)
config() { jq ".process.terminal = false | .mounts |= map(select(.type != \"cgroup\")) | $1" "$work/b/config.json" >"$work/b/new" && cp "$work/b/config.json" "$work/b/old" && mv "$work/b/new" "$work/b/config.json"; }
restore() { mv "$work/b/old" "$work/b/config.json"; }

config '.process.args = ["/bin/true"] | .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(5000) | {containerID: ., hostID: (100000 + .), size: 1}] | .linux.gidMappings = .linux.uidMappings'
expect_error "id maps above 64 KiB are refused or taken whole" 125 "^trine: " trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true"] | .hostname = ("x" * 65)'
expect_error "a host name that is too long is refused" 125 "64 bytes" trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true"] + [range(400000) | tostring]'
expect_error "arguments beyond the kernel's limit are refused" 126 "^trine: " trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true"] | .process.rlimits = [{type: "RLIMIT_NOPE", soft: 1, hard: 1}]'
expect_error "an unknown limit is refused" 125 "RLIMIT_NOPE" trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true", 7]'
expect_error "an ill-typed field is named by its path" 125 'process.args\[1\] must be a string' trine run --rm "bundle:$work/b"
restore
config '.vm = {kernel: {path: "/boot/vmlinuz"}}'
expect_error "a field that is another command's is refused" 125 "vm is not followed by trine run" trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true"] | .hooks = {poststop: [{path: "/bin/true"}]}'
expect_error "hooks, which only trine-oci runs, are not passed over" 125 "hooks.poststop cannot be run" trine run --rm "bundle:$work/b"
restore
config '.process.args = ["/bin/true"] | .linux.cgroupsPath = "../../escape"'
expect_error "a cgroup path that leads out is refused" 125 "leads out" trine run --rm "bundle:$work/b"
restore
jq 'del(.process)' "$work/b/config.json" >"$work/b/new" && mv "$work/b/new" "$work/b/config.json"
expect_error "a missing process is said" 125 "process" trine run --rm "bundle:$work/b"
echo '{' >"$work/b/config.json"
expect_error "broken JSON is said, with its line" 125 "line" trine run --rm "bundle:$work/b"
rm "$work/b/config.json"
expect_error "a missing config.json is said" 125 "config.json" trine run --rm "bundle:$work/b"
finish
