# Container images without a registry and without a base: one layer with some programs, and the libraries they are linked to.
# shellcheck shell=bash

# libraries_of PROGRAM: the paths of the shared libraries that it needs, none for a static one.
libraries_of() {
  ldd "$1" 2>/dev/null | grep -o '/[^ ]*'
}

# image_root ROOT PROGRAM...: programs in ROOT, their libraries where they are here.
image_root() {
  local root=$1 program library
  shift
  for program in "$@"; do
    install -D -m 755 "$program" "$root/${program##*/}" || return
    while read -r library; do
      install -D -m 755 "$library" "$root$library" || return
    done < <(libraries_of "$program")
  done
}

sha256() {
  sha256sum "$1" | cut -d ' ' -f 1
}

# image_architecture: what image formats call the one of this machine (the names are those of Go).
image_architecture() {
  local machine
  machine=$(uname -m)
  case $machine in
  x86_64) echo amd64 ;;
  aarch64) echo arm64 ;;
  armv*) echo arm ;;
  i?86) echo 386 ;;
  *) printf '%s\n' "$machine" ;;
  esac
}

# image_write TAR NAME PROGRAM...: the first is what the image runs. The same programs give the same bytes. A shell of its
# own, so that its folder goes however it ends.
image_write() (
  out=$1 name=$2
  shift 2
  tar=(tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --create)
  work=$(mktemp -d "${TMPDIR:-/tmp}/trammel-image.XXXXXX") || exit
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  mkdir "$work/root" "$work/image" || exit
  image_root "$work/root" "$@" && "${tar[@]}" --file "$work/image/layer.tar" -C "$work/root" . || exit
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(image_architecture)" "${1##*/}" "$(sha256 "$work/image/layer.tar")" >"$work/config" || exit
  config=$(sha256 "$work/config").json
  mv "$work/config" "$work/image/$config" || exit
  printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$name" >"$work/image/manifest.json" || exit
  "${tar[@]}" --file "$out" -C "$work/image" .
)
