#include "host/rpc/service.h"

#include <stdio.h>

#include "host/rpc/methods.h"

int service_serve(void *ctx, struct rpc_call *call, const char *name, char **ret_text) {
  const struct method *method = method_find(name);
  if (method)
    return method->serve(ctx, call, ret_text);
  if (asprintf(ret_text, "there is no method %.200s", name) < 0)
    *ret_text = NULL;
  return STATUS_UNIMPLEMENTED;
}
