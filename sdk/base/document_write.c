#include "sdk/base/document.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "sdk/base/document_internal.h"
#include "sdk/base/strbuf.h"

/* The shortest text that reads back as the same double, always with a fraction or an exponent, in no locale but C. */
static int real_append(struct strbuf *out, double value) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
  char text[40] = "";

  if (!plain)
    return -ENOMEM;
  before = uselocale(plain);
  for (int precision = 15; precision <= 17; precision++) {
    (void)snprintf(text, sizeof(text), "%.*g", precision, value);
    if (strtod(text, NULL) == value)
      break;
  }
  (void)uselocale(before);
  freelocale(plain);
  strbuf_puts(out, text);
  if (!strpbrk(text, ".e"))
    strbuf_puts(out, ".0");
  return 0;
}

int plain_append(struct strbuf *out, const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_TRUE:
    strbuf_puts(out, "true");
    return 0;
  case JSON_FALSE:
    strbuf_puts(out, "false");
    return 0;
  case JSON_INTEGER:
    strbuf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return 0;
  case JSON_REAL:
    return real_append(out, json_real_value(value));
  default:
    strbuf_puts(out, "null");
    return 0;
  }
}

static void json_string_append(struct strbuf *out, const char *text, size_t length) {
  static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

  strbuf_putc(out, '"');
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    const char *found = c > 0 ? strchr(escaped, c) : NULL;

    if (found)
      strbuf_append(out, (char[]){'\\', letters[found - escaped]}, 2);
    else if (c < 0x20 || c == 0x7f)
      strbuf_printf(out, "\\u%04x", c);
    else
      strbuf_append(out, &text[i], 1);
  }
  strbuf_putc(out, '"');
}

static int json_value_append(struct strbuf *out, const json_t *value, size_t depth);

static void line_append(struct strbuf *out, size_t depth) {
  strbuf_putc(out, '\n');
  for (size_t i = 0; i < depth; i++)
    strbuf_puts(out, "  ");
}

static int json_array_append_text(struct strbuf *out, const json_t *array, size_t depth) {
  size_t count = json_array_size(array);

  strbuf_putc(out, '[');
  for (size_t i = 0; i < count; i++) {
    int r;

    strbuf_puts(out, i > 0 ? "," : "");
    line_append(out, depth + 1);
    r = json_value_append(out, json_array_get(array, i), depth + 1);
    if (r < 0)
      return r;
  }
  if (count > 0)
    line_append(out, depth);
  strbuf_putc(out, ']');
  return 0;
}

static int json_object_append_text(struct strbuf *out, const json_t *object, size_t depth) {
  bool first = true;

  strbuf_putc(out, '{');
  for (void *at = json_object_iter((json_t *)object); at; at = json_object_iter_next((json_t *)object, at)) {
    int r;

    strbuf_puts(out, first ? "" : ",");
    first = false;
    line_append(out, depth + 1);
    json_string_append(out, json_object_iter_key(at), json_object_iter_key_len(at));
    strbuf_puts(out, ": ");
    r = json_value_append(out, json_object_iter_value(at), depth + 1);
    if (r < 0)
      return r;
  }
  if (!first)
    line_append(out, depth);
  strbuf_putc(out, '}');
  return 0;
}

static int json_value_append(struct strbuf *out, const json_t *value, size_t depth) {
  if (depth > DOCUMENT_DEPTH_MAX)
    return -E2BIG;
  if (json_is_array(value))
    return json_array_append_text(out, value, depth);
  if (json_is_object(value))
    return json_object_append_text(out, value, depth);
  if (!json_is_string(value))
    return plain_append(out, value);
  json_string_append(out, json_string_value(value), json_string_length(value));
  return 0;
}

int json_write(const json_t *value, struct strbuf *out) {
  int r = json_value_append(out, value, 0);

  if (r < 0)
    return r;
  strbuf_putc(out, '\n');
  return strbuf_failed(out) ? -ENOMEM : 0;
}

static int yaml_emit(yaml_emitter_t *emitter, yaml_event_t *event) {
  if (yaml_emitter_emit(emitter, event))
    return 0;
  return emitter->error == YAML_MEMORY_ERROR || emitter->error == YAML_WRITER_ERROR ? -ENOMEM : -EINVAL;
}

/* What a YAML 1.1 reader, which most still are, takes for something else than a string although YAML 1.2 does not:
 * booleans such as yes and on, and everything that starts like a number (0777, 1_000, 12:30, 2001-01-01). */
static bool misread_by_yaml_1_1(const char *text) {
  static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "=", "<<"};

  for (size_t i = 0; *text && strchr("yYnNoO=<", *text) && i < sizeof(words) / sizeof(words[0]); i++)
    if (strcasecmp(text, words[i]) == 0)
      return true;
  text += *text == '-' || *text == '+';
  text += *text == '.';
  return *text >= '0' && *text <= '9';
}

bool text_misread(const char *text) {
  struct node scalar = {.text = text};

  scalar_resolve(&scalar);
  return scalar.kind != NODE_STRING || misread_by_yaml_1_1(text);
}

static yaml_scalar_style_t string_style(const char *text, size_t length, bool is_key) {
  if (text_misread(text))
    return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
  if (!memchr(text, '\n', length))
    return YAML_PLAIN_SCALAR_STYLE; /* the emitter quotes where plain would not read back */
  /* Text of many lines reads best as a literal block, which cannot hold carriage returns, tabs to start with, or odd
   * ends. */
  if (is_key || memchr(text, '\r', length) || strstr(text, " \n") || strstr(text, "\xc2\x85") ||
      strstr(text, "\xe2\x80\xa8") || strstr(text, "\xe2\x80\xa9") || strchr(" \t\n", text[0]))
    return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
  return YAML_LITERAL_SCALAR_STYLE;
}

static int yaml_emit_scalar(yaml_emitter_t *emitter, const char *text, size_t length, yaml_scalar_style_t style) {
  yaml_event_t event;

  if (length > INT32_MAX)
    return -E2BIG;
  if (!yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)length, 1, 1, style))
    return -EINVAL; /* not UTF-8 */
  return yaml_emit(emitter, &event);
}

static int yaml_emit_string(yaml_emitter_t *emitter, const char *text, size_t length, bool is_key) {
  return yaml_emit_scalar(emitter, text, length, string_style(text, length, is_key));
}

static int yaml_emit_plain(yaml_emitter_t *emitter, const json_t *value) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = plain_append(&text, value);

  if (r < 0 || strbuf_failed(&text))
    return -ENOMEM;
  return yaml_emit_scalar(emitter, strbuf_text(&text), text.length, YAML_PLAIN_SCALAR_STYLE);
}

static int yaml_emit_value(yaml_emitter_t *emitter, const json_t *value, size_t depth);

static int yaml_emit_list(yaml_emitter_t *emitter, const json_t *array, size_t depth) {
  yaml_event_t event;
  int r;

  if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE))
    return -ENOMEM;
  r = yaml_emit(emitter, &event);
  for (size_t i = 0; r == 0 && i < json_array_size(array); i++)
    r = yaml_emit_value(emitter, json_array_get(array, i), depth + 1);
  if (r < 0)
    return r;
  yaml_sequence_end_event_initialize(&event);
  return yaml_emit(emitter, &event);
}

static int yaml_emit_map(yaml_emitter_t *emitter, const json_t *object, size_t depth) {
  void *at = json_object_iter((json_t *)object);
  yaml_event_t event;
  int r;

  if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE))
    return -ENOMEM;
  r = yaml_emit(emitter, &event);
  for (; r == 0 && at; at = json_object_iter_next((json_t *)object, at)) {
    r = yaml_emit_string(emitter, json_object_iter_key(at), json_object_iter_key_len(at), true);
    if (r == 0)
      r = yaml_emit_value(emitter, json_object_iter_value(at), depth + 1);
  }
  if (r < 0)
    return r;
  yaml_mapping_end_event_initialize(&event);
  return yaml_emit(emitter, &event);
}

static int yaml_emit_value(yaml_emitter_t *emitter, const json_t *value, size_t depth) {
  if (depth > DOCUMENT_DEPTH_MAX)
    return -E2BIG;
  if (json_is_array(value))
    return yaml_emit_list(emitter, value, depth);
  if (json_is_object(value))
    return yaml_emit_map(emitter, value, depth);
  if (json_is_string(value))
    return yaml_emit_string(emitter, json_string_value(value), json_string_length(value), false);
  return yaml_emit_plain(emitter, value);
}

static int yaml_take_output(void *data, unsigned char *text, size_t length) {
  strbuf_append(data, text, length);
  return !strbuf_failed(data);
}

static int yaml_emit_stream(yaml_emitter_t *emitter, const json_t *value) {
  yaml_event_t event;
  int r;

  yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
  r = yaml_emit(emitter, &event);
  if (r < 0)
    return r;
  if (!yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1))
    return -ENOMEM;
  r = yaml_emit(emitter, &event);
  if (r == 0)
    r = yaml_emit_value(emitter, value, 0);
  if (r < 0)
    return r;
  yaml_document_end_event_initialize(&event, 1);
  r = yaml_emit(emitter, &event);
  if (r < 0)
    return r;
  yaml_stream_end_event_initialize(&event);
  return yaml_emit(emitter, &event);
}

int yaml_write_any(const json_t *value, struct strbuf *out) {
  _cleanup_(yaml_emitter_delete) yaml_emitter_t emitter;
  int r;

  if (!yaml_emitter_initialize(&emitter))
    return -ENOMEM;
  yaml_emitter_set_output(&emitter, yaml_take_output, out);
  yaml_emitter_set_unicode(&emitter, 1);
  yaml_emitter_set_width(&emitter, -1);
  r = yaml_emit_stream(&emitter, value);
  return r < 0 ? r : strbuf_failed(out) ? -ENOMEM : 0;
}

int yaml_write(const json_t *value, struct strbuf *out) {
  int r = yaml_write_block(value, out);

  if (r == -ENOTSUP)
    return yaml_write_any(value, out);
  return r < 0 ? r : strbuf_failed(out) ? -ENOMEM : 0;
}
