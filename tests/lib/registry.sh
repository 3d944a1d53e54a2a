# shellcheck shell=bash
# Registries for tests, on loopback, in the script's own directory. Sourced behind harness.sh. All are stopped when
# the script ends.

servers=()
stop_servers() {
  local pid
  for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || :; done
  wait "${servers[@]}" 2>/dev/null || :
  servers=()
}
trap '[[ $BASHPID != "$$" ]] || stop_servers; cleanup' EXIT

# start_registry NAME [LINE_OF_CONFIGURATION [MORE_OF_HTTP]]: Debian's docker-registry; "host:port" is in $registry then, its log
# in $work/NAME.log and its process in $registry_pid.
start_registry() {
  local name=$1
  mkdir -p "$work/$name"
  : >"$work/$name.log"
  cat >"$work/$name.yml" <<EOF
version: 0.1
log: {level: info, formatter: text}
storage: {filesystem: {rootdirectory: $work/$name}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"${3:-}}
${2:-}
EOF
  # It takes variables called REGISTRY_… for parts of its configuration.
  env -u REGISTRY_AUTH_FILE docker-registry serve "$work/$name.yml" >>"$work/$name.log" 2>&1 &
  registry_pid=$!
  servers+=("$registry_pid")
  wait_until grep -q 'listening on' "$work/$name.log" || { echo "not ok - docker-registry does not start"; cat "$work/$name.log"; exit 1; }
  registry=localhost:$(grep -o 'listening on [0-9.:]*' "$work/$name.log" | grep -o '[0-9]*$')
}

# start_bad_registry: tests/lib/bad_registry.py; "host:port" is in $bad, its requests in $work/bad.log.
start_bad_registry() {
  : >"$work/bad.log"
  python3 "$(dirname "${BASH_SOURCE[0]}")/bad_registry.py" "$work/bad.log" >"$work/bad.port" &
  servers+=($!)
  wait_until test -s "$work/bad.port" || { echo "not ok - the lying registry does not start"; exit 1; }
  bad=localhost:$(<"$work/bad.port")
}
