#!/bin/sh
# Every struct of the ABI's header has its size asserted, every member its offset, every enumerator its value, and every
# type is in the baseline. Otherwise says which is missing and what to write.
# Usage: members.sh ABI_H TEST_ABI_C SURFACE_C
set -eu

usage='usage: members.sh ABI_H TEST_ABI_C SURFACE_C'
header=${1:?$usage}
asserts=${2:?$usage}
surface=${3:?$usage}

# "struct NAME", "member NAME FIELD" and "value NAME" lines, in the header's order.
list() {
  awk '
    { # without comments
      while ((start = index($0, "/*")) > 0 || inside) {
        if (inside) {
          end = index($0, "*/")
          if (end == 0) { $0 = ""; break }
          $0 = substr($0, end + 2); inside = 0
        } else {
          rest = substr($0, start)
          end = index(rest, "*/")
          if (end == 0) { $0 = substr($0, 1, start - 1); inside = 1; break }
          $0 = substr($0, 1, start - 1) substr(rest, end + 2)
        }
      }
    }
    /^typedef struct [a-z_0-9]+ \{/ { name = $3; print "struct", name; statement = ""; next }
    /^enum \{|^typedef enum/ { enumeration = 1 }
    enumeration {
      line = $0
      while (match(line, /TRAMMEL_[A-Z_0-9]+/)) {
        print "value", substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        sub(/^[^,]*/, "", line) # its value
      }
      if ($0 ~ /\}/) enumeration = 0
      next
    }
    /^\}/ { name = ""; next }
    name != "" { statement = statement " " $0 }
    name != "" && /;/ {
      if (match(statement, /\(\*[a-z_0-9]+\)/))
        field = substr(statement, RSTART + 2, RLENGTH - 3)
      else {
        field = statement
        sub(/ *(\[[^]]*\])? *;.*$/, "", field)
        sub(/^.*[ *]/, "", field)
      }
      print "member", name, field
      statement = ""
    }' "$header"
}

missing=0
counted=0
want() {
  grep -q -e "$2" "$1" || { echo "$1 has no $3"; missing=$((missing + 1)); }
  counted=$((counted + 1))
}
items=$(mktemp)
trap 'rm -f "$items"' EXIT
list >"$items"
while read -r kind name field; do
  case $kind in
  struct)
    want "$asserts" "^SIZE($name, [0-9]*);" "SIZE($name, …): its size is not asserted"
    want "$surface" "^SURFACE($name)" "SURFACE($name): it is not in the baseline"
    ;;
  member) want "$asserts" "^AT($name, $field, [0-9]*);" "AT($name, $field, …): its offset is not asserted" ;;
  value) want "$asserts" "^VALUE($name, [0-9]*);" "VALUE($name, …): its value is not asserted" ;;
  esac
done <"$items"
[ "$counted" -gt 0 ] || { echo "found no struct in $header: has its layout changed? Adapt members.sh."; exit 1; }
# What the parser did not see would be missing without a word.
structs=$(grep -c '^} *[a-z_0-9][a-z_0-9]*;' "$header")
seen=$(grep -c '^struct ' "$items")
[ "$structs" -eq "$seen" ] || { echo "$header has $structs structs, $seen were understood: adapt members.sh"; exit 1; }
echo "$counted asserts wanted, $missing missing"
[ "$missing" -eq 0 ]
