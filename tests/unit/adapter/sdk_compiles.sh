#!/bin/sh
# Each header that is installed for adapters compiles alone, also included twice, as C11, C17 and C++17, with each of gcc
# and clang that is there, without a warning; and C++ calls what it declares as C.
# Usage: sdk_compiles.sh SOURCE_DIRECTORY HEADER..., with headers relative to sdk/. Exits 77 when no compiler is there.
set -eu

source=${1:?usage: sdk_compiles.sh SOURCE_DIRECTORY HEADER...}
shift
[ $# -gt 0 ] || { echo "no headers were named"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# As they are installed.
include=$work/include
mkdir -p "$include/trammel"
cp "$source/plugin-api/include/trammel/abi.h" "$include/trammel/abi.h"
cp "$source/sdk/adapter/public.h" "$include/trammel/adapter.h"
for header in "$@"; do
  mkdir -p "$include/trammel/sdk/${header%/*}"
  cp "$source/sdk/$header" "$include/trammel/sdk/$header"
done

# One file for each header, and one that calls across the languages.
number=0
for header in trammel/abi.h trammel/adapter.h "$@"; do
  number=$((number + 1))
  case $header in trammel/*) line="#include <$header>" ;; *) line="#include \"sdk/$header\"" ;; esac
  printf '%s\n%s\nint nothing_%d(void);\nint nothing_%d(void) { return 0; }\n' "$line" "$line" "$number" "$number" \
    >"$work/header-$number.c"
  cp "$work/header-$number.c" "$work/header-$number.cc"
done
cat >"$work/linkage.cc" <<'SOURCE'
#include <trammel/adapter.h>
extern "C" { // refused where the header says otherwise
bool invocation_event(struct invocation *invocation, bool error, const char *summary, const char *detail);
int array_reserve(void **array, size_t *capacity, size_t count, size_t size);
int regex_check(const char *pattern, struct error **err);
}
SOURCE

compiled=0
compile() {
  compiler=$1
  standard=$2
  shift 2
  command -v "$compiler" >/dev/null 2>&1 || return 0
  "$compiler" "-std=$standard" -Wall -Wextra -Wpedantic -Werror -I"$include" -I"$include/trammel" -fsyntax-only "$@"
  compiled=$((compiled + $#))
}
for cxx in g++ clang++ clang++-14; do
  compile "$cxx" c++17 "$work"/*.cc
done
for c in gcc clang clang-14; do
  compile "$c" c11 "$work"/*.c
  compile "$c" c17 "$work"/*.c
done
[ "$compiled" -gt 0 ] || { echo "no compiler found" && exit 77; }
echo "compiled $compiled times"
