# shellcheck shell=bash
# What the lab's tests share, on top of tests/lib/harness.sh.
lab_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab=$lab_tests/lab/lab

# require_lab MACHINE [OPTION...]: skips with the lab's own reason when this machine cannot run it.
require_lab() {
  local why
  why=$("$lab" prepare "$@" 2>&1)
  case $? in
    0) ;;
    69) skip "$(grep -v -E ': (reading|unpacking|making) ' <<<"$why" | head -1 | sed 's/^lab: //')" ;;
    *) echo "not ok - the $1 lab can be prepared: $why"; exit 1 ;;
  esac
}

# Options of the lab, and variables of the tests, that run_in_lab adds to its own; how long one machine may take.
lab_options=() lab_environment=() machine_limit=2300

# run_in_lab TEST...: the tests in one boot, each a line of results; fails when one does. A machine that dies, as an
# emulated one can, is started again for the tests that are left; twice at the same one is that test's failure.
run_in_lab() {
  local results=$work/results deadline=$((SECONDS + 2400)) died_at='' code=0 left limit
  : >"$results"
  # The tests that have no result yet.
  without_result() { printf '%s\n' "$@" | grep -vxF -f <(sed -nE 's/^(ok|not ok|skip) - ([a-z_]+\/[a-z_]+).*/\2/p' "$results"); }
  while mapfile -t left < <(without_result "$@") && ((${#left[@]})); do
    limit=$((deadline - SECONDS < machine_limit ? deadline - SECONDS : machine_limit))
    "$lab" run x86 "${lab_options[@]}" --timeout $limit -- \
      env TRINE_TEST_LIMIT=900 TRINE_BUILD="$build" TRINE_TEST_SCALE=20 "${lab_environment[@]}" \
      bash "$lab_tests/lab/guest/batch.sh" "${left[@]}" | tee -a "$results"
    code=${PIPESTATUS[0]}
    mapfile -t left < <(without_result "$@")
    ((code == 125 || code == 124)) && ((SECONDS < deadline && ${#left[@]})) && [[ ${left[0]} != "$died_at" ]] || break
    died_at=${left[0]}
    echo "the machine ended in $died_at: once more, in another"
  done
  ((code == 0)) || echo "not ok - the lab ended with $code"
  ! grep -q '^not ok - ' "$results" && ((code == 0))
}

# take_cloud_kernel: Debian's cloud kernel as its package has it, which is what `trine kernel import` takes; sets
# $guest_kernel. The lab unpacks it. It cannot boot from it, which it says after that: it has no 9p.
take_cloud_kernel() {
  local kernels=${XDG_CACHE_HOME:-$HOME/.cache}/trine-lab/kernels name version unpacked release
  "$lab" prepare x86 --kernel linux-image-cloud-amd64 >/dev/null 2>&1
  [[ -s $kernels/linux-image-cloud-amd64.amd64 ]] || skip "cannot download linux-image-cloud-amd64"
  read -r name version <"$kernels/linux-image-cloud-amd64.amd64"
  unpacked=$kernels/${name}_$version
  [[ -s $unpacked/release ]] || skip "cannot unpack $name"
  release=$(<"$unpacked/release")
  guest_kernel=$work/kernel
  mkdir -p "$guest_kernel/boot" "$guest_kernel/lib"
  cp "$unpacked/kernel" "$guest_kernel/boot/vmlinuz-$release"
  cp -r "$unpacked/modules/lib/modules" "$guest_kernel/lib/"
}

# run_guests_in_lab TEST...: the tests on a machine that runs guests, with $guest_kernel, which is $work/kernel or in it;
# ends the script. That machine has what they need: they may not be skipped.
run_guests_in_lab() {
  local code=0 test
  lab_options=(--guests --share "$work/kernel") lab_environment=(TRINE_TEST_KERNEL="$guest_kernel" TRINE_TEST_SLOW_GUESTS=yes) machine_limit=1300
  run_in_lab "$@" || code=1
  for test in "$@"; do
    grep -q "^ok - $test " "$work/results" || { echo "not ok - $test did not pass"; code=1; }
  done
  exit $code
}
