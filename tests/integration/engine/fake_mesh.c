#include "tests/integration/engine/fake_mesh.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"

struct fake_mesh {
  struct http_server *server;
  pthread_mutex_t lock;
  json_t *objects; /* by path: the body as text */
  struct strbuf log;
  const char *refused_path;
  int refused_status;
  const char *refused_body;
  unsigned slow;
};

static void serve(struct fake_mesh *mesh, struct evhttp_request *request, const char *path) {
  json_t *object = json_object_get(mesh->objects, path);
  const char *method = request_method(request);

  if (strcmp(path, "/v1/ready") == 0) {
    request_answer(request, 200, "application/json", "{\"version\":\"9.9\"}");
  } else if (strcmp(method, "PUT") == 0) {
    char *body = request_body(request);
    (void)json_object_set_new(mesh->objects, path, json_string(body));
    free(body);
    request_answer(request, 200, NULL, "");
  } else if (!object) {
    request_answer(request, 404, NULL, "");
  } else if (strcmp(method, "DELETE") == 0) {
    (void)json_object_del(mesh->objects, path);
    request_answer(request, 200, NULL, "");
  } else {
    request_answer(request, 200, "application/json", json_string_value(object));
  }
}

static void handle(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct fake_mesh *mesh = ctx;
  const char *path = evhttp_request_get_uri(request);

  (void)server;
  (void)pthread_mutex_lock(&mesh->lock);
  if (strcmp(request_method(request), "GET") != 0)
    strbuf_printf(&mesh->log, "%s %s\n", request_method(request), path);
  if (mesh->slow > 0) {
    mesh->slow--;
    request_answer(request, 503, NULL, "");
  } else if (mesh->refused_path && strcmp(mesh->refused_path, path) == 0) {
    request_answer(request, mesh->refused_status, NULL, mesh->refused_body);
  } else {
    serve(mesh, request, path);
  }
  (void)pthread_mutex_unlock(&mesh->lock);
}

struct fake_mesh *fake_mesh_start(void) {
  struct fake_mesh *mesh = calloc(1, sizeof(*mesh));

  if (!mesh || !(mesh->objects = json_object()))
    abort();
  (void)pthread_mutex_init(&mesh->lock, NULL);
  mesh->server = http_server_start(handle, mesh);
  return mesh;
}

void fake_mesh_stop(struct fake_mesh *mesh) {
  http_server_stop(mesh->server);
  (void)pthread_mutex_destroy(&mesh->lock);
  json_decref(mesh->objects);
  strbuf_finish(&mesh->log);
  free(mesh);
}

const char *fake_mesh_url(const struct fake_mesh *mesh) {
  return http_server_url(mesh->server);
}

void fake_mesh_refuse(struct fake_mesh *mesh, const char *path, int status, const char *body) {
  (void)pthread_mutex_lock(&mesh->lock);
  mesh->refused_path = path;
  mesh->refused_status = status;
  mesh->refused_body = body;
  (void)pthread_mutex_unlock(&mesh->lock);
}

void fake_mesh_start_slowly(struct fake_mesh *mesh, unsigned count) {
  (void)pthread_mutex_lock(&mesh->lock);
  mesh->slow = count;
  (void)pthread_mutex_unlock(&mesh->lock);
}

char *fake_mesh_log(struct fake_mesh *mesh) {
  (void)pthread_mutex_lock(&mesh->lock);
  char *log = strdup(strbuf_text(&mesh->log));
  strbuf_clear(&mesh->log);
  (void)pthread_mutex_unlock(&mesh->lock);
  if (!log)
    abort();
  return log;
}

size_t fake_mesh_count(struct fake_mesh *mesh) {
  (void)pthread_mutex_lock(&mesh->lock);
  size_t count = json_object_size(mesh->objects);
  (void)pthread_mutex_unlock(&mesh->lock);
  return count;
}
