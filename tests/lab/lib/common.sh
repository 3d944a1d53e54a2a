# shellcheck shell=bash
# What every part of the lab uses: messages, the cache, and the check of what the build machine has.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab

# lack WHY [CURE]: this machine cannot run a lab.
lack() { echo "lab: $1" >&2; [[ -z ${2-} ]] || echo "hint: $2" >&2; exit 69; }
# broken WHY [CURE]: the lab itself failed.
broken() { echo "lab: $1" >&2; [[ -z ${2-} ]] || echo "hint: $2" >&2; exit 125; }
note() { echo "lab: $1" >&2; }

# The program that each package is needed for; those without one here are found missing where they are used.
declare -A program_of=(
  [qemu-system-x86]=qemu-system-x86_64 [qemu-system-arm]=qemu-system-aarch64 [busybox-static]=busybox [cpio]=cpio
  [kmod]=modprobe [xz-utils]=xz [util-linux]=setpriv [e2fsprogs]=mke2fs
)

require_host() {
  local package program missing=() available
  PATH=$PATH:/usr/sbin:/sbin
  for package in "${host_packages[@]}"; do
    program=${program_of[$package]-}
    [[ -z $program ]] || command -v "$program" >/dev/null || missing+=("$package")
  done
  ((${#missing[@]} == 0)) || lack "the $machine lab needs what is not installed: ${missing[*]}" "apt-get install ${missing[*]}"
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
    lack "Debian's keys are not installed: debian-archive-keyring" "apt-get install debian-archive-keyring"
  [[ $systemd == no || $machine == x86 ]] || lack "systemd is only had in the x86 lab"
  [[ $systemd == no || -x /lib/systemd/systemd ]] ||
    lack "the lab's systemd is the build machine's, and it has none: systemd" "apt-get install systemd dbus"
  available=$(($(awk '/^MemAvailable:/{print $2}' /proc/meminfo) / 1024))
  ((available >= memory + memory / 16)) ||
    lack "a machine of $memory MiB needs as much free memory, and $available MiB are free" "--memory takes less"
  mkdir -p "$cache" 2>/dev/null && [[ -w $cache ]] || lack "cannot write to the cache $cache" "set XDG_CACHE_HOME"
  mkdir -p "$cache"/{apt,kernels,initramfs,roots,runs,locks}
}

# require_disk MIB WHAT
require_disk() {
  local free
  free=$(df --output=avail -BM "$cache" | tail -1 | tr -dc '0-9')
  ((free >= $1)) || lack "$2 needs $1 MiB of disk, and $cache has $free MiB free" "free some, or set XDG_CACHE_HOME"
}

# The state of a directory's files, by size and time: whatever cuts or changes one changes this.
listing() { (cd "$1" && find . -mindepth 1 ! -name .listing -printf '%P %y %s %T@\n' | LC_ALL=C sort | sha256sum); }
intact() { [[ -f $1/.listing && $(<"$1/.listing") == "$(listing "$1")" ]]; }

# cached DIRECTORY MAKE: calls MAKE with a new directory and renames it to DIRECTORY, unless that is there and intact.
# One lab makes, others wait. What an interrupted one left behind is removed.
cached() {
  local target=$1 make=$2 new
  (
    set -e
    exec {lock}>"$cache/locks/$(basename "$(dirname "$target")").$(basename "$target")"
    flock "$lock"
    ! intact "$target" || exit 0
    [[ ! -e $target ]] || { note "$target is incomplete or was changed: making it again"; rm -rf "$target"; }
    rm -rf "$target".new.*
    new=$(mktemp -d "$target.new.XXXXXX")
    chmod 755 "$new"
    trap 'rm -rf "$new"' EXIT
    "$make" "$new" {lock}>&-
    listing "$new" >"$new/.listing"
    mv -T "$new" "$target"
  )
}
