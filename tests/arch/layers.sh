#!/bin/sh
# Checks a source tree's layers: each #include must be allowed by the table in ARCHITECTURE.md, and host/ names no mesh.
# Usage: layers.sh TREE. Prints each violation; exits 1 when there are any, 2 when the check itself cannot be done.
set -eu

tree=${1:?usage: layers.sh TREE}
cd "$tree"

set --
for folder in plugin-api sdk plugins host; do
  [ ! -d "$folder" ] || set -- "$@" "$folder"
done
[ $# -gt 0 ] || { echo "layers: no sources in $tree" >&2; exit 2; }

# A path with white space would be read as two files.
find "$@" -type f \( -name '*.c' -o -name '*.h' \) | sort |
  LC_ALL=C awk '
# The longest folder of the table that `path` is in, as it is in the tree ("plugins/reference/"); "" for none.
function folder_of(path,    i, length_, best) {
  best = 0
  for (i = 1; i <= rows; i++)
    if (match(path, "^" pattern[i]) && RLENGTH > best) {
      best = RLENGTH
      found_row = i
    }
  return substr(path, 1, best)
}

# Where an include as it is written leads to.
function resolve(include) {
  if (include ~ /\.pb-c\.h$/)
    return "proto/" include
  if (include ~ /^trammel\//)
    return "plugin-api/include/" include
  return include
}

function complain(text) {
  print FILENAME ":" FNR ": " text
  violations++
}

function check_include(include, quoted,    own, row, target, allowed_) {
  target = resolve(include)
  if (!quoted && target == include)
    return # a system header
  own = folder_of(FILENAME)
  row = found_row
  if (own == "") {
    complain("its folder is not in the table of ARCHITECTURE.md")
    return
  }
  if (folder_of(target) == "") {
    complain("\"" include "\" is in no folder of the table of ARCHITECTURE.md; includes are written from the top of the tree")
    return
  }
  if (folder_of(target) == own)
    return
  if (allowed[row] == "" || target !~ "^(" allowed[row] ")")
    complain(own " must not include \"" include "\"")
}

function check_names(    text) {
  text = " " tolower($0) " "
  if (text ~ /[^a-z0-9](istio|linkerd|kuma|maesh|cilium|refmesh|open service mesh|reference[ _-]mesh)/ ||
      text ~ /[^a-z0-9](osm|consul)[^a-z0-9]/)
    complain("host code names a mesh; what differs between meshes belongs to an adapter")
}

# First the table: | `folder/` | what | `may/` `include/` |, where * in a folder stands for one name.
phase == "table" {
  if ($0 !~ /^\| `[^`]*\/` \|/)
    next
  columns = split($0, column, "|")
  split(column[2], name, "`")
  if (name[2] in listed)
    complain("`" name[2] "` is in the table twice; the second row would count for nothing")
  listed[name[2]] = 1
  pattern[++rows] = name[2]
  gsub(/\./, "\\.", pattern[rows])
  gsub(/\*/, "[^/]+", pattern[rows])
  parts = split(column[columns - 1], part, "`")
  for (i = 2; i <= parts; i += 2)
    allowed[rows] = allowed[rows] (i > 2 ? "|" : "") part[i]
  next
}

# Then the list of files, and with it the files.
phase == "list" {
  ARGV[ARGC++] = $0
  next
}

FNR == 1 { files++ }
/^[ \t]*#[ \t]*include[ \t]*"/ { split($0, word, "\""); check_include(word[2], 1) }
/^[ \t]*#[ \t]*include[ \t]*</ { split($0, word, /[<>]/); check_include(word[2], 0) }
FILENAME ~ /^host\// { check_names() }

END {
  if (rows == 0 || files == 0) {
    print "layers: no table in ARCHITECTURE.md, or no sources" > "/dev/stderr"
    exit 2
  }
  printf "layers: %d files, %d folders in the table, %d violations\n", files, rows, violations
  exit violations > 0
}' phase=table ARCHITECTURE.md phase=list - phase=source
