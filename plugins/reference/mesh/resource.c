#include "plugins/reference/mesh/resource.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugins/reference/mesh/mesh.h"
#include "plugins/reference/mesh/workload.h"
#include "sdk/base/clock.h"
#include "sdk/base/error.h"

enum { UNSETTLED_MS = 50 };

static int put_failed(int r, const struct table *table, struct problem *problem) {
  if (r == -ENOSPC) {
    strbuf_clear(&problem->text);
    strbuf_printf(&problem->text, "there are %zu of these already, and no more are taken", table->limit);
  }
  return r;
}

static struct table *workloads(struct mesh *mesh) {
  return &mesh->store.workloads;
}

static struct table *services(struct mesh *mesh) {
  return &mesh->store.services;
}

static struct table *splits(struct mesh *mesh) {
  return &mesh->store.splits;
}

static struct table *permissions(struct mesh *mesh) {
  return &mesh->store.permissions;
}

static struct table *enforcement(struct mesh *mesh) {
  return &mesh->store.enforcement;
}

static int workload_problem(int r, const struct error *err, struct problem *problem) {
  strbuf_clear(&problem->text);
  strbuf_puts(&problem->text, error_message(err));
  return r;
}

static int put_workload(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem) {
  struct table *table = workloads(mesh);
  _cleanup_(workload_spec_destroy_p) struct workload_spec *spec = NULL;
  _cleanup_(workload_destroy_p) struct workload *workload = NULL;
  _cleanup_error_ struct error *err = NULL;
  int r = declare_workload(body, mesh->role == MESH_WHOLE, &spec, problem);
  if (r < 0)
    return r;
  struct workload *old = table_object(table, name->key);
  if (!old && table->count >= table->limit)
    return put_failed(-ENOSPC, table, problem);
  if (mesh->role == MESH_SIDECAR && mesh_hosts(mesh, spec->inbound) && !authority_adopted(mesh->authority)) {
    strbuf_puts(&problem->text, "this sidecar has no identity yet: PUT /v1/identity first");
    return -EINVAL;
  }
  r = workload_create(mesh, name->namespace, name->name, spec, old, &workload, &err);
  if (r < 0)
    return workload_problem(r, err, problem);
  spec = NULL;
  r = table_put(table, name->key, body, workload);
  if (r < 0)
    return put_failed(r, table, problem);
  workload_take_over(workload);
  workload = NULL;
  workload_destroy(old);
  return 0;
}

static void remove_workload(struct mesh *mesh, const struct resource_name *name) {
  void *workload = NULL;
  (void)table_remove(workloads(mesh), name->key, &workload);
  workload_destroy(workload);
  metrics_forget(mesh->metrics, &(struct workload_name){name->namespace, name->name});
}

static int put_service(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem) {
  _cleanup_(service_destroy_p) struct service *service = NULL;
  int r = declare_service(body, &service, problem);
  if (r < 0)
    return r;
  r = table_put(services(mesh), name->key, body, service);
  if (r < 0)
    return put_failed(r, services(mesh), problem);
  service = NULL;
  return 0;
}

static void remove_service(struct mesh *mesh, const struct resource_name *name) {
  (void)table_remove(services(mesh), name->key, NULL);
}

static int put_split(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem) {
  _cleanup_(split_destroy_p) struct split *split = NULL;
  int r = declare_split(body, &split, problem);
  if (r < 0)
    return r;
  if (fault_on(mesh->faults, FAULT_SPLIT_CHANGE_FALLS_BACK) && table_find(splits(mesh), name->key))
    split->unsettled_until_ns = clock_in_ns(UNSETTLED_MS * NS_PER_MS);
  r = table_put(splits(mesh), name->key, body, split);
  if (r < 0)
    return put_failed(r, splits(mesh), problem);
  split = NULL;
  if (fault_on(mesh->faults, FAULT_SPLIT_CHANGE_CUTS))
    mesh_cut(mesh, name->namespace);
  return 0;
}

static void remove_split(struct mesh *mesh, const struct resource_name *name) {
  (void)store_delete_split(&mesh->store, name->key);
}

static int put_permission(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem) {
  _cleanup_(permission_destroy_p) struct permission *permission = NULL;
  int r = declare_permission(body, &permission, problem);
  if (r < 0)
    return r;
  r = table_put(permissions(mesh), name->key, body, permission);
  if (r < 0)
    return put_failed(r, permissions(mesh), problem);
  permission = NULL;
  mesh->store.generation++;
  mesh_recheck(mesh);
  return 0;
}

static void remove_permission(struct mesh *mesh, const struct resource_name *name) {
  (void)store_delete_permission(&mesh->store, name->key);
  if (fault_on(mesh->faults, FAULT_STALE_DELETE))
    mesh_forget_later(mesh);
  mesh_recheck(mesh);
}

static int put_enforcement(struct mesh *mesh, const struct resource_name *name, json_t *body, struct problem *problem) {
  int r = declare_enforcement(body, problem);
  if (r == 0)
    r = put_failed(table_put(enforcement(mesh), name->key, body, NULL), enforcement(mesh), problem);
  if (r < 0)
    return r;
  mesh->store.generation++;
  mesh_recheck(mesh);
  return 0;
}

static void remove_enforcement(struct mesh *mesh, const struct resource_name *name) {
  (void)table_remove(enforcement(mesh), name->key, NULL);
  mesh->store.generation++;
}

static const struct resource_kind kinds[] = {
    {.path = "workloads", .named = true, .table = workloads, .put = put_workload, .remove = remove_workload},
    {.path = "services", .named = true, .table = services, .put = put_service, .remove = remove_service},
    {.path = "splits", .named = true, .table = splits, .put = put_split, .remove = remove_split},
    {.path = "permissions", .named = true, .table = permissions, .put = put_permission, .remove = remove_permission},
    {.path = "enforcement", .table = enforcement, .put = put_enforcement, .remove = remove_enforcement},
};

const struct resource_kind *resource_kind_find(const char *path) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].path, path) == 0)
      return &kinds[i];
  return NULL;
}

int resource_put(struct mesh *mesh, const struct resource_kind *kind, const struct resource_name *name, json_t *body,
                 struct problem *problem) {
  const struct table_entry *entry = table_find(kind->table(mesh), name->key);
  if (entry && json_equal(entry->body, body))
    return 0;
  return kind->put(mesh, name, body, problem);
}

bool resource_remove(struct mesh *mesh, const struct resource_kind *kind, const struct resource_name *name) {
  if (!table_find(kind->table(mesh), name->key))
    return false;
  kind->remove(mesh, name);
  return true;
}

/* A key is "namespace/name", or a namespace. */
static void remove_last(struct mesh *mesh, const struct resource_kind *kind, const struct table *table) {
  struct resource_name name = {0};
  char namespace[STORE_KEY];
  (void)snprintf(name.key, sizeof name.key, "%s", table->entries[table->count - 1].key);
  (void)snprintf(namespace, sizeof namespace, "%s", name.key);
  char *slash = strchr(namespace, '/');
  if (slash)
    *slash = '\0';
  name.namespace = namespace;
  name.name = slash ? slash + 1 : NULL;
  kind->remove(mesh, &name);
}

void resource_remove_all(struct mesh *mesh) {
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    const struct table *table = kinds[k].table(mesh);
    while (table->count > 0)
      remove_last(mesh, &kinds[k], table);
  }
}
