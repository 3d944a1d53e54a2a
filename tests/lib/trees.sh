# shellcheck shell=bash
# Compares trees of files: what is in an image of the store, and what another tool unpacks of it.

# describe_tree DIR: every file with type, mode, owner, time, size, link target, link count, device, attributes
# and content.
describe_tree() {
  (
    cd "$1" || exit
    find . -mindepth 1 \( -type d -printf '%p %y %m %U:%G %T@\n' -o -printf '%p %y %m %U:%G %T@ %s %l %n\n' \) | sort
    find . -type f -exec sha256sum {} + | sort -k2
    find . \( -type b -o -type c \) -exec stat -c '%n %t,%T' {} + | sort
    getfattr -R -h -d -m '^(user|security|system.posix_acl)' . 2>/dev/null | grep -v '^# file: \./*$'
  )
}

# expect_same_tree CLAIM DIR IMAGE: the image, as its layers lie one over the other, is what DIR has.
expect_same_tree() {
  local merged=$work/merged layers
  layers=$(trine inspect "$3" | jq -r '.[0].Layers | join(":")')
  mkdir -p "$merged"
  # An overlay without an upper layer is made of two lower ones at least.
  mount -t overlay overlay -o "ro,lowerdir=$layers" "$merged" 2>/dev/null || mount --bind "$layers" "$merged"
  if diff <(describe_tree "$2") <(describe_tree "$merged") >"$work/diff"; then pass "$1"; else fail "$1" "$(head -n 20 "$work/diff")"; fi
  umount "$merged"
}
