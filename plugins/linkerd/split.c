#include "plugins/linkerd/split.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/linkerd/codes.h"
#include "sdk/kube/object.h"

#define SPLIT_WAVE 3u

void split_cover(struct split *split, enum coverage_level level, const char *field, size_t index, const char *code,
                 const char *reason, const char *remedy) {
  const struct coverage item = {.resource = &split->smi->meta,
                                .level = level,
                                .code = code,
                                .reason = reason                    ? reason
                                          : level == COVERAGE_EXACT ? NULL
                                                                    : "out of memory",
                                .remedy = remedy};
  if (index == SIZE_MAX)
    coverage_add(&split->coverage, &item, "/spec/%s", field);
  else
    coverage_add(&split->coverage, &item, "/spec/%s/%zu", field, index);
}

/* Set by the policy controller for each parent of an HTTPRoute of either group; nothing is said of a ServiceProfile. */
static const char *const ready_conditions[] = {"Accepted", "ResolvedRefs", NULL};

void split_add_object(struct split *split, const char *api_version, const char *kind, const char *name, json_t *spec) {
  struct call *call = split->coverage.call;
  const struct smi_meta *source = &split->smi->meta;
  struct native_object *object =
      kube_object(call,
                  &(struct kube_object){.wave = SPLIT_WAVE,
                                        .api_version = api_version,
                                        .kind = kind,
                                        .ns = split->smi->meta.ns,
                                        .name = name,
                                        .sources = &source,
                                        .source_count = 1,
                                        .ready_conditions = strcmp(kind, "HTTPRoute") == 0 ? ready_conditions : NULL},
                  json_pack("{s:o}", "spec", spec));
  if (object && arena_reserve(call_arena(call), (void **)&split->objects, &split->object_capacity, split->object_count,
                              sizeof *split->objects) < 0) {
    call_out_of_memory(call);
    return;
  }
  if (object)
    split->objects[split->object_count++] = object;
}

bool split_backend_has(const struct split *split, size_t backend, const struct inventory_port *port) {
  const struct inventory_service *service = split->backends[backend];
  return service && inventory_service_port(service, port->port, port->protocol);
}

static bool sends_nothing(const struct split *split) {
  for (size_t i = 0; i < split->smi->backend_count; i++)
    if (split->smi->backends[i].weight > 0 && split->backends[i])
      return false;
  return true;
}

static void find_backends(struct split *split) {
  struct call *call = split->coverage.call;
  split->backends = arena_array(call_arena(call), split->smi->backend_count, sizeof *split->backends);
  if (!split->backends)
    call_out_of_memory(call);
  for (size_t i = 0; split->backends && i < split->smi->backend_count; i++)
    split->backends[i] =
        inventory_service(&split->directory->request->inventory, split->smi->meta.ns, split->smi->backends[i].service);
}

/* What both forms want. False: the split is left out. */
static bool is_sayable(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  split->root = inventory_service(&split->directory->request->inventory, split->smi->meta.ns, split->smi->service);
  find_backends(split);
  if (!split->backends)
    return false;
  if (!split->root) {
    split_cover(split, COVERAGE_UNSUPPORTED, "service", SIZE_MAX, CODE_ROOT,
                arena_printf(arena, "the inventory has no Service %s/%s, so its ports are not known",
                             split->smi->meta.ns, split->smi->service),
                "translate again when the Service exists");
    return false;
  }
  if (sends_nothing(split)) {
    split_cover(split, COVERAGE_UNSUPPORTED, "backends", SIZE_MAX, CODE_WEIGHT,
                "no backend that is there has a weight above 0, and Linkerd would send everything to the root", NULL);
    return false;
  }
  return true;
}

static void cover_backends(struct split *split) {
  for (size_t i = 0; i < split->smi->backend_count; i++)
    if (split->backends[i])
      split_cover(split, COVERAGE_EXACT, "backends", i, NULL, NULL, NULL);
    else
      split_cover(split, COVERAGE_APPROXIMATED, "backends", i, CODE_BACKEND,
                  arena_printf(call_arena(split->coverage.call),
                               "there is no Service %s/%s: it is left out, as its share would be errors",
                               split->smi->meta.ns, split->smi->backends[i].service),
                  "translate again when the Service exists");
}

static void translate_split(const struct kube_directory *directory, const struct linkerd_options *options,
                            const struct smi_traffic_split *smi, const struct smi_traffic_split *first,
                            struct translation *translation) {
  struct split split = {.directory = directory, .options = options, .smi = smi, .coverage.call = directory->call};
  if (first != smi) {
    split_cover(
        &split, COVERAGE_UNSUPPORTED, "service", SIZE_MAX, CODE_ROOT_TAKEN,
        arena_printf(call_arena(directory->call), "TrafficSplit %s splits %s already", first->meta.name, smi->service),
        "keep one split for a service");
  } else if (is_sayable(&split)) {
    if (options->profiles)
      split_to_profile(&split);
    else
      split_to_routes(&split);
    cover_backends(&split);
  }
  if (split.object_count == 0)
    coverage_withdraw(&split.coverage, CODE_NOTHING_LEFT,
                      "another part of the split cannot be carried over, and the split only makes sense whole");
  for (size_t i = 0; i < split.object_count; i++)
    translation_add(translation, split.objects[i]);
  coverage_state(&split.coverage, translation, (const struct native_object *const *)split.objects, split.object_count);
}

static int by_root(const void *a, const void *b) {
  const struct smi_traffic_split *x = *(const struct smi_traffic_split *const *)a,
                                 *y = *(const struct smi_traffic_split *const *)b;
  int order = strcmp(x->meta.ns, y->meta.ns);
  if (order == 0)
    order = strcmp(x->service, y->service);
  return order != 0 ? order : strcmp(x->meta.name, y->meta.name);
}

static bool same_root(const struct smi_traffic_split *a, const struct smi_traffic_split *b) {
  return strcmp(a->meta.ns, b->meta.ns) == 0 && strcmp(a->service, b->service) == 0;
}

void splits_translate(const struct kube_directory *directory, const struct linkerd_options *options,
                      struct translation *translation) {
  const struct smi_set *smi = &directory->request->smi;
  const struct smi_traffic_split **sorted = arena_array(call_arena(directory->call), smi->split_count, sizeof *sorted);
  if (!sorted) {
    call_out_of_memory(directory->call);
    return;
  }
  for (size_t i = 0; i < smi->split_count; i++)
    sorted[i] = &smi->splits[i];
  if (smi->split_count > 1)
    qsort(sorted, smi->split_count, sizeof *sorted, by_root);
  for (size_t i = 0, first = 0; i < smi->split_count; i++) {
    if (!same_root(sorted[i], sorted[first]))
      first = i;
    translate_split(directory, options, sorted[i], sorted[first], translation);
  }
}
