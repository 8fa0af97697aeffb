#include "host/package/json_file.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/base/schema.h"

static int check(const char *path, const json_t *root, const char *schema_text, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_auto_t *schema = json_loads(schema_text, 0, NULL);
  int r = diagnostics && schema ? schema_validate(schema, root, path, diagnostics) : -ENOMEM;
  if (r == 0)
    return 0;
  const char *why = r == -ENOMEM ? NULL : diagnostics_first_error(diagnostics);
  return error_set(err, -r, "%s: %s", path, why ? why : strerror(-r));
}

int json_file_read(const char *path, size_t limit, const char *schema_text, json_t **ret_root, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  json_error_t where;
  int r = file_read(path, limit, &data, &length, err);
  if (r < 0)
    return r;
  json_auto_t *root = json_loadb(data, length, JSON_REJECT_DUPLICATES, &where);
  if (!root)
    return error_set(err, EINVAL, "%s:%d:%d: %s", path, where.line, where.column, where.text);
  r = check(path, root, schema_text, err);
  if (r == 0)
    *ret_root = json_incref(root);
  return r;
}
