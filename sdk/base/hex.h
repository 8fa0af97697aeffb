/* Bytes as hexadecimal digits. */
#ifndef TRAMMEL_SDK_BASE_HEX_H
#define TRAMMEL_SDK_BASE_HEX_H

#include <stddef.h>

/* Two lower-case digits for each byte, and the NUL. */
void hex_write(const void *bytes, size_t length, char *ret_text);

#endif
