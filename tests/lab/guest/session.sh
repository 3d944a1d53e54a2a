#!/bin/bash
# Runs the command with its streams on the ports that the lab reads, leaves its status, and powers off.
port() { # the device of the port NAME
  local directory
  for directory in /sys/class/virtio-ports/*; do
    [[ $(<"$directory/name") != "$1" ]] || { echo "/dev/$(basename "$directory")"; return; }
  done
}

ulimit -Sn 1024
ulimit -Hn 1048576
. /lab/plan
if [[ $mode == shell ]]; then
  setsid -c -w bash /lab/command </dev/hvc0 >/dev/hvc0 2>&1
  status=$?
else
  # Pipes, because programs may open /dev/stdout again and a port opens once.
  exec {out}> >(exec cat >"$(port lab.stdout)")
  out_reader=$!
  exec {err}> >(exec cat >"$(port lab.stderr)")
  err_reader=$!
  setsid -w bash /lab/command </dev/null >&"$out" 2>&"$err" {out}>&- {err}>&-
  status=$?
  exec {out}>&- {err}>&-
  # What the command left in the background may hold the pipes: it is not waited for.
  for ((tries = 0; tries < 100; tries++)); do
    kill -0 "$out_reader" 2>/dev/null || kill -0 "$err_reader" 2>/dev/null || break
    sleep 0.02
  done
fi
echo "$status" >/lab/status.new
mv /lab/status.new /lab/status
echo o >/proc/sysrq-trigger
sleep 60
