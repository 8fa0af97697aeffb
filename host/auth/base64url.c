#include "host/auth/base64url.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_append(struct strbuf *out, const void *data, size_t length) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < length; i += 3) {
    size_t left = length - i;
    uint32_t group = (uint32_t)bytes[i] << 16;
    group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
    group |= left > 2 ? bytes[i + 2] : 0;
    size_t characters = left > 2 ? 4 : left + 1;
    for (size_t k = 0; k < characters; k++)
      strbuf_putc(out, alphabet[group >> (18 - 6 * k) & 0x3f]);
  }
}

static int value_of(char c) {
  const char *at = c ? strchr(alphabet, c) : NULL;
  return at ? (int)(at - alphabet) : -1;
}

int base64url_decode(const char *text, size_t length, unsigned char *ret_data, size_t *ret_length) {
  uint32_t bits = 0;
  unsigned have = 0;
  size_t made = 0;
  if (length % 4 == 1)
    return -EINVAL;
  for (size_t i = 0; i < length; i++) {
    int value = value_of(text[i]);
    if (value < 0)
      return -EINVAL;
    bits = bits << 6 | (uint32_t)value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      ret_data[made++] = (unsigned char)(bits >> have);
      bits &= (1U << have) - 1;
    }
  }
  if (bits != 0)
    return -EINVAL;
  *ret_length = made;
  return 0;
}
