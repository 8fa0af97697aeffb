#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sdk/smi/parse.h"
#include "sdk/smi/shape.h"

/* About `node`. Once the list is full a diagnostic is only counted: no memory is spent on its pointer. */
__attribute__((format(printf, 4, 0))) static void report(struct reading *reading, const struct diagnostic *diagnostic,
                                                         const struct node *node, const char *format, va_list args) {
  char summary[1024]; /* every argument of a message is cut to be shown */
  struct diagnostic full = *diagnostic;

  (void)vsnprintf(summary, sizeof(summary), format, args);
  full.severity = SEVERITY_ERROR;
  full.summary = summary;
  if (!diagnostics_full(reading->diagnostics))
    full.pointer = node_pointer(reading->arena, node);
  reading->failed = true;
  if (diagnostics_add(reading->diagnostics, &full) < 0)
    reading->error = -ENOMEM;
}

void reading_error(struct reading *reading, const char *code, const struct node *node, const char *detail,
                   const char *remedy, const char *format, ...) {
  va_list args;

  va_start(args, format);
  report(reading, &(struct diagnostic){.code = code, .position = node->position, .detail = detail, .remedy = remedy},
         node, format, args);
  va_end(args);
}

void reading_error_key(struct reading *reading, const char *code, const struct entry *entry, const char *detail,
                       const char *remedy, const char *format, ...) {
  va_list args;

  va_start(args, format);
  report(reading, &(struct diagnostic){.code = code, .position = entry->position, .detail = detail, .remedy = remedy},
         entry->value, format, args);
  va_end(args);
}

void *reading_alloc(struct reading *reading, size_t count, size_t size) {
  void *memory = arena_array(reading->arena, count, size);

  if (!memory)
    reading->error = -ENOMEM;
  return memory;
}

const char *reading_strdup(struct reading *reading, const char *text) {
  const char *copy = arena_strdup(reading->arena, text);

  if (!copy)
    reading->error = -ENOMEM;
  return copy;
}

const char *reading_printf(struct reading *reading, const char *format, ...) {
  char text[1024];
  va_list args;

  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  return reading_strdup(reading, text);
}

const char *node_shown(struct arena *arena, const struct node *node) {
  if (!node->text)
    return node_kind_name(node->kind);
  return text_shown(arena, node->text);
}

bool reading_expect(struct reading *reading, const struct node *value, enum node_kind kind) {
  const char *remedy = NULL;

  if (value->kind == kind)
    return true;
  if (kind == NODE_STRING && value->text && value->kind != NODE_NULL)
    remedy = "put it in quotes";
  else if (kind == NODE_LIST && value->kind != NODE_MAP)
    remedy = "write a list: each item on a line that begins with '-', or [a, b]";
  reading_error(
      reading, "SMI-0008", value, NULL, remedy, "expected a %s, found %s%s", node_kind_name(kind),
      value->text && value->kind != NODE_NULL ? "" : "a ",
      value->text && value->kind != NODE_NULL
          ? reading_printf(reading, "the %s %s", node_kind_name(value->kind), node_shown(reading->arena, value))
          : node_kind_name(value->kind));
  return false;
}

bool reading_list_fits(struct reading *reading, const struct node *list) {
  if (list->count <= SMI_LIST_MAX)
    return true;
  reading_error(reading, "SMI-0014", list, NULL, "split the resource in several", "%u items: at most %d are allowed",
                list->count, SMI_LIST_MAX);
  return false;
}

const char *reading_text(struct reading *reading, const struct node *value, enum text_rule rule) {
  const char *expected;

  if (!reading_expect(reading, value, NODE_STRING))
    return NULL;
  expected = text_expected(rule, value->text, value->length);
  if (expected && text_is_placeholder(value->text)) {
    reading_error(reading, "SMI-0010", value, expected, "put the real name in its place before using the manifest",
                  "\"%s\" looks like a template placeholder that was not filled in", node_shown(reading->arena, value));
    return NULL;
  }
  if (expected) {
    const char *remedy = NULL;

    if (rule == TEXT_LABEL && text_expected(TEXT_SUBDOMAIN, value->text, value->length) == NULL &&
        strchr(value->text, '.'))
      remedy = "write the bare name, without namespace or domain";
    reading_error(reading, "SMI-0010", value, reading_printf(reading, "expected %s", expected), remedy,
                  "\"%s\" is not allowed here", node_shown(reading->arena, value));
    return NULL;
  }
  return reading_strdup(reading, value->text);
}

uint16_t reading_port(struct reading *reading, const struct node *value) {
  static const char expected[] = "expected a whole number from 1 to 65535";

  if (value->kind == NODE_INTEGER && value->integer >= 1 && value->integer <= UINT16_MAX)
    return (uint16_t)value->integer;
  if (value->kind == NODE_STRING)
    reading_error(reading, "SMI-0008", value, expected,
                  "take the quotes off if it is a number; port names are not part of SMI",
                  "a port is a number, found the string \"%s\"", node_shown(reading->arena, value));
  else
    reading_error(reading, "SMI-0009", value, expected, NULL, "%s is no port", node_shown(reading->arena, value));
  return 0;
}
