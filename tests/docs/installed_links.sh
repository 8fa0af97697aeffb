#!/bin/sh
# The links of the pages that are installed lead to files that are installed, too. Usage: installed_links.sh CMAKE BUILD
set -eu
cmake=${1:?usage: installed_links.sh CMAKE BUILD}
build=${2:?usage: installed_links.sh CMAKE BUILD}
here=$(dirname "$0")
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

"$cmake" --install "$build" --component doc --prefix "$prefix" >/dev/null
page=$(find "$prefix" -name README.md -not -path '*/examples/*')
if [ -z "$page" ] || [ ! -e "$(dirname "$page")/docs/index.md" ]; then
  echo 'the pages are not installed'
  exit 1
fi
sh "$here/links.sh" "$(dirname "$page")"
