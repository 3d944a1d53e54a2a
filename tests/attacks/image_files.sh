#!/usr/bin/env bash
# Images whose files try to mislead the runtime. Each case: the container does not start, or starts harmlessly, and
# the host is as before.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program runc
secret=$work/secret
echo host >"$secret"

# bundle: a fresh bundle in $work/b; changes to its root follow
bundle() {
  rm -rf "$work/b" && mkdir -p "$work/b"
  busybox_root "$work/b/rootfs"
  (cd "$work/b" && runc spec && jq '.process.terminal = false | .mounts |= map(select(.type != "cgroup"))' config.json >new && mv new config.json)
}
set_config() { jq "$1" "$work/b/config.json" >"$work/b/new" && mv "$work/b/new" "$work/b/config.json"; }
set_args() { set_config ".process.args = $(jq -nc '$ARGS.positional' --args -- "$@")"; }
run_bundle() { trine run --rm "bundle:$work/b"; }
host_unchanged() {
  [[ $(cat "$secret") == host && ! -e $work/escaped ]] && pass "… and the host is unchanged" || fail "… and the host is unchanged"
}

for path in proc sys; do # CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642
  bundle && rm -rf "${work:?}/b/rootfs/$path" && ln -s /tmp "$work/b/rootfs/$path" && set_args true
  expect_error "/$path as a symlink is refused" 125 "symlink" run_bundle
done
bundle && rm -rf "$work/b/rootfs/dev" && mkdir "$work/escaped.d" && ln -s "$work/escaped.d" "$work/b/rootfs/dev" && set_args ls /dev # CVE-2026-41579
run run_bundle
[[ -z $(ls -A "$work/escaped.d") ]] && pass "/dev as a symlink makes nothing on the host" || fail "/dev as a symlink makes nothing on the host" "$(ls "$work/escaped.d")"
# CVE-2025-31133, CVE-2026-88264: no tmpfs on /dev, so that the image's own files are met
for device in null console; do
  bundle && set_config '.mounts |= map(select(.destination | startswith("/dev") | not))' && set_args sh -c 'echo broken > /dev/null; cat /proc/kcore'
  ln -s "$secret" "$work/b/rootfs/dev/$device"
  run run_bundle
  if [[ $device == null ]]; then
    [[ $code == 125 ]] && pass "/dev/null as a symlink is refused" || fail "/dev/null as a symlink is refused" "$output"
  fi
  host_unchanged
done
bundle && set_config '.process.terminal = true' && ln -s "$secret" "$work/b/rootfs/dev/console" && set_args true
run run_bundle
host_unchanged

for place in /proc/self/exe /proc/thread-self/exe; do # CVE-2019-5736
  bundle && set_args $place --version
  before=$(sha256sum <"$build/bin/trine")
  run run_bundle
  [[ $(sha256sum <"$build/bin/trine") == "$before" ]] && pass "$place as entrypoint leaves trine as it is" || fail "$place as entrypoint leaves trine as it is"
done
bundle && printf '#!/proc/self/exe\n' >"$work/b/rootfs/run" && chmod +x "$work/b/rootfs/run" && set_args /run
cat >"$work/b/rootfs/overwrite" <<'S'
#!/bin/sh
for pid in /proc/[0-9]*; do echo overwritten > $pid/exe; done 2>/dev/null
S
run run_bundle
[[ $(sha256sum <"$build/bin/trine") == "$before" ]] && pass "a script with #!/proc/self/exe leaves trine as it is" || fail "a script with #!/proc/self/exe leaves trine as it is"

for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do # CVE-2024-21626
  bundle && set_config ".process.cwd = \"/proc/self/fd/$fd\"" && set_args sh -c 'ls ../../../../../../etc/hostname 2>/dev/null; pwd'
  run run_bundle
  if [[ $code == 125 ]]; then pass "a working directory of /proc/self/fd/$fd is refused"; else fail "a working directory of /proc/self/fd/$fd is refused" "$output"; fi
done

busybox_image
layout=$work/layout
# variant NAME COMMANDS: an image whose root is changed by shell commands, run in that root
variant() {
  umoci unpack --image "$layout:busybox" "$work/v" >/dev/null 2>&1
  (cd "$work/v/rootfs" && eval "$2")
  umoci repack --image "$layout:$1" "$work/v" >/dev/null 2>&1
  rm -rf "$work/v"
}
variant passwd-link "ln -sf $secret etc/passwd" # CVE-2024-9676
expect_error "/etc/passwd as a symlink does not reach the host" 125 "unknown user" trine run --rm -u user "oci:$layout:passwd-link" id
variant passwd-fifo "rm etc/passwd; mkfifo etc/passwd"
expect_error "/etc/passwd as a FIFO does not hang" 125 "not a file" timeout 10 "$build/bin/trine" --root "$state" run --rm "oci:$layout:passwd-fifo" true
variant passwd-huge "truncate -s 100M etc/passwd"
expect_error "a huge /etc/passwd is refused" 125 "larger than" trine run --rm "oci:$layout:passwd-huge" true
variant uid-overflow "echo 'evil:x:4294967296:0::/:/bin/sh' >> etc/passwd" # CVE-2024-40635
expect_error "an id that overflows is not root" 125 "unknown user" trine run --rm -u evil "oci:$layout:uid-overflow" id
expect_error "nor when given as a number" 125 "(ids end at|unknown user)" trine run --rm -u 4294967296 busybox id
expect_error "nor as a negative one" 125 "unknown user" trine run --rm -u -1 busybox id
variant workdir-link "ln -s $work lead-out"
expect_exit "a working directory through a symlink is made inside" 0 trine run --rm -w /lead-out/escaped "oci:$layout:workdir-link" true # CVE-2026-55686
host_unchanged
variant volume-link "ln -s $work out"
expect_exit "a volume on a symlink is mounted inside" 0 trine run --rm -v "$work:/out/escaped" "oci:$layout:volume-link" true
host_unchanged
finish
