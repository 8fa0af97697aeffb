#include "sdk/base/utf8.h"

#include <stdio.h>
#include <string.h>

#define QUOTE_CHARACTERS 60

size_t utf8_decode(const char *text, size_t length, uint32_t *ret_character) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  uint32_t character;
  size_t size;

  if (length == 0)
    return 0;
  if (bytes[0] < 0x80) {
    *ret_character = bytes[0];
    return 1;
  }
  size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
  if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || size > length)
    return 0;
  character = bytes[0] & (0x7fU >> size);
  for (size_t i = 1; i < size; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
    character = character << 6 | (bytes[i] & 0x3fU);
  }
  if (character < smallest[size] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
    return 0;
  *ret_character = character;
  return size;
}

size_t utf8_encode(uint32_t character, char *out) {
  static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

  for (size_t i = size - 1; i > 0; i--) {
    out[i] = (char)(0x80 | (character & 0x3f));
    character >>= 6;
  }
  out[0] = (char)(lead[size] | character);
  return size;
}

/* ASCII, eight bytes at a time; 0 when one of the first eight is something else. */
static size_t ascii_run(const char *text, size_t length) {
  size_t at = 0;

  for (uint64_t eight; at + sizeof(eight) <= length; at += sizeof(eight)) {
    memcpy(&eight, text + at, sizeof(eight));
    if (eight & UINT64_C(0x8080808080808080))
      break;
  }
  return at;
}

bool utf8_valid(const char *text, size_t length, size_t *ret_offset) {
  uint32_t character;

  for (size_t at = 0, size; at < length; at += size) {
    size = ascii_run(text + at, length - at);
    if (size == 0)
      size = utf8_decode(text + at, length - at, &character);
    if (size == 0) {
      *ret_offset = at;
      return false;
    }
  }
  return true;
}

size_t utf8_count(const char *text, size_t length) {
  size_t count = 0;

  for (size_t i = 0; i < length; i++)
    count += ((unsigned char)text[i] & 0xc0) != 0x80;
  return count;
}

size_t utf8_fit(const char *text, size_t length, size_t most) {
  size_t n = length < most ? length : most;
  while (n < length && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
    n--;
  return n;
}

bool utf8_is_control(uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) || (character >= 0x200e && character <= 0x200f) ||
         (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069) ||
         character == 0xfeff;
}

/* Appends one character of `text` in its safe form and returns the bytes it took. */
static size_t append_safe_character(struct strbuf *out, const char *text, size_t length, const char *keep) {
  uint32_t character;
  size_t size = utf8_decode(text, length, &character);

  if (size == 0)
    strbuf_printf(out, "\\x%02x", (unsigned char)*text);
  else if (!utf8_is_control(character) || (keep && character > 0 && character < 0x80 && strchr(keep, (int)character)))
    strbuf_append(out, text, size);
  else if (character == '\n')
    strbuf_puts(out, "\\n");
  else if (character == '\t')
    strbuf_puts(out, "\\t");
  else if (character == '\r')
    strbuf_puts(out, "\\r");
  else if (character < 0x80)
    strbuf_printf(out, "\\x%02x", character);
  else
    strbuf_printf(out, "\\u{%x}", character);
  return size > 0 ? size : 1;
}

void utf8_append_safe(struct strbuf *out, const char *text, size_t length, const char *keep) {
  for (size_t at = 0; at < length && !strbuf_failed(out);)
    at += append_safe_character(out, text + at, length - at, keep);
}

const char *quote_text(struct quote *quote, const char *text, size_t length) {
  _cleanup_strbuf_ struct strbuf buffer = STRBUF_INIT;
  size_t at = 0;

  strbuf_putc(&buffer, '"');
  for (size_t shown = 0; at < length && shown < QUOTE_CHARACTERS && buffer.length < sizeof(quote->text) - 16; shown++)
    at += append_safe_character(&buffer, text + at, length - at, NULL);
  strbuf_puts(&buffer, at < length ? "…\"" : "\"");
  (void)snprintf(quote->text, sizeof(quote->text), "%s", strbuf_failed(&buffer) ? "…" : strbuf_text(&buffer));
  return quote->text;
}
