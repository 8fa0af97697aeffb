#!/bin/sh
# Makes the pages of docs/conformance. Usage: generate.sh BUILD [--all | FAULT...]
# requirements.md is listed; faults.md is measured: with --all anew (about half a minute a fault), for the faults named, or for those that
# it has no section about.
set -eu
build=$(cd "${1:?usage: generate.sh BUILD [--all | FAULT...]}" && pwd)
tree=$(cd "$(dirname "$0")/../.." && pwd)
shift

mkdir -p "$tree/docs/conformance"
"$build/bin/trammel" conformance list -o markdown >"$tree/docs/conformance/requirements.md"
TRAMMEL_SOURCE_DIR=$tree TRAMMEL_BUILD_DIR=$build "$build/tests/faults_page" "$@"
