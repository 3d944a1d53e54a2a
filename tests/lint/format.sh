#!/usr/bin/env bash
# The code is formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format-19 >/dev/null || { echo "skipped: clang-format-19 is not installed"; exit 77; }
git ls-files '*.cpp' '*.h' | xargs clang-format-19 --dry-run -Werror
