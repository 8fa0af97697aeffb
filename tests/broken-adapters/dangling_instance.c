/* A create() that fails and leaves a pointer behind that it has freed: nobody may destroy it. */
#define BROKEN_ID "dangling-instance"
#include "broken.h"

static int create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  (void)host;
  (void)config;
  (void)op;
  *ret = malloc(16);
  free(*ret);
  return TRAMMEL_UNAVAILABLE;
}

static void destroy(trammel_instance *instance) {
  if (instance)
    abort();
}

BROKEN_NOTE(TRAMMEL_ABI_MAJOR, 0);
BROKEN_ENTRY(table.create = create; table.destroy = destroy;)
