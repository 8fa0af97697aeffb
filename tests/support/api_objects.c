#include "tests/support/api_objects.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "tests/support/command.h"

#define CRDS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define SERVED_S 90

static const char *text_of(const json_t *object, const char *first, const char *second) {
  const json_t *value = json_object_get(object, first);
  const char *text = json_string_value(second ? json_object_get(value, second) : value);
  return text ? text : "";
}

static void get(struct api_server *server, const char *path, struct api_answer *ret_answer) {
  api_server_send(server, &(struct api_request){.method = "GET", .path = path}, ret_answer);
}

/* ---- objects */

/* The resource of a kind in what discovery says of its version; NULL. Subresources have the kind, too. */
static const json_t *resource_of(const json_t *discovery, const char *kind) {
  const json_t *resource;
  size_t i;
  json_array_foreach(json_object_get(discovery, "resources"), i, resource) {
    if (strcmp(text_of(resource, "kind", NULL), kind) == 0 && !strchr(text_of(resource, "name", NULL), '/'))
      return resource;
  }
  return NULL;
}

char *api_object_path(struct api_server *server, const json_t *object) {
  const char *version = text_of(object, "apiVersion", NULL), *namespace = text_of(object, "metadata", "namespace");
  _cleanup_free_ char *base = NULL;
  char *path = NULL;
  struct api_answer discovery;

  assert_true(asprintf(&base, "/%s/%s", strchr(version, '/') ? "apis" : "api", version) > 0);
  get(server, base, &discovery);
  const json_t *resource = resource_of(discovery.body, text_of(object, "kind", NULL));
  if (resource) {
    const char *plural = text_of(resource, "name", NULL), *name = text_of(object, "metadata", "name");
    int length = json_is_true(json_object_get(resource, "namespaced"))
                     ? asprintf(&path, "%s/namespaces/%s/%s/%s", base, namespace, plural, name)
                     : asprintf(&path, "%s/%s/%s", base, plural, name);
    assert_true(length > 0);
  }
  api_answer_finish(&discovery);
  return path;
}

void api_object_apply(struct api_server *server, const char *path, const json_t *object, bool dry_run,
                      struct api_answer *ret_answer) {
  _cleanup_free_ char *query = NULL;
  assert_true(asprintf(&query, "%s?fieldManager=test&force=true%s", path, dry_run ? "&dryRun=All" : "") > 0);
  api_server_send(server,
                  &(struct api_request){
                      .method = "PATCH", .path = query, .content_type = "application/apply-patch+yaml", .body = object},
                  ret_answer);
}

/* Makes an object unless one of this name is there. */
static void create(struct api_server *server, const char *path, const json_t *object) {
  struct api_answer answer;
  api_server_send(server, &(struct api_request){.method = "POST", .path = path, .body = object}, &answer);
  if (answer.status != 201 && answer.status != 409)
    fail_msg("%s %s: %s", text_of(object, "kind", NULL), text_of(object, "metadata", "name"),
             api_answer_message(&answer));
  api_answer_finish(&answer);
}

void api_namespace_create(struct api_server *server, const char *name) {
  json_t *object = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", name);
  create(server, "/api/v1/namespaces", object);
  json_decref(object);
}

/* ---- definitions */

char *crds_directory(const char *name) {
  const char *shared = getenv("TRAMMEL_SHARED_DIR"), *source = getenv("TRAMMEL_SOURCE_DIR");
  struct stat about;
  char *path = NULL;
  int length = shared ? asprintf(&path, "%s/crds/%s", shared, name)
                      : asprintf(&path, "%s/../shared/crds/%s", source ? source : ".", name);
  assert_true(length > 0);
  if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
    return path;
  free(path);
  return NULL;
}

/* The definitions of one file, added to `list`. */
static void read_definitions(const char *path, json_t *list) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_free_ char *data = NULL;
  struct document_list documents = {0};
  size_t length;
  if (file_read(path, FILE_READ_MAX, &data, &length, NULL) < 0 ||
      document_read(arena, path, data, length, DOCUMENT_ANY, NULL, NULL, &documents) < 0)
    fail_msg("%s cannot be read", path);
  for (size_t i = 0; i < documents.count; i++) {
    json_t *document = node_to_json(documents.roots[i]);
    if (strcmp(text_of(document, "kind", NULL), "CustomResourceDefinition") == 0)
      (void)json_array_append(list, document);
    json_decref(document);
  }
}

static json_t *definitions_of(const char *directory) {
  json_t *list = json_array();
  _cleanup_free_ char *pattern = NULL;
  glob_t files;
  assert_true(asprintf(&pattern, "%s/*.yaml", directory) > 0);
  if (glob(pattern, 0, NULL, &files) != 0)
    fail_msg("%s has no YAML files", directory);
  for (size_t i = 0; i < files.gl_pathc; i++)
    read_definitions(files.gl_pathv[i], list);
  globfree(&files);
  return list;
}

struct awaited {
  struct api_server *server;
  const json_t *definition;
};

/* An object of the kind in one of its versions, for which there is a path as soon as the version is served. */
static bool version_is_served(struct awaited *awaited, const json_t *version) {
  const json_t *definition = awaited->definition;
  if (!json_is_true(json_object_get(version, "served")))
    return true;
  json_t *object =
      json_pack("{s:s++, s:s, s:{s:s, s:s}}", "apiVersion", text_of(definition, "spec", "group"), "/",
                text_of(version, "name", NULL), "kind", text_of(json_object_get(definition, "spec"), "names", "kind"),
                "metadata", "name", "x", "namespace", "x");
  _cleanup_free_ char *path = api_object_path(awaited->server, object);
  json_decref(object);
  return path != NULL;
}

static bool is_served(void *ctx) {
  struct awaited *awaited = ctx;
  const json_t *version;
  size_t i;
  json_array_foreach(json_object_get(json_object_get(awaited->definition, "spec"), "versions"), i, version) {
    if (!version_is_served(awaited, version))
      return false;
  }
  return true;
}

size_t crds_install(struct api_server *server, const char *directory) {
  json_t *definitions = definitions_of(directory), *definition;
  size_t i, count = json_array_size(definitions);
  json_array_foreach(definitions, i, definition) {
    create(server, CRDS, definition);
  }
  json_array_foreach(definitions, i, definition) {
    wait_until(is_served, &(struct awaited){server, definition}, SERVED_S, text_of(definition, "metadata", "name"));
  }
  json_decref(definitions);
  return count;
}

static char *definition_path(const json_t *definition) {
  char *path = NULL;
  assert_true(asprintf(&path, CRDS "/%s", text_of(definition, "metadata", "name")) > 0);
  return path;
}

static bool is_gone(void *ctx) {
  struct awaited *awaited = ctx;
  _cleanup_free_ char *path = definition_path(awaited->definition);
  struct api_answer answer;
  get(awaited->server, path, &answer);
  api_answer_finish(&answer);
  return answer.status == 404;
}

void crds_remove(struct api_server *server, const char *directory) {
  json_t *definitions = definitions_of(directory), *definition;
  size_t i;
  json_array_foreach(definitions, i, definition) {
    _cleanup_free_ char *path = definition_path(definition);
    struct api_answer answer;
    api_server_send(server, &(struct api_request){.method = "DELETE", .path = path}, &answer);
    api_answer_finish(&answer);
  }
  json_array_foreach(definitions, i, definition) {
    wait_until(is_gone, &(struct awaited){server, definition}, SERVED_S, text_of(definition, "metadata", "name"));
  }
  json_decref(definitions);
}
