#!/bin/sh
# Proves that sdk_compiles.sh finds what it is there to find: headers with one thing in them that some compiler and
# standard does not take.
# Usage: test_sdk_compiles.sh SDK_COMPILES_SH SOURCE_DIRECTORY HEADER... Exits 77 when sdk_compiles.sh does.
set -eu

usage='usage: test_sdk_compiles.sh SDK_COMPILES_SH SOURCE_DIRECTORY HEADER...'
check=${1:?$usage}
source=${2:?$usage}
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect WHAT HEADER SED_SCRIPT HEADER...: it fails, with that change to one header
expect() {
  what=$1
  header=$2
  script=$3
  shift 3
  rm -rf "$work/tree"
  mkdir -p "$work/tree/plugin-api/include"
  cp -R "$source/plugin-api/include/trammel" "$work/tree/plugin-api/include/trammel"
  cp -R "$source/sdk" "$work/tree/sdk"
  sed "$script" "$source/sdk/$header" >"$work/tree/sdk/$header"
  ! cmp -s "$source/sdk/$header" "$work/tree/sdk/$header" || { echo "$what: nothing was changed"; exit 1; }
  code=0
  sh "$check" "$work/tree" "$@" >"$work/out" 2>&1 || code=$?
  [ "$code" -ne 77 ] || { cat "$work/out"; exit 77; }
  [ "$code" -ne 0 ] || { echo "$what: is not found"; failed=1; }
}

expect "a word of C++" adapter/adapter.h 's/adapter_class \*adapter,/adapter_class *class,/' "$@"
expect "a member that is a word of C++" smi/regex.h 's/regex_kind kind;/regex_kind class;/' "$@"
expect "what only C++ declares" adapter/adapter.h 's/^extern "C" {/extern "C++" {/' "$@"
expect "a header that another is needed for" base/error.h '/include <stdarg.h>/d' "$@"
expect "a header that is not installed" adapter/public.h 's/sdk\/smi\/index.h/sdk\/smi\/lint.h/' "$@"
exit $failed
