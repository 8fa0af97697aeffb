#!/bin/sh
# Proves that symbols.sh finds what it is there to find, in small shared objects.
# Usage: test_symbols.sh SYMBOLS_SH ALLOWED. Exits 77 without a compiler.
set -eu

usage='usage: test_symbols.sh SYMBOLS_SH ALLOWED'
check=${1:?$usage}
allowed=${2:?$usage}
command -v cc >/dev/null || { echo "there is no cc"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect WANTED TEXT SOURCE OPTION...
expect() {
  wanted=$1
  text=$2
  printf '%s\n' "$3" >"$work/adapter.c"
  shift 3
  cc -shared -fPIC -o "$work/adapter.so" "$work/adapter.c" "$@"
  code=0
  sh "$check" "$work/adapter.so" "$allowed" >"$work/out" 2>&1 || code=$?
  if [ "$code" -ne "$wanted" ] || ! grep -q -F -e "$text" "$work/out"; then
    echo "exit $code, expected $wanted and \"$text\", of:"
    cat "$work/adapter.c" "$work/out"
    failed=1
  fi
}

entry='#include <stdlib.h>
const void *trammel_adapter_entry_v1(const void *host) { return host ? malloc(1) : 0; }'
expect 0 'looked at' "$entry"
expect 1 'needs the symbol socket' "$entry
#include <sys/socket.h>
static int use(void) { return socket(1, 1, 0); }
int (*volatile trammel_used)(void) __attribute__((visibility(\"hidden\"))) = use;"
expect 1 'exports: more trammel_adapter_entry_v1' "$entry
int more(void) { return 1; }"
expect 1 'exports: nothing' 'static int none; int *volatile used __attribute__((visibility("hidden"))) = &none;'
expect 1 'needs the library libdl' "$entry" -Wl,--no-as-needed -l:libdl.so.2
exit $failed
