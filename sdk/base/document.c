#include "sdk/base/document.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/document_internal.h"

static bool starts_like_json(const char *text, size_t length) {
  size_t at = 0;

  while (at < length && strchr(" \t\r\n", text[at]))
    at++;
  return at < length && (text[at] == '{' || text[at] == '[');
}

/* A flow document that is no JSON may still be YAML. When it is neither, the reader that came further knows better what
 * was meant, and JSON when they stop at the same place. */
static int read_either(const struct builder *template, const char *text, size_t length,
                       struct document_list *ret_documents) {
  _cleanup_diagnostics_ struct diagnostics *as_json = diagnostics_create(), *as_yaml = diagnostics_create();
  _cleanup_builder_ struct builder json = *template, yaml = *template;
  struct document_list documents = {0};
  bool prefer_json;
  int r, s, t;

  if (!as_json || !as_yaml)
    return -ENOMEM;
  json.diagnostics = as_json;
  yaml.diagnostics = as_yaml;
  r = document_read_as(document_read_json, &json, text, length, ret_documents);
  if (r != -EINVAL || !json.syntax) {
    t = diagnostics_append(template->diagnostics, as_json);
    return t < 0 ? t : r;
  }
  s = document_read_as(document_read_yaml, &yaml, text, length, &documents);
  if (s == -ENOMEM)
    return s;
  prefer_json = s == -EINVAL && (json.nodes > 1 || json.slot_count > 0);
  t = diagnostics_append(template->diagnostics, prefer_json ? as_json : as_yaml);
  *ret_documents = documents;
  return t < 0 ? t : s;
}

int document_read(struct arena *arena, const char *file, const void *data, size_t length, enum document_format format,
                  const struct document_limits *limits, struct diagnostics *diagnostics,
                  struct document_list *ret_documents) {
  _cleanup_builder_ struct builder builder = {0};
  const char *text = length > 0 ? data : "";

  *ret_documents = (struct document_list){0};
  int r = document_open(&builder, arena, file, limits, diagnostics, &text, &length);
  if (r < 0)
    return r;
  if (format == DOCUMENT_JSON)
    return document_read_as(document_read_json, &builder, text, length, ret_documents);
  if (format == DOCUMENT_YAML || !starts_like_json(text, length))
    return document_read_as(document_read_yaml, &builder, text, length, ret_documents);
  return read_either(&builder, text, length, ret_documents);
}
