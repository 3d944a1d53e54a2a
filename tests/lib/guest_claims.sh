# shellcheck shell=bash
# Claims that a script in a guest makes: it sources the file that write_claims wrote, and relay takes over what it said.

# write_claims FILE
write_claims() {
  cat >"$1" <<'END'
claim() { local name=$1 out; shift; out=$(eval "$*" 2>&1) && echo "yes $name" || echo "no $name: $* says $out"; }
refused() { local name=$1 why=$2 out; shift 2; out=$(eval "$*" 2>&1) && echo "no $name: it is allowed" || case $out in *"$why"*) echo "yes $name" ;; *) echo "no $name: $out" ;; esac; }
END
}

# relay FILE: the claims that a guest made, one a line: "yes CLAIM" or "no CLAIM: why".
relay() {
  local word claim
  while read -r word claim; do
    case $word in
      yes) pass "$claim" ;;
      no) fail "$claim" ;;
    esac
  done <"$1"
  grep -q '^finished' "$1" && pass "the guest's script came to its end" || fail "the guest's script came to its end" "$(tail -5 "$1")"
}
