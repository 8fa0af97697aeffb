/* A strict JSON reader of its own, because jansson cannot serve here: it tells no value's position, does not keep a
 * number as written, and refuses the whole document for one number beyond a double's range, which a mesh may well send.
 * Tests and the fuzzer hold it to jansson's verdict on every other input. It does not recurse: nesting lives in the
 * builder. */
#include "sdk/base/document_internal.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/utf8.h"

struct json_reader {
  struct builder *builder;
  const char *text; /* UTF-8, checked before */
  size_t length;
  size_t at;
  uint32_t line;
  uint32_t column;
};

enum json_state {
  JSON_VALUE,        /* a value must follow */
  JSON_VALUE_OR_END, /* after '[' */
  JSON_KEY,          /* after ',' in a map */
  JSON_KEY_OR_END,   /* after '{' */
  JSON_AFTER,        /* after a value: ',', the end of its container, or of the text */
};

static struct position json_position(const struct json_reader *reader) {
  return (struct position){.file = reader->builder->file, .line = reader->line, .column = reader->column};
}

/* The next byte; 0, which the text never holds, at the end. */
static char json_peek(const struct json_reader *reader, size_t ahead) {
  if (reader->length - reader->at <= ahead)
    return '\0';
  return reader->text[reader->at + ahead];
}

/* Takes bytes that hold no line break. */
static void json_take(struct json_reader *reader, size_t bytes) {
  reader->column += (uint32_t)utf8_count(reader->text + reader->at, bytes);
  reader->at += bytes;
}

static void json_skip_space(struct json_reader *reader) {
  for (char c = json_peek(reader, 0); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = json_peek(reader, 0)) {
    bool ends_line = c == '\n' || (c == '\r' && json_peek(reader, 1) != '\n');

    reader->at++;
    reader->column = ends_line ? 1 : reader->column + 1;
    reader->line += ends_line;
  }
}

static const char *json_remedy(const struct json_reader *reader) {
  switch (json_peek(reader, 0)) {
  case '\'':
    return "JSON strings stand in double quotes";
  case '/':
  case '#':
    return "JSON has no comments; remove it, or write the document as YAML";
  case '}':
  case ']':
    return "remove the comma before it, or close what is still open";
  case '\0':
    return "the text is cut off, or a bracket is not closed";
  case '+':
  case '.':
    return "JSON numbers start with a digit or with '-' and a digit";
  default:
    return NULL;
  }
}

/* Ends the reading at the current position: "expected X, found Y". */
static int json_fail(struct json_reader *reader, const char *expected) {
  struct complaint complaint = {.code = "DOC-0004", .position = json_position(reader), .remedy = json_remedy(reader)};
  size_t word = 0, rest = reader->length - reader->at;
  struct quote quote;
  uint32_t character;

  reader->builder->syntax = true;
  if (rest == 0)
    return builder_stop(reader->builder, EINVAL, &complaint, "not JSON: expected %s, found the end of the text",
                        expected);
  while (word < rest && word < 32 &&
         strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", reader->text[reader->at + word]))
    word++;
  if (word == 0)
    word = utf8_decode(reader->text + reader->at, rest, &character);
  return builder_stop(reader->builder, EINVAL, &complaint, "not JSON: expected %s, found %s", expected,
                      quote_text(&quote, reader->text + reader->at, word));
}

/* Four hexadecimal digits at `text`, or -1. */
static int32_t hex4(const char *text, size_t room) {
  int32_t value = 0;

  if (room < 4)
    return -1;
  for (size_t i = 0; i < 4; i++) {
    char c = text[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;

    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* The character after "\u", with the second half of a surrogate pair: bytes taken, 0 when it is none. */
static size_t json_unicode_escape(const char *text, size_t room, uint32_t *ret_character) {
  int32_t high = hex4(text + 2, room - 2), low;

  if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
    return 0;
  *ret_character = (uint32_t)high;
  if (high < 0xd800 || high > 0xdbff)
    return 6;
  if (room < 12 || text[6] != '\\' || text[7] != 'u')
    return 0;
  low = hex4(text + 8, room - 8);
  if (low < 0xdc00 || low > 0xdfff)
    return 0;
  *ret_character = 0x10000U + (((uint32_t)high - 0xd800U) << 10) + ((uint32_t)low - 0xdc00U);
  return 12;
}

/* Decodes the escape at the reader into `out`. */
static int json_escape(struct json_reader *reader, char *out, size_t *length) {
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  const char *text = reader->text + reader->at, *found;
  size_t room = reader->length - reader->at, taken = 2;
  uint32_t character = 0;

  if (room < 2)
    return json_fail(reader, "an escape after '\\'");
  if (text[1] == 'u') {
    taken = json_unicode_escape(text, room, &character);
    if (taken == 0)
      return json_fail(reader, "\\u and four hexadecimal digits, surrogates in pairs");
    if (character == 0)
      return builder_stop(
          reader->builder, EINVAL,
          &(struct complaint){.code = "DOC-0002", .position = json_position(reader), .remedy = "remove it"},
          "a string holds the NUL character (\\u0000), which no SMI field may");
    *length += utf8_encode(character, out + *length);
  } else {
    found = strchr(letters, text[1]);
    if (!found)
      return json_fail(reader, "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
    out[(*length)++] = meanings[found - letters];
  }
  json_take(reader, taken);
  return 0;
}

/* Bytes up to the closing quote, or to the end when there is none. */
static size_t json_string_extent(const struct json_reader *reader) {
  size_t end = reader->at;

  while (end < reader->length && reader->text[end] != '"')
    end += reader->text[end] == '\\' && reader->length - end > 1 ? 2 : 1;
  return end - reader->at;
}

/* Reads the string whose opening quote is next. No escape decodes to more bytes than it is written with. */
static int json_string_read(struct json_reader *reader, char **ret_text, size_t *ret_length) {
  size_t length = 0;
  char *out;
  int r;

  json_take(reader, 1);
  out = arena_alloc(reader->builder->arena, json_string_extent(reader) + 1);
  if (!out)
    return -ENOMEM;
  for (char c = json_peek(reader, 0); c != '"'; c = json_peek(reader, 0)) {
    size_t run = 0;

    if (reader->at == reader->length)
      return json_fail(reader, "'\"' at the end of the string");
    if ((unsigned char)c < 0x20)
      return json_fail(reader, "control characters in a string written as escapes such as \\n");
    if (c == '\\') {
      r = json_escape(reader, out, &length);
      if (r < 0)
        return r;
      continue;
    }
    while ((unsigned char)json_peek(reader, run) >= 0x20 && json_peek(reader, run) != '"' &&
           json_peek(reader, run) != '\\')
      run++;
    memcpy(out + length, reader->text + reader->at, run);
    length += run;
    json_take(reader, run);
  }
  json_take(reader, 1);
  out[length] = '\0';
  *ret_text = out;
  *ret_length = length;
  return 0;
}

static size_t digits_at(const struct json_reader *reader, size_t ahead) {
  size_t count = 0;

  while (json_peek(reader, ahead + count) >= '0' && json_peek(reader, ahead + count) <= '9')
    count++;
  return count;
}

/* Bytes of the number that is next (RFC 8259, 6), or 0. */
static size_t json_number_extent(const struct json_reader *reader) {
  size_t size = json_peek(reader, 0) == '-', digits = digits_at(reader, size);

  if (digits == 0 || (digits > 1 && json_peek(reader, size) == '0'))
    return 0;
  size += digits;
  if (json_peek(reader, size) == '.') {
    digits = digits_at(reader, size + 1);
    if (digits == 0)
      return 0;
    size += 1 + digits;
  }
  if (json_peek(reader, size) == 'e' || json_peek(reader, size) == 'E') {
    size++;
    size += json_peek(reader, size) == '+' || json_peek(reader, size) == '-';
    digits = digits_at(reader, size);
    if (digits == 0)
      return 0;
    size += digits;
  }
  return size;
}

static size_t json_word_extent(const struct json_reader *reader) {
  static const char *const words[] = {"true", "false", "null"};
  const char *text = reader->text + reader->at;
  size_t rest = reader->length - reader->at;

  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strlen(words[i]) <= rest && memcmp(text, words[i], strlen(words[i])) == 0)
      return strlen(words[i]);
  return 0;
}

static int json_scalar_read(struct json_reader *reader) {
  struct node scalar = {.kind = NODE_STRING, .position = json_position(reader)};
  char first = json_peek(reader, 0), *text = NULL;
  size_t size = 0;
  int r;

  if (first == '"') {
    r = json_string_read(reader, &text, &size);
    if (r < 0)
      return r;
    scalar.text = text;
    scalar.length = (uint32_t)size;
    return builder_scalar(reader->builder, &scalar);
  }
  size = first == '-' || (first >= '0' && first <= '9') ? json_number_extent(reader) : json_word_extent(reader);
  if (size == 0)
    return json_fail(reader, first == '-' || (first >= '0' && first <= '9') ? "a number as JSON writes it" : "a value");
  scalar.text = arena_strndup(reader->builder->arena, reader->text + reader->at, size);
  if (!scalar.text)
    return -ENOMEM;
  scalar.length = (uint32_t)size;
  scalar_resolve(&scalar);
  json_take(reader, size);
  return builder_scalar(reader->builder, &scalar);
}

static int json_value_read(struct json_reader *reader, enum json_state *state) {
  char c = json_peek(reader, 0);
  int r;

  if (c != '{' && c != '[') {
    *state = JSON_AFTER;
    return json_scalar_read(reader);
  }
  r = builder_open(reader->builder, c == '{' ? NODE_MAP : NODE_LIST, json_position(reader));
  json_take(reader, 1);
  *state = c == '{' ? JSON_KEY_OR_END : JSON_VALUE_OR_END;
  return r;
}

static int json_key_read(struct json_reader *reader, enum json_state *state) {
  struct position position = json_position(reader);
  size_t length = 0;
  char *key = NULL;
  int r;

  if (json_peek(reader, 0) != '"')
    return json_fail(reader, "a key in double quotes");
  r = json_string_read(reader, &key, &length);
  if (r < 0)
    return r;
  r = builder_key(reader->builder, position, key, length);
  if (r < 0)
    return r;
  json_skip_space(reader);
  if (json_peek(reader, 0) != ':')
    return json_fail(reader, "':' after the key");
  json_take(reader, 1);
  *state = JSON_VALUE;
  return 0;
}

static int json_close(struct json_reader *reader, enum json_state *state) {
  json_take(reader, 1);
  *state = JSON_AFTER;
  return builder_close(reader->builder);
}

/* After a value inside a list or map. */
static int json_after_read(struct json_reader *reader, enum json_state *state) {
  bool in_map = builder_in_map(reader->builder);
  char c = json_peek(reader, 0);

  if (c == (in_map ? '}' : ']'))
    return json_close(reader, state);
  if (c != ',')
    return json_fail(reader, in_map ? "',' or '}' after the value" : "',' or ']' after the value");
  json_take(reader, 1);
  *state = in_map ? JSON_KEY : JSON_VALUE;
  return 0;
}

static int json_step(struct json_reader *reader, enum json_state *state) {
  char c = json_peek(reader, 0);

  switch (*state) {
  case JSON_VALUE_OR_END:
    if (c == ']')
      return json_close(reader, state);
    return json_value_read(reader, state);
  case JSON_VALUE:
    return json_value_read(reader, state);
  case JSON_KEY_OR_END:
    if (c == '}')
      return json_close(reader, state);
    return json_key_read(reader, state);
  case JSON_KEY:
    return json_key_read(reader, state);
  case JSON_AFTER:
    return json_after_read(reader, state);
  }
  return -EINVAL;
}

int document_read_json(struct builder *builder, const char *text, size_t length) {
  struct json_reader reader = {.builder = builder, .text = text, .length = length, .line = 1, .column = 1};
  enum json_state state = JSON_VALUE;
  int r = 0;

  json_skip_space(&reader);
  r = builder_begin_document(builder, json_position(&reader));
  while (r == 0 && !(state == JSON_AFTER && builder->depth == 0)) {
    json_skip_space(&reader);
    r = json_step(&reader, &state);
  }
  if (r < 0)
    return r;
  json_skip_space(&reader);
  if (reader.at < reader.length) {
    builder->root_count = 0;
    return json_fail(&reader, "nothing after the value");
  }
  return 0;
}
