#!/bin/sh
# Proves that abi_compiles.sh finds what it is there to find: a header with one thing in it that some compiler and
# standard does not take.
# Usage: test_abi_compiles.sh ABI_COMPILES_SH INCLUDE_DIRECTORY. Exits 77 when abi_compiles.sh does.
set -eu

usage='usage: test_abi_compiles.sh ABI_COMPILES_SH INCLUDE_DIRECTORY'
check=${1:?$usage}
include=${2:?$usage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/trammel"
failed=0

# expect WANTED WHAT SED_SCRIPT
expect() {
  sed "$3" "$include/trammel/abi.h" >"$work/trammel/abi.h"
  code=0
  sh "$check" "$work" >"$work/out" 2>&1 || code=$?
  [ "$code" -ne 77 ] || { cat "$work/out"; exit 77; }
  if [ $((code != 0)) -ne "$1" ]; then
    echo "$2: exit $code, expected $1"
    cat "$work/out"
    failed=1
  fi
}

expect 0 "the header as it is" ''
expect 1 "a word of C++" 's/trammel_str method/trammel_str class/'
expect 1 "an array without elements" 's/^  char mesh\[40\]/  char mesh[0]/'
expect 1 "a header that is missing" '/include <stdint.h>/d'
expect 1 "a macro that is gone" '/define TRAMMEL_OP_SERVICE/d'
# shellcheck disable=SC2016 # the last line, for sed
expect 1 "no guard" '/_ABI_H$/d; $d'
exit $failed
