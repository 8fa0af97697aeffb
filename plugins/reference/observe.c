/* Whether the mesh is there. */
#include "plugins/reference/reference.h"

int reference_detect(struct call *call, struct detection *ret_detection) {
  struct call_http_answer answer;
  int status = call_http(call, &(struct call_http){.endpoint = CONTROL_ENDPOINT, .path = "/v1/ready"}, &answer);
  if (status == TRAMMEL_UNAVAILABLE || status == TRAMMEL_FAILED_PRECONDITION) {
    ret_detection->detail = "nothing answers at the endpoint " CONTROL_ENDPOINT;
    return TRAMMEL_OK;
  }
  if (status != TRAMMEL_OK)
    return status;
  json_auto_t *body = json_loadb(answer.body, answer.body_length, JSON_REJECT_DUPLICATES, NULL);
  const char *version = json_string_value(json_object_get(body, "version"));
  if (answer.status != 200 || !version) {
    ret_detection->detail = "what answers at the endpoint " CONTROL_ENDPOINT " is no reference mesh";
    return TRAMMEL_OK;
  }
  ret_detection->present = true;
  ret_detection->ready = true;
  ret_detection->mesh_version = arena_strdup(call_arena(call), version);
  return ret_detection->mesh_version ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}
