#!/usr/bin/env bash
# What fuzzers found worth keeping: tests/fuzz/corpus/NAME, an input a line, in base64. A NAME is that of a fuzzer of
# readers.sh, or vm/ and one of machines.sh.
#
#   tests/fuzz/lib/corpus.sh unpack NAME...   into build/fuzz/corpus/NAME, where the fuzzers begin and leave theirs
#   tests/fuzz/lib/corpus.sh keep NAME...     the least of those that covers as much, back into the file
set -euo pipefail
cd "$(dirname "$0")/../../.."
verb=$1
shift
for name in "$@"; do
  kept=tests/fuzz/corpus/$name found=build/fuzz/corpus/$name
  mkdir -p "$found"
  case $verb in
    unpack)
      [[ ! -f $kept ]] || nl -s ' ' -w 1 "$kept" | while read -r number input; do base64 -d <<<"$input" >"$found/kept-$number"; done
      ;;
    keep)
      least=$(mktemp -d)
      "build/fuzz/$name" -set_cover_merge=1 "$least" "$found" >"build/fuzz/$name.merge" 2>&1
      mkdir -p "${kept%/*}"
      find "$least" -type f -exec base64 -w 0 {} \; -exec echo \; | sort >"$kept"
      rm -r "$least"
      echo "$name: $(wc -l <"$kept") inputs"
      ;;
    *) echo "usage: tests/fuzz/lib/corpus.sh unpack|keep NAME..." >&2 && exit 2 ;;
  esac
done
