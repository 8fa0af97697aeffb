#include "plugins/reference/reference.h"

#include <string.h>

#include "plugins/reference/split.h"
#include "plugins/reference/target.h"

/* In wave 0, so that a namespace denies before its first permission is there, and until its last one is gone. */
static void enforce(struct call *call, const char *ns, struct translation *translation) {
  json_t *body = json_pack("{s:s}", "mode", "deny");
  translation_add(translation, reference_object(call, 0, "enforcement", ns, NULL, body));
}

int reference_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  struct lookup lookup = {0};
  if (!lookup_init(&lookup, call_arena(call), &request->smi)) {
    call_out_of_memory(call);
    return TRAMMEL_RESOURCE_EXHAUSTED;
  }
  for (size_t i = 0; i < request->deny_count; i++)
    if (i == 0 || strcmp(request->deny_by_default[i], request->deny_by_default[i - 1]) != 0)
      enforce(call, request->deny_by_default[i], translation);
  for (size_t i = 0; i < request->smi.target_count; i++)
    target_translate(call, request, &lookup, &request->smi.targets[i], translation);
  for (size_t i = 0; i < request->smi.split_count; i++)
    split_translate(call, &lookup, &request->smi.splits[i], translation);
  return TRAMMEL_OK;
}
