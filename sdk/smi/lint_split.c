#include <errno.h>
#include <string.h>

#include "sdk/smi/linting.h"

/* All splits by namespace and root service. */
static bool index_roots(struct linting *linting, struct smi_index *roots) {
  if (smi_index_init(roots, linting->arena, linting->set->split_count) < 0) {
    linting->error = -ENOMEM;
    return false;
  }
  for (size_t i = 0; i < linting->set->split_count; i++) {
    const struct smi_traffic_split *split = &linting->set->splits[i];

    if (split->service)
      smi_index_add(roots, SMI_TRAFFIC_SPLIT, split->meta.ns, split->service, &split->meta);
  }
  smi_index_sort(roots);
  return true;
}

static void lint_roots(struct linting *linting, const struct smi_index *roots) {
  for (size_t i = 1; i < roots->count; i++)
    if (smi_index_same(&roots->entries[i - 1], &roots->entries[i]))
      lint_report(linting, SEVERITY_ERROR, "SMI-0210", roots->entries[i].meta, "/spec/service",
                  "merge the splits: with two for one root, which one holds is undefined",
                  "TrafficSplit %s splits the same root service %s",
                  text_shown(linting->arena, roots->entries[i - 1].meta->name), roots->entries[i].name);
}

static void report_repeated_backend(struct linting *linting, const void *of, const struct lint_text *repeated) {
  lint_report(linting, SEVERITY_ERROR, "SMI-0205", of,
              lint_pointer(linting, of, "/backends/%zu/service", repeated->index), "merge them and add their weights",
              "backend %s is listed twice", text_shown(linting->arena, repeated->text));
}

static void lint_backends(struct linting *linting, const struct smi_traffic_split *split,
                          const struct smi_index *roots) {
  struct lint_text *texts = lint_texts(linting, split->backend_count);
  bool all_zero = true;

  for (size_t i = 0; texts && i < split->backend_count; i++) {
    const struct smi_backend *backend = &split->backends[i];
    const char *service = backend->service ? backend->service : "";
    const char *pointer = lint_pointer(linting, &split->meta, "/backends/%zu/service", i);

    texts[i] = (struct lint_text){service, i};
    all_zero = all_zero && backend->weight == 0;
    if (*service == '\0')
      lint_report(linting, SEVERITY_ERROR, "SMI-0221", &split->meta, pointer, "name the Service",
                  "a backend has no service");
    else if (split->service && strcmp(service, split->service) == 0)
      lint_report(linting, SEVERITY_ERROR, "SMI-0209", &split->meta, pointer,
                  "name a Service of its own that selects the same workloads", "the root service %s is its own backend",
                  split->service);
    else if (smi_index_get(roots, SMI_TRAFFIC_SPLIT, split->meta.ns, service))
      lint_report(linting, SEVERITY_WARNING, "SMI-0211", &split->meta, pointer, "write one split with the final shares",
                  "backend %s is the root of another split, which does not apply to this traffic", service);
  }
  if (texts)
    lint_repeated(linting, texts, split->backend_count, report_repeated_backend, &split->meta);
  if (split->backend_count == 0)
    lint_report(linting, SEVERITY_WARNING, "SMI-0226", &split->meta, lint_pointer(linting, &split->meta, "/backends"),
                "name the Services that share the traffic", "it has no backends");
  else if (all_zero)
    lint_report(linting, SEVERITY_WARNING, "SMI-0212", &split->meta, lint_pointer(linting, &split->meta, "/backends"),
                "give a backend a weight above 0", "all weights are 0, so no backend gets any traffic");
}

static void lint_matches(struct linting *linting, const struct smi_traffic_split *split) {
  for (size_t i = 0; i < split->match_count; i++)
    if (!smi_index_get(&linting->resources, SMI_HTTP_ROUTE_GROUP, split->meta.ns, split->matches[i]))
      lint_report(
          linting, SEVERITY_WARNING, "SMI-0201", &split->meta, lint_pointer(linting, &split->meta, "/matches/%zu", i),
          "add it to what is applied; route groups are looked up in the split's namespace",
          "there is no HTTPRouteGroup %s/%s here", split->meta.ns, text_shown(linting->arena, split->matches[i]));
}

void lint_splits(struct linting *linting) {
  struct smi_index roots;

  if (!index_roots(linting, &roots))
    return;
  lint_roots(linting, &roots);
  for (size_t i = 0; i < linting->set->split_count; i++) {
    if (!linting->set->splits[i].service || !*linting->set->splits[i].service)
      lint_report(linting, SEVERITY_ERROR, "SMI-0221", &linting->set->splits[i].meta, "/spec/service",
                  "name the root Service", "it has no root service");
    lint_backends(linting, &linting->set->splits[i], &roots);
    lint_matches(linting, &linting->set->splits[i]);
  }
}
