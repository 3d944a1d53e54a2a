# shellcheck shell=bash
# What readers.sh and machines.sh share. They set out, flags, base, libraries and sources, by the fuzzer's name.

command -v clang++-19 >/dev/null || { echo "skipped: clang-19 is not installed"; exit 77; }
# The first two make clang take libstdc++ 12's std::expected.
flags=(-D__cpp_concepts=202002L -Wno-builtin-macro-redefined -std=c++23 -O1 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Ibase/include)
base=(base/error.cpp base/file.cpp base/text.cpp)
declare -A sources

# fuzz FOLDER MAXIMUM SECONDS NAME...: tests/fuzz/FOLDER/NAME.cpp each, with inputs of up to MAXIMUM bytes.
fuzz() {
  local folder=$1 maximum=$2 seconds=$3 name files
  local out=build/fuzz${folder:+/$folder}
  shift 3
  mkdir -p "$out"
  for name in "$@"; do
    read -ra files <<<"${sources[$name]}"
    clang++-19 "${flags[@]}" "tests/fuzz/${folder:+$folder/}$name.cpp" "${files[@]}" "${base[@]}" "${libraries[@]}" -o "$out/$name"
    tests/fuzz/lib/corpus.sh unpack "${folder:+$folder/}$name"
    "$out/$name" -max_total_time="$seconds" -max_len="$maximum" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/$name-" \
      "build/fuzz/corpus/${folder:+$folder/}$name" >"$out/$name.log" 2>&1 || { tail -n 40 "$out/$name.log"; echo "$name: found something"; exit 1; }
    echo "$name: $(grep -o 'Done [0-9]* runs' "$out/$name.log")"
  done
}
