#include <errno.h>

#include "sdk/base/arena.h"
#include "sdk/base/document_internal.h"
#include "sdk/base/error.h"

static int refuse(const struct diagnostics *diagnostics, int error, struct error **err) {
  const struct diagnostic *first = diagnostics_count(diagnostics) ? diagnostics_at(diagnostics, 0) : NULL;
  if (error == -ENOMEM || !first)
    return error_set(err, -error, "%s", error == -ENOMEM ? "out of memory" : "no JSON");
  return error_set(err, -error, "line %u: %s", first->position.line, first->summary);
}

int json_read(const char *text, size_t length, json_t **ret_value, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_builder_ struct builder builder = {0};
  struct document_list documents = {0};
  if (!arena || !diagnostics)
    return error_set(err, ENOMEM, "out of memory");
  int r = document_open(&builder, arena, NULL, NULL, diagnostics, &text, &length);
  if (r == 0)
    r = document_read_as(document_read_json, &builder, text, length, &documents);
  if (r < 0)
    return refuse(diagnostics, r, err);
  if (documents.count != 1)
    return error_set(err, EINVAL, "expected one value, found %zu", documents.count);
  json_t *value = node_to_json(documents.roots[0]);
  if (!value)
    return error_set(err, ENOMEM, "out of memory");
  *ret_value = value;
  return 0;
}
