# shellcheck shell=bash
# Debian packages of either architecture, without touching the build machine's own apt and dpkg.

debian_release=bookworm

# The archive as the build machine's apt has it (a mirror, a proxy), or else Debian's own address.
apt_sources() {
  local found
  # shellcheck disable=SC2016
  found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk -v release="$debian_release" '$2 ~ "^" release "(-|$)" && $3 == "main"' | sort -u)
  [[ -n $found ]] || found="http://deb.debian.org/debian $debian_release main
http://deb.debian.org/debian-security $debian_release-security main"
  sed 's|^|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |' <<<"$found"
}

# apt_state: writes the configuration for $debian_architecture and points apt to it.
apt_state() {
  local directory=$cache/apt/$debian_architecture
  command -v apt-get >/dev/null || lack "kernels come from Debian's archive, and apt-get is not installed: apt" "run the lab on Debian"
  mkdir -p "$directory"/{state/lists/partial,cache/archives/partial}
  : >"$directory/status"
  apt_sources >"$directory/sources.list"
  cat >"$directory/apt.conf" <<END
APT::Architecture "$debian_architecture";
#clear APT::Architectures;
APT::Architectures { "$debian_architecture"; };
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::State "$directory/state/";
Dir::State::status "$directory/status";
Dir::Cache "$directory/cache/";
Dir::Etc::sourcelist "$directory/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
END
  export APT_CONFIG=$directory/apt.conf
}

# with_apt FUNCTION...: one lab at a time uses an architecture's apt.
with_apt() {
  (
    exec {lock}>"$cache/locks/apt.$debian_architecture"
    flock "$lock"
    apt_state
    "$@" {lock}>&-
  )
}

apt_complaint() { grep -m1 -E '^E:' "$cache/apt/log" || grep -m1 -E '^W:' "$cache/apt/log" || echo "apt says no more"; }

apt_update() {
  note "reading the lists of Debian's $debian_architecture packages"
  require_disk 300 "the list of packages"
  apt-get update -qq >"$cache/apt/log" 2>&1 && [[ -n $(apt-cache policy base-files 2>/dev/null) ]] ||
    lack "cannot read Debian's lists of $debian_architecture packages: $(apt_complaint)" "is the network there?"
}

# apt_files PACKAGE: `URL NAME SIZE` of what would be downloaded, as apt prints it; fails when there is no such package.
apt_files() { apt-get download --print-uris "$@" 2>/dev/null; }

# apt_download DIRECTORY PACKAGE...
apt_download() {
  local directory=$1
  shift
  (cd "$directory" && apt-get download -qq "$@" >"$cache/apt/log" 2>&1)
}

# kernel_of META: the name of the package that the meta package stands for, and its version. Lists are read when there
# are none, when asked for by --update, and when the package is unknown.
kernel_of() {
  local name
  if [[ $update == yes ]] || ! apt_files "$1" >/dev/null; then apt_update; fi
  name=$(apt-cache depends --important "$1" 2>/dev/null | awk '/Depends: linux-image-/{print $2; exit}')
  : "${name:=$1}"
  apt_files "$name" >/dev/null ||
    lack "Debian's archive has no kernel package $1${name:+ ($name)} for $debian_architecture" "lab prepare $machine --update"
  echo "$name $(apt-cache show --no-all-versions "$name" | awk '/^Version:/{print $2}')"
}
