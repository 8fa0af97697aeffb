#!/bin/sh
# Makes the pages of docs/conformance. Usage: generate.sh BUILD [smi | baseline] [--all | FAULT...]
# requirements.md is listed; faults.md is measured, for both suites or the one: with --all anew (two minutes a fault, five where chance is
# in it), for the faults named, or for those that it has no section about.
set -eu
build=$(cd "${1:?usage: generate.sh BUILD [smi | baseline] [--all | FAULT...]}" && pwd)
tree=$(cd "$(dirname "$0")/../.." && pwd)
shift

if [ ! -x "$build/tests/faults_page" ]; then
  echo "generate.sh: $build was built without tests; cmake -DBUILD_TESTING=ON $build && cmake --build $build" >&2
  exit 1
fi
mkdir -p "$tree/docs/conformance"
"$build/bin/trammel" conformance list -o markdown >"$tree/docs/conformance/requirements.md"
TRAMMEL_SOURCE_DIR=$tree TRAMMEL_BUILD_DIR=$build "$build/tests/faults_page" "$@"
