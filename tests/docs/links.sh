#!/bin/sh
# Every relative link of a Markdown page leads to a file. Usage: links.sh TREE
set -eu
cd "${1:?usage: links.sh TREE}"

broken=$(
  for page in *.md docs/*.md docs/*/*.md examples/*/*.md; do
    # One link a line: what stands in "](…)", without its anchor.
    grep -o ']([^)]*)' "$page" | sed 's/^](//; s/)$//; s/#.*//' | while read -r target; do
      case $target in
      '' | http://* | https://*) continue ;;
      esac
      [ -e "$(dirname "$page")/$target" ] || echo "$page: $target"
    done
  done
)
[ -z "$broken" ] || { printf 'links that lead nowhere:\n%s\n' "$broken"; exit 1; }
