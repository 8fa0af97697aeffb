#include "plugins/consul/consul.h"

/* A leader is told without a token; the version only to one with `agent_prefix "" { policy = "read" }`. */
static int read_version(struct call *call, struct detection *ret_detection) {
  struct call_http_answer answer = {0};
  int status = call_http(call, &(struct call_http){.endpoint = CONSUL_ENDPOINT, .path = "/v1/agent/self"}, &answer);
  if (status != TRAMMEL_OK)
    return status;
  json_auto_t *self =
      answer.status == 200 ? json_loadb(answer.body, answer.body_length, JSON_REJECT_DUPLICATES, NULL) : NULL;
  const char *version = json_string_value(json_object_get(json_object_get(self, "Config"), "Version"));
  if (!version) {
    if (!ret_detection->detail)
      ret_detection->detail = "it does not tell its version: the token has no right to read the agent";
    return TRAMMEL_OK;
  }
  ret_detection->mesh_version = arena_strdup(call_arena(call), version);
  return ret_detection->mesh_version ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}

int consul_detect(struct call *call, struct detection *ret_detection) {
  struct call_http_answer answer = {0};
  int status = call_http(call, &(struct call_http){.endpoint = CONSUL_ENDPOINT, .path = "/v1/status/leader"}, &answer);
  if (status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION) {
    ret_detection->detail = "nothing answers at the endpoint " CONSUL_ENDPOINT;
    return TRAMMEL_OK;
  }
  if (status != TRAMMEL_OK)
    return status;
  json_auto_t *leader =
      answer.status == 200 ? json_loadb(answer.body, answer.body_length, JSON_DECODE_ANY, NULL) : NULL;
  if (!json_is_string(leader)) {
    ret_detection->detail = "what answers at the endpoint " CONSUL_ENDPOINT " is no Consul";
    return TRAMMEL_OK;
  }
  ret_detection->present = true;
  ret_detection->ready = json_string_length(leader) > 0;
  if (ret_detection->ready)
    ret_detection->evidence = arena_printf(call_arena(call), "its leader is %s", json_string_value(leader));
  if (!ret_detection->ready)
    ret_detection->detail = "it has no leader";
  return read_version(call, ret_detection);
}
