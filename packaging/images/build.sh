#!/usr/bin/env bash
# The container images of a lab on Kubernetes, as archives that any container runtime takes. No registry is needed, and no
# rights: see docs/kubernetes-lab.md.
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly here
# shellcheck source=/dev/null
source "$here/image.sh"

usage() {
  cat <<'TEXT'
Usage: build.sh [--programs DIR] [--name PREFIX] DIRECTORY

Writes DIRECTORY/trammel-workload.tar and DIRECTORY/trammel-refmesh.tar, and prints the names of their images.

  --programs DIR  where the programs are (default: those found in PATH)
  --name PREFIX   what the images are called before "trammel-workload:VERSION" (default: trammel.local/)
TEXT
}

die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 2
}

programs=
prefix=trammel.local/
directory=
while (($#)); do
  case $1 in
  --programs) programs=${2:?--programs wants a folder} && shift ;;
  --name) prefix=${2?--name wants a prefix} && shift ;;
  -h | --help) usage && exit ;;
  -*) die "unknown option $1; see --help" ;;
  *) [[ -z $directory ]] || die "one directory is expected" && directory=$1 ;;
  esac
  shift
done
[[ -n $directory ]] || die "the directory to write to is missing; see --help"

mkdir -p "$directory"
for name in trammel-workload trammel-refmesh; do
  program=${programs:+$programs/}$name
  program=$(command -v "$program") || die "there is no program ${programs:+$programs/}$name; say where with --programs"
  version=$("$program" --version | sed 's/.* //')
  image_write "$directory/$name.tar" "$prefix$name:$version" "$program" || die "$name: the image could not be written"
  printf '%s\n' "$prefix$name:$version"
done
