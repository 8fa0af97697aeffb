#include "plugins/reference/split.h"

#include <string.h>

#include "plugins/reference/match.h"
#include "plugins/reference/reference.h"

struct work {
  struct call *call;
  const struct lookup *lookup;
  const struct smi_traffic_split *split;
  struct coverage_list coverage;
};

static void unsupported(struct work *w, const char *pointer, size_t index, const char *code, const char *reason,
                        const char *remedy) {
  coverage_add(
      &w->coverage,
      &(struct coverage){
          .resource = &w->split->meta, .level = COVERAGE_UNSUPPORTED, .code = code, .reason = reason, .remedy = remedy},
      "/spec/%s/%zu", pointer, index);
}

/* NULL when one cannot be carried over: a split that lost a backend would send its share to the others. */
static json_t *backends_json(struct work *w) {
  json_t *backends = json_array();
  bool good = backends != NULL;
  for (size_t i = 0; good && i < w->split->backend_count; i++) {
    const struct smi_backend *backend = &w->split->backends[i];
    if (backend->weight > INT64_MAX) {
      unsupported(w, "backends", i, CODE_WEIGHT, "the weight is above 9223372036854775807", "use smaller weights");
      json_decref(backends);
      return NULL;
    }
    json_t *weight = backend->quantity ? json_string(backend->quantity) : json_integer((json_int_t)backend->weight);
    json_t *item = json_pack("{s:s, s:o}", "service", backend->service, "weight", weight);
    good = json_array_append_new(backends, item) == 0;
    coverage_add(&w->coverage, &(struct coverage){.resource = &w->split->meta, .level = COVERAGE_EXACT},
                 "/spec/backends/%zu", i);
  }
  if (good)
    return backends;
  json_decref(backends);
  call_out_of_memory(w->call);
  return NULL;
}

/* The matches of all groups, merged (SPL-12). NULL when a group is missing or nothing is left: without matches the
 * split would take every request. */
static json_t *matches_json(struct work *w) {
  json_t *matches = json_array();
  bool complete = matches != NULL;
  for (size_t i = 0; matches && i < w->split->match_count; i++) {
    const char *name = w->split->matches[i];
    const struct smi_http_route_group *group = lookup_route_group(w->lookup, w->split->meta.ns, name);
    if (!group) {
      complete = false;
      unsupported(
          w, "matches", i, CODE_DANGLING,
          arena_printf(call_arena(w->call), "there is no HTTPRouteGroup %s in namespace %s", name, w->split->meta.ns),
          "create it, or take the match out");
      continue;
    }
    for (size_t j = 0; j < group->match_count; j++)
      match_append(&w->coverage, group, j, matches);
    coverage_add(&w->coverage, &(struct coverage){.resource = &w->split->meta, .level = COVERAGE_EXACT},
                 "/spec/matches/%zu", i);
  }
  if (complete && json_array_size(matches))
    return matches;
  if (complete)
    unsupported(w, "matches", 0, CODE_NOTHING_LEFT, "none of the groups has a match that could be carried over", NULL);
  json_decref(matches);
  return NULL;
}

/* NULL when it is left out. */
static struct native_object *split_object(struct work *w) {
  json_t *matches = w->split->match_count ? matches_json(w) : NULL;
  json_t *backends = w->split->match_count && !matches ? NULL : backends_json(w);
  json_t *body = backends ? json_pack("{s:s, s:O}", "service", w->split->service, "backends", backends) : NULL;
  bool failed = backends && !body;
  if (body && matches)
    failed = json_object_set(body, "matches", matches) < 0;
  json_decref(backends);
  json_decref(matches);
  if (failed) {
    json_decref(body);
    call_out_of_memory(w->call);
    return NULL;
  }
  struct native_object *object =
      body ? reference_object(w->call, 1, "splits", w->split->meta.ns, w->split->meta.name, body) : NULL;
  native_source(object, &w->split->meta);
  return object;
}

/* Two splits of one service contradict each other: the first by name counts, whatever order they come in. */
void split_translate(struct call *call, const struct lookup *lookup, const struct smi_traffic_split *split,
                     struct translation *translation) {
  struct work w = {.call = call, .lookup = lookup, .split = split, .coverage = {.call = call}};
  const struct smi_traffic_split *first = lookup_first_split(lookup, split);
  if (first != w.split) {
    translation_cover(translation,
                      &(struct coverage){.resource = &w.split->meta,
                                         .level = COVERAGE_UNSUPPORTED,
                                         .pointer = "/spec/service",
                                         .code = CODE_ROOT_TAKEN,
                                         .reason = arena_printf(call_arena(call), "TrafficSplit %s splits %s already",
                                                                first->meta.name, w.split->service),
                                         .remedy = "keep one split for a service"});
    return;
  }
  struct native_object *object = split_object(&w);
  if (object)
    translation_add(translation, object);
  else
    coverage_withdraw(&w.coverage, CODE_NOTHING_LEFT,
                      "another part of the split cannot be carried over, and the split only makes sense whole");
  coverage_state(&w.coverage, translation, (const struct native_object *const[]){object}, object ? 1 : 0);
}
