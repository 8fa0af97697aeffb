#include <string.h>

#include "plugins/consul/consul.h"

static bool chosen(const json_t *config, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(config, key));
  return text && strcmp(text, value) == 0;
}

void consul_config_read(const struct call *call, struct consul_config *ret_config) {
  const json_t *config = call_config(call);
  const bool old = chosen(config, "generation", "1.8");
  *ret_config = (struct consul_config){
      .crd = !old && !chosen(config, "transport", "http"), /* custom resources came with 1.9 */
      .old = old,
      .acls = !json_is_false(json_object_get(config, "acls")),
      .namespaces = json_is_true(json_object_get(config, "namespaces")),
      .denies_already = chosen(config, "default_deny", "acl"),
      .each_port = chosen(config, "ports", "each"),
      .write_protocols = !chosen(config, "protocols", "leave"),
  };
}
