# An instance of a server or a cluster: a folder, and a supervisor that owns everything in it. The supervisor ends when it
# is told to, when its parent ends, after a time limit, or when one of its servers ends; then it ends the others and removes
# the folder. The kernel ends the servers of a supervisor that is killed. So nothing has to be searched for by name, and any
# number can run side by side.
#
#   DIR/supervisor.pid   its process
#   DIR/NAME.pid         a server's process; its output is in DIR/log/NAME
#   DIR/control          a pipe that takes a command a line: "stop", or what the instance knows
#   DIR/ready            there as soon as the instance can be used
# shellcheck shell=bash disable=SC2154 # variables of the other parts

declare -A servers=() # name to process, of those that this supervisor runs

# start_time PID: when this process was started, in the kernel's ticks; fails when there is none, or only its exit code.
start_time() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] && printf '%s\n' "${fields[19]}"
}

# instance_lives DIR
instance_lives() {
  local pid
  pid=$(cat "$1/supervisor.pid" 2>/dev/null) || return
  grep -qzF -- "$1" "/proc/$pid/cmdline" 2>/dev/null
}

# instance_tell DIR LINE
instance_tell() {
  [[ -p $1/control ]] && printf '%s\n' "$2" 1<>"$1/control"
}

# instance_logs DIR: the ends of all logs, for when something did not come up.
instance_logs() {
  local log
  for log in "$1"/log/*; do
    [[ ! -s $log ]] || printf -- '---- %s\n%s\n' "${log##*/}" "$(tail -n 15 "$log")" >&2
  done
}

# The options of `start`, into $dir, $parent and $limit.
start_options() {
  dir='' parent=0 limit=7200
  while (($# > 0)); do
    case $1 in
    --dir) dir=$2 ;;
    --parent) parent=$2 ;;
    --limit) limit=$2 ;;
    *) die "unknown option '$1'; see $0 help" ;;
    esac
    shift 2
  done
  if [[ -z $dir ]]; then
    dir=$(mktemp -d "${TMPDIR:-/tmp}/trammel-testbed.XXXXXX")
  fi
  mkdir -p "$dir"
  dir=$(realpath "$dir")
  [[ -z $(ls -A "$dir") ]] || die "the folder $dir is not empty"
}

# instance_start DIR PARENT LIMIT SECONDS COMMAND...: runs the supervisor COMMAND DIR PARENT STARTED LIMIT, in a session of its
# own, and waits SECONDS for DIR/ready. PARENT 0: none.
instance_start() {
  local dir=$1 parent=$2 limit=$3 seconds=$4 started=0 pid
  shift 4
  if ((parent > 0)); then
    started=$(start_time "$parent") || die "there is no process $parent"
  fi
  mkdir -p "$dir/log"
  rm -f "$dir/control"
  mkfifo "$dir/control"
  setsid "$@" "$dir" "$parent" "$started" "$limit" >"$dir/log/supervisor" 2>&1 </dev/null &
  pid=$!
  printf '%s\n' "$pid" >"$dir/supervisor.pid"
  if ! wait_for "$seconds" "${dir##*/}" ended_or_ready "$dir" "$pid" || [[ ! -e $dir/ready ]]; then
    instance_logs "$dir"
    instance_stop "$dir"
    return 1
  fi
}

ended_or_ready() {
  [[ -e $1/ready ]] || ! kill -0 "$2"
}

# instance_stop DIR: ends it and waits until nothing is left.
instance_stop() {
  local dir=$1 pid
  if instance_lives "$dir"; then
    pid=$(cat "$dir/supervisor.pid") || return 0
    instance_tell "$dir" stop
    if ! wait_for 40 "the end of $dir" server_gone "$pid"; then
      kill -KILL "$pid" 2>/dev/null || true
    fi
  fi
  rm -rf "$dir"
}

# server_start NAME COMMAND...: in the supervisor, whose $dir is the instance's. The kernel ends it when the supervisor ends.
server_start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL -- "$@" >>"$dir/log/$name" 2>&1 </dev/null &
  servers[$name]=$!
  printf '%s\n' "$!" >"$dir/$name.pid"
}

# server_stop NAME: asks it to end, and makes it after five seconds.
server_stop() {
  local name=$1 pid=${servers[$1]:-}
  [[ -n $pid ]] || return 0
  unset "servers[$name]"
  kill -TERM "$pid" 2>/dev/null || true
  wait_for 5 "the end of $name" server_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

server_gone() {
  ! start_time "$1"
}

servers_live() {
  local name
  for name in "${!servers[@]}"; do
    if ! kill -0 "${servers[$name]}" 2>/dev/null; then
      note "$name has ended"
      return 1
    fi
  done
}

# supervise PARENT STARTED LIMIT: returns when it is time to end. Other commands than "stop" go to the function instance_command.
supervise() {
  local parent=$1 started=$2 end=$((SECONDS + $3)) line
  while ((SECONDS < end)) && servers_live; do
    if ((parent > 0)) && [[ $(start_time "$parent") != "$started" ]]; then
      return
    fi
    if read -rt 0.5 line; then
      [[ $line != stop ]] || return 0
      instance_command "$line" || return 0
    fi
  done <>"$dir/control"
}

# The supervisor's trap for its end.
instance_finish() {
  local name
  trap - EXIT
  trap '' INT TERM HUP
  for name in "${!servers[@]}"; do
    kill -TERM "${servers[$name]}" 2>/dev/null || true
  done
  for name in "${!servers[@]}"; do
    server_stop "$name"
  done
  instance_remove
}

# What the supervisor does last. Of an instance that did not come up the logs stay, for who waits for it.
instance_remove() {
  if [[ -e $dir/ready ]]; then
    rm -rf "$dir"
  else
    find "$dir" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf {} +
  fi
}

# free_address: a loopback address that no other instance of this cache has, into $address. The lock on it goes with the supervisor.
# Labs of Trammel use 127.64.0.0 to 127.250.255.255.
free_address() {
  local try
  mkdir -p "$testbed_cache/addresses"
  for try in {1..50}; do
    address=127.32.$((RANDOM % 256)).$((1 + RANDOM % 254))
    exec {address_lock}>"$testbed_cache/addresses/$address"
    flock -n "$address_lock" && return
    exec {address_lock}>&-
  done
  die "no loopback address is free after $try tries"
}
