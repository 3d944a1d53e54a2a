# shellcheck shell=bash
# What readers.sh and machines.sh share. They set out, flags, base, libraries and sources, by the fuzzer's name.

command -v clang++-19 >/dev/null || { echo "skipped: clang-19 is not installed"; exit 77; }
# The first two make clang take libstdc++ 12's std::expected.
flags=(-D__cpp_concepts=202002L -Wno-builtin-macro-redefined -std=c++23 -O1 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Ibase/include)
base=(base/error.cpp base/file.cpp base/text.cpp)
declare -A sources

# What is compiled is for this run only: a header may have changed since the last. ccache knows better.
compiler=(clang++-19)
! command -v ccache >/dev/null || compiler=(ccache clang++-19)
mkdir -p build/fuzz
renice -n 10 $$ >/dev/null # the tests beside it have limits of time
compiled=$(mktemp -d build/fuzz/objects.XXXXXX)
trap 'rm -rf "$compiled"' EXIT

# compile SOURCE OBJECT
compile() { [[ -e $2 ]] || "${compiler[@]}" "${flags[@]}" -c "$1" -o "$2"; }

# compile_all SOURCE...: sets $objects. Each source is compiled once, however many fuzzers it is part of.
compile_all() {
  local source running=0
  objects=()
  for source in "$@"; do
    objects+=("$compiled/${source//\//_}.o")
    ((running < $(nproc))) || { wait -n; running=$((running - 1)); }
    compile "$source" "${objects[-1]}" &
    running=$((running + 1))
  done
  while ((running)); do wait -n; running=$((running - 1)); done
}

# fuzz FOLDER MAXIMUM SECONDS NAME...: tests/fuzz/FOLDER/NAME.cpp each, with inputs of up to MAXIMUM bytes.
fuzz() {
  local folder=$1 maximum=$2 seconds=$3 name files objects
  local out=build/fuzz${folder:+/$folder}
  shift 3
  mkdir -p "$out"
  for name in "$@"; do
    read -ra files <<<"${sources[$name]}"
    compile_all "tests/fuzz/${folder:+$folder/}$name.cpp" "${files[@]}" "${base[@]}"
    clang++-19 "${flags[@]}" "${objects[@]}" "${libraries[@]}" -o "$out/$name"
    tests/fuzz/lib/corpus.sh unpack "${folder:+$folder/}$name"
    "$out/$name" -max_total_time="$seconds" -max_len="$maximum" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/$name-" \
      "build/fuzz/corpus/${folder:+$folder/}$name" >"$out/$name.log" 2>&1 || { tail -n 40 "$out/$name.log"; echo "$name: found something"; exit 1; }
    echo "$name: $(grep -o 'Done [0-9]* runs' "$out/$name.log")"
  done
}
