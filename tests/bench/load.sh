#!/usr/bin/env bash
# What a request costs the load engine beside wrk, and by HTTP/2 beside h2load: processor time and throughput, in turns against one
# nginx. The generators are on one processor, nginx is on another one.
# Usage: load.sh [ROUNDS] [SECONDS]     five rounds of 5 s unless told otherwise
# $TRAMMEL is the program, build/release/bin/trammel unless it is set. Wants nginx, wrk and h2load (Debian: nginx-light, wrk,
# nghttp2-client). Exits 1 when a bar is missed (medians): at most 0.90 of wrk's processor time per request, at least its throughput;
# by HTTP/2 without TLS, at most 0.90 of h2load's with 8 connections of 8 streams, at most as much with 64 of one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trammel=${TRAMMEL:-$here/../../build/release/bin/trammel}
rounds=${1:-5}
seconds=${2:-5}
connections=64
[[ $rounds =~ ^[1-9][0-9]?$ && $seconds =~ ^[1-9][0-9]?$ ]] || { echo "load.sh: ROUNDS and SECONDS are from 1 to 99" >&2; exit 2; }
for program in nginx wrk h2load taskset jq; do
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

# Two ports of 127.0.0.1 that nobody has now.
read -r port port2 < <(python3 -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]; print(*[x.getsockname()[1] for x in s])')
url=http://127.0.0.1:$port/
url2=http://127.0.0.1:$port2/
mkdir "$scratch/www"
echo hello >"$scratch/www/index.html"
cat >"$scratch/nginx.conf" <<TEXT
daemon off; master_process off; pid $scratch/pid; error_log $scratch/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; open_file_cache max=10;
  client_body_temp_path $scratch/body; proxy_temp_path $scratch/proxy; fastcgi_temp_path $scratch/fastcgi;
  uwsgi_temp_path $scratch/uwsgi; scgi_temp_path $scratch/scgi;
  server { listen 127.0.0.1:$port; listen 127.0.0.1:$port2 http2; root $scratch/www; }
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
  printf '  %-11s %6.2f us per request, %9.1f requests per second\n' "$1" "$cost" "$rate"
}

median() {
  sort -g "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# ratio FILE FILE: of the medians.
ratio() {
  echo "scale=3; $(median "$scratch/$1") / $(median "$scratch/$2")" | bc -l
}

# http2 CONNECTIONS STREAMS: one turn of h2load and one of ours.
http2() {
  local took
  took=$(timed "$scratch/h2load" h2load -t1 -c"$1" -m"$2" -D"$seconds" "$url2")
  record "h2load-$1x$2" "$(awk '/^requests:/ { print $8 }' "$scratch/h2load")" "$took"
  took=$(timed "$scratch/trammel" "$trammel" perf run --url "$url2" --http2 --connections "$1" --streams "$2" --rate max --duration "${seconds}s" --threads 1 -o json)
  record "h2-$1x$2" "$(jq .completed "$scratch/trammel")" "$took"
}

for ((round = 1; round <= rounds; round++)); do
  echo "round $round"
  took=$(timed "$scratch/wrk" wrk -t1 -c$connections -d"${seconds}s" "$url")
  record wrk "$(awk '/requests in/ { print $1 }' "$scratch/wrk")" "$took"
  took=$(timed "$scratch/trammel" "$trammel" perf run --url "$url" --connections $connections --rate max --duration "${seconds}s" --threads 1 -o json)
  record trammel "$(jq .completed "$scratch/trammel")" "$took"
  http2 8 8
  http2 64 1
done
cost=$(ratio trammel.cost wrk.cost)
rate=$(ratio trammel.rate wrk.rate)
many=$(ratio h2-8x8.cost h2load-8x8.cost)
single=$(ratio h2-64x1.cost h2load-64x1.cost)
printf 'medians: processor time per request %.3f of wrk (bar: 0.90), throughput %.3f of wrk (bar: 1.00)\n' "$cost" "$rate"
printf 'medians: processor time per request by HTTP/2 %.3f of h2load with 8 x 8 (bar: 0.90), %.3f with 64 x 1 (bar: 1.00)\n' "$many" "$single"
[[ $(echo "$cost <= 0.90 && $rate >= 1 && $many <= 0.90 && $single <= 1" | bc -l) == 1 ]]
