#!/bin/sh
# README.md shows how a run ends in which nothing failed. Usage: demo_output.sh TREE
set -eu
page=${1:?usage: demo_output.sh TREE}/README.md

block=$(sed -n '/^<!-- demo-output: begin -->$/,/^<!-- demo-output: end -->$/p' "$page" | grep -v -e '^<!--' -e '^```') || true
[ -n "$block" ] || { echo "$page: the demo's output is empty"; exit 1; }
printf '%s\n' "$block" | grep -q '^Conformance: suite ' || { echo "$page: the demo's output lacks its head"; exit 1; }
printf '%s\n' "$block" | grep -q '^[1-9][0-9]* passed, 0 failed, 0 not judged' ||
  { echo "$page: the demo's output has no line 'N passed, 0 failed'"; exit 1; }
