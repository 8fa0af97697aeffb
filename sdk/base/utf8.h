/* UTF-8: decoding with all the checks of RFC 3629, and values from outside made safe to show. */
#ifndef TRAMMEL_SDK_BASE_UTF8_H
#define TRAMMEL_SDK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/strbuf.h"

/* Decodes the character at `text`: its length in bytes (1 to 4) and `*ret_character`, or 0 when the bytes are no UTF-8
 * (overlong, surrogate, beyond U+10FFFF, cut off) or `length` is 0. */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_character);

/* Writes `character` in UTF-8 to `out`, which has room for 4 bytes; returns the bytes written. */
size_t utf8_encode(uint32_t character, char *out);

/* Whether all of the text is UTF-8; when not, `*ret_offset` is of the first bad byte. */
bool utf8_valid(const char *text, size_t length, size_t *ret_offset);

/* Characters in a text that is UTF-8. */
size_t utf8_count(const char *text, size_t length);

/* How many of the text's bytes are whole characters within its first `most`; of a text that is UTF-8. */
size_t utf8_fit(const char *text, size_t length, size_t most);

/* Whether the character does something to a terminal instead of being shown: C0, DEL, C1, bidirectional overrides. */
bool utf8_is_control(uint32_t character);

/* Appends the text with control characters and bytes that are no UTF-8 written as \n, \t, \xNN or \u{N}. `keep` is a
 * string of control characters that stay, NULL for none. */
void utf8_append_safe(struct strbuf *out, const char *text, size_t length, const char *keep);

/* A value as messages show it: in double quotes, safe, cut after about 60 characters. `quote` holds the result. */
struct quote {
  char text[320];
};
const char *quote_text(struct quote *quote, const char *text, size_t length);

#endif
