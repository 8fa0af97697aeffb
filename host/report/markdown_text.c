#include "host/report/markdown_text.h"

#include <string.h>

#include "host/report/glyph.h"
#include "sdk/base/utf8.h"

void markdown_text(struct strbuf *buffer, const char *value) {
  uint32_t glyph;
  for (size_t length; (length = glyph_next(value, &glyph)) > 0; value += length) {
    if (glyph == '\n' || glyph == '\t' || glyph == '\r')
      strbuf_putc(buffer, ' ');
    else if (utf8_is_control(glyph))
      glyph_append(buffer, GLYPH_REPLACEMENT);
    else if (glyph == '<' || glyph == '>' || glyph == '&')
      strbuf_puts(buffer, glyph == '<' ? "&lt;" : glyph == '>' ? "&gt;" : "&amp;");
    else if (glyph < 0x80 && strchr("\\`*_[]|~#", (int)glyph))
      strbuf_printf(buffer, "\\%c", (char)glyph);
    else
      glyph_append(buffer, glyph);
  }
}

void markdown_code(struct strbuf *buffer, const char *language, const char *code) {
  size_t longest = 2;
  for (const char *c = code; *c != '\0';) {
    size_t run = strspn(c, "`");
    if (run > longest)
      longest = run;
    c += run > 0 ? run : 1;
  }
  for (size_t i = 0; i <= longest; i++)
    strbuf_putc(buffer, '`');
  strbuf_printf(buffer, "%s\n", language);
  glyph_append_valid(buffer, code);
  if (code[0] != '\0' && code[strlen(code) - 1] != '\n')
    strbuf_putc(buffer, '\n');
  for (size_t i = 0; i <= longest; i++)
    strbuf_putc(buffer, '`');
  strbuf_puts(buffer, "\n\n");
}
