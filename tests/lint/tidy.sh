#!/usr/bin/env bash
# The code passes clang-tidy with the checks of .clang-tidy.
#
# A file that passed is not looked at again until it, anything it includes, how it is compiled, the checks or
# clang-tidy itself change. What passed is remembered outside the checkout, as an empty file named by the hash
# of all that; without a place to write to, every file is looked at every time.
#
# The whole tree takes longer than the rest of the tests: with a limit in seconds, as TRINE_TIDY_SECONDS or else of
# CI, what was changed last comes first, and how many files were left is said.
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in clang-tidy-19 jq; do
  command -v $program >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done

build=${TRINE_BUILD:-build/release}
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/trine-tests/tidy
common=$(clang-tidy-19 --version; cat .clang-tidy)
[[ -e $build/compile_commands.json ]] || { echo "$build is not configured: cmake --preset release"; exit 1; }
if mkdir -p "$cache" 2>/dev/null; then find "$cache" -type f -mtime +30 -delete; else cache=; fi

# hash_of FILE COMMAND: of all that clang-tidy's verdict depends on. Fails when the file does not compile.
hash_of() {
  local dependencies
  dependencies=$(eval "${2/ -o * -c / -M -c }" 2>/dev/null) || return
  # "target: file file \" is what xargs reads as file names, once target and line ends are off.
  dependencies=$(sed '1s/^[^:]*://; s/\\$//' <<<"$dependencies")
  { echo "$common" "$1" "${2//"$PWD"/}"; xargs cat <<<"$dependencies"; } | sha256sum | cut -d' ' -f1
}

check() {
  local file=$1 command key report
  if ((EPOCHSECONDS > deadline)); then
    echo "$file" >>"$left"
    return
  fi
  command=$(jq -r --arg file "$PWD/$file" 'first(.[] | select(.file == $file)).command // ""' "$build/compile_commands.json")
  [[ -n $command ]] || { echo "$file: no target is built of it"; return 1; }
  key=$(hash_of "$file" "$command") || key=
  if [[ -n $cache && -n $key && -e $cache/$key ]]; then
    touch "$cache/$key"
    return
  fi
  report=$(clang-tidy-19 --quiet --extra-arg=-Wno-unknown-warning-option -p "$build" "$file" 2>&1) || { echo "$report"; return 1; }
  if [[ -n $cache && -n $key ]]; then : >"$cache/$key"; fi
}

# sources: those that a commit touched last come first.
sources() {
  local folders=(base isolation cgroups netns images hvm-sandbox runtime)
  { git log --format= --name-only -- "${folders[@]}"; git ls-files "${folders[@]}"; } | grep '\.cpp$' | awk '!seen[$0]++' |
    while read -r file; do [[ ! -e $file ]] || echo "$file"; done
}

limit=${TRINE_TIDY_SECONDS:-${CI:+1200}}
deadline=$((EPOCHSECONDS + ${limit:-1000000}))
left=$(mktemp)
trap 'rm -f "$left"' EXIT
renice -n 10 $$ >/dev/null # the tests beside it have limits of time
export build cache common deadline left
export -f check hash_of
sources | xargs -n 1 -P "$(nproc)" bash -c 'check "$0"'
[[ ! -s $left ]] || echo "skipped: $(wc -l <"$left") of $(sources | wc -l) files were not looked at within $limit s (tests/lint/tidy.sh looks at all)"
