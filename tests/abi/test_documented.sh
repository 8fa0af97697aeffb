#!/bin/sh
# Proves that documented.sh finds what it is there to find, in a small tree.
# Usage: test_documented.sh DOCUMENTED_SH
set -eu

check=${1:?usage: test_documented.sh DOCUMENTED_SH}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

mkdir -p "$tree/docs" "$tree/cmake" "$tree/tests/broken-adapters" "$tree/plugin-api"
echo 'target_link_options(x -Wl,-z,defs)' >"$tree/cmake/x.cmake"
echo 'foreach(name there) # forgotten is not' >"$tree/tests/broken-adapters/CMakeLists.txt"
echo 'add_test(NAME abi_thing COMMAND test_one.c)' >"$tree/tests/CMakeLists.txt"
touch "$tree/tests/broken-adapters/there.c" "$tree/tests/broken-adapters/unbuilt.c" "$tree/plugin-api/adapter.map"
echo 'static void a_rule_is_kept(void **state) {}' >"$tree/tests/test_one.c"
echo 'static void another(void **state) {}' >"$tree/tests/test_two.c"

# expect WANTED TEXT COLUMN
# shellcheck disable=SC2016 # backticks of Markdown
expect() {
  printf '# ABI\n\n| rule | enforced by |\n|---|---|\n| first | `test_one.c` |\n| a `rule` of `its_own` | %s |\n\n| x | `none` |\n' \
    "$3" >"$tree/docs/abi.md"
  code=0
  sh "$check" "$tree" >"$tree/out" 2>&1 || code=$?
  if [ "$code" -ne "$1" ] || ! grep -q -F -e "$2" "$tree/out"; then
    echo "\"$3\": exit $code, expected $1 and \"$2\":"
    cat "$tree/out"
    failed=1
  fi
}

# shellcheck disable=SC2016 # backticks of Markdown
{
  expect 0 '8 names looked for, 0 not there' \
    'u `test_one.c` `a_rule_is_kept`; broken `there`, `there`; `plugin-api/adapter.map`, `-z,defs`, `a_rule_…`'
  expect 1 'no tests/broken-adapters/not_there.c' 'broken `there`, `not_there`'
  expect 1 'tests/broken-adapters/unbuilt.c is not built' 'broken `unbuilt`'
  expect 1 'there is no test_three.c' '`test_three.c`'
  expect 1 'no CMakeLists.txt below tests/ has test_two.c' '`test_two.c`'
  expect 1 'is called a_rule_is' '`a_rule_is`'
  expect 1 'is called b_rule_…' '`b_rule_…`'
  expect 1 'there is no plugin-api/other.map' '`plugin-api/other.map`'
  expect 1 'line 6: the rule names nothing' 'by everyone'
  expect 0 '2 names' '`abi_thing`'
}
exit $failed
