/* How text is put on a terminal: colours, symbols, safe and cut to a width. One column per code point. */
#ifndef TRAMMEL_HOST_REPORT_STYLE_H
#define TRAMMEL_HOST_REPORT_STYLE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/report/matrix.h"
#include "sdk/base/strbuf.h"

enum tone { TONE_PLAIN, TONE_STRONG, TONE_DIM, TONE_GOOD, TONE_BAD, TONE_WARNING };

struct style {
  bool colour;  /* ANSI colours */
  bool unicode; /* the locale's character set is UTF-8 */
};

/* Asks the environment's locale, without changing the program's. */
struct style style_detect(bool colour);

/* Everything appended between the two has the tone. */
void style_begin(const struct style *style, struct strbuf *buffer, enum tone tone);
void style_end(const struct style *style, struct strbuf *buffer, enum tone tone);

/* Appends text on one line, at most `columns` wide, with an ellipsis where it was cut. Control characters show as
 * escapes (\n, \x1b), so that nothing a mesh says can steer the terminal; characters the locale lacks show as "?".
 * Returns the columns used. */
size_t style_text(const struct style *style, struct strbuf *buffer, const char *text, size_t columns);

/* The same, filled up with spaces to exactly `columns`. */
void style_field(const struct style *style, struct strbuf *buffer, const char *text, size_t columns);

/* Appends text word-wrapped to `width` columns in all, later lines indented by `indent`, and a newline. The first
 * line's indent stands already. */
void style_wrap(const struct style *style, struct strbuf *buffer, const char *text, size_t indent, size_t width);

/* Symbol and tone for a cell and an outcome. */
const char *style_cell(const struct style *style, enum cell cell, enum tone *ret_tone);
const char *style_outcome(const struct style *style, enum outcome outcome, enum tone *ret_tone);

#endif
