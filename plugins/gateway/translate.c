#include "plugins/gateway/translate.h"

#include "plugins/gateway/codes.h"
#include "plugins/gateway/split.h"

static void refuse_access(const struct translate_request *request, struct translation *translation) {
  for (size_t i = 0; i < request->smi.target_count; i++)
    translation_cover(translation, &(struct coverage){.resource = &request->smi.targets[i].meta,
                                                      .level = COVERAGE_UNSUPPORTED,
                                                      .pointer = "/spec/rules",
                                                      .code = CODE_ACCESS,
                                                      .reason = "the Gateway API has no access control",
                                                      .remedy = "translate TrafficTargets for the mesh itself"});
}

static void refuse_denial(struct call *call, const struct translate_request *request) {
  if (request->deny_count)
    call_diagnose(call,
                  &(struct finding){.severity = TRAMMEL_WARNING,
                                    .code = CODE_DENY,
                                    .detail =
                                        "namespaces were to deny what no TrafficTarget allows, and the Gateway API "
                                        "has no access control",
                                    .remedy = "have the mesh itself deny by default"},
                  "Nothing is denied by default");
}

int gateway_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  const struct gateway_options options = gateway_options(call);
  struct kube_directory directory;
  if (!kube_directory_init(call, request, &directory))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  refuse_denial(call, request);
  refuse_access(request, translation);
  splits_translate(&directory, &options, translation);
  return TRAMMEL_OK;
}
