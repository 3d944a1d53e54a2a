#!/usr/bin/env bash
# A short run of every fuzzer of what images, bundles and registries say, under AddressSanitizer and
# UndefinedBehaviorSanitizer. Longer: give it seconds; some: their names. Each begins with what is kept of earlier runs
# (lib/corpus.sh).
#
#   tests/fuzz/readers.sh [SECONDS [NAME...]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/fuzz/lib/fuzz.sh
flags+=(-Iruntime/policy -Iruntime/policy/include -Iisolation -Iisolation/include -Iimages -Iimages/include -Iimages/import -Iimages/policy -Iruntime/oci -Iruntime/oci/include)
libraries=(-lisal -lzstd)
oci="$(echo runtime/oci/{parse,validate}*.cpp) runtime/oci/reader.cpp runtime/oci/seccomp_reader.cpp"
sources=(
  [tar]="images/import/tar.cpp images/import/tar_header.cpp images/import/tar_sparse.cpp"
  [document]="images/import/document.cpp images/layout.cpp"
  [reference]="images/reference/reference.cpp images/layout.cpp"
  [toml]="images/reference/toml.cpp images/reference/registries.cpp images/reference/reference.cpp images/layout.cpp"
  [policy]="$(echo images/policy/{identity,payload,policy,policy_parser,scopes,strict_json}.cpp) images/base64.cpp images/reference/reference.cpp images/layout.cpp"
  [isolation_policy]="$(echo runtime/policy/{decide,glob,image_pattern,match,parser}.cpp) images/policy/strict_json.cpp isolation/capabilities.cpp"
  [inflate]="images/import/decompress.cpp"
  [erofs]="$(echo images/erofs/*.cpp)"
  [spec]="$oci"
  [process]="$oci"
  [passwd]="isolation/user_database.cpp isolation/subordinate_ids.cpp"
)
names=(tar document reference toml policy isolation_policy inflate erofs spec process passwd)
(($# < 2)) || names=("${@:2}")
fuzz "" 65536 "${1:-10}" "${names[@]}"
