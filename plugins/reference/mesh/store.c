#include "plugins/reference/mesh/store.h"

#include <stdio.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"

static void destroy_service(void *object) {
  service_destroy(object);
}

static void destroy_split(void *object) {
  split_destroy(object);
}

static void destroy_permission(void *object) {
  permission_destroy(object);
}

void store_init(struct store *store, struct fault_set faults) {
  *store = (struct store){
      .workloads = {.limit = LIMIT_WORKLOADS},
      .services = {.limit = LIMIT_SERVICES, .destroy = destroy_service},
      .splits = {.limit = LIMIT_SPLITS, .destroy = destroy_split},
      .permissions = {.limit = LIMIT_PERMISSIONS, .destroy = destroy_permission},
      .enforcement = {.limit = LIMIT_NAMESPACES},
      .retired = {.limit = LIMIT_PERMISSIONS, .destroy = destroy_permission},
      .retired_splits = {.limit = LIMIT_SPLITS, .destroy = destroy_split},
      .faults = faults,
      .generation = 1,
  };
}

void store_finish(struct store *store) {
  table_finish(&store->workloads);
  table_finish(&store->services);
  table_finish(&store->splits);
  table_finish(&store->permissions);
  table_finish(&store->enforcement);
  table_finish(&store->retired);
  table_finish(&store->retired_splits);
}

void store_key(char key[static STORE_KEY], const char *namespace, const char *name) {
  (void)snprintf(key, STORE_KEY, "%s/%s", namespace, name);
}

struct workload *store_workload(const struct store *store, const char *namespace, const char *name) {
  char key[STORE_KEY];
  store_key(key, namespace, name);
  return table_object(&store->workloads, key);
}

struct service *store_service(const struct store *store, const char *namespace, const char *name) {
  char key[STORE_KEY];
  store_key(key, namespace, name);
  return table_object(&store->services, key);
}

static bool is_root(const struct split *split, const char *service) {
  return strcmp(split->service, service) == 0;
}

static bool has_backend(const struct split *split, const char *service) {
  for (size_t i = 0; i < split->backend_count; i++)
    if (strcmp(split->backends[i].service, service) == 0)
      return true;
  return false;
}

/* The first split of the namespace that `is_meant` says yes to, and its name. */
static const struct split *find_split(const struct table *splits, const char *namespace, const char *service,
                                      bool (*is_meant)(const struct split *split, const char *service),
                                      const char **ret_name) {
  char key[STORE_KEY];
  store_key(key, namespace, "");
  size_t prefix = strlen(key);
  for (size_t i = table_lower_bound(splits, key); i < splits->count; i++) {
    const struct table_entry *entry = &splits->entries[i];
    if (strncmp(entry->key, key, prefix) != 0)
      return NULL;
    if (!is_meant(entry->object, service))
      continue;
    *ret_name = entry->key + prefix;
    return entry->object;
  }
  return NULL;
}

const struct split *store_split(const struct store *store, const char *namespace, const char *service,
                                const char **ret_name) {
  const struct split *split = find_split(&store->splits, namespace, service, is_root, ret_name);
  if (!split && fault_on(store->faults, FAULT_SPLIT_KEPT_AFTER_DELETE))
    return find_split(&store->retired_splits, namespace, service, is_root, ret_name);
  return split;
}

const struct split *store_split_of_backend(const struct store *store, const char *namespace, const char *service,
                                           const char **ret_name) {
  return find_split(&store->splits, namespace, service, has_backend, ret_name);
}

const struct service_port *service_port(const struct service *service, uint16_t port, enum transport transport) {
  for (size_t i = 0; i < service->port_count; i++)
    if (service->ports[i].port == port && transport_of(service->ports[i].protocol) == transport)
      return &service->ports[i];
  return NULL;
}

bool store_delete_permission(struct store *store, const char *key) {
  void *object;
  if (!table_remove(&store->permissions, key, &object))
    return false;
  bool remembered = fault_on(store->faults, FAULT_ALLOW_KEPT_AFTER_DELETE) ||
                    fault_on(store->faults, FAULT_STALE_DELETE) || fault_on(store->faults, FAULT_DECIDED_ONCE) ||
                    fault_on(store->faults, FAULT_DENY_KEPT_AFTER_GRANT);
  if (!remembered || table_put(&store->retired, key, NULL, object) < 0)
    permission_destroy(object);
  store->generation++;
  return true;
}

bool store_delete_split(struct store *store, const char *key) {
  void *object;
  if (!table_remove(&store->splits, key, &object))
    return false;
  if (!fault_on(store->faults, FAULT_SPLIT_KEPT_AFTER_DELETE) ||
      table_put(&store->retired_splits, key, NULL, object) < 0)
    split_destroy(object);
  return true;
}

void store_forget_retired(struct store *store) {
  while (store->retired.count > 0) {
    void *object;
    (void)table_remove(&store->retired, store->retired.entries[0].key, &object);
    permission_destroy(object);
  }
  store->generation++;
}

static bool is_destination(const struct permission *permission, const struct account *destination,
                           struct fault_set faults) {
  return (strcmp(permission->destination.namespace, destination->namespace) == 0 ||
          fault_on(faults, FAULT_DESTINATION_NAMESPACE_IGNORED)) &&
         (strcmp(permission->destination.name, destination->name) == 0 || fault_on(faults, FAULT_IGNORE_DESTINATION));
}

/* Whether a fault lets it count no more: it was deleted before. */
static bool is_refused_again(const struct store *store, const char *key) {
  return fault_on(store->faults, FAULT_DENY_KEPT_AFTER_GRANT) && table_find(&store->retired, key);
}

static bool view_add(struct policy_view *view, const struct store *store, const struct table *table,
                     const struct account *destination) {
  for (size_t i = 0; i < table->count; i++) {
    const struct permission *permission = table->entries[i].object;
    if (!is_destination(permission, destination, store->faults) || is_refused_again(store, table->entries[i].key))
      continue;
    if (array_reserve((void **)&view->permissions, &view->capacity, view->count, sizeof(struct permission *)) < 0)
      return false;
    view->permissions[view->count++] = permission;
  }
  return true;
}

static bool view_fill(struct policy_view *view, const struct store *store, const struct account *destination) {
  view->enforced = table_find(&store->enforcement, destination->namespace) != NULL;
  view->count = view->retired_count = 0;
  if (!view_add(view, store, &store->permissions, destination))
    return false;
  size_t held = view->count;
  if (!view_add(view, store, &store->retired, destination))
    return false;
  if (fault_on(store->faults, FAULT_DECIDED_ONCE)) {
    view->retired_count = view->count - held;
    view->count = held;
  }
  return true;
}

struct policy store_policy(const struct store *store, const struct account *destination, struct policy_view *view) {
  if (view->generation != store->generation) {
    if (view_fill(view, store, destination))
      view->generation = store->generation;
    else
      view->count = 0;
  }
  return (struct policy){
      .enforced = view->enforced, .permissions = view->permissions, .count = view->count, .faults = store->faults};
}

void policy_view_finish(struct policy_view *view) {
  free(view->permissions);
  *view = (struct policy_view){0};
}
