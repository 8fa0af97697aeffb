#include <string.h>

#include "host/conformance/suite.h"

/* docs/smi.md, in its order. */
static const struct requirement requirements[] = {
    {.id = "ACC-01",
     .group = SMI_ACCESS,
     .summary = "No traffic reaches a destination without a TrafficTarget that allows it."},
    {.id = "ACC-02",
     .group = SMI_ACCESS,
     .summary = "Permissions add up: traffic is allowed when any TrafficTarget allows it, and nothing takes a "
                "permission away."},
    {.id = "ACC-03", .group = SMI_ACCESS, .summary = "Exactly the listed source ServiceAccounts are allowed."},
    {.id = "ACC-04", .group = SMI_ACCESS, .summary = "A listed source is allowed only on the listed routes."},
    {.id = "ACC-05", .group = SMI_ACCESS, .summary = "A rule without `matches` allows every match of its route group."},
    {.id = "ACC-06", .group = SMI_ACCESS, .summary = "A rule with `matches` allows only the named ones."},
    {.id = "ACC-07",
     .group = SMI_ACCESS,
     .summary =
         "access v1alpha1 and v1alpha2: `port` limits a permission to that port, and its absence means all ports."},
    {.id = "ACC-08",
     .group = SMI_ACCESS,
     .summary = "access v1alpha3: ports come from TCPRoute and UDPRoute, and their absence means all ports."},
    {.id = "ACC-09", .group = SMI_ACCESS, .summary = "A UDPRoute's ports and a TCPRoute's ports are apart."},
    {.id = "ACC-10", .group = SMI_ACCESS, .summary = "Access is enforced at the server's side."},
    {.id = "ACC-11",
     .group = SMI_ACCESS,
     .summary = "An identity is a ServiceAccount, told by namespace and name, and every pod that holds it."},
    {.id = "ACC-12",
     .group = SMI_ACCESS,
     .summary = "A v1alpha3 TrafficTarget needs a destination, a rule and a source."},
    {.id = "ACC-13",
     .group = SMI_ACCESS,
     .summary = "access v1alpha4 (draft): the schemes of an IdentityBinding are alternatives within its namespace."},
    {.id = "ACC-14", .group = SMI_ACCESS, .summary = "Deleting a TrafficTarget takes its permission away."},
    {.id = "SPC-01", .group = SMI_SPECS, .summary = "A match is known by its name within its route group."},
    {.id = "SPC-02", .group = SMI_SPECS, .summary = "A pathRegex is anchored at the start of the path only."},
    {.id = "SPC-03", .group = SMI_SPECS, .summary = "The method `*` is any method."},
    {.id = "SPC-04", .group = SMI_SPECS, .summary = "Several headers in one match must all match."},
    {.id = "SPC-05", .group = SMI_SPECS, .summary = "Several matches of a route group are alternatives."},
    {.id = "SPC-06", .group = SMI_SPECS, .summary = "A match of headers alone holds for any path and any method."},
    {.id = "SPC-07", .group = SMI_SPECS, .summary = "Within one match, path and methods and headers must all match."},
    {.id = "SPC-08", .group = SMI_SPECS, .summary = "A route without ports is for all ports of the service."},
    {.id = "SPC-09", .group = SMI_SPECS, .summary = "A route group alone has no effect."},
    {.id = "SPL-01",
     .group = SMI_SPLIT,
     .summary = "Traffic to the root service is distributed by weight over the sum of weights."},
    {.id = "SPL-02", .group = SMI_SPLIT, .summary = "split v1alpha1: a weight is a quantity, 1 is 1000m."},
    {.id = "SPL-03",
     .group = SMI_SPLIT,
     .summary = "split v1alpha2 and later: weights are whole numbers, and their sum need not be 100."},
    {.id = "SPL-04", .group = SMI_SPLIT, .summary = "A backend of weight 0 gets nothing."},
    {.id = "SPL-05", .group = SMI_SPLIT, .summary = "A service that is not a backend gets nothing."},
    {.id = "SPL-06", .group = SMI_SPLIT, .summary = "A backend without the root's port is left out."},
    {.id = "SPL-07", .group = SMI_SPLIT, .summary = "A backend's own targetPort is used."},
    {.id = "SPL-08", .group = SMI_SPLIT, .summary = "A backend may not exist yet."},
    {.id = "SPL-09", .group = SMI_SPLIT, .summary = "Clients outside the mesh see the plain service."},
    {.id = "SPL-10", .group = SMI_SPLIT, .summary = "A split holds for each client, not in sum over all."},
    {.id = "SPL-11",
     .group = SMI_SPLIT,
     .summary = "With `matches`, only requests that match are split; the others go to the root service."},
    {.id = "SPL-12", .group = SMI_SPLIT, .summary = "Several route groups in `matches` are alternatives."},
    {.id = "SPL-13", .group = SMI_SPLIT, .summary = "A split is not hierarchical and does not refer to itself."},
    {.id = "SPL-14", .group = SMI_SPLIT, .summary = "A misconfigured split gives an Event (recommended)."},
    {.id = "SPL-15", .group = SMI_SPLIT, .summary = "Traffic sent to a backend directly is not split."},
    {.id = "MET-01",
     .group = SMI_METRICS,
     .summary = "The metrics API answers get and list for each kind, name and edges."},
    {.id = "MET-02",
     .group = SMI_METRICS,
     .summary = "Metrics hold response latencies at p99, p90 and p50, and counts of successes and failures."},
    {.id = "MET-03", .group = SMI_METRICS, .summary = "The metrics of a workload are those of its pods together."},
    {.id = "MET-04", .group = SMI_METRICS, .summary = "Edges have a direction (to, from) and a side (client, server)."},
    {.id = "MET-05", .group = SMI_METRICS, .summary = "A selector chooses items, not series."},
    {.id = "MET-06",
     .group = SMI_METRICS,
     .summary = "The metrics of a TrafficSplit are per backend: apex, name, weight."},
};

size_t requirement_count(void) {
  return sizeof(requirements) / sizeof(requirements[0]);
}

const struct requirement *requirement_at(size_t i) {
  return i < requirement_count() ? &requirements[i] : NULL;
}

const struct requirement *requirement_find(const char *id) {
  for (size_t i = 0; i < requirement_count(); i++)
    if (strcmp(requirements[i].id, id) == 0)
      return &requirements[i];
  return NULL;
}
