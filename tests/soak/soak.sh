#!/usr/bin/env bash
# Runs the whole suite many times in a row on a machine that is kept busy, and says whether any verdict was wrong. A verdict is
# wrong that is not "passed", and for an informative case one that differs from that of a first run without load.
# Usage: soak.sh [-d DIR] RUNS [OPTION...]     DIR keeps the reports; OPTIONs go to `trammel conformance run`
# $TRAMMEL is the program, build/release/bin/trammel unless it is set. Exits 1 when a verdict was wrong or a run failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trammel=${TRAMMEL:-$here/../../build/release/bin/trammel}
directory=
if [[ ${1-} == -d ]]; then
  directory=${2:?-d wants a directory}
  shift 2
fi
runs=${1:?usage: soak.sh [-d DIR] RUNS [OPTION...]}
shift
[[ $runs =~ ^[1-9][0-9]{0,4}$ ]] || { echo "soak.sh: RUNS is a number from 1 to 99999, not '$runs'" >&2; exit 2; }

busy=()
scratch=$(mktemp -d)
finish() {
  ((${#busy[@]} == 0)) || kill "${busy[@]}" 2>/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
directory=${directory:-$scratch/reports}
mkdir -p "$directory"
export TRAMMEL_STATE_DIR=$scratch/state

# run_once NAME OPTION...: its report is DIR/NAME.json; what it says otherwise, DIR/NAME.log. A run that hangs is ended.
run_once() {
  local name=$1
  shift
  rm -f "$directory/$name.json"
  timeout --kill-after=30 1800 "$trammel" conformance run -q -o "json=$directory/$name.json" "$@" >"$directory/$name.log" 2>&1 || true
}

run_once reference "$@"
for ((i = 0; i < $(nproc); i++)); do
  (while :; do :; done) &
  busy+=($!)
done
for ((i = 1; i <= runs; i++)); do
  run_once "run-$i" "$@"
  python3 "$here/verdicts.py" "$directory/reference.json" "$directory/run-$i.json" || true
done
names=()
for ((i = 1; i <= runs; i++)); do
  names+=("$directory/run-$i.json")
done
python3 "$here/verdicts.py" --summary "$directory/reference.json" "${names[@]}"
