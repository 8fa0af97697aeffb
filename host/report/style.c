#include "host/report/style.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "host/report/glyph.h"
#include "sdk/base/utf8.h"

struct style style_detect(bool colour) {
  struct style style = {.colour = colour};
  locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (locale == (locale_t)0) /* the environment names a locale that is not installed: plain ASCII is right for it */
    return style;
  style.unicode = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
  freelocale(locale);
  return style;
}

void style_begin(const struct style *style, struct strbuf *buffer, enum tone tone) {
  static const char *const codes[] = {[TONE_PLAIN] = "",        [TONE_STRONG] = "\x1b[1m", [TONE_DIM] = "\x1b[2m",
                                      [TONE_GOOD] = "\x1b[32m", [TONE_BAD] = "\x1b[31m",   [TONE_WARNING] = "\x1b[33m"};
  if (style->colour)
    strbuf_puts(buffer, codes[tone]);
}

void style_end(const struct style *style, struct strbuf *buffer, enum tone tone) {
  if (style->colour && tone != TONE_PLAIN)
    strbuf_puts(buffer, "\x1b[0m");
}

/* How one character shows: its text in `shown` and its width. */
#define SHOWN_MAX 12
static size_t show(const struct style *style, uint32_t glyph, char shown[SHOWN_MAX]) {
  switch (glyph) {
  case '\n':
    return (size_t)snprintf(shown, SHOWN_MAX, "\\n");
  case '\r':
    return (size_t)snprintf(shown, SHOWN_MAX, "\\r");
  case '\t':
    return (size_t)snprintf(shown, SHOWN_MAX, "\\t");
  default:
    break;
  }
  if (utf8_is_control(glyph))
    return (size_t)snprintf(shown, SHOWN_MAX, glyph < 0x100 ? "\\x%02x" : "\\u%04x", glyph);
  if (glyph >= 0x80 && !style->unicode)
    glyph = '?';
  shown[utf8_encode(glyph, shown)] = '\0';
  return 1;
}

/* Appends the first `bytes` of text, which are whole characters, as far as they fit into `room` columns. Returns the
 * columns used; with a NULL buffer it only measures. */
static size_t put_shown(const struct style *style, struct strbuf *buffer, const char *text, size_t bytes, size_t room) {
  size_t used = 0;
  uint32_t glyph;
  char shown[SHOWN_MAX];
  for (size_t at = 0, length; at < bytes && (length = glyph_next(text + at, &glyph)) > 0; at += length) {
    size_t wide = show(style, glyph, shown);
    if (wide > room - used)
      break;
    if (buffer)
      strbuf_puts(buffer, shown);
    used += wide;
  }
  return used;
}

size_t style_text(const struct style *style, struct strbuf *buffer, const char *text, size_t columns) {
  const char *ellipsis = style->unicode ? "…" : "...";
  size_t ellipsis_width = style->unicode ? 1 : 3;
  if (put_shown(style, NULL, text, SIZE_MAX, SIZE_MAX) <= columns)
    return put_shown(style, buffer, text, SIZE_MAX, columns);
  if (columns <= ellipsis_width)
    return put_shown(style, buffer, text, SIZE_MAX, columns);
  size_t used = put_shown(style, buffer, text, SIZE_MAX, columns - ellipsis_width);
  strbuf_puts(buffer, ellipsis);
  return used + ellipsis_width;
}

void style_field(const struct style *style, struct strbuf *buffer, const char *text, size_t columns) {
  for (size_t used = style_text(style, buffer, text, columns); used < columns; used++)
    strbuf_putc(buffer, ' ');
}

void style_wrap(const struct style *style, struct strbuf *buffer, const char *text, size_t indent, size_t width) {
  size_t room = width > indent + 8 ? width - indent : 8;
  size_t used = 0;
  while (*(text += strspn(text, " \n\t")) != '\0') {
    size_t length = strcspn(text, " \n\t");
    size_t wide = put_shown(style, NULL, text, length, SIZE_MAX);
    if (used > 0 && used + 1 + wide > room) {
      strbuf_printf(buffer, "\n%*s", (int)indent, "");
      used = 0;
    } else if (used > 0) {
      strbuf_putc(buffer, ' ');
      used++;
    }
    used += put_shown(style, buffer, text, length, SIZE_MAX); /* a word wider than the room stays whole, to be copied */
    text += length;
  }
  strbuf_putc(buffer, '\n');
}

const char *style_cell(const struct style *style, enum cell cell, enum tone *ret_tone) {
  static const struct {
    const char *unicode;
    const char *ascii;
    enum tone tone;
  } looks[] = {
      [CELL_NONE] = {"·", ".", TONE_DIM},         [CELL_SKIPPED] = {"–", "-", TONE_WARNING},
      [CELL_INFORMATIVE] = {"i", "i", TONE_DIM},  [CELL_PROVED] = {"✓", "+", TONE_GOOD},
      [CELL_UNJUDGED] = {"!", "!", TONE_WARNING}, [CELL_BROKEN] = {"✗", "x", TONE_BAD},
  };
  *ret_tone = looks[cell].tone;
  return style->unicode ? looks[cell].unicode : looks[cell].ascii;
}

const char *style_outcome(const struct style *style, enum outcome outcome, enum tone *ret_tone) {
  static const enum cell cells[] = {[OUTCOME_PASSED] = CELL_PROVED,
                                    [OUTCOME_FAILED] = CELL_BROKEN,
                                    [OUTCOME_SKIPPED] = CELL_SKIPPED,
                                    [OUTCOME_INFORMATIVE] = CELL_INFORMATIVE,
                                    [OUTCOME_ERROR] = CELL_UNJUDGED};
  return style_cell(style, cells[outcome], ret_tone);
}
