#include "plugins/osm/translate.h"

#include "plugins/osm/agreement.h"
#include "plugins/osm/codes.h"
#include "plugins/osm/lifecycle.h"
#include "plugins/osm/options.h"
#include "plugins/osm/order.h"
#include "plugins/osm/split.h"

/* Before the first permission is there, and, since nothing sets it back, after the last one is gone. */
#define MESH_CONFIG_WAVE 0u

/* OSM's own MeshConfig is changed where it matters, and neither created nor taken over nor ever deleted: its other
 * fields are the operator's. So it is a request to the Kubernetes API and not an object of ours. */
static void deny_by_default(struct call *call, const struct osm_options *options, struct translation *translation) {
  const char *path = arena_printf(call_arena(call),
                                  "/apis/config.openservicemesh.io/v1alpha2/namespaces/%s/meshconfigs/osm-mesh-config",
                                  path_segment(call, options->osm_namespace));
  if (!path) {
    call_out_of_memory(call);
    return;
  }
  const struct http_place place = {.endpoint = KUBERNETES_ENDPOINT,
                                   .path = path,
                                   .method = "PATCH",
                                   .content_type = "application/merge-patch+json",
                                   .delete_method = ""};
  const char *remedy = arena_printf(call_arena(call),
                                    "expect namespaces that were not listed to deny as well, also when all else is "
                                    "removed: what the MeshConfig said before you have to set back yourself, with "
                                    "kubectl edit meshconfig osm-mesh-config -n %s",
                                    options->osm_namespace);
  json_t *body =
      json_pack("{s:{s:{s:b, s:b}}}", "spec", "traffic", "enablePermissiveTrafficPolicyMode", 0, "enableEgress", 0);
  translation_add(translation, native_http(call, "meshconfig", MESH_CONFIG_WAVE, &place, body));
  call_diagnose(call,
                &(struct finding){.severity = TRAMMEL_INFO,
                                  .code = CODE_MESH_WIDE,
                                  .detail = "OSM denies by default in all of its namespaces or in none: "
                                            "enablePermissiveTrafficPolicyMode of its MeshConfig is for the mesh",
                                  .remedy = remedy ? remedy : ""},
                "Traffic is denied by default in every namespace of the mesh");
}

/* Every grant of every target, in their order. NULL without memory. */
static struct grant **all_grants(struct call *call, struct target *targets, size_t count, size_t *ret_count) {
  size_t most = 0, made = 0;
  for (size_t i = 0; i < count; i++)
    most += targets[i].grant_count;
  struct grant **grants = arena_array(call_arena(call), most, sizeof *grants);
  for (size_t i = 0; grants && i < count; i++)
    for (size_t j = 0; j < targets[i].grant_count; j++)
      grants[made++] = &targets[i].grants[j];
  *ret_count = made;
  if (!grants)
    call_out_of_memory(call);
  return grants;
}

static void translate_targets(struct call *call, const struct osm_options *options,
                              const struct kube_directory *directory, struct translation *translation) {
  const struct smi_set *smi = &directory->request->smi;
  const struct kube_subjects subjects = {.directory = directory,
                                         .trust_domain = options->trust_domain,
                                         .code_dangling = CODE_DANGLING,
                                         .code_identity = CODE_IDENTITY};
  struct target *targets = arena_array(call_arena(call), smi->target_count, sizeof *targets);
  size_t count;
  if (!targets) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < smi->target_count; i++)
    target_read(&subjects, &smi->targets[i], &targets[i]);
  struct grant **grants = all_grants(call, targets, smi->target_count, &count);
  if (!grants || !grants_agree(call, grants, count) || !grants_order(call, targets, grants, count))
    return;
  for (size_t i = 0; i < smi->target_count; i++)
    target_emit(&targets[i], translation);
}

int osm_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  const struct osm_options options = osm_options(call);
  struct kube_directory directory;
  if (!kube_directory_init(call, request, &directory))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (request->deny_count)
    deny_by_default(call, &options, translation);
  translate_targets(call, &options, &directory, translation);
  splits_translate(&directory, translation);
  return TRAMMEL_OK;
}
