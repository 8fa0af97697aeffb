#!/bin/sh
# docs/statistics.md holds what the simulations measure now. Usage: statistics.sh TREE PROGRAM [update]
set -eu
page=${1:?usage: statistics.sh TREE PROGRAM [update]}/docs/statistics.md
program=${2:?usage: statistics.sh TREE PROGRAM [update]}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" >"$work/measured"
sed -n '/^<!-- split-simulation: begin -->$/,/^<!-- split-simulation: end -->$/p' "$page" | grep -v '^<!--' >"$work/shown" || true
[ -s "$work/shown" ] || { echo "$page has no measured numbers"; exit 1; }
[ -s "$work/measured" ] || { echo "$program measured nothing"; exit 1; }
if [ "${3-}" = update ]; then
  sed -e '/^<!-- split-simulation: begin -->$/r '"$work/measured" \
    -e '/^<!-- split-simulation: begin -->$/,/^<!-- split-simulation: end -->$/{/^<!--/!d}' "$page" >"$work/page"
  cat "$work/page" >"$page"
  exit
fi
diff -u "$work/shown" "$work/measured" || {
  echo "docs/statistics.md shows other numbers than $program prints; tests/docs/statistics.sh TREE PROGRAM update puts them in"
  exit 1
}
