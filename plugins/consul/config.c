#include <string.h>

#include "plugins/consul/consul.h"

static bool chosen(const json_t *config, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(config, key));
  return text && strcmp(text, value) == 0;
}

static const char *text_of(const json_t *config, const char *key) {
  const char *text = json_string_value(json_object_get(config, key));
  return text ? text : "";
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
      .built_in = chosen(config, "proxies", "built-in"),
      .qualified = chosen(config, "names", "qualified"),
      .name_prefix = text_of(config, "name_prefix"),
      .control_port = (uint16_t)json_integer_value(json_object_get(config, "control_port")),
  };
}

int consul_configure(struct call *call) {
  struct consul_config config;
  consul_config_read(call, &config);
  if (config.qualified && config.crd)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_IDENTITY,
                     "names: qualified is for the HTTP API (transport: http): consul-k8s names services itself");
  if (*config.name_prefix && !config.qualified)
    return call_fail(call, TRAMMEL_INVALID_ARGUMENT, CODE_IDENTITY, "name_prefix goes with names: qualified");
  return TRAMMEL_OK;
}
