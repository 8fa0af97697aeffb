#!/bin/sh
# docs/conformance/requirements.md is what the program lists, and has every requirement of docs/smi.md. Usage: requirements.sh TREE TRAMMEL
set -eu
tree=${1:?usage: requirements.sh TREE TRAMMEL}
trammel=${2:?usage: requirements.sh TREE TRAMMEL}
page=$tree/docs/conformance/requirements.md

"$trammel" conformance list -o markdown | diff -u "$page" - ||
  { echo "$page is not what the suite is; tests/docs/generate.sh makes it"; exit 1; }

ids=$(sed -n 's/^| \([A-Z]\{3\}-[0-9][0-9]\) |.*/\1/p' "$tree/docs/smi.md")
[ "$(echo "$ids" | wc -l)" -ge 44 ] || { echo "docs/smi.md lists too few requirements"; exit 1; }
for id in $ids; do
  # A case, and the versions it runs in.
  grep -qE "^\| \*\*$id\*\* .* \| \`[a-z0-9/-]+\`.* \| [a-z]+ v1alpha[1-9].* \|\$" "$page" ||
    { echo "$page has no case of $id"; exit 1; }
done
