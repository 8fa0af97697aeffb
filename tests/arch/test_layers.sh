#!/bin/sh
# Proves that layers.sh finds what it is there to find: a small clean tree passes, and each single violation fails.
set -eu

check=${1:?usage: test_layers.sh LAYERS_SH}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

fresh_tree() {
  rm -rf "$tree"
  mkdir -p "$tree/plugin-api/include/trammel" "$tree/sdk/base" "$tree/plugins/one" "$tree/plugins/two" \
    "$tree/host/low" "$tree/host/high"
  cat >"$tree/ARCHITECTURE.md" <<'EOF'
| folder | holds | may include |
|---|---|---|
| `proto/` | messages | – |
| `plugin-api/` | the ABI | – |
| `sdk/base/` | basics | – |
| `plugins/*/` | adapters | `plugin-api/` `sdk/` `proto/` |
| `host/low/` | below | `sdk/base/` |
| `host/high/` | above | `host/low/` `sdk/` `plugin-api/` `proto/` |
EOF
  echo '#include <stdint.h>' >"$tree/plugin-api/include/trammel/abi.h"
  echo '#include "sdk/base/base.h"' >"$tree/sdk/base/base.c"
  printf '#include "sdk/base/base.h"\n#include "trammel/abi.h"\n' >"$tree/plugins/one/one.c"
  echo '#include "sdk/base/base.h"' >"$tree/host/low/low.c"
  printf '#include "host/low/low.h"\n#include "trammel/adapter/v1/adapter.pb-c.h"\n' >"$tree/host/high/high.c"
  echo '/* consults a cosmic reference, and opens a service mesh */' >>"$tree/host/high/high.c"
}

# expect CODE FILE LINE: with LINE added to FILE, layers.sh must exit with CODE, and name FILE when that is 1.
expect() {
  fresh_tree
  [ -z "$2" ] || { mkdir -p "$tree/$(dirname "$2")"; printf '%s\n' "$3" >>"$tree/$2"; }
  code=0
  output=$(sh "$check" "$tree" 2>&1) || code=$?
  if [ "$code" -ne "$1" ]; then
    echo "FAILED: exit code $code instead of $1 for '$3' in $2: $output"
    failed=1
  elif [ "$1" -eq 1 ] && ! printf '%s' "$output" | grep -q "^$2:"; then
    echo "FAILED: '$3' in $2 is not named: $output"
    failed=1
  fi
}

expect 0 '' ''
expect 0 host/high/high.c '#include "sdk/base/base.h"'
expect 0 host/high/high.c '#include <stdio.h>'
expect 0 plugins/one/one.c '#include "plugins/one/one.h"'
expect 0 plugins/one/one.c '/* istio and linkerd may be named here */'
expect 1 sdk/base/base.c '#include "host/low/low.h"'
expect 1 sdk/base/base.c '#include "trammel/adapter/v1/adapter.pb-c.h"'
expect 1 sdk/base/base.c '#  include	"plugins/one/one.h"'
expect 1 plugin-api/include/trammel/abi.h '#include "sdk/base/base.h"'
expect 1 plugin-api/include/trammel/abi.h '#include <trammel/adapter/v1/adapter.pb-c.h>'
expect 1 host/low/low.c '#include "host/high/high.h"'
expect 1 host/low/low.c '#include "trammel/abi.h"'
expect 1 host/low/low.h '#include "plugins/one/one.h"'
expect 1 host/high/high.c '#include "plugins/one/one.h"'
expect 1 plugins/one/one.c '#include "plugins/two/two.h"'
expect 1 plugins/one/one.c '#include "host/low/low.h"'
expect 1 host/high/high.c '#include "high.h"'
expect 1 host/high/high.c '#include "../../sdk/base/base.h"'
expect 1 host/other/other.c '#include "sdk/base/base.h"'
# shellcheck disable=SC2016 # a row as it is written
expect 1 ARCHITECTURE.md '| `host/low/` | below, again | `sdk/` |'
expect 1 host/high/high.c 'if (mesh == ISTIO) {'
expect 1 host/high/high.c '  return "istioctl";'
expect 1 host/low/low.h '/* Linkerd does not */'
expect 1 host/high/high.c 'call("consul");'
expect 1 host/high/high.c 'int osm_port;'
expect 1 host/high/high.c '/* as Open Service Mesh has it */'
expect 1 host/high/high.c '/* the reference mesh */'
expect 1 host/high/high.c 'start("trammel-refmesh");'
expect 1 host/high/high.c 'kuma_start();'

fresh_tree
echo 'no table' >"$tree/ARCHITECTURE.md"
code=0
sh "$check" "$tree" >/dev/null 2>&1 || code=$?
[ "$code" -eq 2 ] || { echo "FAILED: a tree without a table gives $code"; failed=1; }

[ "$failed" -eq 0 ] && echo "layers.sh finds every violation"
exit "$failed"
