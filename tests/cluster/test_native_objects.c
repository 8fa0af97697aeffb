/* Every Kubernetes object in the recorded translations of all adapters, applied to a real API server that has the
 * definitions of its mesh: the server takes it, and keeps every field of it. */
#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"
#include "tests/support/api_objects.h"
#include "tests/support/api_server.h"

#define TOLD_MAX 20u /* failures that are told in full */
#define SETS_MAX 2
#define FOLDERS_MAX 3

/* Which definitions an adapter's objects are for: releases of its mesh, of each the folders that are there together.
 * An object must be taken by each release that serves its version, and by one at least. */
static const struct mesh {
  const char *adapter;
  const char *sets[SETS_MAX][FOLDERS_MAX];
} meshes[] = {
    {"consul", {{"consul-k8s-2.0"}}},
    {"gateway", {{"gateway-api-1.6"}}},
    {"istio", {{"istio-1.18"}, {"istio-1.30"}}},
    {"linkerd", {{"linkerd-2.20", "gateway-api-1.6", "linkerd-smi-0.2.7"}}},
    {"osm", {{"osm-1.2"}}},
    {"reference", {{NULL}}},
};

static struct api_server *server;

struct object {
  char *file; /* below the source tree */
  char *id;
  json_t *body;
  bool taken;
};

struct objects {
  struct object *items;
  size_t count, capacity;
};

/* ---- recordings */

static char *path_in_source(const char *path) {
  const char *source = getenv("TRAMMEL_SOURCE_DIR");
  char *whole = NULL;
  assert_non_null(source);
  assert_true(asprintf(&whole, "%s/%s", source, path) > 0);
  return whole;
}

/* Those that a recording has; what goes over HTTP has a request, and is not for this server. */
static void add_recording(const char *path, struct objects *objects) {
  const char *file = strstr(path, "tests/unit/");
  json_error_t error;
  json_t *recording = json_load_file(path, 0, &error), *object;
  size_t i;
  if (!recording)
    fail_msg("%s: %s", path, error.text);
  json_array_foreach(json_object_get(recording, "objects"), i, object) {
    if (json_object_get(object, "request"))
      continue;
    assert_int_equal(array_reserve((void **)&objects->items, &objects->capacity, objects->count, sizeof(struct object)),
                     0);
    objects->items[objects->count++] = (struct object){.file = strdup(file ? file : path),
                                                       .id = strdup(json_string_value(json_object_get(object, "id"))),
                                                       .body = json_incref(json_object_get(object, "body"))};
  }
  json_decref(recording);
}

static int by_name(const FTSENT **a, const FTSENT **b) {
  return strcmp((*a)->fts_name, (*b)->fts_name);
}

static struct objects objects_of(const char *adapter) {
  struct objects objects = {0};
  _cleanup_free_ char *relative = NULL;
  assert_true(asprintf(&relative, "tests/unit/%s/translate", adapter) > 0);
  char *roots[] = {path_in_source(relative), NULL};
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
  assert_non_null(walk);
  for (FTSENT *entry; (entry = fts_read(walk));) {
    const char *end = strrchr(entry->fts_name, '.');
    if (entry->fts_info == FTS_F && end && strcmp(end, ".json") == 0)
      add_recording(entry->fts_path, &objects);
  }
  (void)fts_close(walk);
  free(roots[0]);
  return objects;
}

static void objects_finish(struct objects *objects) {
  for (size_t i = 0; i < objects->count; i++) {
    free(objects->items[i].file);
    free(objects->items[i].id);
    json_decref(objects->items[i].body);
  }
  free(objects->items);
}

/* ---- what the server makes of them */

struct failures {
  struct strbuf text;
  unsigned count;
};

static void add_failure(struct failures *failures, const struct object *object, const char *set, const char *why) {
  if (failures->count++ < TOLD_MAX)
    strbuf_printf(&failures->text, "\n  %s: object %s, on %s: %s", object->file, object->id, set, why);
}

/* The JSON pointer of the first value of `wanted` that `found`, which may have more, has not; false when there is none.
 */
static bool lost(const json_t *wanted, const json_t *found, struct strbuf *pointer) {
  size_t length = pointer->length, i;
  const char *key;
  json_t *value;
  if (json_is_object(wanted)) {
    json_object_foreach((json_t *)wanted, key, value) {
      pointer_append(pointer, key);
      if (lost(value, json_object_get(found, key), pointer))
        return true;
      pointer->length = length;
    }
    return !json_is_object(found);
  }
  if (!json_is_array(wanted))
    return !json_equal(wanted, found);
  json_array_foreach(wanted, i, value) {
    strbuf_printf(pointer, "/%zu", i);
    if (lost(value, json_array_get(found, i), pointer))
      return true;
    pointer->length = length;
  }
  return json_array_size(wanted) != json_array_size(found);
}

static void apply(struct object *object, const char *set, bool dry_run, struct failures *failures) {
  _cleanup_free_ char *path = api_object_path(server, object->body);
  _cleanup_strbuf_ struct strbuf pointer = STRBUF_INIT;
  _cleanup_free_ char *why = NULL;
  struct api_answer answer;
  if (!path)
    return;
  object->taken = true;
  api_object_apply(server, path, object->body, dry_run, &answer);
  if (answer.status != 200 && answer.status != 201)
    add_failure(failures, object, set, api_answer_message(&answer));
  else if (lost(object->body, answer.body, &pointer)) {
    assert_true(asprintf(&why, "the server dropped or changed %.*s", (int)pointer.length, strbuf_text(&pointer)) > 0);
    add_failure(failures, object, set, why);
  }
  api_answer_finish(&answer);
}

static void apply_all(struct objects *objects, const char *set, struct failures *failures) {
  for (size_t i = 0; i < objects->count; i++) {
    struct object *object = &objects->items[i];
    const char *namespace = json_string_value(json_object_get(json_object_get(object->body, "metadata"), "namespace"));
    if (namespace)
      api_namespace_create(server, namespace);
    apply(object, set, true, failures);
    apply(object, set, false, failures);
  }
}

static void apply_to_release(struct objects *objects, const char *const *folders, struct failures *failures) {
  char *paths[FOLDERS_MAX] = {NULL};
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  for (unsigned i = 0; i < FOLDERS_MAX && folders[i]; i++) {
    paths[i] = crds_directory(folders[i]);
    strbuf_printf(&name, "%s%s", i ? " with " : "", folders[i]);
    if (!paths[i]) {
      print_message(
          "the definitions %s are not there: they are looked for in crds/ of ../shared or $TRAMMEL_SHARED_DIR\n",
          folders[i]);
      skip();
    }
    assert_true(crds_install(server, paths[i]) > 0);
  }
  apply_all(objects, strbuf_text(&name), failures);
  for (unsigned i = 0; i < FOLDERS_MAX && paths[i]; i++) {
    crds_remove(server, paths[i]);
    free(paths[i]);
  }
}

static bool has_plugin(const char *adapter) {
  _cleanup_free_ char *relative = NULL;
  assert_true(asprintf(&relative, "plugins/%s", adapter) > 0);
  _cleanup_free_ char *path = path_in_source(relative);
  return access(path, F_OK) == 0;
}

static void all_objects_are_taken(void **state) {
  const struct mesh *mesh = *state;
  if (!has_plugin(mesh->adapter))
    skip();
  struct failures failures = {.text = STRBUF_INIT};
  struct objects objects = objects_of(mesh->adapter);
  for (unsigned i = 0; i < SETS_MAX && mesh->sets[i][0] && objects.count > 0; i++)
    apply_to_release(&objects, mesh->sets[i], &failures);
  for (size_t i = 0; i < objects.count; i++) {
    if (!objects.items[i].taken)
      add_failure(&failures, &objects.items[i], "any release", "no definition serves its kind in its version");
  }
  print_message("%s: %zu objects\n", mesh->adapter, objects.count);
  if (objects.count == 0 && mesh->sets[0][0])
    fail_msg("tests/unit/%s/translate has no Kubernetes objects", mesh->adapter);
  if (failures.count > 0)
    fail_msg("%u failures of %zu objects of %s:%s", failures.count, objects.count, mesh->adapter,
             strbuf_text(&failures.text));
  strbuf_finish(&failures.text);
  objects_finish(&objects);
}

/* ---- what would be a failure is one */

static void require_definitions(const char *name) {
  _cleanup_free_ char *path = crds_directory(name);
  if (!path)
    skip();
  assert_true(crds_install(server, path) > 0);
}

static void remove_definitions(const char *name) {
  _cleanup_free_ char *path = crds_directory(name);
  crds_remove(server, path);
}

static unsigned failures_of(const char *json) {
  struct failures failures = {.text = STRBUF_INIT};
  struct object object = {"sample", "sample", json_loads(json, 0, NULL), false};
  assert_non_null(object.body);
  apply_all(&(struct objects){&object, 1, 1}, "sample", &failures);
  assert_true(object.taken);
  json_decref(object.body);
  strbuf_finish(&failures.text);
  return failures.count;
}

#define HEAD(kind) "{\"apiVersion\": \"policy.linkerd.io/v1beta3\", \"kind\": \"" kind "\", "
#define META "\"metadata\": {\"name\": \"sample\", \"namespace\": \"main\"}, "

static void what_the_server_refuses_or_drops_is_a_failure(void **state) {
  (void)state;
  require_definitions("linkerd-2.20");
  assert_int_equal(failures_of(HEAD("Server") META "\"spec\": {\"podSelector\": {}, \"port\": 80}}"), 0);
  assert_int_equal(failures_of(HEAD("Server") META "\"spec\": {\"podSelector\": {}, \"port\": true}}"), 2);
  assert_int_equal(failures_of(HEAD("Server") META "\"spec\": {\"podSelector\": {}, \"port\": 80, \"more\": 1}}"), 2);
  remove_definitions("linkerd-2.20");
}

/* An API server compiled by a newer Go than its own takes "" for null, unless the test bed's build keeps it from that.
 */
static void an_empty_text_is_no_null(void **state) {
  (void)state;
  require_definitions("gateway-api-1.6");
  assert_int_equal(
      failures_of("{\"apiVersion\": \"gateway.networking.k8s.io/v1\", \"kind\": \"HTTPRoute\", " META
                  "\"spec\": {\"parentRefs\": [{\"group\": \"\", \"kind\": \"Service\", \"name\": \"a\"}]}}"),
      0);
  remove_definitions("gateway-api-1.6");
}

/* ---- definitions */

static void all_definitions_are_served(void **state) {
  (void)state;
  static const char *const names[] = {"consul-k8s-2.0", "gateway-api-1.6", "istio-1.18",        "istio-1.30",
                                      "linkerd-2.20",   "osm-1.2",         "linkerd-smi-0.2.7", "smi"};
  for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
    require_definitions(names[i]);
    remove_definitions(names[i]);
  }
}

/* ---- who is in the table */

static bool is_in_table(const char *adapter) {
  for (size_t i = 0; i < ARRAY_COUNT(meshes); i++) {
    if (strcmp(meshes[i].adapter, adapter) == 0)
      return true;
  }
  return false;
}

static void each_adapter_is_in_the_table(void **state) {
  (void)state;
  _cleanup_free_ char *root = path_in_source("plugins");
  FTS *walk = fts_open((char *[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
  assert_non_null(walk);
  (void)fts_read(walk);
  for (FTSENT *entry = fts_children(walk, 0); entry; entry = entry->fts_link) {
    if (entry->fts_info == FTS_D && !is_in_table(entry->fts_name))
      fail_msg("say in the table of %s which definitions the objects of plugins/%s are for", __FILE__, entry->fts_name);
  }
  (void)fts_close(walk);
}

int main(void) {
  static const struct CMUnitTest others[] = {
      cmocka_unit_test(each_adapter_is_in_the_table),
      cmocka_unit_test(all_definitions_are_served),
      cmocka_unit_test(what_the_server_refuses_or_drops_is_a_failure),
      cmocka_unit_test(an_empty_text_is_no_null),
  };
  struct CMUnitTest tests[ARRAY_COUNT(meshes) + ARRAY_COUNT(others)];
  server = api_server_start();
  if (!server)
    return 77;
  for (size_t i = 0; i < ARRAY_COUNT(meshes); i++)
    tests[i] = (struct CMUnitTest){meshes[i].adapter, all_objects_are_taken, NULL, NULL, (void *)&meshes[i]};
  memcpy(tests + ARRAY_COUNT(meshes), others, sizeof(others));
  int failed = cmocka_run_group_tests_name("native objects", tests, NULL, NULL);
  api_server_stop(server);
  return failed;
}
