#!/bin/sh
# Man pages are clean roff, and name every option that the commands' --help shows. Usage: man_pages.sh TREE TRAMMEL
set -eu
pages=${1:?usage: man_pages.sh TREE TRAMMEL}/packaging/man
trammel=${2:?usage: man_pages.sh TREE TRAMMEL}
failed=0

if command -v groff >/dev/null; then
  for page in "$pages"/*.[18]; do
    ! head -n 1 "$page" | grep -q '^\.so ' || continue # another name of a page
    warnings=$(groff -man -ww -z -Tutf8 "$page" 2>&1)
    [ -z "$warnings" ] || { echo "$warnings"; failed=1; }
  done
else
  echo "groff is not installed: the pages' roff is not checked"
fi

# names PAGE OPTIONS WHOSE: the page names each of the options.
names() {
  [ -n "$2" ] || { echo "$3 --help shows no option"; failed=1; }
  for option in $2; do
    sed 's/\\-/-/g' "$pages/$1" | grep -qF -e "$option" || { echo "$1 lacks $option of $3"; failed=1; }
  done
}

# covers PAGE COMMAND: the page names each long option that the command's --help shows, except those that every command has.
covers() {
  # shellcheck disable=SC2086 # a command is several words
  options=$("$trammel" $2 --help | long_options)
  names "$1" "$options" "$2"
}

long_options() {
  grep -oE -e '--[a-z][a-z-]+' | sort -u | grep -vxE -e '--(help|usage|version)' || true
}

covers trammel-conformance.1 'conformance run'
covers trammel-conformance.1 'conformance list'
covers trammel-conformance.1 'conformance show'
covers trammel-conformance.1 'conformance runs'
covers trammel-conformance.1 'conformance diff'
covers trammel-report.1 'report render'
covers trammel-report.1 'report sign'
covers trammel-report.1 'report verify'
covers trammel-adapter.1 'adapter list'
covers trammel-adapter.1 'adapter show'
covers trammel-adapter.1 'adapter new'
covers trammel-adapter.1 'adapter test'
covers trammel-adapter.1 'adapter check'
covers trammel-adapter.1 'adapter pack'
covers trammel-adapter.1 'adapter sign'
covers trammel-adapter.1 'adapter install'
covers trammel-adapter.1 'adapter upgrade'
covers trammel-adapter.1 'adapter rollback'
covers trammel-adapter.1 'adapter remove'
covers trammel-adapter.1 'adapter verify'
covers trammel-adapter.1 'adapter trust list'
covers trammel-adapter.1 'adapter index add'
covers trammel-adapter.1 'adapter index list'
covers trammel-adapter.1 'adapter index show'
covers trammel-adapter.1 'adapter index make'
names trammel-runner.1 "$("${trammel%/*}/trammel-runner" --help | long_options)" trammel-runner
covers trammel-runs.1 'runs list'
covers trammel-runs.1 'runs show'
covers trammel-runs.1 'runs attach'
covers trammel-runs.1 'runs cancel'
covers trammel-runs.1 'runs report'
for command in login logout whoami 'user add' 'user list' 'user role' 'user remove' 'user passwd' 'token create' 'token list' 'token revoke'; do
  covers trammel-login.1 "$command"
done
names trammeld.8 "$("${trammel%/*}/trammeld" --help | long_options)" trammeld
covers trammel-lint.1 lint
covers trammel-lint.1 convert
covers trammel-translate.1 translate
covers trammel-translate.1 inventory
covers trammel-apply.1 apply
covers trammel-apply.1 delete
covers trammel-apply.1 diff
covers trammel-perf.1 'perf run'
covers trammel-perf.1 'perf export'
covers trammel-perf.1 'perf report'
covers trammel-perf.1 'perf meshmark'
covers trammel-perf.1 'perf search'
covers trammel-perf.1 'perf save'
covers trammel-perf.1 'perf list'
covers trammel-mesh.1 'mesh list'
covers trammel-mesh.1 'mesh detect'
covers trammel-mesh.1 'mesh enroll'
covers trammel-mesh.1 'mesh metrics'
covers trammel-watch.1 watch
covers trammel.1 'adapter list'
covers trammel.1 'adapter show'
covers trammel.1 cleanup
covers trammel.1 doctor

"$trammel" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u | while read -r command; do
  grep -q "$command" "$pages/trammel.1" || { echo "trammel.1 lacks $command"; exit 1; }
done || failed=1
exit "$failed"
