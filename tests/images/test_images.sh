#!/usr/bin/env bash
# Images are written without Debian's tools, the same bytes each time, and nothing stays behind when one could not be.
# Usage: test_images.sh TREE
set -euo pipefail
tree=${1:?usage: test_images.sh TREE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
source "$tree/packaging/images/image.sh"
mkdir "$work/tmp"
export TMPDIR=$work/tmp

fail() {
  printf '%s\n' "$*"
  exit 1
}

expect_clean() {
  [[ -z $(ls -A "$TMPDIR") ]] || fail "$1: left behind: $(ls -A "$TMPDIR")"
}

# Other distributions have none.
dpkg() {
  echo 'dpkg was asked' >&2
  return 1
}

program=$(command -v sha256sum)
image_write "$work/one.tar" example.org/one:1 "$program" || fail 'the image was not written'
image_write "$work/two.tar" example.org/one:1 "$program" || fail 'the image was not written again'
cmp "$work/one.tar" "$work/two.tar" || fail 'the same program gave other bytes'
expect_clean 'a good one'
config=$(tar -xOf "$work/one.tar" manifest.json 2>/dev/null || tar -xOf "$work/one.tar" ./manifest.json)
config=${config#*'"Config":"'}
config=${config%%'"'*}
tar -xOf "$work/one.tar" "./$config" | grep -q "\"architecture\":\"$(image_architecture)\",\"os\":\"linux\"" ||
  fail 'the image does not say for which machine it is'
[[ $(image_architecture) =~ ^[a-z0-9]+$ ]] || fail "no architecture: $(image_architecture)"

if image_write "$work/three.tar" example.org/three:1 "$work/none" 2>/dev/null; then
  fail 'an image of a program that is not there'
fi
expect_clean 'a program that is not there'
if image_write "$work/none/four.tar" example.org/four:1 "$program" 2>/dev/null; then
  fail 'an image in a folder that is not there'
fi
expect_clean 'a folder that is not there'
