#include "plugins/consul/name.h"

#include <string.h>

/* No name of Kubernetes has a '_': two different things never come to one name. */
const char *service_name(struct call *call, const struct consul_config *config, const char *ns, const char *name) {
  if (!config->qualified || strcmp(name, "*") == 0)
    return name;
  const char *qualified = arena_printf(call_arena(call), "%s%s_%s", config->name_prefix, ns, name);
  if (qualified)
    return qualified;
  call_out_of_memory(call);
  return "";
}
