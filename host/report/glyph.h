/* The characters of a text that came from outside and may be no valid UTF-8. Pure functions. */
#ifndef TRAMMEL_HOST_REPORT_GLYPH_H
#define TRAMMEL_HOST_REPORT_GLYPH_H

#include <stddef.h>
#include <stdint.h>

#include "sdk/base/strbuf.h"

#define GLYPH_REPLACEMENT 0xFFFDu /* stands for a byte that starts no valid sequence */

/* The character at the start of NUL-terminated `text`, and its length in bytes; 0 at the end. */
size_t glyph_next(const char *text, uint32_t *ret_glyph);

/* Appends one character in UTF-8; it must be no surrogate. */
void glyph_append(struct strbuf *buffer, uint32_t glyph);

/* Appends `text` with every invalid byte replaced. */
void glyph_append_valid(struct strbuf *buffer, const char *text);

#endif
