/* The SMI metrics API, from both ends. One input is a line, which is asked of the reference mesh as the path and query
 * of a request, and after it what such an API could have answered, which is read. What the mesh itself answers must be
 * read as what SMI says, or be a Status. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/smi_metrics.h"
#include "sdk/base/clock.h"
#include "sdk/smi/metrics.h"

#define ARENA_MAX ((size_t)1 << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct table *table, const char *key, const char *labels) {
  json_t *body = json_pack("{s:{s:s}}", "labels", "deployment", labels);
  if (table_put(table, key, body, NULL) < 0)
    abort();
  json_decref(body);
}

/* Two pods of one deployment, and what one of them got from the other through a service. */
static struct mesh *mesh_create_counted(void) {
  static struct mesh mesh;
  store_init(&mesh.store, mesh.faults);
  mesh.metrics = metrics_create(mesh.faults);
  mesh.started_ns = clock_monotonic_ns();
  put(&mesh.store.workloads, "main/a", "d");
  put(&mesh.store.workloads, "main/b", "d");
  put(&mesh.store.services, "main/s", "d");
  struct series_key key = {.client = true,
                           .source = {"main", "a"},
                           .destination = {"main", "b"},
                           .service = {"main", "s"},
                           .split = "",
                           .backend = ""};
  for (int side = 0; side < 2; side++, key.client = false)
    metrics_count(mesh.metrics, metrics_series(mesh.metrics, &key), 200, NS_PER_MS);
  return &mesh;
}

static void check_answer(json_t *body, int status) {
  _cleanup_arena_ struct arena *arena = arena_create(ARENA_MAX);
  const char *kind = json_string_value(json_object_get(body, "kind"));
  struct smi_metrics metrics;
  if (!kind || (status != 200) != (strcmp(kind, "Status") == 0))
    abort();
  if (status == 200 && strcmp(kind, "APIResourceList") != 0) {
    char *text = json_dumps(body, 0);
    if (!text || smi_metrics_read(arena, text, strlen(text), &metrics, NULL) < 0)
      abort();
    free(text);
  }
}

static void ask(const struct mesh *mesh, const char *line, size_t length) {
  char *target = strndup(line, length);
  if (!target)
    return;
  char *query = strchr(target, '?');
  if (query)
    *query++ = '\0';
  char *path = NULL;
  if (asprintf(&path, "/apis/metrics.smi-spec.io/v1alpha1%s", target) < 0)
    path = NULL;
  int status = 0;
  json_t *body = path ? smi_metrics_answer(mesh, true, path, query, &status) : NULL;
  if (body)
    check_answer(body, status);
  json_decref(body);
  free(path);
  free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct mesh *mesh;
  _cleanup_arena_ struct arena *arena = arena_create(ARENA_MAX);
  _cleanup_error_ struct error *err = NULL;
  const char *text = (const char *)data;
  const char *line = size ? memchr(text, '\n', size) : NULL;
  size_t length = line ? (size_t)(line - text) : size;
  struct smi_metrics metrics;
  if (!mesh)
    mesh = mesh_create_counted();
  ask(mesh, text, length);
  if (!line || !arena)
    return 0;
  int r = smi_metrics_read(arena, line + 1, size - length - 1, &metrics, &err);
  if ((r < 0) != (err != NULL))
    abort();
  for (size_t i = 0; r == 0 && i < metrics.count; i++)
    if (!*metrics.items[i].resource.name || !smi_edge_side_name(metrics.items[i].side))
      abort();
  return 0;
}
