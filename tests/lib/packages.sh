# shellcheck shell=bash
# What trine needs from Debian 12, in one place: sourced by examples/quickstart.sh and tests/run.sh.

build_packages=(
  g++ cmake ninja-build pkg-config
  libseccomp-dev libbpf-dev libelf-dev zlib1g-dev libnl-3-dev nlohmann-json3-dev libcli11-dev
  libssl-dev libzstd-dev liblzma-dev libisal-dev libcurl4-openssl-dev libsystemd-dev
)
run_packages=(busybox-static uidmap erofs-utils)
test_packages=(
  catch2 ccache crun runc podman buildah skopeo umoci debootstrap jq attr libcap2-bin bsdutils bsdextrautils
  util-linux procps iproute2 containernetworking-plugins iptables python3 criu apparmor docker-registry openssl bzip2 xz-utils
)
lint_packages=(clang-format-19 clang-tidy-19 shellcheck)
fuzz_packages=(clang-19 libclang-rt-19-dev)
lab_packages=(qemu-system-x86 qemu-system-arm cpio kmod xz-utils debian-archive-keyring g++-aarch64-linux-gnu systemd dbus)

# install_packages NAME...: those that are missing. Says what it does; needs root only when something is missing.
install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
