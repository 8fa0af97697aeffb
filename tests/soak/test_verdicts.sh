#!/bin/sh
# verdicts.py finds each kind of wrong verdict, and nothing else. Usage: test_verdicts.sh TREE
set -eu
tree=${1:?usage: test_verdicts.sh TREE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# report NAME INTERRUPTED CASE...: each CASE is a JSON object's members.
report() {
  name=$1 interrupted=$2
  shift 2
  cases=
  for case in "$@"; do
    cases=${cases:+$cases,}'{"column":{"label":"v1"},'"$case"'}'
  done
  printf '{"interrupted":%s,"durationNs":1500000000,"cases":[%s]}\n' "$interrupted" "$cases" >"$work/$name.json"
}

# expect CODE TEXT ARGUMENT...: what verdicts.py exits with and says.
expect() {
  code=$1 text=$2
  shift 2
  got=0
  said=$(cd "$work" && python3 "$tree/tests/soak/verdicts.py" "$@" 2>&1) || got=$?
  case $said in *"$text"*) ;; *) got="$got, without '$text'" ;; esac
  [ "$got" = "$code" ] || { echo "verdicts.py $*: exit $got instead of $code: $said"; failed=1; }
}

a='"id":"a","outcome":"passed"'
b='"id":"b","outcome":"informative","held":false'
report reference false "$a" "$b"
report same false "$b" "$a"
report fails false '"id":"a","outcome":"failed","reason":"why"' "$b"
report errs false '"id":"a","outcome":"error","reason":"why"' "$b"
report holds false "$a" '"id":"b","outcome":"informative","held":true'
report misses false "$a"
report more false "$a" "$b" '"id":"c","outcome":"skipped"'
report cut true "$a" "$b"
: >"$work/empty.json"

expect 0 'same.json: 1.5 s, 0 wrong' reference.json same.json
expect 1 'a v1: failed: why' reference.json fails.json
expect 1 'a v1: error: why' reference.json errs.json
expect 1 'b v1: informative, held: True' reference.json holds.json
expect 1 'b v1: it is missing' reference.json misses.json
expect 1 'c v1: skipped' reference.json more.json
expect 1 'no complete report' reference.json cut.json
expect 1 'no complete report' reference.json empty.json
expect 1 'no complete report' reference.json absent.json
expect 0 '2 runs of 2 verdicts under load, 0 wrong; seconds: median 1.5, slowest 1.5' --summary reference.json same.json same.json
expect 1 '2 runs of 2 verdicts under load, 1 wrong' --summary reference.json same.json fails.json
expect 1 'the reference run has wrong verdicts itself' fails.json same.json
expect 1 'the reference run has no complete report' empty.json same.json
exit "$failed"
