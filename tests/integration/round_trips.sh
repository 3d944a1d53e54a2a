#!/usr/bin/env bash
# Images go from trine to Docker, containerd, podman and buildah and back, through archives and through a registry, and
# are what they were: the whole tree, with all metadata.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/trees.sh"
. "$(dirname "$0")/../lib/docker.sh"
. "$(dirname "$0")/../lib/engines.sh"
require_root
for program in umoci skopeo podman buildah jq getfattr docker-registry; do require_program $program; done
own_namespaces "$0" # a mount namespace and a network of its own
. "$(dirname "$0")/../lib/registry.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
start_registry plain

busybox_image
layout=$work/layout
odd_image
trine load -q --name localhost/more:1 "oci:$layout:more" >/dev/null
archive=$work/more.tar
trine save -o "$archive" localhost/more:1 || fail "the image is saved"

# comes_back CLAIM SOURCE: what trine loads from there has the oracle's files.
comes_back() {
  trine rmi localhost/back:1 >/dev/null 2>&1
  if run trine load -q --name localhost/back:1 "$2" && ((code == 0)); then
    expect_same_tree "$1" "$work/oracle/rootfs" localhost/back:1
  else
    fail "$1" "$output"
  fi
}
# is_pulled CLAIM NAME: the same, from the registry.
is_pulled() {
  if run trine pull -q "$2" && ((code == 0)); then expect_same_tree "$1" "$work/oracle/rootfs" "$2"; else fail "$1" "$output"; fi
}
expect_match "trine pushes" "more:1" trine push -q localhost/more:1 "$registry/more:1"

pods() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"; }
expect_match "podman loads what trine saved" "localhost/more:1" pods load -q -i "$archive"
pods save -q --format docker-archive -o "$work/podman.tar" localhost/more:1
comes_back "what podman saves for Docker is what it was" "docker-archive:$work/podman.tar"
pods save -q --format oci-archive -o "$work/podman-oci.tar" localhost/more:1
comes_back "what podman saves as OCI is what it was" "oci-archive:$work/podman-oci.tar"
pods rmi -af >/dev/null 2>&1
expect_exit "podman pulls what trine pushed" 0 pods pull -q --tls-verify=false "$registry/more:1"
expect_exit "podman pushes it" 0 pods push -q --tls-verify=false "$registry/more:1" "$registry/podman:1"
is_pulled "trine pulls what podman pushed" "$registry/podman:1"

builds() { buildah --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"; }
expect_exit "buildah writes what it pulled from trine's registry" 0 builds push -q "$registry/more:1" "oci-archive:$work/buildah.tar:more"
comes_back "which is what it was" "oci-archive:$work/buildah.tar"
expect_exit "buildah pushes it" 0 builds push -q --tls-verify=false --format oci "$registry/more:1" "docker://$registry/buildah:1"
is_pulled "trine pulls what buildah pushed" "$registry/buildah:1"
pods rmi -af >/dev/null 2>&1

if find_docker; then
  trap 'stop_docker; [[ -z ${containerd-} ]] || { kill "$containerd"; wait "$containerd"; }; stop_servers; cleanup' EXIT
  start_docker --bridge none --iptables=false --ip-forward=false --ip-masq=false || fail "dockerd starts" "$(tail -n 1 "$work/log")"
  expect_match "Docker loads what trine saved" "localhost/more:1" its_docker load -i "$archive"
  its_docker save -o "$work/docker.tar" localhost/more:1
  comes_back "what Docker saves is what it was" "docker-archive:$work/docker.tar"
  its_docker rmi localhost/more:1 >/dev/null
  expect_exit "Docker pulls what trine pushed" 0 its_docker pull -q "$registry/more:1"
  its_docker tag "$registry/more:1" "$registry/docker:1"
  expect_exit "Docker pushes it" 0 its_docker push -q "$registry/docker:1"
  is_pulled "trine pulls what Docker pushed" "$registry/docker:1"
  stop_docker

  printf 'version = 2\nroot = "%s/lib"\nstate = "%s/run"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s/containerd.sock"\n' \
    "$work" "$work" "$work" >"$work/containerd.toml"
  containerd --config "$work/containerd.toml" >"$work/log" 2>&1 &
  containerd=$!
  its_ctr() { timeout --foreground 120 ctr --address "$work/containerd.sock" "$@"; }
  wait_until eval 'its_ctr version >/dev/null 2>&1'
  expect_match "containerd imports what trine saved" "more:1" its_ctr images import --snapshotter native "$archive"
  name=$(its_ctr images ls -q | head -n 1)
  expect_exit "and exports it" 0 its_ctr images export "$work/containerd.tar" "$name"
  comes_back "which is what it was" "oci-archive:$work/containerd.tar"
  expect_exit "containerd pulls what trine pushed" 0 its_ctr images pull --plain-http --snapshotter native "$registry/more:1"
  its_ctr images tag "$registry/more:1" "$registry/containerd:1" >/dev/null
  expect_exit "containerd pushes it" 0 its_ctr images push --plain-http "$registry/containerd:1"
  is_pulled "trine pulls what containerd pushed" "$registry/containerd:1"
else
  echo "skipped: Docker and containerd: $(tail -n 1 "$work/log")"
fi
finish
