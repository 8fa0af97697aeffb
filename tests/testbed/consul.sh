#!/usr/bin/env bash
# A real Consul for tests: see docs/testbed.md, or `consul.sh help`.
# shellcheck disable=SC2154 # variables of the parts
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly here
for part in common debian instance; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
readonly consul_version=1.8.7
readonly consul_folder=$testbed_cache/consul-$consul_version
readonly consul=$consul_folder/usr/bin/consul

usage() {
  cat <<'TEXT'
Usage: consul.sh COMMAND

  fetch                puts Consul 1.8.7, a package of Debian 11, into the cache
  path                 prints the path of the program
  start [OPTION...]    an agent on a loopback address of its own, which denies what no token allows; prints its URL
  stop DIR             ends it, and removes the folder

Options of start:
  --dir DIR        the folder of the instance, which must be empty or new (default: a new one in $TMPDIR or /tmp)
  --parent PID     it ends with this process
  --limit SECONDS  it ends after this time at the latest (default: 7200)

In DIR: url, and token, which may do everything. Ends with 77 when Consul is not in the cache.
TEXT
}

consul_fetch() {
  [[ -x $consul ]] || debian_unpack bullseye "$consul_folder" consul
}

consul_configuration() {
  cat <<JSON
{"bind_addr": "$address", "client_addr": "$address", "connect": {"enabled": true}, "disable_update_check": true,
 "acl": {"enabled": true, "default_policy": "deny", "tokens": {"master": "$1", "agent": "$1"}},
 "ports": {"http": 8500, "grpc": 8502, "server": 8300, "serf_lan": 8301, "serf_wan": -1, "dns": -1}}
JSON
}

# There is a leader, it knows the token, and it has an authority to sign with.
consul_is_ready() {
  servers_live || exit
  consul_get acl/token/self && consul_get connect/ca/roots | grep -q BEGIN
}

consul_get() {
  curl -sf --noproxy '*' -H "X-Consul-Token: $(cat "$dir/token")" "$(cat "$dir/url")/v1/$1"
}

# consul_supervise DIR PARENT STARTED LIMIT
consul_supervise() {
  dir=$1
  trap instance_finish EXIT
  trap 'exit 1' INT TERM HUP
  free_address
  cat /proc/sys/kernel/random/uuid >"$dir/token"
  printf 'http://%s:8500\n' "$address" >"$dir/url"
  consul_configuration "$(cat "$dir/token")" >"$dir/agent.json"
  server_start consul "$consul" agent -dev -config-file "$dir/agent.json"
  wait_for 60 Consul consul_is_ready || exit
  : >"$dir/ready"
  supervise "$2" "$3" "$4"
}

instance_command() {
  note "an agent does not know '$1'"
}

consul_start() {
  require_commands util-linux=setpriv curl=curl
  [[ -x $consul ]] || missing "Consul is not there; ./bootstrap test-cluster fetches it, once"
  start_options "$@"
  instance_start "$dir" "$parent" "$limit" 90 "$here/consul.sh" supervise
  cat "$dir/url"
}

verb=${1:-help}
shift || true
case $verb in
fetch) with_lock consul consul_fetch ;;
path) printf '%s\n' "$consul" ;;
start) consul_start "$@" ;;
supervise) consul_supervise "$@" ;;
stop) instance_stop "$(realpath "${1:?which folder?}")" ;;
help | -h | --help) usage ;;
*) die "unknown command '$verb'; see $0 help" ;;
esac
