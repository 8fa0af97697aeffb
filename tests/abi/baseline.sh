#!/bin/sh
# Holds the ABI's header against the baselines in tests/abi/: what abidw reads from a shared object that has every type.
# - The baseline of the header's own minor version, MAJOR.MINOR.abi, is exactly what the header says.
# - Each earlier one is still served: since then, fields were appended to tables that say their size, and nothing else.
# Usage: baseline.sh [--write] INCLUDE_DIRECTORY BASELINE_DIRECTORY
# --write makes the baseline of the header's minor version anew. Exits 77 without gcc or abigail-tools.
set -eu

usage='usage: baseline.sh [--write] INCLUDE_DIRECTORY BASELINE_DIRECTORY'
write=false
if [ "${1:-}" = --write ]; then
  write=true
  shift
fi
include=${1:?$usage}
baselines=${2:?$usage}
here=$(dirname "$0")
for tool in gcc abidw abidiff; do
  command -v "$tool" >/dev/null || { echo "$tool is not there (Debian: gcc, abigail-tools)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number() {
  sed -n "s/^#define TRAMMEL_ABI_$1 \([0-9]*\)u\$/\1/p" "$include/trammel/abi.h"
}
major=$(number MAJOR)
minor=$(number MINOR)
if [ -z "$major" ] || [ -z "$minor" ]; then
  echo "abi.h does not define TRAMMEL_ABI_MAJOR and TRAMMEL_ABI_MINOR as a number and a u"
  exit 1
fi
own=$baselines/$major.$minor.abi

# The same options always, whatever the build's are: the layout does not depend on them, what abidw prints may.
gcc -std=c11 -g -gdwarf-4 -O0 -fPIC -shared -nostdlib -fvisibility=hidden -I"$include" -o "$work/surface.so" "$here/surface.c"
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-architecture --type-id-style hash \
  "$work/surface.so" | sed "s| path='[^']*'||" >"$work/surface.abi"

if $write; then
  cp "$work/surface.abi" "$own"
  echo "wrote $own"
  exit 0
fi

# Prints what differs; true when nothing does.
same() {
  abidiff --no-default-suppression --harmless "$@"
}

tell_how() {
  cat <<EOF
On purpose? Fields that are appended belong to a new minor version: raise TRAMMEL_ABI_MINOR, keep the released header as
tests/abi/$major.$minor/, and assert the new offsets in tests/unit/adapter/test_abi.c. Then, and for a version that is not
released yet:
    sh tests/abi/baseline.sh --write plugin-api/include tests/abi
Anything else that changes what released adapters were built with is a new major version. See docs/abi.md.
EOF
}

failed=0
if [ ! -f "$own" ]; then
  echo "there is no baseline of ABI $major.$minor: $own"
  tell_how
  exit 1
fi
if ! same "$own" "$work/surface.abi"; then
  echo "abi.h is not what the baseline of ABI $major.$minor says."
  failed=1
fi
checked=1
older=0
while [ "$older" -lt "$minor" ]; do
  if [ ! -f "$baselines/$major.$older.abi" ]; then
    echo "the baseline of ABI $major.$older is gone: $baselines/$major.$older.abi"
    failed=1
  elif ! same --suppressions "$here/appendable.abignore" --no-added-syms "$baselines/$major.$older.abi" "$work/surface.abi"; then
    echo "adapters that were built for ABI $major.$older are not served by this header."
    failed=1
  fi
  checked=$((checked + 1))
  older=$((older + 1))
done
[ "$failed" -eq 0 ] || { tell_how; exit 1; }
echo "held against $checked baseline(s), ABI $major.$minor is the newest"
