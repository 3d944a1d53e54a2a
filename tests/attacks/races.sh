#!/usr/bin/env bash
# Mount targets that are exchanged while the container starts (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310): what
# is made or mounted is inside the root, however the race ends.
. "$(dirname "$0")/../lib/harness.sh"
require_root
require_program runc
mkdir -p "$work/b" "$work/outside" "$work/shared/dir" && busybox_root "$work/b/rootfs"
(cd "$work/b" && runc spec)
ln -s ../../../../../../../../../../"$work/outside" "$work/shared/link"
jq --arg s "$work/shared" '.process.terminal = false | .process.args = ["/bin/true"]
  | .mounts |= map(select(.type != "cgroup")) + [
      {destination: "/vol", type: "bind", source: $s, options: ["rbind", "rw"]},
      {destination: "/vol/dir/made", type: "tmpfs", source: "tmpfs"}]' "$work/b/config.json" >"$work/b/new"
mv "$work/b/new" "$work/b/config.json"
"$build/tests/bin/racer" "$work/shared/dir" "$work/shared/link" &
racer=$!
started=0 starts=$(scaled 300)
for ((i = 0; i < starts; i++)); do trine run --rm "bundle:$work/b" >/dev/null 2>&1 && started=$((started + 1)); done
kill -9 $racer
wait $racer 2>/dev/null
[[ -z $(ls -A "$work/outside") ]] && pass "$starts starts against a racing rename make nothing outside ($started started)" || fail "starts against a racing rename make nothing outside" "$(ls "$work/outside")"
findmnt -rno TARGET | grep -q "$work/outside" && fail "nothing is mounted outside" || pass "nothing is mounted outside"
finish
