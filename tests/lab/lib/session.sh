# shellcheck shell=bash
# One life of a machine: start, stream, end. Nothing of it outlives the lab, however the lab ends.

# tied COMMAND... &: started by the lab and ended with it, even by SIGKILL. The parent may have died before the request took effect.
tied() {
  exec setpriv --pdeathsig KILL bash -c '[[ $PPID == "$0" ]] || exit; exec "$@"' $$ "$@"
}

sweep_runs() { # what labs that were killed left behind: no one holds their locks any more
  local run
  for run in "$cache"/runs/*/; do
    [[ -d $run ]] || continue
    (flock -n "$lock" && rm -rf "$run") {lock}>"$run/lock" 2>/dev/null || :
  done
}

end_run() {
  local pid
  for pid in $(jobs -p); do
    kill -KILL "$pid" || :
    wait "$pid" || :
  done 2>/dev/null
  rm -rf "$run"
}

show_tail() {
  echo "lab: the console's last lines:" >&2
  tr -d '\r' <"$run/console" | sed $'s/\x1b\\[[0-9;?]*[A-Za-z]//g; s/\x1bc//g' | grep -v '^ *$' | tail -n 30 | sed 's/^/  | /' >&2
}

# run_machine MODE: exits with the command's code.
run_machine() {
  local mode=$1 ended readers=() run_lock
  sweep_runs
  run=$(mktemp -d "$cache/runs/XXXXXX")
  exec {run_lock}>"$run/lock"
  flock "$run_lock"
  trap end_run EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  mkdir "$run/control"
  # A disk with a file system that can be an overlay's upper layer and carry limits, as the root of the lab cannot.
  truncate -s 16G "$run/disk"
  mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0,nodiscard "$run/disk" 2>"$run/mke2fs" ||
    lack "cannot make a disk for the machine in $run: $(tail -1 "$run/mke2fs")" "is the disk full?"
  : >"$run/console"
  checkout=$(cd "$lab_dir/../.." && pwd)
  write_plan "$run/control" "$mode"
  qemu_arguments "$run" "$mode"
  if [[ $mode == command ]]; then
    mkfifo "$run/stdout" "$run/stderr"
    cat "$run/stdout" & readers+=($!)
    cat "$run/stderr" >&2 & readers+=($!)
  else
    terminal=$(stty -g)
    trap 'stty "$terminal"; end_run' EXIT
    stty raw -echo
  fi
  if [[ $verbose == yes ]]; then tied tail -f "$run/console" >&2 & fi
  exec {keyboard}<&0
  [[ $mode == shell ]] || exec {keyboard}</dev/null
  tied "$qemu" "${arguments[@]}" <&"$keyboard" 2>"$run/emulator" &
  emulator=$!
  clock=
  if [[ -n $limit ]]; then tied sleep "$limit" & clock=$!; fi
  wait -n -p ended "$emulator" ${clock:+"$clock"} || :
  if [[ $ended == "$clock" && ! -s $run/control/status ]]; then
    { kill -KILL "$emulator" && wait "$emulator" "${readers[@]}"; } 2>/dev/null || :
    note "the time limit of $limit s ended the machine"
    show_tail
    exit 124
  fi
  [[ $mode == shell ]] || wait "${readers[@]}" || :
  if [[ ! -s $run/control/status ]]; then
    [[ ! -s $run/emulator ]] || sed 's/^/lab: /' "$run/emulator" >&2
    show_tail
    broken "the machine ended before the command did"
  fi
  exit "$(<"$run/control/status")"
}
