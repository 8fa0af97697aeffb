/* Splits as dstOverrides of a ServiceProfile: for all requests and connections to all ports of the root alike. */
#include <inttypes.h>

#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/split.h"
#include "sdk/smi/weight.h"

/* Linkerd reads a weight in thousandths, times ten, in 32 bits without sign, and does not notice an overflow; the proxy
 * adds them up in as many. */
#define WHOLE_SUM_MAX (UINT32_MAX / 10000)
#define MILLI_SUM_MAX (UINT32_MAX / 10)

static void unsupported(struct split *split, const char *field, size_t index, const char *code, const char *reason,
                        const char *remedy) {
  split_cover(split, COVERAGE_UNSUPPORTED, field, index, code, reason, remedy);
}

/* The share of a backend without the port would be errors. */
static bool backends_have_ports(struct split *split) {
  for (size_t i = 0; i < split->root->port_count; i++)
    for (size_t j = 0; j < split->smi->backend_count; j++) {
      const struct inventory_port *port = &split->root->ports[i];
      if (port->protocol == PORT_UDP || !split->backends[j] || split->smi->backends[j].weight == 0 ||
          split_backend_has(split, j, port))
        continue;
      unsupported(split, "backends", j, CODE_BACKEND,
                  arena_printf(call_arena(split->coverage.call),
                               "it has no port %u, which the root has, and a ServiceProfile is for all ports",
                               port->port),
                  "configure split: httproute");
      return false;
    }
  return true;
}

static uint64_t read_weights(const struct split *split, uint64_t *weights) {
  uint64_t sum = 0;
  for (size_t i = 0; i < split->smi->backend_count; i++)
    weights[i] = split->backends[i] ? split->smi->backends[i].weight : 0;
  weights_reduce(weights, split->smi->backend_count);
  for (size_t i = 0; i < split->smi->backend_count; i++)
    sum = weights[i] > UINT64_MAX - sum ? UINT64_MAX : sum + weights[i];
  return sum;
}

static json_t *override_json(const struct split *split, const char *service, uint64_t weight, bool milli) {
  json_t *text = json_sprintf("%s.%s.svc.%s", service, split->smi->meta.ns, split->options->cluster_domain);
  return json_pack("{s:o, s:o}", "authority", text, "weight",
                   milli ? json_sprintf("%" PRIu64 "m", weight) : json_sprintf("%" PRIu64, weight));
}

static json_t *overrides_json(const struct split *split, const uint64_t *weights, bool milli) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < split->smi->backend_count; i++)
    if (split->backends[i] &&
        json_array_append_new(list, override_json(split, split->smi->backends[i].service, weights[i], milli)) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static bool has_udp(const struct inventory_service *service) {
  for (size_t i = 0; i < service->port_count; i++)
    if (service->ports[i].protocol == PORT_UDP)
      return true;
  return false;
}

void split_to_profile(struct split *split) {
  struct call *call = split->coverage.call;
  uint64_t *weights = arena_array(call_arena(call), split->smi->backend_count, sizeof *weights);
  const char *name = arena_printf(call_arena(call), "%s.%s.svc.%s", split->smi->service, split->smi->meta.ns,
                                  split->options->cluster_domain);
  if (!weights || !name) {
    call_out_of_memory(call);
    return;
  }
  if (split->smi->match_count) {
    unsupported(split, "matches", SIZE_MAX, CODE_SPLIT_MATCH, "a ServiceProfile splits all requests alike",
                "configure split: httproute");
    return;
  }
  if (!backends_have_ports(split))
    return;
  const uint64_t sum = read_weights(split, weights);
  if (sum > MILLI_SUM_MAX) {
    unsupported(
        split, "backends", SIZE_MAX, CODE_WEIGHT,
        "Linkerd's weights overflow without notice above a sum of 429496 (429496729 in thousandths), and smaller "
        "ones of the same proportion there are not",
        "use weights with a common divisor");
    return;
  }
  split_add_object(split, "linkerd.io/v1alpha2", "ServiceProfile", name,
                   json_pack("{s:o}", "dstOverrides", overrides_json(split, weights, sum > WHOLE_SUM_MAX)));
  if (has_udp(split->root))
    split_cover(split, COVERAGE_APPROXIMATED, "service", SIZE_MAX, CODE_UDP,
                "Linkerd's proxies do not take UDP: datagrams stay with the root", NULL);
  else
    split_cover(split, COVERAGE_EXACT, "service", SIZE_MAX, NULL, NULL, NULL);
}
