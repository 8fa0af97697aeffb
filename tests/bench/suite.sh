#!/usr/bin/env bash
# How long the whole suite takes against the reference mesh, on a machine with nothing else to do, and the processor time in it.
# Usage: suite.sh [RUNS] [OPTION...]     five runs unless told otherwise; OPTIONs go to `trammel conformance run`
# $TRAMMEL is the program, build/release/bin/trammel unless it is set. Exits 1 when a run failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trammel=${TRAMMEL:-$here/../../build/release/bin/trammel}
runs=${1:-5}
shift || true
[[ $runs =~ ^[1-9][0-9]{0,2}$ ]] || { echo "suite.sh: RUNS is a number from 1 to 999, not '$runs'" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
export TRAMMEL_STATE_DIR=$scratch/state TIMEFORMAT='%R %U %S'

for ((i = 1; i <= runs; i++)); do
  { time "$trammel" conformance run -q "$@" >"$scratch/report" 2>&1; } 2>"$scratch/time" || { cat "$scratch/report" >&2; exit 1; }
  read -r wall user system <"$scratch/time"
  echo "run $i: $wall s, of processor time $user s in programs and $system s in the kernel"
  echo "$wall" >>"$scratch/walls"
done
sort -n "$scratch/walls" | awk '{ wall[NR] = $1 } END { printf "median %s s of %d runs, the slowest %s s\n", wall[int((NR + 1) / 2)], NR, wall[NR] }'
