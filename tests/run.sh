#!/usr/bin/env bash
# Installs what is needed, builds, and runs the tests.
#
#   tests/run.sh                all tiers
#   tests/run.sh unit lint      some of: unit asan lint integration conformance attacks fuzz lab
#
# A test that cannot run on this machine says `skipped: why` and is counted as skipped. The last line is ctest's line
# of totals; the exit code is 0 when nothing failed. Needs neither a terminal nor an input.
set -euo pipefail
exec </dev/null
cd "$(dirname "$0")/.."
# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh

all_tiers=(unit asan lint integration conformance attacks fuzz lab)
tiers=("$@")
((${#tiers[@]})) || tiers=("${all_tiers[@]}")
for tier in "${tiers[@]}"; do
  [[ " ${all_tiers[*]} " == *" $tier "* ]] || { echo "tests/run.sh: there is no tier $tier (${all_tiers[*]})" >&2; exit 2; }
done
wants() { [[ " ${tiers[*]} " == *" $1 "* ]]; }

install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}"
if wants lint; then install_packages "${lint_packages[@]}"; fi
if wants fuzz; then install_packages "${fuzz_packages[@]}"; fi
if wants lab; then install_packages "${lab_packages[@]}" || echo "the lab will say what it lacks"; fi

cmake --preset release -DTRINE_TESTS=ON >/dev/null
cmake --build --preset release
if wants asan; then
  cmake --preset asan >/dev/null
  cmake --build --preset asan --target unit_tests
fi

labels=$(IFS='|'; echo "${tiers[*]}")
status=0
ctest --test-dir build/release --parallel "$(nproc)" --label-regex "^($labels)\$" --output-on-failure --no-tests=error --output-log build/tests.log ||
  status=$?
# What the lab ran in one boot, script by script: to ctest it is one test.
if wants lab; then grep -hE '^(ok|not ok|skip) - [a-z]+/' build/release/Testing/Temporary/LastTest.log || true; fi
# The reasons for what was skipped, then the totals again: ctest prints its lists after them.
grep -rhoE 'skipped: .*' build/release/Testing/Temporary/LastTest.log | sort | uniq -c || true
grep -E 'tests passed, .* out of' build/tests.log
exit $status
