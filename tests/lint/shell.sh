#!/usr/bin/env bash
# Scripts pass shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || { echo "skipped: shellcheck is not installed"; exit 77; }
git ls-files '*.sh' .ci/run tests/lab/lab | xargs shellcheck -x -S warning -e SC1091,SC2154,SC2034,SC2054
