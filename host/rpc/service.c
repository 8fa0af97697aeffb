#include "host/rpc/service.h"

#include <stdio.h>

#include "host/rpc/access.h"

static int no_method(const char *name, char **ret_text) {
  if (asprintf(ret_text, "there is no method %.200s", name) < 0)
    *ret_text = NULL;
  return STATUS_UNIMPLEMENTED;
}

int service_serve(void *ctx, struct rpc_call *call, const char *name, char **ret_text) {
  struct attended attended = {.session = ctx};
  const struct method *method = method_find(name);
  int status = access_check(ctx, call, method, &attended.caller, ret_text);
  rpc_call_set_context(call, &attended);
  if (status == STATUS_OK)
    status = method ? method->serve(attended.session->service, call, ret_text) : no_method(name, ret_text);
  access_note(&attended, name, method, status);
  return status;
}
