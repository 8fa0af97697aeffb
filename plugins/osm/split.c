#include "plugins/osm/split.h"

#include "plugins/osm/codes.h"
#include "sdk/adapter/coverage.h"
#include "sdk/kube/object.h"
#include "sdk/kube/root.h"
#include "sdk/smi/weight.h"

#define SPLIT_WAVE 2u
/* The proxies add weights up in 32 bits without sign; larger ones, and negative ones, wrap. */
#define WEIGHT_SUM_MAX UINT32_MAX

struct split {
  const struct smi_traffic_split *smi;
  const struct inventory *inventory;
  struct coverage_list coverage;
  uint64_t *weights; /* reduced */
};

static void cover(struct split *split, enum coverage_level level, const char *pointer, const char *code,
                  const char *reason, const char *remedy) {
  coverage_add(&split->coverage,
               &(struct coverage){.resource = &split->smi->meta,
                                  .level = level,
                                  .code = code,
                                  .reason = level != COVERAGE_EXACT && !reason ? "out of memory" : reason,
                                  .remedy = remedy},
               "%s", pointer);
}

static bool read_weights(struct split *split) {
  struct call *call = split->coverage.call;
  const size_t count = split->smi->backend_count;
  uint64_t sum = 0;
  split->weights = arena_array(call_arena(call), count, sizeof *split->weights);
  if (!split->weights) {
    call_out_of_memory(call);
    return false;
  }
  for (size_t i = 0; i < count; i++)
    split->weights[i] = split->smi->backends[i].weight;
  weights_reduce(split->weights, count);
  for (size_t i = 0; i < count; i++) {
    if (split->weights[i] > WEIGHT_SUM_MAX - sum) {
      cover(split, COVERAGE_UNSUPPORTED, "/spec/backends", CODE_WEIGHT,
            "the weights have no common divisor that brings their sum below 4294967296", "use smaller weights");
      return false;
    }
    sum += split->weights[i];
  }
  if (sum == 0)
    cover(split, COVERAGE_UNSUPPORTED, "/spec/backends", CODE_WEIGHT,
          "no backend has a weight above 0, which OSM's proxies refuse",
          "give a backend a weight, or take the split out");
  return sum > 0;
}

/* Whether a backend that gets something has the port. */
static bool is_served(const struct split *split, const struct inventory_port *port) {
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const struct inventory_service *backend =
        inventory_service(split->inventory, split->smi->meta.ns, split->smi->backends[i].service);
    if (split->weights[i] && backend && inventory_service_port(backend, port->port, port->protocol))
      return true;
  }
  return false;
}

static bool read_ports(struct split *split) {
  struct arena *arena = call_arena(split->coverage.call);
  const struct inventory_service *root = inventory_service(split->inventory, split->smi->meta.ns, split->smi->service);
  if (!root) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/service", CODE_ROOT,
          arena_printf(arena, "there is no Service %s in namespace %s, whose ports are to be split",
                       split->smi->service, split->smi->meta.ns),
          "create it, or put it into the inventory");
    return false;
  }
  for (size_t i = 0; i < root->port_count; i++) {
    const struct inventory_port *port = &root->ports[i];
    if (port->protocol == PORT_UDP) {
      cover(split, COVERAGE_APPROXIMATED, "/spec/service", CODE_UDP,
            arena_printf(arena,
                         "UDP port %u of %s is not split: OSM does not take UDP, which goes to the Service itself",
                         port->port, split->smi->service),
            NULL);
    } else if (!is_served(split, port)) {
      cover(split, COVERAGE_UNSUPPORTED, "/spec/service", CODE_BACKEND,
            arena_printf(arena,
                         "no backend with a weight above 0 has port %u, and OSM's proxies refuse a split of "
                         "nothing",
                         port->port),
            "give a backend that port, or take it from the root Service");
      return false;
    }
  }
  return true;
}

static void cover_backends(struct split *split) {
  for (size_t i = 0; i < split->smi->backend_count; i++) {
    const char *name = split->smi->backends[i].service;
    coverage_add(&split->coverage,
                 &(struct coverage){.resource = &split->smi->meta,
                                    .level = COVERAGE_EXACT,
                                    .reason = inventory_service(split->inventory, split->smi->meta.ns, name)
                                                  ? NULL
                                                  : "it is not there yet: until then, the others divide its share"},
                 "/spec/backends/%zu", i);
  }
}

static bool split_read(struct split *split) {
  if (split->smi->match_count) {
    cover(split, COVERAGE_UNSUPPORTED, "/spec/matches", CODE_MATCHES,
          "OSM reads split v1alpha2, which has no matches: it would split every request",
          "split all requests, or use a mesh that can tell them apart");
    return false;
  }
  if (!read_weights(split) || !read_ports(split))
    return false;
  cover_backends(split);
  return true;
}

static json_t *backends_json(const struct split *split) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < split->smi->backend_count; i++)
    if (json_array_append_new(list, json_pack("{s:s, s:I}", "service", split->smi->backends[i].service, "weight",
                                              (json_int_t)split->weights[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static struct native_object *split_object(const struct split *split) {
  struct call *call = split->coverage.call;
  const struct smi_meta *meta = &split->smi->meta;
  const char *key = arena_printf(call_arena(call), "TrafficSplit/%s/%s", meta->ns, meta->name);
  return kube_object(
      call,
      &(struct kube_object){.wave = SPLIT_WAVE,
                            .api_version = "split.smi-spec.io/v1alpha2",
                            .kind = "TrafficSplit",
                            .ns = meta->ns,
                            .name = kube_name(call, meta->name, key ? key : ""),
                            .sources = &meta,
                            .source_count = 1},
      key ? json_pack("{s:{s:s, s:o}}", "spec", "service", split->smi->service, "backends", backends_json(split))
          : NULL);
}

static void split_translate(const struct kube_directory *directory, const void *options,
                            const struct smi_traffic_split *smi, struct translation *translation) {
  struct split split = {.smi = smi, .inventory = &directory->request->inventory, .coverage = {.call = directory->call}};
  const struct native_object *object = NULL;
  (void)options; /* of OSM's none is about splits */
  if (split_read(&split)) {
    struct native_object *made = split_object(&split);
    translation_add(translation, made);
    object = made;
  } else {
    coverage_withdraw(&split.coverage, CODE_NOTHING_LEFT,
                      "another part of the split cannot be carried over, and the split only makes sense whole");
  }
  coverage_state(&split.coverage, translation, &object, object ? 1 : 0);
}

/* OSM takes any one of two splits of one root. */
void splits_translate(const struct kube_directory *directory, struct translation *translation) {
  kube_roots_translate(directory, NULL, CODE_ROOT_TAKEN, split_translate, translation);
}
