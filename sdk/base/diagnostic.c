#include "sdk/base/diagnostic.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/arena.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

struct diagnostics {
  struct arena *arena; /* the texts */
  struct diagnostic *items;
  size_t count;
  size_t capacity;
  size_t dropped;
  size_t of[SEVERITY_ERROR + 1];
};

const char *severity_name(enum severity severity) {
  switch (severity) {
  case SEVERITY_INFO:
    return "info";
  case SEVERITY_WARNING:
    return "warning";
  case SEVERITY_ERROR:
    return "error";
  }
  return "error"; /* a value outside the enum must not make a finding look harmless */
}

static enum severity severity_known(enum severity severity) {
  return severity == SEVERITY_INFO || severity == SEVERITY_WARNING ? severity : SEVERITY_ERROR;
}

struct diagnostics *diagnostics_create(void) {
  struct diagnostics *list = calloc(1, sizeof(*list));

  if (!list)
    return NULL;
  list->arena = arena_create(0);
  if (!list->arena) {
    free(list);
    return NULL;
  }
  return list;
}

void diagnostics_destroy(struct diagnostics *list) {
  if (!list)
    return;
  arena_destroy(list->arena);
  free(list->items);
  free(list);
}

/* Copies `text` when there is one; what is longer than the list keeps is cut at a character. */
static bool text_copy(struct arena *arena, const char *text, const char **ret_copy) {
  *ret_copy = NULL;
  if (!text)
    return true;
  *ret_copy = arena_strndup(arena, text, utf8_fit(text, strnlen(text, DIAGNOSTIC_TEXT_MAX + 1), DIAGNOSTIC_TEXT_MAX));
  return *ret_copy;
}

int diagnostics_add(struct diagnostics *list, const struct diagnostic *diagnostic) {
  struct diagnostic copy;

  if (!list)
    return 0;
  if (!diagnostics_full(list)) {
    copy = *diagnostic;
    copy.severity = severity_known(diagnostic->severity);
    if (!text_copy(list->arena, diagnostic->code ? diagnostic->code : "", &copy.code) ||
        !text_copy(list->arena, diagnostic->summary ? diagnostic->summary : "", &copy.summary) ||
        !text_copy(list->arena, diagnostic->pointer, &copy.pointer) ||
        !text_copy(list->arena, diagnostic->position.file, &copy.position.file) ||
        !text_copy(list->arena, diagnostic->detail, &copy.detail) ||
        !text_copy(list->arena, diagnostic->remedy, &copy.remedy) ||
        array_reserve((void **)&list->items, &list->capacity, list->count, sizeof(*list->items)) < 0)
      return -ENOMEM;
    list->items[list->count++] = copy;
  } else {
    list->dropped++;
  }
  list->of[severity_known(diagnostic->severity)]++;
  return 0;
}

int diagnostics_addv(struct diagnostics *list, const struct diagnostic *diagnostic, const char *format, va_list args) {
  _cleanup_strbuf_ struct strbuf summary = STRBUF_INIT;
  struct diagnostic formatted = *diagnostic;

  if (!list || diagnostics_full(list))
    return diagnostics_add(list, diagnostic);
  strbuf_vprintf(&summary, format, args);
  if (strbuf_failed(&summary))
    return -ENOMEM;
  formatted.summary = strbuf_text(&summary);
  return diagnostics_add(list, &formatted);
}

int diagnostics_addf(struct diagnostics *list, const struct diagnostic *diagnostic, const char *format, ...) {
  va_list args;
  int r;

  va_start(args, format);
  r = diagnostics_addv(list, diagnostic, format, args);
  va_end(args);
  return r;
}

int diagnostics_append(struct diagnostics *list, const struct diagnostics *from) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < diagnostics_count(from); i++)
    r = diagnostics_add(list, &from->items[i]);
  return r;
}

size_t diagnostics_count(const struct diagnostics *list) {
  return list ? list->count : 0;
}

size_t diagnostics_dropped(const struct diagnostics *list) {
  return list ? list->dropped : 0;
}

size_t diagnostics_count_of(const struct diagnostics *list, enum severity severity) {
  return list ? list->of[severity_known(severity)] : 0;
}

const struct diagnostic *diagnostics_at(const struct diagnostics *list, size_t i) {
  return i < diagnostics_count(list) ? &list->items[i] : NULL;
}

bool diagnostics_have_error(const struct diagnostics *list) {
  return diagnostics_count_of(list, SEVERITY_ERROR) > 0;
}

const char *diagnostics_first_error(const struct diagnostics *list) {
  for (size_t i = 0; i < diagnostics_count(list); i++)
    if (diagnostics_at(list, i)->severity == SEVERITY_ERROR)
      return diagnostics_at(list, i)->summary;
  return NULL;
}

bool diagnostics_full(const struct diagnostics *list) {
  return diagnostics_count(list) >= DIAGNOSTICS_MAX;
}

static void append_position(struct strbuf *out, const struct position *position) {
  if (position->file && strcmp(position->file, "-") == 0)
    strbuf_puts(out, "<stdin>:");
  else if (position->file) {
    utf8_append_safe(out, position->file, strlen(position->file), NULL);
    strbuf_putc(out, ':');
  }
  if (position->line > 0)
    strbuf_printf(out, "%u:", position->line);
  if (position->line > 0 && position->column > 0)
    strbuf_printf(out, "%u:", position->column);
  if (out->length > 0)
    strbuf_putc(out, ' ');
}

/* Each line of `text`, indented; the first one after `label`. */
static void append_indented(struct strbuf *out, const char *label, const char *text) {
  while (text && *text) {
    size_t length = strcspn(text, "\n");

    strbuf_printf(out, "  %s", label);
    utf8_append_safe(out, text, length, NULL);
    strbuf_putc(out, '\n');
    label = *label ? "  " : "";
    text += length + (text[length] == '\n');
  }
}

void diagnostic_print(const struct diagnostic *diagnostic, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  append_position(&text, &diagnostic->position);
  strbuf_puts(&text, severity_name(diagnostic->severity));
  if (diagnostic->code && *diagnostic->code)
    strbuf_printf(&text, "[%s]", diagnostic->code);
  strbuf_puts(&text, ": ");
  utf8_append_safe(&text, diagnostic->summary, strlen(diagnostic->summary), NULL);
  if (diagnostic->pointer && *diagnostic->pointer) {
    strbuf_puts(&text, " (");
    utf8_append_safe(&text, diagnostic->pointer, strlen(diagnostic->pointer), NULL);
    strbuf_putc(&text, ')');
  }
  strbuf_putc(&text, '\n');
  append_indented(&text, "", diagnostic->detail);
  append_indented(&text, "remedy: ", diagnostic->remedy);
  if (strbuf_failed(&text))
    (void)fputs("out of memory while printing a diagnostic\n", out);
  else
    (void)fwrite(text.data, 1, text.length, out);
}

void diagnostics_print(const struct diagnostics *list, FILE *out) {
  for (size_t i = 0; i < diagnostics_count(list); i++)
    diagnostic_print(&list->items[i], out);
  if (diagnostics_dropped(list) > 0)
    (void)fprintf(out, "%zu more are not shown\n", diagnostics_dropped(list));
}

/* Sets `key` to `text` unless it is NULL. Bytes that are no UTF-8, which JSON cannot carry, are shown as \xNN. */
static bool json_set_text(json_t *object, const char *key, const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  size_t length, offset;

  if (!text)
    return true;
  length = strlen(text);
  if (utf8_valid(text, length, &offset))
    return json_object_set_new(object, key, json_string(text)) == 0;
  utf8_append_safe(&safe, text, length, "\n\r\t");
  return !strbuf_failed(&safe) && json_object_set_new(object, key, json_string(strbuf_text(&safe))) == 0;
}

static bool json_set_count(json_t *object, const char *key, uint32_t count) {
  return count == 0 || json_object_set_new(object, key, json_integer(count)) == 0;
}

json_t *diagnostic_to_json(const struct diagnostic *diagnostic) {
  json_t *object = json_object();

  if (object && json_set_text(object, "severity", severity_name(diagnostic->severity)) &&
      json_set_text(object, "code", diagnostic->code) && json_set_text(object, "pointer", diagnostic->pointer) &&
      json_set_text(object, "file", diagnostic->position.file) &&
      json_set_count(object, "line", diagnostic->position.line) &&
      json_set_count(object, "column", diagnostic->position.column) &&
      json_set_text(object, "summary", diagnostic->summary) && json_set_text(object, "detail", diagnostic->detail) &&
      json_set_text(object, "remedy", diagnostic->remedy))
    return object;
  json_decref(object);
  return NULL;
}

json_t *diagnostics_to_json(const struct diagnostics *list) {
  json_t *array = json_array();

  for (size_t i = 0; array && i < diagnostics_count(list); i++)
    if (json_array_append_new(array, diagnostic_to_json(&list->items[i])) < 0) {
      json_decref(array);
      array = NULL;
    }
  return array;
}
