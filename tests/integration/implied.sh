#!/usr/bin/env bash
# Layers that leave out the directories on the way to their files, as some builders write them: these stay as they are in
# the layers below, whichever those are.
. "$(dirname "$0")/../lib/harness.sh"
. "$(dirname "$0")/../lib/layout.sh"
require_root
command -v busybox >/dev/null || skip "busybox-static is not installed"

mkdir -p "$work/base"/{tmp,private/deep,gone} && cp "$(command -v busybox)" "$work/base/busybox"
chmod 1777 "$work/base/tmp" && chmod 700 "$work/base/private" && chown -R 70:80 "$work/base/private"
setfattr -n user.note -v text "$work/base/private/deep"
touch -d '2001-02-03 04:05:06' "$work/base/private/deep"
tar -C "$work/base" --xattrs --numeric-owner -cf "$work/one.tar" .
chmod 755 "$work/base/tmp" && chown -R 0:0 "$work/base/private"
tar -C "$work/base" --xattrs --numeric-owner -cf "$work/two.tar" .
mkdir -p "$work/top"/{tmp,private/deep,new/deep} && touch "$work/top"/{tmp/file,private/deep/file,private/deep/.wh.nothing,new/deep/file} && : >"$work/top/.wh.gone"
tar -C "$work/top" --no-recursion -cf "$work/top.tar" tmp/file private/deep/file private/deep/.wh.nothing new/deep/file .wh.gone
ln "$work/base/busybox" "$work/base/private/linked" && tar -C "$work/base" --no-recursion -cf "$work/link.tar" busybox private/linked
tar --delete -f "$work/link.tar" busybox
image one "$work/one.tar" "$work/top.tar" "$work/link.tar"
image two "$work/two.tar" "$work/top.tar"

look='/busybox stat -c "%n %a %u:%g" /tmp /private /private/deep /new/deep && /busybox stat -c %Y /private/deep'
wanted=$'/tmp %s\n/private 700 %s\n/private/deep 755 %s\n/new/deep 755 0:0\n981173106'
# shellcheck disable=SC2059 # the format has the places
cases() { # FORM
  local name
  for name in one two; do expect_exit "$1: image $name is loaded" 0 trine load -q --name $name "oci:$work/$name"; done
  expect_output "$1: directories that are left out are as below" "$(printf "$wanted" "1777 0:0" 70:80 70:80)" trine run --rm one /busybox sh -c "$look"
  expect_output "$1: the same layer over others is as these" "$(printf "$wanted" "755 0:0" 0:0 0:0)" trine run --rm two /busybox sh -c "$look"
  expect_exit "$1: what the layer hides is hidden" 1 trine run --rm one /busybox ls /gone
  expect_output "$1: a file stays linked to" "$(stat -c %s "$work/base/busybox")" trine run --rm one /busybox stat -c %s /private/linked
  expect_exit "$1: loaded again, no layer is unpacked" 0 trine load -q --name one "oci:$work/one"
  trine rmi one two >/dev/null
  expect_output "$1: no layer is left" 0 eval "ls '$state/lib/images/layers' | wc -l"
}
cases "as the kernel likes"
printf 'directory\nset by the test\nany\n' >"$state/lib/images/layer-form"
cases "directories"
finish
