#!/usr/bin/env bash
# A short run of every fuzzer, under AddressSanitizer and UndefinedBehaviorSanitizer. Longer: give it seconds. Each begins
# with what is kept of earlier runs (corpus.sh).
#
#   tests/fuzz/readers.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-20}
command -v clang++-19 >/dev/null || { echo "skipped: clang-19 is not installed"; exit 77; }
out=build/fuzz
mkdir -p "$out"
flags=(-std=c++23 -O1 -g -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D__cpp_concepts=202002L -Wno-builtin-macro-redefined
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
  -Ibase/include -Iisolation -Iisolation/include -Iimages -Iimages/include -Iimages/import -Iruntime/oci -Iruntime/oci/include)
base=(base/error.cpp base/file.cpp base/text.cpp)
oci="$(echo runtime/oci/{parse,validate}*.cpp) runtime/oci/reader.cpp runtime/oci/seccomp_reader.cpp"
declare -A sources=(
  [tar]="images/import/tar.cpp images/import/tar_header.cpp images/import/tar_sparse.cpp"
  [document]="images/import/document.cpp images/layout.cpp"
  [reference]="images/reference/reference.cpp images/layout.cpp"
  [toml]="images/reference/toml.cpp images/reference/registries.cpp images/reference/reference.cpp images/layout.cpp"
  [inflate]="images/import/decompress.cpp"
  [erofs]="$(echo images/erofs/*.cpp)"
  [spec]="$oci"
  [process]="$oci"
  [passwd]="isolation/user_database.cpp isolation/subordinate_ids.cpp"
)
for name in tar document reference toml inflate erofs spec process passwd; do
  read -ra files <<<"${sources[$name]}"
  clang++-19 "${flags[@]}" "tests/fuzz/$name.cpp" "${files[@]}" "${base[@]}" -lisal -lzstd -o "$out/$name"
  tests/fuzz/corpus.sh unpack "$name"
  "$out/$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/$name-" \
    "$out/corpus-$name" >"$out/$name.log" 2>&1 || { tail -n 40 "$out/$name.log"; echo "$name: found something"; exit 1; }
  echo "$name: $(grep -o 'Done [0-9]* runs' "$out/$name.log")"
done
