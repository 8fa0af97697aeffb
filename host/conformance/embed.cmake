# Writes OUTPUT, a C file with the table of host/conformance/embedded.h, from the files in LIST (a text file, one path below ROOT a line).
# Run with cmake -DROOT=… -DLIST=… -DOUTPUT=… -P embed.cmake. The same files give the same output, byte for byte.
file(STRINGS ${LIST} files)
list(SORT files)
set(arrays "")
set(table "")
set(count 0)
foreach(file IN LISTS files)
  string(REGEX REPLACE "^host/conformance/suites/([^/]+)/.*$" "\\1" suite ${file})
  file(READ ${ROOT}/${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}};\n")
  string(APPEND table "    {\"${suite}\", \"${file}\", file_${count}, sizeof(file_${count})},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"host/conformance/embedded.h\"\n\n${arrays}
const struct embedded_file embedded_files[] = {\n${table}};\nconst size_t embedded_file_count = ${count};\n")
