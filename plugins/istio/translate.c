#include "plugins/istio/translate.h"

#include <string.h>

#include "plugins/istio/codes.h"
#include "plugins/istio/split.h"
#include "plugins/istio/target.h"
#include "sdk/kube/object.h"

/* So that a namespace denies before its first permission is there, and until its last one is gone. */
#define DENIAL_WAVE 0u

static void add_denial(struct call *call, const struct istio_options *options, const char *kind, const char *base,
                       const char *ns, json_t *spec, struct translation *translation) {
  const char *key = arena_printf(call_arena(call), "%s/%s", kind, ns);
  struct native_object *object = kube_object(call,
                                             &(struct kube_object){.wave = DENIAL_WAVE,
                                                                   .api_version = options->security_version,
                                                                   .kind = kind,
                                                                   .ns = ns,
                                                                   .name = kube_name(call, base, key ? key : ""),
                                                                   .sources = NULL},
                                             json_pack("{s:o}", "spec", spec));
  if (!key)
    call_out_of_memory(call);
  translation_add(translation, object);
}

/* A policy that allows, without rules: nothing is allowed unless another policy does. Principals only exist with mutual
 * TLS, so strictness denies nothing that would be allowed. */
static void deny(struct call *call, const struct istio_options *options, const char *ns,
                 struct translation *translation) {
  add_denial(call, options, "AuthorizationPolicy", "deny", ns, json_object(), translation);
  if (options->strict_mtls)
    add_denial(call, options, "PeerAuthentication", "strict", ns, json_pack("{s:{s:s}}", "mtls", "mode", "STRICT"),
               translation);
}

static void deny_by_default(struct call *call, const struct istio_options *options,
                            const struct translate_request *request, struct translation *translation) {
  if (options->mesh_wide && request->deny_count > 0) {
    deny(call, options, options->root_namespace, translation);
    return;
  }
  for (size_t i = 0; i < request->deny_count; i++)
    if (i == 0 || strcmp(request->deny_by_default[i], request->deny_by_default[i - 1]) != 0)
      deny(call, options, request->deny_by_default[i], translation);
}

static void translate_targets(struct call *call, const struct istio_options *options,
                              const struct kube_directory *directory, struct translation *translation) {
  const struct smi_set *smi = &directory->request->smi;
  const struct kube_subjects subjects = {.directory = directory,
                                         .trust_domain = options->trust_domain,
                                         .code_dangling = CODE_DANGLING,
                                         .code_identity = CODE_IDENTITY};
  struct target *targets = arena_array(call_arena(call), smi->target_count, sizeof *targets);
  if (!targets) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < smi->target_count; i++)
    target_read(&subjects, options, &smi->targets[i], &targets[i]);
  if (options->envoy_filter)
    targets_filter(call, options, targets, smi->target_count, translation);
  for (size_t i = 0; i < smi->target_count; i++)
    target_emit(&targets[i], options, translation);
}

int istio_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  const struct istio_options options = istio_options(call);
  struct kube_directory directory;
  if (!kube_directory_init(call, request, &directory))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  deny_by_default(call, &options, request, translation);
  translate_targets(call, &options, &directory, translation);
  splits_translate(&directory, &options, translation);
  return TRAMMEL_OK;
}
