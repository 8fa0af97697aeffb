#include "host/engine/record.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *const kind_names[] = {
    [RECORD_RUN] = "run",
    [RECORD_PROCESS_INTENDED] = "process-intended",
    [RECORD_PROCESS_STARTED] = "process-started",
    [RECORD_PROCESS_ENDED] = "process-ended",
    [RECORD_OBJECT_INTENDED] = "object-intended",
    [RECORD_CLUSTER_OBJECT_INTENDED] = "cluster-object-intended",
    [RECORD_OBJECT_REMOVED] = "object-removed",
};
#define KIND_COUNT (sizeof(kind_names) / sizeof(kind_names[0]))

static int set_text(json_t *object, const char *key, const char *text) {
  return text ? json_object_set_new(object, key, json_string(text)) : 0;
}

/* The texts of a record, by their keys in its line. */
static const struct {
  const char *key;
  size_t offset;
} texts[] = {
    {"boot", offsetof(struct record, boot)},
    {"name", offsetof(struct record, name)},
    {"method", offsetof(struct record, method)},
    {"url", offsetof(struct record, url)},
    {"identity", offsetof(struct record, identity)},
    {"token_file", offsetof(struct record, token_file)},
    {"kubeconfig", offsetof(struct record, kubeconfig)},
    {"context", offsetof(struct record, context)},
    {"apiVersion", offsetof(struct record, api_version)},
    {"kind", offsetof(struct record, object_kind)},
    {"namespace", offsetof(struct record, ns)},
    {"objectName", offsetof(struct record, object_name)},
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static int set_texts(json_t *object, const struct record *record) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < TEXT_COUNT; i++)
    r = set_text(object, texts[i].key, *(const char *const *)((const char *)record + texts[i].offset));
  return r;
}

static int set_number(json_t *object, const char *key, uint64_t number) {
  return number > 0 ? json_object_set_new(object, key, json_integer((json_int_t)number)) : 0;
}

int record_write(const struct record *record, struct strbuf *out, struct error **err) {
  json_auto_t *object = json_object();

  if (!object)
    return error_set(err, ENOMEM, "out of memory for a journal record");
  if (set_text(object, "record", kind_names[record->kind]) < 0 || set_texts(object, record) < 0 ||
      set_number(object, "pid", (uint64_t)record->pid) < 0 || set_number(object, "start", record->start) < 0)
    return error_set(err, EINVAL, "a journal record must be UTF-8 text");
  _cleanup_free_ char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
  if (!line)
    return error_set(err, ENOMEM, "out of memory for a journal record");
  if (strlen(line) >= RECORD_LINE_MAX)
    return error_set(err, E2BIG, "a journal record has at most %u bytes, this one %zu", RECORD_LINE_MAX, strlen(line));
  strbuf_puts(out, line);
  strbuf_putc(out, '\n');
  return strbuf_failed(out) ? error_set(err, ENOMEM, "out of memory for a journal record") : 0;
}

static enum record_kind kind_of(const json_t *object) {
  const char *name = json_string_value(json_object_get(object, "record"));

  for (unsigned i = RECORD_RUN; name && i < KIND_COUNT; i++)
    if (strcmp(kind_names[i], name) == 0)
      return (enum record_kind)i;
  return 0;
}

static bool is_complete(const struct record *record) {
  switch (record->kind) {
  case RECORD_RUN:
    return record->boot;
  case RECORD_PROCESS_INTENDED:
  case RECORD_OBJECT_REMOVED:
    return record->name;
  case RECORD_PROCESS_STARTED:
    return record->name && record->pid > 0 && record->start > 0;
  case RECORD_PROCESS_ENDED:
    return record->pid > 0;
  case RECORD_OBJECT_INTENDED:
    return record->name && record->method && record->url;
  case RECORD_CLUSTER_OBJECT_INTENDED:
    return record->name && record->url && record->api_version && record->object_kind && record->object_name;
  }
  return false;
}

static void get_texts(struct arena *arena, const json_t *object, struct record *record) {
  for (size_t i = 0; i < TEXT_COUNT; i++)
    *(const char **)((char *)record + texts[i].offset) =
        arena_strdup(arena, json_string_value(json_object_get(object, texts[i].key)));
}

static int64_t get_number(const json_t *object, const char *key) {
  json_int_t number = json_integer_value(json_object_get(object, key));

  return number > 0 ? number : 0;
}

int record_read(struct arena *arena, const char *line, size_t length, struct record *ret_record, struct error **err) {
  json_error_t error;

  if (length > RECORD_LINE_MAX)
    return error_set(err, EINVAL, "the line has %zu bytes, at most %u are expected", length, RECORD_LINE_MAX);
  json_auto_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
  if (!object)
    return error_set(err, EINVAL, "%s", error.text);
  struct record record = {
      .kind = kind_of(object),
      .pid = get_number(object, "pid"),
      .start = (uint64_t)get_number(object, "start"),
  };
  get_texts(arena, object, &record);
  if (record.kind == 0 || !is_complete(&record))
    return error_set(err, EINVAL, "no complete record of a known kind");
  *ret_record = record;
  return 0;
}
