# Container images, as packaging/images makes them.
# shellcheck shell=bash disable=SC2154 # variables of the other parts

# shellcheck source=/dev/null
source "$here/../../packaging/images/image.sh"

# The sandbox image of pods, in the cache.
readonly pause_name=testbed.local/pause:1

pause_image() {
  printf '%s/pause-%s.tar\n' "$testbed_cache" "$(sha256 "$here/pause.c" | cut -c 1-12)"
}

pause_build() {
  local image work
  image=$(pause_image)
  [[ -f $image ]] && return
  require_commands gcc=gcc
  work=$(mktemp -d "$testbed_cache/pause.XXXXXX") || return
  gcc -static -O2 -o "$work/pause" "$here/pause.c" && image_write "$work/pause.tar" "$pause_name" "$work/pause" &&
    mv "$work/pause.tar" "$image"
  local code=$?
  rm -rf "$work"
  return "$code"
}
