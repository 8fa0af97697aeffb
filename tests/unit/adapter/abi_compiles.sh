#!/bin/sh
# The public header compiles alone, as C11, C17 and C++17, with each of gcc and clang that is there, without a warning;
# also included twice, and with each of its macros used.
# Usage: abi_compiles.sh INCLUDE_DIRECTORY. Exits 77 when no compiler is there.
set -eu

include=${1:?usage: abi_compiles.sh INCLUDE_DIRECTORY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/abi.c" <<'SOURCE'
#include <trammel/abi.h>
#include <trammel/abi.h>
int has_call(const trammel_adapter *table);
int has_call(const trammel_adapter *table) {
  return TRAMMEL_HAS(table, call);
}
uint32_t sizes(void);
uint32_t sizes(void) {
  return TRAMMEL_HOST_SIZE_1_0 + TRAMMEL_ADAPTER_SIZE_1_0 + TRAMMEL_OP_API_SIZE_1_0 + TRAMMEL_LOG_API_SIZE_1_0 +
         TRAMMEL_HTTP_API_SIZE_1_0 + TRAMMEL_DIAGNOSTIC_SIZE_1_0 + TRAMMEL_HTTP_REQUEST_SIZE_1_0 +
         TRAMMEL_HTTP_RESPONSE_SIZE_1_0 + TRAMMEL_ABI_MAJOR + TRAMMEL_ABI_MINOR + TRAMMEL_NOTE_TYPE;
}
const char *ids(int which);
const char *ids(int which) {
  static const char *const all[] = {TRAMMEL_OP_SERVICE, TRAMMEL_LOG_SERVICE, TRAMMEL_HTTP_SERVICE, TRAMMEL_ENTRY_SYMBOL,
                                    TRAMMEL_NOTE_OWNER};
  return all[which];
}
const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host) {
  (void)host;
  return NULL;
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
