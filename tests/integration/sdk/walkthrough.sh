#!/bin/sh
# Installs Trammel into a scratch place, and runs the commands of docs/writing-an-adapter.md, as they stand there, in an empty folder.
# Blocks between "untried: begin" and "untried: end" are left out. Usage: walkthrough.sh TREE BUILD [INSTRUMENTED]
set -eu
page=${1:?usage: walkthrough.sh TREE BUILD [INSTRUMENTED]}/docs/writing-an-adapter.md
build=${2:?usage: walkthrough.sh TREE BUILD [INSTRUMENTED]}
if [ -n "${3:-}" ]; then
  echo "skipped: the library of a build with $3 cannot be linked by a plain compiler"
  exit 77
fi
command -v pkg-config >/dev/null || { echo "skipped: pkg-config is not installed"; exit 77; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Below a DESTDIR, where it was not configured to be: everything must be found from where it is.
DESTDIR="$scratch/stage" cmake --install "$build" --prefix /opt/trammel >"$scratch/install.log" ||
  { cat "$scratch/install.log"; exit 1; }
prefix=$scratch/stage/opt/trammel
# Where the configuration says lib/x86_64-linux-gnu, the page's lib is a link to it.
[ -d "$prefix/lib/pkgconfig" ] || ln -s "$(dirname "$(find "$prefix/lib" -type d -name pkgconfig)")/pkgconfig" "$prefix/lib/pkgconfig"

awk '
  /untried: begin/ { untried = 1 }
  /untried: end/ { untried = 0 }
  /^```/ { inside = !inside && $0 == "```sh"; if (inside && !untried) blocks++; next }
  inside && !untried { print }
  END { if (blocks < 12) { print "only " blocks + 0 " blocks to try" >"/dev/stderr"; exit 1 } }
' "$page" >"$scratch/commands.sh"

mkdir "$scratch/home" "$scratch/empty"
cd "$scratch/empty"
unset CMAKE_PREFIX_PATH PKG_CONFIG_PATH TRAMMEL_ADAPTER_PATH DESTDIR
# Nothing of the user's is read or changed.
HOME=$scratch/home TRAMMEL_DATA_DIR=$scratch/data PATH=$prefix/bin:$PATH
export HOME TRAMMEL_DATA_DIR PATH
sh -eux "$scratch/commands.sh"

# What the commands must have led to.
cd mymesh
grep -q '"PUT /config/splits/main/halves"' tests/halves.json
grep -q '"percent": 50' tests/halves.json
symbols=$(nm -D --defined-only mymesh.so | awk '{ print $NF }')
[ "$symbols" = trammel_adapter_entry_v1 ] || { echo "mymesh.so exports: $symbols"; exit 1; }
! grep -rn '@[A-Z]*@' --include='*.c' --include='*.md' --include='*.txt' --include='*.json' . || { echo "a mark was not filled in"; exit 1; }

# What was installed is the package that was signed, and is what Trammel uses.
trammel adapter list | tee "$scratch/list"
grep -q "^mymesh  *0\.1\.0  *mymesh  *ok  *$scratch/data/adapters/mymesh/0\.1\.0-[0-9a-f]*/mymesh\.so" "$scratch/list" || { echo "mymesh is not in the list"; exit 1; }
grep -q '^    signed by mymesh, from ' "$scratch/list" || { echo "the list does not say who signed mymesh"; exit 1; }
trammel adapter verify mymesh | grep -q '^mymesh 0\.1\.0: good, signed by mymesh, from ' || { echo "mymesh is not signed by mymesh"; exit 1; }

# It has no configuration, and it is asked for its mesh, which it knows nothing of.
if trammel conformance run --mesh mymesh -q --set a=b 2>"$scratch/said"; then exit 1; fi
grep -q 'unknown key "a"' "$scratch/said" || { cat "$scratch/said"; exit 1; }
if trammel conformance run --mesh mymesh -q 2>"$scratch/said"; then exit 1; fi
grep -q UNIMPLEMENTED "$scratch/said" || { cat "$scratch/said"; exit 1; }

# The installed headers need no others, and compile without a warning.
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
flags=$(pkg-config --cflags trammel)
cd "$prefix/include/trammel"
find . -name '*.h' | while read -r header; do
  for standard in c11 c17; do
    # shellcheck disable=SC2086 # several flags
    echo "#include \"$header\"" | cc -std=$standard -Wall -Wextra -Werror $flags -I. -fsyntax-only -xc -
  done
done
