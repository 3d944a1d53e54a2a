#!/usr/bin/env bash
# Builds the minimal guest kernel from Debian's linux-source-6.1 and prints the file: an ELF with everything built in.
#
#   trine kernel import "$(hvm-sandbox/kernel/build-minimal.sh)"
#
# It takes some twenty minutes on two processors, once: the result is kept in ${XDG_CACHE_HOME:-~/.cache}/trine-kernel
# for this source, this configuration and this compiler. `--jobs N` processors are used, all when it is not given.
# `--config` stops after the configuration was made and checked, and prints that instead.
set -euo pipefail
kernel=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
wanted=$kernel/minimal-x86_64.config
source_archive=/usr/src/linux-source-6.1.tar.xz
packages=(linux-source-6.1 gcc make flex bison bc libelf-dev libc6-dev binutils xz-utils)

fail() { # fail MESSAGE [HINT]
  echo "build-minimal.sh: $1" >&2
  [[ -z ${2-} ]] || echo "hint: $2" >&2
  exit 1
}

jobs=$(nproc)
only_config=no
while (($#)); do
  case $1 in
    --jobs) [[ ${2-} =~ ^[1-9][0-9]{0,3}$ ]] || fail "--jobs needs a number, not '${2-}'"; jobs=$2; shift ;;
    --config) only_config=yes ;;
    *) fail "there is no option '$1' (--jobs N, --config)" ;;
  esac
  shift
done
[[ $(uname -m) == x86_64 ]] || fail "the configuration is of x86-64, and this machine is $(uname -m)"
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    fail "the Debian package $package is not installed" "apt-get install ${packages[*]}"
done

source_version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/trine-kernel
key=$({ echo "$source_version"; gcc --version | head -1; cat "$wanted" "$kernel/build-minimal.sh"; } | sha256sum | cut -c 1-16)
mkdir -p "$cache"
# A second build waits for the first, and finds what it made.
exec {lock}>"$cache/lock"
flock "$lock"
rm -rf "$cache"/build.* # of a build that was killed: nobody else holds the lock
if [[ $only_config == no ]]; then
  for made in "$cache/$key"/vmlinux-*; do
    if [[ -f $made ]]; then echo "$made"; exit 0; fi
  done
fi

free=$(($(df --output=avail -k "$cache" | tail -1) >> 10))
((free >= 2500)) || fail "$cache has $free MiB free, and the build takes 2500"
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "unpacking linux-source-6.1 $source_version" >&2
# What the configuration cannot choose stays packed, but for the Kconfig files: other processors and many drivers.
without=()
for directory in arch/{alpha,arc,arm,arm64,csky,hexagon,ia64,loongarch,m68k,microblaze,mips,nios2,openrisc,parisc,powerpc,riscv,s390,sh,sparc,xtensa} \
  drivers/{gpu,infiniband,media,net/ethernet,net/wireless,scsi,staging,usb} sound; do
  without+=(--exclude="linux-source-6.1/$directory/*.[chS]" --exclude="linux-source-6.1/$directory/*.dts*")
done
tar -xf "$source_archive" -C "$work" "${without[@]}"
# Without PCI, Linux 6.1 has no default handler of its configuration space, asks for one all the same, and then takes no
# ACPI table at all. What the list lacks at its end is memory again, which is there by then and so no error.
handlers=$work/linux-source-6.1/drivers/acpi/acpica/evhandler.c
grep -q '^	ACPI_ADR_SPACE_PCI_CONFIG,$' "$handlers" || fail "$handlers of linux-source-6.1 $source_version is not what it was" \
  "does it take ACPI tables without PCI now?"
sed -i '/^	ACPI_ADR_SPACE_PCI_CONFIG,$/d' "$handlers"
# The same source gives the same kernel, wherever and whenever it is built.
arguments=(-s -C "$work/linux-source-6.1" O="$work/out" LOCALVERSION=-trine
  KBUILD_BUILD_USER=trine KBUILD_BUILD_HOST=trine KBUILD_BUILD_VERSION=1
  KBUILD_BUILD_TIMESTAMP="$(date -u -R -r "$source_archive")")
make "${arguments[@]}" KCONFIG_ALLCONFIG="$wanted" allnoconfig >/dev/null

# A symbol that was renamed, or whose needs are not there, is left out without a word. Here it has one.
missing=()
while read -r line; do
  grep -qxF -- "$line" "$work/out/.config" || missing+=("$line")
done < <(grep '^CONFIG_' "$wanted")
if ((${#missing[@]})); then
  printf 'not in the configuration: %s\n' "${missing[@]}" >&2
  fail "linux-source-6.1 $source_version does not take ${#missing[@]} of the lines of $wanted" \
    "look for what each depends on in the Kconfig files of the source"
fi
! grep -qE '^CONFIG_(MODULES|PCI)=y' "$work/out/.config" || fail "the configuration has modules or PCI, which no line asks for"
if [[ $only_config == yes ]]; then cat "$work/out/.config"; exit 0; fi

release=$(make "${arguments[@]}" kernelrelease)
echo "building $release with $jobs processors" >&2
make "${arguments[@]}" -j"$jobs" vmlinux >&2 || fail "the kernel does not build"
# Neither symbols nor relocations are loaded: a panic's trace has its names from kallsyms.
mkdir "$work/made"
objcopy --strip-all "$work/out/vmlinux" "$work/made/vmlinux-$release"
rm -rf "${cache:?}/$key"
mv "$work/made" "$cache/$key"
echo "$cache/$key/vmlinux-$release"
