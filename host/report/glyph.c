#include "host/report/glyph.h"

#include <string.h>

#include "sdk/base/utf8.h"

#define SEQUENCE_MAX 4

size_t glyph_next(const char *text, uint32_t *ret_glyph) {
  if (text[0] == '\0')
    return 0;
  size_t length = utf8_decode(text, strnlen(text, SEQUENCE_MAX), ret_glyph);
  if (length > 0)
    return length;
  *ret_glyph = GLYPH_REPLACEMENT;
  return 1;
}

void glyph_append(struct strbuf *buffer, uint32_t glyph) {
  char bytes[SEQUENCE_MAX];
  strbuf_append(buffer, bytes, utf8_encode(glyph, bytes));
}

void glyph_append_valid(struct strbuf *buffer, const char *text) {
  uint32_t glyph;
  for (size_t length; (length = glyph_next(text, &glyph)) > 0; text += length)
    glyph_append(buffer, glyph);
}
