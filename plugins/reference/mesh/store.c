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

const struct split *store_split(const struct store *store, const char *namespace, const char *service) {
  char key[STORE_KEY];
  store_key(key, namespace, "");
  size_t prefix = strlen(key);
  for (size_t i = table_lower_bound(&store->splits, key); i < store->splits.count; i++) {
    const struct table_entry *entry = &store->splits.entries[i];
    if (strncmp(entry->key, key, prefix) != 0)
      return NULL;
    const struct split *split = entry->object;
    if (strcmp(split->service, service) == 0)
      return split;
  }
  return NULL;
}

const struct service_port *service_port(const struct service *service, uint16_t port) {
  for (size_t i = 0; i < service->port_count; i++)
    if (service->ports[i].port == port)
      return &service->ports[i];
  return NULL;
}

bool store_delete_permission(struct store *store, const char *key) {
  void *object;
  if (!table_remove(&store->permissions, key, &object))
    return false;
  if (!fault_on(store->faults, FAULT_ALLOW_KEPT_AFTER_DELETE) || table_put(&store->retired, key, NULL, object) < 0)
    permission_destroy(object);
  store->generation++;
  return true;
}

static bool view_add(struct policy_view *view, const struct table *table, const struct account *destination) {
  for (size_t i = 0; i < table->count; i++) {
    const struct permission *permission = table->entries[i].object;
    if (strcmp(permission->destination.namespace, destination->namespace) != 0 ||
        strcmp(permission->destination.name, destination->name) != 0)
      continue;
    if (array_reserve((void **)&view->permissions, &view->capacity, view->count, sizeof(struct permission *)) < 0)
      return false;
    view->permissions[view->count++] = permission;
  }
  return true;
}

struct policy store_policy(const struct store *store, const struct account *destination, struct policy_view *view) {
  if (view->generation != store->generation) {
    view->count = 0;
    view->enforced = table_find(&store->enforcement, destination->namespace) != NULL;
    if (view_add(view, &store->permissions, destination) && view_add(view, &store->retired, destination))
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
