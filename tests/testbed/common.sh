# What the scripts of the test bed share; sourced by them. See docs/testbed.md.
# shellcheck shell=bash

# Built and unpacked servers, kept between runs, outside of the tree: nothing in there belongs to one run.
testbed_cache=${TRAMMEL_TESTBED_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/trammel-testbed}

note() {
  printf 'testbed: %s\n' "$*" >&2
}

die() {
  note "$@"
  exit 1
}

# Ends with 77, as tests do that lack what they need.
missing() {
  note "$@"
  exit 77
}

# require_commands PACKAGE=COMMAND...: each is a command, and the Debian package it comes in.
require_commands() {
  local pair absent=()
  for pair in "$@"; do
    command -v "${pair#*=}" >/dev/null || absent+=("${pair#*=} (package ${pair%%=*})")
  done
  ((${#absent[@]} == 0)) ||
    missing "these programs are missing: $(printf '%s, ' "${absent[@]}" | sed 's/, $//'); ./bootstrap packages cluster installs them"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) limit=$1 what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      note "$what did not come within $limit s"
      return 1
    fi
    sleep 0.05
  done
}

# with_lock NAME COMMAND...: only one process at a time runs a command under this name; the others wait.
with_lock() {
  local name=$1
  shift
  mkdir -p "$testbed_cache"
  (
    flock 9
    "$@" 9>&-
  ) 9>"$testbed_cache/$name.lock"
}
