#!/bin/sh
# Proves that members.sh finds what it is there to find: a header with one thing more each time.
# Usage: test_members.sh MEMBERS_SH ABI_H TEST_ABI_C SURFACE_C
set -eu

usage='usage: test_members.sh MEMBERS_SH ABI_H TEST_ABI_C SURFACE_C'
check=${1:?$usage}
header=${2:?$usage}
asserts=${3:?$usage}
surface=${4:?$usage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# finds SED_SCRIPT TEXT
finds() {
  sed "$1" "$header" >"$work/abi.h"
  if sh "$check" "$work/abi.h" "$asserts" "$surface" >"$work/out" 2>&1 || ! grep -q -F -e "$2" "$work/out"; then
    echo "$1: expected a failure with \"$2\", got:"
    cat "$work/out"
    failed=1
  fi
}

finds 's/^} trammel_adapter;/  int more; \/* and why *\/\n&/' 'AT(trammel_adapter, more, …)'
finds 's/^} trammel_note;/  char more[8];\n&/' 'AT(trammel_note, more, …)'
finds 's/^} trammel_host;/  const trammel_str *more;\n&/' 'AT(trammel_host, more, …)'
finds 's/^} trammel_op_api;/  int (*more)(trammel_op *op,\n              trammel_str text);\n&/' 'AT(trammel_op_api, more, …)'
finds 's/^typedef struct trammel_note {/typedef struct trammel_new {\n  int one;\n} trammel_new;\n&/' 'SIZE(trammel_new, …)'
finds 's/^typedef struct trammel_note {/typedef struct trammel_new {\n  int one;\n} trammel_new;\n&/' 'SURFACE(trammel_new)'
finds 's/^typedef struct trammel_note {/typedef struct {\n  int one;\n} trammel_new;\n&/' 'adapt members.sh'
finds 's/TRAMMEL_UNAUTHENTICATED = 16/&,\n  TRAMMEL_MORE = 17/' 'VALUE(TRAMMEL_MORE, …)'
exit $failed
