# Writes OUTPUT, a C file that defines `const unsigned char SYMBOL[]` and `const size_t SYMBOL_length` with the bytes of INPUT.
# Run with cmake -DINPUT=… -DOUTPUT=… -DSYMBOL=… -P embed_file.cmake.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include <stddef.h>

extern const unsigned char ${SYMBOL}[];
extern const size_t ${SYMBOL}_length;

const unsigned char ${SYMBOL}[] = {\n${bytes}};
const size_t ${SYMBOL}_length = sizeof(${SYMBOL});\n")
