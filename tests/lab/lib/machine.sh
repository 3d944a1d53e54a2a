# shellcheck shell=bash
# The machine that QEMU is told to build.

# share_arguments ID DIRECTORY [OPTION]: a directory of the build machine as a 9p device with the tag ID.
share_arguments() {
  local model=passthrough
  [[ $(id -u) == 0 ]] || model=none # an ordinary user's QEMU cannot give files away
  arguments+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=$model,multidevs=remap${3:+,$3}")
  arguments+=(-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

# qemu_arguments RUN MODE: fills $arguments. RUN holds the pipes `stdout` and `stderr` and the directory `control`.
qemu_arguments() {
  local run=$1 mode=$2 index kernel_words=()
  arguments=(-nodefaults -no-user-config -nographic -no-reboot -m "$memory" "${machine_arguments[@]}")
  if [[ $icount == yes ]]; then
    arguments+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -rtc "base=utc,clock=vm" -smp 1)
    # An idle processor would skip to its next timer while this machine reads a file: let it count on instead.
    kernel_words+=(idle=poll)
  else
    arguments+=(-accel "tcg,thread=multi" -smp "$cpus")
  fi
  # QEMU 7.2 sets and clears a processor's pending interrupts without a lock when a guest is entered and left. One that
  # gets lost meanwhile is found again with the next that comes; a timer that is set anew each time it fires may have been
  # the last, and the machine would stand still. With two processors one's call to the other gets lost as well.
  [[ $guests == no ]] || kernel_words+=(nohz=off highres=off)
  # Software emulation can leave the processors waiting for one another for ever: then end, with the traces on the
  # console, instead of spinning until the time limit. A busy build machine delays them by some tens of seconds.
  kernel_words+=(softlockup_panic=1 watchdog_thresh=30)
  arguments+=(-kernel "$kernel/kernel" -initrd "$initramfs" -append "$kernel_options panic=-1 quiet ${kernel_words[*]}")
  arguments+=(-chardev "file,id=console,path=$run/console" -serial chardev:console -monitor none)
  # The command's streams have ports of their own, so that nothing of the console gets in.
  arguments+=(-device virtio-serial-pci)
  if [[ $mode == shell ]]; then
    arguments+=(-chardev "stdio,id=terminal,signal=off" -device "virtconsole,chardev=terminal,name=lab.terminal")
  else
    for index in stdout stderr; do
      arguments+=(-chardev "file,id=$index,path=$run/$index,append=on" -device "virtserialport,chardev=$index,name=lab.$index")
    done
  fi
  arguments+=(-object "rng-random,id=random,filename=/dev/urandom" -device "virtio-rng-pci,rng=random")
  arguments+=(-drive "if=none,id=disk,format=raw,cache=unsafe,file=$run/disk" -device "virtio-blk-pci,drive=disk,serial=scratch")
  share_arguments control "$run/control"
  share_arguments root "$root_directory" readonly=on
  share_arguments modules "$kernel/modules/lib/modules/$release" readonly=on
  share_arguments checkout "$checkout" readonly=on
  for index in "${!shares[@]}"; do share_arguments "share$index" "${shares[index]}"; done
}

# write_plan CONTROL MODE: what the guest is to do, as the shell variables that guest/init.sh reads.
write_plan() {
  local control=$1 mode=$2 index
  {
    printf 'mode=%q\nrelease=%q\nsystemd=%q\ncheckout=%q\n' "$mode" "$release" "$systemd" "$checkout"
    printf 'shares=%q\n' "${#shares[@]}"
    for index in "${!shares[@]}"; do printf 'share%d=%q\n' "$index" "${shares[index]}"; done
  } >"$control/plan"
  if [[ $mode == command ]]; then
    printf 'cd -- %q 2>/dev/null || cd /\nexec' "$PWD"
    printf ' %q' "${command[@]}"
    echo
  else
    printf 'cd -- %q 2>/dev/null || cd /\nstty %s\nTERM=%q exec bash -l\n' "$PWD" "$(stty size | awk '{print "rows", $1, "cols", $2}')" "${TERM:-dumb}"
  fi >"$control/command"
  cp "$lab_dir"/guest/*.sh "$control/"
}
