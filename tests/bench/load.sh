#!/usr/bin/env bash
# What a request costs the load engine beside wrk: processor time and throughput, in turns against one nginx. The generators are on
# one processor, nginx is on another one.
# Usage: load.sh [ROUNDS] [SECONDS]     five rounds of 5 s unless told otherwise
# $TRAMMEL is the program, build/release/bin/trammel unless it is set. Wants nginx and wrk (Debian: nginx-light, wrk). Exits 1 when
# a bar is missed: at most 0.90 of wrk's processor time per request, at least its throughput (medians).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trammel=${TRAMMEL:-$here/../../build/release/bin/trammel}
rounds=${1:-5}
seconds=${2:-5}
connections=64
[[ $rounds =~ ^[1-9][0-9]?$ && $seconds =~ ^[1-9][0-9]?$ ]] || { echo "load.sh: ROUNDS and SECONDS are from 1 to 99" >&2; exit 2; }
for program in nginx wrk taskset jq; do
  command -v "$program" >/dev/null || { echo "load.sh: $program is not installed" >&2; exit 77; }
done
(($(nproc) > 1)) || { echo "load.sh: wants two processors" >&2; exit 77; }

scratch=$(mktemp -d)
nginx=
finish() {
  [[ -z $nginx ]] || kill "$nginx" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# A port of 127.0.0.1 that nobody has now.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port/
mkdir "$scratch/www"
echo hello >"$scratch/www/index.html"
cat >"$scratch/nginx.conf" <<TEXT
daemon off; master_process off; pid $scratch/pid; error_log $scratch/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; open_file_cache max=10;
  client_body_temp_path $scratch/body; proxy_temp_path $scratch/proxy; fastcgi_temp_path $scratch/fastcgi;
  uwsgi_temp_path $scratch/uwsgi; scgi_temp_path $scratch/scgi;
  server { listen 127.0.0.1:$port; root $scratch/www; }
}
TEXT
taskset -c 1 nginx -c "$scratch/nginx.conf" 2>"$scratch/nginx.log" &
nginx=$!
for ((i = 0; i < 100; i++)); do
  ! curl -sf --noproxy '*' "$url" >/dev/null || break
  kill -0 "$nginx" 2>/dev/null || { cat "$scratch/nginx.log" >&2; exit 1; }
  sleep 0.1
done

# timed OUT COMMAND...: its output goes to OUT; says how much processor time it took, in seconds.
timed() {
  local out=$1 TIMEFORMAT='%U %S' user system
  shift
  { time taskset -c 0 "$@" >"$out" 2>"$out.err"; } 2>"$scratch/time" || { cat "$out.err" >&2; return 1; }
  read -r user system <"$scratch/time"
  echo "$user + $system" | bc -l
}

# record NAME REQUESTS PROCESSOR_SECONDS: microseconds per request, and requests per second.
record() {
  local cost rate
  cost=$(echo "scale=4; $3 * 1000000 / $2" | bc -l)
  rate=$(echo "scale=1; $2 / $seconds" | bc -l)
  echo "$cost" >>"$scratch/$1.cost"
  echo "$rate" >>"$scratch/$1.rate"
  printf '  %-8s %6.2f us per request, %9.1f requests per second\n' "$1" "$cost" "$rate"
}

median() {
  sort -g "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

for ((round = 1; round <= rounds; round++)); do
  echo "round $round"
  took=$(timed "$scratch/wrk" wrk -t1 -c$connections -d"${seconds}s" "$url")
  record wrk "$(awk '/requests in/ { print $1 }' "$scratch/wrk")" "$took"
  took=$(timed "$scratch/trammel" "$trammel" perf run --url "$url" --connections $connections --rate max --duration "${seconds}s" --threads 1 -o json)
  record trammel "$(jq .completed "$scratch/trammel")" "$took"
done
cost=$(echo "scale=3; $(median "$scratch/trammel.cost") / $(median "$scratch/wrk.cost")" | bc -l)
rate=$(echo "scale=3; $(median "$scratch/trammel.rate") / $(median "$scratch/wrk.rate")" | bc -l)
printf 'medians: processor time per request %.3f of wrk (bar: 0.90), throughput %.3f of wrk (bar: 1.00)\n' "$cost" "$rate"
[[ $(echo "$cost <= 0.90 && $rate >= 1" | bc -l) == 1 ]]
