#include "host/certify/corpus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/conformance/suite.h"
#include "host/lab/inventory.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/memory.h"

#define SUITE "smi"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

static const char *same_name(void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

static const char *same_namespace(const void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

/* A case has some resources in several states, NAME--STATE: the first of each is taken, under its name on the mesh. */
static bool take_state(struct arena *arena, const struct smi_meta *meta, const struct smi_meta *const *earlier,
                       size_t count, const char **ret_name) {
  size_t length = resource_base_length(meta->name);
  for (size_t i = 0; i < count; i++)
    if (strlen(earlier[i]->name) == length && strncmp(earlier[i]->name, meta->name, length) == 0 &&
        strcmp(earlier[i]->ns, meta->ns) == 0)
      return false;
  *ret_name = arena_strndup(arena, meta->name, length);
  return *ret_name != NULL;
}

/* Of one kind's list: `type` is of its items, `list` and `count` are members of the set. */
#define KEEP_STATES(type, list, count_)                                                                                \
  do {                                                                                                                 \
    struct type *kept = arena_array(arena, set->count_, sizeof *kept);                                                 \
    const struct smi_meta **earlier = arena_array(arena, set->count_, sizeof(const struct smi_meta *));                \
    size_t n = 0;                                                                                                      \
    if (!kept || !earlier)                                                                                             \
      return -ENOMEM;                                                                                                  \
    for (size_t i = 0; i < set->count_; i++) {                                                                         \
      const char *name;                                                                                                \
      if (!take_state(arena, &set->list[i].meta, earlier, n, &name))                                                   \
        continue;                                                                                                      \
      kept[n] = set->list[i];                                                                                          \
      kept[n].meta.name = name;                                                                                        \
      earlier[n] = &kept[n].meta;                                                                                      \
      n++;                                                                                                             \
    }                                                                                                                  \
    set->list = kept;                                                                                                  \
    set->count_ = n;                                                                                                   \
  } while (0)

static int keep_states(struct arena *arena, struct smi_set *set) {
  KEEP_STATES(smi_traffic_target, targets, target_count);
  KEEP_STATES(smi_http_route_group, route_groups, route_group_count);
  KEEP_STATES(smi_port_route, port_routes, port_route_count);
  KEEP_STATES(smi_traffic_split, splits, split_count);
  KEEP_STATES(smi_identity_binding, bindings, binding_count);
  return 0;
}

/* Addresses as a lab would give them. */
static struct site *make_sites(struct arena *arena, size_t count) {
  struct site *sites = arena_array(arena, count, sizeof *sites);
  for (size_t i = 0; sites && i < count; i++) {
    unsigned last = (unsigned)(2 + i % 250);
    (void)snprintf(sites[i].app, sizeof sites[i].app, "127.1.2.%u", last);
    (void)snprintf(sites[i].inbound, sizeof sites[i].inbound, "127.1.3.%u", last);
    (void)snprintf(sites[i].outbound, sizeof sites[i].outbound, "127.1.4.%u", last);
  }
  return sites;
}

static PB(TranslateOptions) * make_options(struct arena *arena, const struct test_case *test) {
  PB(TranslateOptions) *options = arena_new(arena, PB(TranslateOptions));
  char **namespaces = arena_array(arena, test->deny_count, sizeof *namespaces);
  if (!options || !namespaces)
    return NULL;
  *options = (PB(TranslateOptions))PB_INIT(TRANSLATE_OPTIONS);
  for (size_t i = 0; i < test->deny_count; i++)
    namespaces[i] = (char *)(uintptr_t)test->deny_by_default[i];
  options->n_deny_by_default = test->deny_count;
  options->deny_by_default = namespaces;
  options->allow_unsupported = true;
  return options;
}

static int make_request(struct arena *arena, const struct test_case *test, PB(TranslateRequest) * *ret_request,
                        struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct smi_set set = {0};
  int r = case_resources(test, arena, same_name, NULL, &set, diagnostics, err);
  if (r == 0 && keep_states(arena, &set) < 0)
    r = error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    return r;
  PB(TranslateRequest) *request = arena_new(arena, PB(TranslateRequest));
  const struct site *sites = make_sites(arena, test->topology->workload_count);
  if (!request || !sites)
    return error_set(err, ENOMEM, "out of memory");
  *request = (PB(TranslateRequest))PB_INIT(TRANSLATE_REQUEST);
  request->smi = smi_to_wire(arena, &set);
  request->inventory = lab_inventory(arena, test->topology, sites, same_namespace, NULL);
  request->options = make_options(arena, test);
  *ret_request = request;
  return request->smi && request->inventory && request->options ? 0 : error_set(err, ENOMEM, "out of memory");
}

static bool is_misconfigured(const struct test_case *test) {
  for (size_t i = 0; i < test->step_count; i++)
    for (size_t k = 0; k < test->steps[i].check_count; k++)
      if (!check_calls(&test->steps[i].checks[k]))
        return true;
  return false;
}

static int fill(struct corpus *corpus, struct error **err) {
  corpus->items = arena_array(corpus->arena, suite_count(corpus->suite), sizeof *corpus->items);
  if (!corpus->items)
    return error_set(err, ENOMEM, "out of memory");
  for (size_t i = 0; i < suite_count(corpus->suite); i++) {
    const struct test_case *test = suite_at(corpus->suite, i);
    struct corpus_item *item = &corpus->items[corpus->count];
    if (test->group == SMI_METRICS) /* nothing of it is translated */
      continue;
    *item = (struct corpus_item){.name = test->id,
                                 .requirements = test->requirements,
                                 .requirement_count = test->requirement_count,
                                 .misconfigured = is_misconfigured(test)};
    int r = make_request(corpus->arena, test, &item->request, err);
    if (r < 0)
      return error_wrap(err, "case %s", test->id);
    corpus->count++;
  }
  return 0;
}

int corpus_create(struct corpus *ret_corpus, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct corpus corpus = {.arena = arena_create(0)};
  int r = corpus.arena && diagnostics ? suite_load(SUITE, NULL, diagnostics, &corpus.suite, err)
                                      : error_set(err, ENOMEM, "out of memory");
  if (r == 0)
    r = fill(&corpus, err);
  if (r < 0)
    corpus_finish(&corpus);
  else
    *ret_corpus = corpus;
  return r;
}

void corpus_finish(struct corpus *corpus) {
  suite_destroy(corpus->suite);
  arena_destroy(corpus->arena);
  *corpus = (struct corpus){0};
}
