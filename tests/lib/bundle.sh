# shellcheck shell=bash
# OCI bundles for the conformance tier: a base configuration that each case changes by a jq filter, and ways to look
# at it from inside the container. A script sources this after harness.sh.
#
# The runtime is called in one place, oci_run(). Each case names the clause of the specification that it is about:
#   inside  CLAUSE FILTER SHELL PATTERN   exit code 0, and the shell's whole output matches the pattern
#   refused CLAUSE FILTER PATTERN         nothing runs, and the error matches

bundle=$work/bundle

# oci_run BUNDLE: runs the bundle's container to its end, its output on ours.
oci_run() { "$build/bin/trine-oci" --root "$work/oci" run --bundle "$1" "case-$BASHPID"; }

# make_bundle: a busybox root, and the base configuration.
make_bundle() {
  require_program jq
  command -v busybox >/dev/null || skip "busybox-static is not installed"
  chmod 711 "$work" # root of a user namespace is a stranger here
  mkdir -p "$bundle/rootfs"
  busybox_root "$bundle/rootfs"
  cat >"$work/base.json" <<'JSON'
{
  "ociVersion": "1.3.0",
  "process": {
    "user": {"uid": 0, "gid": 0},
    "args": ["/bin/sh"],
    "env": ["PATH=/bin", "HOME=/root"],
    "cwd": "/",
    "noNewPrivileges": false,
    "capabilities": {
      "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"],
      "effective": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"],
      "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"]
    }
  },
  "root": {"path": "rootfs"},
  "hostname": "inside",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]
  }
}
JSON
}

# configure FILTER [SHELL]: the base configuration through a jq filter, with a shell command to run.
configure() {
  jq --arg command "${2:-true}" --arg work "$work" \
    ".process.args = [\"/bin/sh\", \"-c\", \$command] | $1" "$work/base.json" |
    sed 's/"2^64-1"/18446744073709551615/g' >"$bundle/config.json" # jq's numbers are doubles
}

inside() {
  configure "$2" "$3" || { fail "$1" "the case's filter is wrong"; return; }
  run oci_run "$bundle"
  if [[ $code == 0 && $output =~ ^($4)$ ]]; then pass "$1"; else fail "$1" "exit $code, got '$output', wanted /$4/"; fi
}

refused() {
  configure "$2" "echo it ran" || { fail "$1" "the case's filter is wrong"; return; }
  run oci_run "$bundle"
  if [[ $code != 0 && $output != *"it ran"* ]] && grep -Eiq -- "$3" <<<"$output"; then pass "$1"; else fail "$1" "exit $code, got '$output', wanted an error /$3/"; fi
}

# skipped CLAUSE WHY: this machine cannot show the clause.
skipped() { echo "skipped: $1: $2"; }
