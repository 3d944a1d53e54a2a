#!/usr/bin/env bash
# features.md: what the document names, the runtime takes.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/bundle.sh"
require_root
make_bundle
"$build/bin/trine-oci" features >"$work/features.json" || fail "features.md: the document is told"
list() { jq -r "$1[]" "$work/features.json"; }
told() {
  if jq -e "$2" "$work/features.json" >/dev/null; then pass "$1"; else fail "$1" "$(jq -c "$3" "$work/features.json")"; fi
}

told "features.md#specification-version" '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"' '.'
for version in $(jq -r '.ociVersionMin, .ociVersionMax' "$work/features.json"); do
  inside "features.md#specification-version: $version is taken" ".ociVersion = \"$version\"" 'echo runs' runs
done
told "features.md#hooks" '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]' .hooks
# "true" is the host's and, for startContainer, the container's.
inside "features.md#hooks: all of them run" "$(jq -c '.hooks | map({key: ., value: [{path: "/bin/true"}]}) | from_entries | ".hooks = \(.)"' -r "$work/features.json")" \
  'echo runs' runs

# One mount with every option that a tmpfs can have; binds take the rest.
options=$(jq -c '[.mountOptions[] | select(. as $o | ["bind", "rbind", "remount", "idmap", "ridmap"] | index($o) | not)]' "$work/features.json")
inside "features.md#mount-options: each is taken" \
  "reduce (${options}[]) as \$option (.; .mounts += [{\"destination\": \"/m/\\(\$option)\", \"type\": \"tmpfs\", \"source\": \"tmpfs\", \"options\": [\$option]}])" \
  'ls /m | wc -l' "$(jq length <<<"$options")"
for flag in $(list .linux.seccomp.supportedFlags); do
  inside "features-linux.md#seccomp: $flag" \
    ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"$flag\"], \"syscalls\": [{\"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_ERRNO\"}]}" 'echo runs' runs
done
inside "features-linux.md#seccomp: each architecture is taken" \
  ".linux.seccomp = {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": $(jq -c .linux.seccomp.archs "$work/features.json"), \"syscalls\": [{\"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_ERRNO\"}]}" 'echo runs' runs
inside "features-linux.md#capabilities: each is known" ".process.capabilities.bounding = $(jq -c .linux.capabilities "$work/features.json")" \
  "sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status" "$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)"
told "features-linux.md: cgroup, LSM, RDT, idmap" \
  '.linux | .cgroup.v1 and .cgroup.v2 and .apparmor.enabled and .selinux.enabled and .intelRdt.enabled and .mountExtensions.idmap.enabled and .netDevices.enabled' .linux
told "features.md: annotations that are unsafe to pass on" '.potentiallyUnsafeConfigAnnotations | index("dev.trine.isolation")' .potentiallyUnsafeConfigAnnotations
finish
