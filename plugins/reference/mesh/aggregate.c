#include "plugins/reference/mesh/aggregate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void groups_finish(struct groups *groups) {
  for (size_t i = 0; i < groups->count; i++)
    json_decref(groups->items[i]->labels);
  arena_destroy(groups->arena);
  *groups = (struct groups){0};
}

/* ---- groups by name */

static int compare_names(const struct workload_name *a, const struct workload_name *b) {
  int order = strcmp(a->namespace, b->namespace);
  return order ? order : strcmp(a->name, b->name);
}

static int compare_groups(const struct group *a, const struct group *b) {
  int order = compare_names(&a->resource, &b->resource);
  if (order == 0)
    order = compare_names(&a->peer, &b->peer);
  if (order == 0)
    order = strcmp(a->backend, b->backend);
  if (order == 0)
    order = a->outgoing - b->outgoing;
  return order ? order : a->client - b->client;
}

/* The group like `key`; NULL when there is none, with the place where it belongs. */
static struct group *find_place(const struct groups *groups, const struct group *key, size_t *ret_place) {
  size_t low = 0, high = groups->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare_groups(groups->items[middle], key);
    if (order == 0)
      return groups->items[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *ret_place = low;
  return NULL;
}

static struct group *groups_find(const struct groups *groups, const struct group *key) {
  size_t unused;
  return find_place(groups, key, &unused);
}

/* The group like `key`, made when there is none; NULL without memory. */
static struct group *groups_get(struct groups *groups, const struct group *key) {
  size_t at = 0;
  struct group *found = find_place(groups, key, &at);
  if (found)
    return found;
  struct group *group = arena_new(groups->arena, struct group);
  if (!group || arena_reserve(groups->arena, (void **)&groups->items, &groups->capacity, groups->count,
                              sizeof(struct group *)) < 0)
    return NULL;
  *group = *key;
  memmove(&groups->items[at + 1], &groups->items[at], (groups->count - at) * sizeof(struct group *));
  groups->items[at] = group;
  groups->count++;
  return group;
}

static int group_add(struct groups *groups, struct group *group, const struct series *series) {
  if (!group->totals && !(group->totals = arena_new(groups->arena, struct totals)))
    return -ENOMEM;
  totals_add(group->totals, &series->totals);
  return 0;
}

/* ---- what is declared */

/* A table's key is "namespace/name". */
static const char *name_in(const struct table_entry *entry) {
  return strchr(entry->key, '/') + 1;
}

static const char *namespace_in(struct arena *arena, const struct table_entry *entry) {
  return arena_strndup(arena, entry->key, (size_t)(strchr(entry->key, '/') - entry->key));
}

static const json_t *labels_of(const struct table_entry *entry) {
  return entry ? json_object_get(entry->body, "labels") : NULL;
}

static const struct table_entry *workload_entry(const struct mesh *mesh, const struct workload_name *name) {
  char key[STORE_KEY];
  store_key(key, name->namespace, name->name);
  return table_find(&mesh->store.workloads, key);
}

/* The resource of a kind that a workload belongs to. */
static struct workload_name resource_of(const struct mesh *mesh, enum measured kind,
                                        const struct workload_name *workload) {
  if (kind == MEASURED_NAMESPACE)
    return (struct workload_name){"", workload->namespace};
  if (kind != MEASURED_DEPLOYMENT)
    return *workload;
  const char *name = json_string_value(json_object_get(labels_of(workload_entry(mesh, workload)), LABEL_DEPLOYMENT));
  return (struct workload_name){workload->namespace, name ? name : workload->name};
}

static bool is_wanted(const struct workload_name *wanted, const struct workload_name *found) {
  return (!*wanted->namespace || strcmp(wanted->namespace, found->namespace) == 0) &&
         (!*wanted->name || strcmp(wanted->name, found->name) == 0);
}

/* A workload's labels are a pod's; a deployment has those that all its pods have. */
static int share_labels(struct group *group, const json_t *labels, bool first) {
  if (first) {
    group->labels = labels ? json_copy((json_t *)labels) : json_object();
    return group->labels ? 0 : -ENOMEM;
  }
  const char *key;
  json_t *label;
  void *next;
  json_object_foreach_safe(group->labels, next, key, label) {
    if (!json_equal(label, json_object_get(labels, key)))
      json_object_del(group->labels, key);
  }
  return 0;
}

static int declare_workloads(const struct mesh *mesh, enum measured kind, const struct workload_name *wanted,
                             struct groups *groups) {
  for (size_t i = 0; i < mesh->store.workloads.count; i++) {
    const struct table_entry *entry = &mesh->store.workloads.entries[i];
    struct workload_name name = {namespace_in(groups->arena, entry), name_in(entry)};
    if (!name.namespace)
      return -ENOMEM;
    struct group key = {.resource = resource_of(mesh, kind, &name), .peer = {"", ""}, .backend = ""};
    if (!is_wanted(wanted, &key.resource))
      continue;
    size_t before = groups->count;
    struct group *group = groups_get(groups, &key);
    if (!group || (kind != MEASURED_NAMESPACE && share_labels(group, labels_of(entry), groups->count > before) < 0))
      return -ENOMEM;
  }
  return 0;
}

static int declare_services(const struct mesh *mesh, const struct workload_name *wanted, struct groups *groups) {
  for (size_t i = 0; i < mesh->store.services.count; i++) {
    const struct table_entry *entry = &mesh->store.services.entries[i];
    struct group key = {.resource = {namespace_in(groups->arena, entry), name_in(entry)},
                        .peer = {"", ""},
                        .client = true,
                        .backend = ""};
    if (!key.resource.namespace || (is_wanted(wanted, &key.resource) && !groups_get(groups, &key)))
      return -ENOMEM;
  }
  return 0;
}

/* Metrics have whole weights. What is above 0 stays so. */
static uint32_t whole_weight(const struct backend *backend) {
  return backend->quantity ? (backend->weight + 999) / 1000 : backend->weight;
}

static int declare_backends(const struct split *split, struct group key, struct groups *groups) {
  for (size_t i = 0; i < split->backend_count; i++) {
    key.apex = split->service;
    key.backend = split->backends[i].service;
    key.weight = whole_weight(&split->backends[i]);
    if (!groups_get(groups, &key))
      return -ENOMEM;
  }
  return 0;
}

static int declare_splits(const struct mesh *mesh, const struct workload_name *wanted, struct groups *groups) {
  for (size_t i = 0; i < mesh->store.splits.count; i++) {
    const struct table_entry *entry = &mesh->store.splits.entries[i];
    struct group key = {
        .resource = {namespace_in(groups->arena, entry), name_in(entry)}, .peer = {"", ""}, .client = true};
    if (!key.resource.namespace ||
        (is_wanted(wanted, &key.resource) && declare_backends(entry->object, key, groups) < 0))
      return -ENOMEM;
  }
  return 0;
}

static int declare_all(const struct mesh *mesh, enum measured kind, const struct workload_name *wanted,
                       struct groups *groups) {
  if (kind == MEASURED_SERVICE)
    return declare_services(mesh, wanted, groups);
  if (kind == MEASURED_SPLIT)
    return declare_splits(mesh, wanted, groups);
  return declare_workloads(mesh, kind, wanted, groups);
}

/* ---- what was counted for it */

static bool is_of_callers(enum measured kind) {
  return kind == MEASURED_SERVICE || kind == MEASURED_SPLIT;
}

/* The resource whose value a series is a part of. False when it is of none. */
static bool series_resource(const struct mesh *mesh, enum measured kind, const struct series_key *series,
                            struct group *ret_key) {
  if (series->client != is_of_callers(kind) || (kind == MEASURED_SPLIT && !*series->split))
    return false;
  *ret_key = (struct group){.peer = {"", ""}, .client = series->client, .backend = ""};
  if (kind == MEASURED_SERVICE) {
    ret_key->resource = series->service;
  } else if (kind == MEASURED_SPLIT) {
    ret_key->resource = (struct workload_name){series->service.namespace, series->split};
    ret_key->backend = series->backend;
  } else {
    ret_key->resource = resource_of(mesh, kind, &series->destination);
  }
  return true;
}

static int add_to_whole_split(struct groups *groups, const struct group *key, const struct series *series) {
  for (size_t i = 0; i < groups->count; i++)
    if (compare_names(&groups->items[i]->resource, &key->resource) == 0 &&
        group_add(groups, groups->items[i], series) < 0)
      return -ENOMEM;
  return 0;
}

static int add_series(const struct mesh *mesh, enum measured kind, const struct series *series, struct groups *groups) {
  struct group key;
  if (!series_resource(mesh, kind, &series->key, &key))
    return 0;
  if (kind == MEASURED_SPLIT && fault_on(mesh->faults, FAULT_METRICS_SPLIT_TOTAL))
    return add_to_whole_split(groups, &key, series);
  struct group *group = groups_find(groups, &key);
  if (!group)
    return 0;
  if (kind == MEASURED_DEPLOYMENT && fault_on(mesh->faults, FAULT_METRICS_ONE_POD_ONLY)) {
    if (group->only_pod && strcmp(group->only_pod, series->key.destination.name) != 0)
      return 0;
    group->only_pod = series->key.destination.name;
  }
  return group_add(groups, group, series);
}

/* Takes out what the selector does not choose. */
static void select_groups(const struct mesh *mesh, const struct selector *selector, struct groups *groups) {
  size_t kept = 0;
  for (size_t i = 0; i < groups->count; i++) {
    struct group *group = groups->items[i];
    if (fault_on(mesh->faults, FAULT_METRICS_SELECTOR_IGNORED) || selector_chooses(selector, group->labels))
      groups->items[kept++] = group;
    else
      json_decref(group->labels);
  }
  groups->count = kept;
}

int aggregate_resources(const struct mesh *mesh, enum measured kind, const struct workload_name *wanted,
                        const struct selector *selector, struct groups *ret_groups) {
  _cleanup_groups_ struct groups groups = {.arena = arena_create(0)};
  if (!groups.arena || declare_all(mesh, kind, wanted, &groups) < 0)
    return -ENOMEM;
  for (size_t i = 0; i < metrics_size(mesh->metrics); i++)
    if (add_series(mesh, kind, metrics_at(mesh->metrics, i), &groups) < 0)
      return -ENOMEM;
  select_groups(mesh, selector, &groups);
  *ret_groups = groups;
  groups = (struct groups){0};
  return 0;
}

/* ---- edges */

static int add_edge(const struct mesh *mesh, enum measured peer_kind, const struct workload_name *peer,
                    struct group key, const struct series *series, struct groups *groups) {
  if (!*peer->name)
    return 0; /* a caller without identity, or nobody found to take the request: no resource */
  key.peer = resource_of(mesh, peer_kind, peer);
  key.client = series->key.client;
  struct group *group = groups_get(groups, &key);
  return group ? group_add(groups, group, series) : -ENOMEM;
}

/* Gives each edge the labels of its peer. */
static int label_edges(const struct mesh *mesh, enum measured kind, struct groups *groups) {
  enum measured peer_kind = is_of_callers(kind) ? MEASURED_POD : kind;
  _cleanup_groups_ struct groups peers = {.arena = arena_create(0)};
  if (!peers.arena || declare_workloads(mesh, peer_kind, &(struct workload_name){"", ""}, &peers) < 0)
    return -ENOMEM;
  for (size_t i = 0; i < groups->count; i++) {
    struct group key = {.resource = groups->items[i]->peer, .peer = {"", ""}, .backend = ""};
    const struct group *peer = groups_find(&peers, &key);
    groups->items[i]->labels = peer ? json_incref(peer->labels) : NULL;
  }
  return 0;
}

/* Of a service or split: the workloads that called. */
static int add_callers(const struct mesh *mesh, enum measured kind, const struct workload_name *resource,
                       const struct groups *declared, const struct series *series, struct groups *groups) {
  struct group key;
  const struct group *group = NULL;
  if (series_resource(mesh, kind, &series->key, &key))
    group = groups_find(declared, &key);
  if (!group)
    return 0;
  key = *group;
  key.resource = *resource;
  return add_edge(mesh, MEASURED_POD, &series->key.source, key, series, groups);
}

/* Of what holds workloads: both ways. */
static int add_edges(const struct mesh *mesh, enum measured kind, const struct workload_name *resource,
                     const struct series *series, struct groups *groups) {
  struct workload_name source = resource_of(mesh, kind, &series->key.source);
  struct workload_name destination = resource_of(mesh, kind, &series->key.destination);
  struct group key = {.resource = *resource, .backend = ""};
  int r = 0;
  if (compare_names(&destination, resource) == 0)
    r = add_edge(mesh, kind, &series->key.source, key, series, groups);
  key.outgoing = true;
  if (r == 0 && compare_names(&source, resource) == 0)
    r = add_edge(mesh, kind, &series->key.destination, key, series, groups);
  return r;
}

int aggregate_edges(const struct mesh *mesh, enum measured kind, const struct workload_name *resource,
                    const struct selector *selector, struct groups *ret_groups) {
  _cleanup_groups_ struct groups groups = {.arena = arena_create(0)}, declared = {.arena = arena_create(0)};
  if (!groups.arena || !declared.arena || declare_all(mesh, kind, resource, &declared) < 0)
    return -ENOMEM;
  for (size_t i = 0; i < metrics_size(mesh->metrics); i++) {
    const struct series *series = metrics_at(mesh->metrics, i);
    int r = is_of_callers(kind) ? add_callers(mesh, kind, resource, &declared, series, &groups)
                                : add_edges(mesh, kind, resource, series, &groups);
    if (r < 0)
      return r;
  }
  if (selector->count > 0 && label_edges(mesh, kind, &groups) < 0)
    return -ENOMEM;
  select_groups(mesh, selector, &groups);
  *ret_groups = groups;
  groups = (struct groups){0};
  return 0;
}
