#include <string.h>

#include "plugins/consul/consul.h"

static bool chosen(const json_t *config, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(config, key));
  return text && strcmp(text, value) == 0;
}

int consul_config_read(struct call *call, struct consul_config *ret_config) {
  const json_t *config = call_config(call);
  *ret_config = (struct consul_config){
      .crd = !chosen(config, "transport", "http"),
      .old = chosen(config, "generation", "1.8"),
      .acls = !json_is_false(json_object_get(config, "acls")),
      .namespaces = json_is_true(json_object_get(config, "namespaces")),
      .denies_already = chosen(config, "default_deny", "acl"),
      .each_port = chosen(config, "ports", "each"),
      .write_protocols = !chosen(config, "protocols", "leave"),
  };
  if (ret_config->crd && ret_config->old)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_CONFIG,
                     "Consul 1.8 has no custom resource for intentions: set transport to http");
  return TRAMMEL_OK;
}
