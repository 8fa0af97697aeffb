#include "sdk/base/hex.h"

void hex_write(const void *bytes, size_t length, char *ret_text) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < length; i++) {
    *ret_text++ = digits[byte[i] >> 4];
    *ret_text++ = digits[byte[i] & 15];
  }
  *ret_text = '\0';
}
