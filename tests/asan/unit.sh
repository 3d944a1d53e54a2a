#!/usr/bin/env bash
# The unit tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "$0")/../.."
[[ -d build/asan ]] || { echo "skipped: the asan preset is not built (tests/run.sh asan builds it)"; exit 77; }
ctest --test-dir build/asan --label-regex '^unit$' --output-on-failure --no-tests=error
