#include "host/engine/content.h"

#include <stddef.h>

static const char *const kept_by_server[] = {
    "managedFields", "resourceVersion",   "generation",        "uid",
    "selfLink",      "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"};

json_t *content_of(const json_t *object) {
  json_t *content = json_deep_copy(object);
  json_t *metadata = json_object_get(content, "metadata");

  (void)json_object_del(content, "status");
  for (size_t i = 0; i < sizeof(kept_by_server) / sizeof(*kept_by_server); i++)
    (void)json_object_del(metadata, kept_by_server[i]);
  return content;
}

bool content_equal(const json_t *a, const json_t *b) {
  json_auto_t *x = content_of(a), *y = content_of(b);

  return x == y || json_equal(x, y);
}
