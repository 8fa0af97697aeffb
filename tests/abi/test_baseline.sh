#!/bin/sh
# Proves that baseline.sh finds what it is there to find: a copy of the header, changed in one way each time.
# Usage: test_baseline.sh BASELINE_SH INCLUDE_DIRECTORY BASELINE_DIRECTORY. Exits 77 when baseline.sh does.
set -eu

usage='usage: test_baseline.sh BASELINE_SH INCLUDE_DIRECTORY BASELINE_DIRECTORY'
check=${1:?$usage}
include=${2:?$usage}
baselines=${3:?$usage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
tried=0

# expect WANTED WHAT TEXT: runs the check on the copy.
expect() {
  wanted=$1
  what=$2
  text=$3
  code=0
  tried=$((tried + 1))
  sh "$check" "$work/include" "$work/baselines" >"$work/out" 2>&1 || code=$?
  [ "$code" -ne 77 ] || { cat "$work/out"; exit 77; }
  if [ "$code" -ne "$wanted" ] || ! grep -q -e "$text" "$work/out"; then
    echo "$what: exit $code, expected $wanted, and \"$text\" in:"
    cat "$work/out"
    failed=1
  fi
}

# A copy with TRAMMEL_ABI_MINOR raised by one for `next`, and changed by a sed script, which must change something.
fresh() {
  rm -rf "$work/include" "$work/baselines"
  mkdir -p "$work/include/trammel" "$work/baselines"
  cp "$baselines"/*.abi "$work/baselines"
  header=$work/include/trammel/abi.h
  cp "$include/trammel/abi.h" "$header"
  minor=$(sed -n 's/^#define TRAMMEL_ABI_MINOR \([0-9]*\)u$/\1/p' "$header")
  if [ "$1" = next ]; then
    sed -i "s/^#define TRAMMEL_ABI_MINOR .*/#define TRAMMEL_ABI_MINOR $((minor + 1))u/" "$header"
  fi
  cp "$header" "$work/before"
  [ -z "$2" ] || sed -i "$2" "$header"
  if [ -n "$2" ] && cmp -s "$header" "$work/before"; then
    echo "the change '$2' changes nothing in abi.h: adapt this test"
    exit 1
  fi
  if [ "$1" = next ]; then
    sh "$check" --write "$work/include" "$work/baselines" >"$work/out" 2>&1 || { code=$?; cat "$work/out"; exit "$code"; }
  fi
}

append_to_adapter='s/^} trammel_adapter;/  int (*more)(trammel_instance *instance);\n&/'

fresh same ''
expect 0 "the header as it is" 'held against'
fresh same "$append_to_adapter"
expect 1 "a field that is appended without a new minor version" 'raise TRAMMEL_ABI_MINOR'
fresh same 's/^  uint32_t severity; .*/  uint64_t severity;/'
expect 1 "a wider field" 'baseline.sh --write'
fresh same 's/(\*call)(trammel_instance \*instance, trammel_str method, /&uint32_t more, /'
expect 1 "another parameter" 'baseline.sh --write'
fresh same 's/trammel_adapter_entry_v1(const trammel_head \*host);/trammel_adapter_entry_v1(const trammel_head *host, int more);/'
expect 1 "another entry point" ''

fresh next ''
expect 0 "the next minor version with nothing new" 'held against'
fresh next "$append_to_adapter"
expect 0 "the next minor version with a field appended" 'held against'
fresh next 's/^  void \*ctx;/&\n  void *second;/'
expect 1 "the next minor version with a field in between" 'are not served by this header'
fresh next '/^  void \*ctx;/d'
expect 1 "the next minor version without a field" 'are not served by this header'
fresh next 's/^} trammel_log_api;/  void (*more)(const trammel_host *host);\n&/'
expect 1 "the next minor version with a field in a frozen table" 'are not served by this header'
fresh next 's/^} trammel_str;/  size_t more;\n&/'
expect 1 "the next minor version with a longer string" 'are not served by this header'
fresh next ''
rm "$work/baselines"/*."$((minor + 1)).abi"
expect 1 "a minor version without its baseline" 'there is no baseline'
fresh next ''
rm "$work/baselines"/*."$minor.abi"
expect 1 "a minor version whose predecessor's baseline is gone" 'is gone'

echo "tried $tried headers"
exit $failed
