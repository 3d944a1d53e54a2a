# shellcheck shell=bash
# Docker and containerd of Debian's packages, as programs of a test: with no network and no files but below $work.
# A script sources this after harness.sh.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-tests
{ mkdir -p "$cache" && [[ -w $cache ]]; } 2>/dev/null || cache=$work

# find_docker: in the machine, or in the packages: unpacked, for to install them would start a daemon. Where the kernel
# has AppArmor, dockerd wants its parser.
find_docker() {
  local unpacked deb
  unpacked=$cache/docker+apparmor-$(dpkg --print-architecture)
  command -v dockerd >/dev/null && return
  if [[ ! -d $unpacked ]]; then
    mkdir "$work/debs"
    (cd "$work/debs" && apt-get download docker.io containerd apparmor) >"$work/log" 2>&1 || return
    for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$unpacked.$$" || return; done
    mv "$unpacked.$$" "$unpacked"
  fi
  PATH=$unpacked/usr/bin:$unpacked/usr/sbin:$PATH:$unpacked/sbin
  unpacked_etc=$unpacked/etc # AppArmor's parser says more than its version without its configuration
  command -v dockerd >/dev/null
}
its_docker() { docker -H "unix://$work/docker.sock" "$@"; }
# in_own_mounts COMMAND...: becomes the command. Its mounts end with it, and what it writes elsewhere goes to no one.
in_own_mounts() {
  cp -a /etc "$work/etc"
  if [[ -d ${unpacked_etc-}/apparmor ]]; then cp -an "$unpacked_etc"/apparmor{,.d} "$work/etc/"; fi
  # shellcheck disable=SC2016
  exec unshare --mount sh -c 'mount -t tmpfs none /opt && mount --bind "$0/etc" /etc &&
    { [ "$TRINE_TEST_CGROUPS" = systemd ] || mount -t tmpfs none /run; } && exec "$@"' \
    "$work" "$@"
}
# start_docker FLAG...: its process is $dockerd, and what it says goes to $work/log.
start_docker() {
  in_own_mounts dockerd --data-root "$work/docker" --exec-root "$work/docker-run" --pidfile "$work/docker.pid" \
    -H "unix://$work/docker.sock" --storage-driver vfs "$@" >"$work/log" 2>&1 &
  dockerd=$!
  wait_until eval 'its_docker version >/dev/null 2>&1 || ! kill -0 "$dockerd" 2>/dev/null'
  its_docker version >/dev/null 2>&1
}
stop_docker() {
  [[ -n ${dockerd-} ]] || return
  kill "$dockerd" 2>/dev/null
  wait "$dockerd"
  dockerd=
}
