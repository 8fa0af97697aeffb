#include "host/transport/kube/refusal.h"

#include <errno.h>
#include <string.h>

#define SEGMENTS_MAX 8 /* "apis", group, version, "namespaces", namespace, resource, name, subresource */
#define SEGMENT_MAX 253

/* What a path is about. */
struct subject {
  char segments[SEGMENTS_MAX][SEGMENT_MAX + 1];
  size_t count;
  struct kube_resource resource;
  struct kube_ref ref;
};

static bool cut(const char *path, struct subject *subject) {
  size_t end = strcspn(path, "?");

  for (size_t at = 0; at < end;) {
    size_t length = strcspn(path + at + 1, "/?");
    if (path[at] != '/' || length == 0 || length > SEGMENT_MAX || subject->count == SEGMENTS_MAX)
      return false;
    memcpy(subject->segments[subject->count++], path + at + 1, length);
    at += length + 1;
  }
  return true;
}

static bool put(char *to, size_t size, const char *from) {
  size_t length = strlen(from);

  if (length >= size)
    return false;
  memcpy(to, from, length + 1);
  return true;
}

/* Where the resource begins; 0: it is no path of one. */
static size_t read_version(struct subject *subject) {
  const bool core = subject->count > 2 && strcmp(subject->segments[0], "api") == 0;
  const bool grouped = subject->count > 3 && strcmp(subject->segments[0], "apis") == 0;
  struct kube_resource *resource = &subject->resource;

  if (core)
    return put(resource->version, sizeof(resource->version), subject->segments[1]) ? 2 : 0;
  if (grouped && put(resource->group, sizeof(resource->group), subject->segments[1]) &&
      put(resource->version, sizeof(resource->version), subject->segments[2]))
    return 3;
  return 0;
}

static bool read_path(const char *path, struct subject *subject) {
  size_t at = cut(path, subject) ? read_version(subject) : 0;

  if (at == 0)
    return false;
  subject->ref.resource = &subject->resource;
  if (strcmp(subject->segments[at], "namespaces") == 0 && at + 2 < subject->count) {
    subject->ref.namespace_ = subject->segments[at + 1];
    subject->resource.namespaced = true;
    at += 2;
  }
  if (!put(subject->resource.plural, sizeof(subject->resource.plural), subject->segments[at]))
    return false;
  subject->ref.name = at + 1 < subject->count ? subject->segments[at + 1] : NULL;
  subject->ref.subresource = at + 2 < subject->count ? subject->segments[at + 2] : NULL;
  return at + 3 >= subject->count;
}

static const char *verb_of(const char *method, bool named) {
  static const char *const verbs[][2] = {
      {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};

  for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
    if (strcmp(verbs[i][0], method) == 0)
      return verbs[i][1];
  return named ? "get" : "list";
}

int kube_refusal_read(const char *method, const char *path, const struct http_response *response, struct error **err) {
  struct subject subject = {0};

  if (response->status < 400)
    return 0;
  if (!read_path(path, &subject))
    return kube_failure_read(method, NULL, path, response, NULL, err);
  return kube_failure_read(verb_of(method, subject.ref.name != NULL), &subject.ref, path, response, NULL, err);
}
