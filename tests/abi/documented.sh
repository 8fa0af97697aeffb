#!/bin/sh
# What docs/abi.md names as enforcing a rule is there. Of each row of its table, the second column names at least one thing
# in backticks, and each of these is
# - after the word "broken", up to a semicolon: an adapter in tests/broken-adapters/, which is built and scanned;
# - with a slash: a file or folder of the tree;
# - with .c or .sh at its end: a file below tests/, which a CMakeLists.txt there names;
# - otherwise: a word of the tests, of their CMakeLists.txt (a test that ctest knows) or of cmake/, or the beginning of one
#   when it ends with "…".
# Usage: documented.sh TREE
set -eu

tree=${1:?usage: documented.sh TREE}
page=$tree/docs/abi.md
missing=0
looked=0

# "row NUMBER", then "broken NAME" or "name NAME", one a line.
list() {
  awk -F ' [|] ' '
    /^\| *rule *\| *enforced by *\|/ { table = 1; next }
    table && /^\|-/ { next }
    table && !/^\|/ { table = 0 }
    table {
      print "row", NR
      column = $2
      count = split(column, part, ";")
      for (i = 1; i <= count; i++) {
        kind = "name"
        pieces = split(part[i], piece, "`")
        for (j = 1; j <= pieces; j++) {
          if (j % 2 == 1) { if (piece[j] ~ /broken/) kind = "broken" }
          else print kind, piece[j]
        }
      }
    }' "$page"
}

gone() {
  echo "docs/abi.md, line $row: $1. Say what enforces the rule now."
  missing=$((missing + 1))
}

broken() {
  if [ ! -f "$tree/tests/broken-adapters/$1.c" ]; then
    gone "there is no tests/broken-adapters/$1.c"
  elif ! grep -q -w -e "$1" "$tree/tests/broken-adapters/CMakeLists.txt"; then
    gone "tests/broken-adapters/$1.c is not built"
  fi
}

word() {
  case $1 in
  *…) pattern="\\b${1%…}" ;;
  [a-zA-Z_0-9]*[!a-zA-Z_0-9]* | -*) pattern=$(printf '%s' "$1" | sed 's/[][\.*^$]/\\&/g') ;;
  *) pattern="\\b$1\\b" ;;
  esac
  grep -r -q --include='*.[ch]' --include='*.sh' --include=CMakeLists.txt --include='*.cmake' -e "$pattern" \
    "$tree/tests" "$tree/cmake" || gone "nothing in tests/ or cmake/ is called $1"
}

name() {
  case $1 in
  */*) [ -e "$tree/$1" ] || gone "there is no $1" ;;
  *.c | *.sh)
    [ -n "$(find "$tree/tests" -name "$1" -type f)" ] || { gone "there is no $1 below tests/"; return 0; }
    grep -r -q --include=CMakeLists.txt -w -e "$1" "$tree/tests" || gone "no CMakeLists.txt below tests/ has $1" ;;
  *) word "$1" ;;
  esac
}

items=$(mktemp)
trap 'rm -f "$items"' EXIT
list >"$items"
row=0
named=1
while read -r kind item; do
  if [ "$kind" = row ]; then
    [ "$named" -gt 0 ] || gone "the rule names nothing that enforces it"
    row=$item
    named=0
    continue
  fi
  named=$((named + 1))
  looked=$((looked + 1))
  "$kind" "$item"
done <"$items"
[ "$named" -gt 0 ] || gone "the rule names nothing that enforces it"
[ "$looked" -gt 0 ] || { echo "$page has no table \"| rule | enforced by |\""; exit 1; }
echo "$looked names looked for, $missing not there"
[ "$missing" -eq 0 ]
