#include "host/transport/kube/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c) {
  const char *at = c ? strchr(alphabet, c) : NULL;

  return at ? (int)(at - alphabet) : -1;
}

struct decoding {
  uint32_t bits;
  unsigned digits;  /* of the current group of four */
  unsigned padding; /* '=' seen */
  char *out;
  size_t length;
};

static void end_group(struct decoding *d) {
  unsigned bytes = 3 - d->padding;

  for (unsigned i = 0; i < bytes; i++)
    d->out[d->length++] = (char)(d->bits >> (16 - 8 * i));
  d->bits = 0;
  d->digits = 0;
}

static int take_character(struct decoding *d, char c) {
  if (c == '=') {
    if (d->digits + d->padding < 2 || d->padding == 2)
      return -EINVAL;
    d->padding++;
    d->bits <<= 6;
  } else {
    int value = digit(c);
    if (value < 0 || d->padding > 0)
      return -EINVAL;
    d->bits = d->bits << 6 | (uint32_t)value;
  }
  if (++d->digits == 4)
    end_group(d);
  return 0;
}

int base64_decode(const char *text, size_t length, char **ret_data, size_t *ret_length) {
  struct decoding d = {.out = malloc(length / 4 * 3 + 4)};

  if (!d.out)
    return -ENOMEM;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n' || text[i] == '\r' || text[i] == ' ' || text[i] == '\t')
      continue;
    if ((d.padding > 0 && d.digits == 0) || take_character(&d, text[i]) < 0) {
      free(d.out);
      return -EINVAL;
    }
  }
  if (d.digits != 0) {
    free(d.out);
    return -EINVAL;
  }
  d.out[d.length] = '\0';
  *ret_data = d.out;
  *ret_length = d.length;
  return 0;
}

char *base64_encode(const void *data, size_t length) {
  const unsigned char *bytes = data;
  char *out = malloc((length + 2) / 3 * 4 + 1);
  char *p = out;

  for (size_t i = 0; out && i < length; i += 3) {
    size_t left = length - i;
    uint32_t bits =
        (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    *p++ = alphabet[bits >> 18];
    *p++ = alphabet[bits >> 12 & 63];
    *p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
    *p++ = left > 2 ? alphabet[bits & 63] : '=';
  }
  if (out)
    *p = '\0';
  return out;
}
