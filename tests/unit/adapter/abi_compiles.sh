#!/bin/sh
# The public header compiles alone, as C11, C17 and C++17, with every compiler there is, without a warning.
# Usage: abi_compiles.sh INCLUDE_DIRECTORY. Exits 77 when no compiler is there.
set -eu

include=${1:?usage: abi_compiles.sh INCLUDE_DIRECTORY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/abi.c" <<'SOURCE'
#include <trammel/abi.h>
int has_call(const trammel_adapter *table);
int has_call(const trammel_adapter *table) {
  return TRAMMEL_HAS(table, call);
}
SOURCE
cp "$work/abi.c" "$work/abi.cc"

compiled=0
compile() {
  compiler=$1
  standard=$2
  source=$3
  command -v "$compiler" >/dev/null 2>&1 || return 0
  "$compiler" "-std=$standard" -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only "$source"
  compiled=$((compiled + 1))
}
for c in gcc clang clang-14; do
  compile "$c" c11 "$work/abi.c"
  compile "$c" c17 "$work/abi.c"
done
for cxx in g++ clang++ clang++-14; do
  compile "$cxx" c++17 "$work/abi.cc"
done
[ "$compiled" -gt 0 ] || { echo "no compiler found" && exit 77; }
echo "compiled $compiled times"
