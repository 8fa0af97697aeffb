#include "host/lab/workload/json_text.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_text_append(struct strbuf *out, const char *text, size_t length) {
  strbuf_putc(out, '"');
  for (size_t i = 0; i < length;) {
    size_t run = i;
    while (run < length && is_plain((unsigned char)text[run]))
      run++;
    strbuf_append(out, text + i, run - i);
    if (run < length)
      strbuf_printf(out, "\\u%04x", (unsigned char)text[run++]);
    i = run;
  }
  strbuf_putc(out, '"');
}

void json_text_puts(struct strbuf *out, const char *text) {
  json_text_append(out, text, strlen(text));
}

void json_text_error(struct strbuf *out, const char *text) {
  strbuf_puts(out, "{\"error\":");
  json_text_puts(out, text);
  strbuf_putc(out, '}');
}
