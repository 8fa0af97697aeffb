#include "host/report/html_text.h"

#include <inttypes.h>
#include <string.h>

#include "host/report/glyph.h"
#include "sdk/base/utf8.h"

/* Code points that HTML does not take, though UTF-8 can write them. */
static bool is_noncharacter(uint32_t glyph) {
  return (glyph >= 0xFDD0 && glyph <= 0xFDEF) || (glyph & 0xFFFE) == 0xFFFE;
}

static void put_glyph(struct strbuf *out, uint32_t glyph) {
  if (is_noncharacter(glyph))
    glyph_append(out, GLYPH_REPLACEMENT);
  else if (glyph < 0x80 && strchr("&<>\"'", (int)glyph))
    strbuf_printf(out, "&#%" PRIu32 ";", glyph);
  else
    glyph_append(out, glyph);
}

static void put_text(struct strbuf *out, const char *text, size_t bytes) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, bytes, "\n\t");
  uint32_t glyph;
  const char *at = strbuf_text(&safe);
  for (size_t length; (length = glyph_next(at, &glyph)) > 0; at += length)
    put_glyph(out, glyph);
  out->failed = out->failed || strbuf_failed(&safe);
}

void html_text(struct strbuf *out, const char *text) {
  if (text)
    put_text(out, text, strlen(text));
}

void html_prose(struct strbuf *out, const char *text) {
  while (text && *text != '\0') {
    size_t plain = strcspn(text, "`");
    const char *end = text[plain] == '`' ? strchr(text + plain + 1, '`') : NULL;
    if (!end)
      plain = strlen(text);
    put_text(out, text, plain);
    if (!end)
      return;
    strbuf_puts(out, "<code>");
    put_text(out, text + plain + 1, (size_t)(end - text) - plain - 1);
    strbuf_puts(out, "</code>");
    text = end + 1;
  }
}

void html_element(struct strbuf *out, const char *tag, const char *class, const char *text) {
  if (class)
    strbuf_printf(out, "<%s class=\"%s\">", tag, class);
  else
    strbuf_printf(out, "<%s>", tag);
  html_text(out, text);
  strbuf_printf(out, "</%s>", tag);
}
