#!/bin/sh
# An adapter exports one symbol, and needs nothing of the system but what allowed-symbols.txt allows.
# Usage: symbols.sh ADAPTER.so ALLOWED
set -eu

usage='usage: symbols.sh ADAPTER.so ALLOWED'
adapter=${1:?$usage}
allowed=${2:?$usage}
failed=0

exported=$(nm --dynamic --defined-only --format=posix "$adapter" | cut -d ' ' -f 1 | tr '\n' ' ')
if [ "$exported" != "trammel_adapter_entry_v1 " ]; then
  echo "$adapter exports: ${exported:-nothing}"
  echo "An adapter exports trammel_adapter_entry_v1 and nothing else: declare it with trammel_adapter(), or link with"
  echo "plugin-api/adapter.map."
  failed=1
fi

# is_allowed KIND NAME
is_allowed() {
  while read -r kind pattern; do
    [ "$kind" = "$1" ] || continue
    # shellcheck disable=SC2254 # it is a pattern
    case $2 in $pattern) return 0 ;; esac
  done <"$allowed"
  return 1
}

count=0
# check KIND NAME
check() {
  count=$((count + 1))
  is_allowed "$1" "$2" && return 0
  echo "$adapter needs the $1 $2, which is new."
  echo "If an adapter may have it, say so with the line \"$1 $2\" in $allowed, and why."
  failed=1
}
for symbol in $(nm --dynamic --undefined-only --format=posix "$adapter" | sed 's/[@ ].*//' | sort -u); do
  check symbol "$symbol"
done
for library in $(readelf --dynamic --wide "$adapter" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'); do
  check library "$library"
done
echo "$adapter: looked at $count symbols and libraries"
exit $failed
