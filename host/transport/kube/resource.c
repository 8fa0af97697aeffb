#include "host/transport/kube/resource.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/utf8.h"

/* What a name in a path may not be, or it would be another path (k8s.io/apimachinery, IsValidPathSegmentName). */
static bool is_segment(const char *text) {
  if (!*text || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
    return false;
  return !strpbrk(text, "/%");
}

static int check_segment(const char *what, const char *text, struct error **err) {
  struct quote quote;

  if (is_segment(text))
    return 0;
  return error_set(err, EINVAL, "%s is no %s: it must not be empty, . or .., nor hold / or %%",
                   quote_text(&quote, text, strlen(text)), what);
}

static void append_escaped(struct strbuf *out, const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (*p < 0x80 &&
        (strchr("-._~:", *p) || (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')))
      strbuf_putc(out, (char)*p);
    else
      strbuf_printf(out, "%%%02X", *p);
}

int kube_api_version_split(const char *api_version, struct kube_resource *ret_resource, struct error **err) {
  struct quote quote;
  const char *slash = strchr(api_version, '/');
  const char *version = slash ? slash + 1 : api_version;
  size_t group_length = slash ? (size_t)(slash - api_version) : 0;

  if ((slash && group_length == 0) || group_length > KUBE_GROUP_MAX || !*version || strlen(version) > KUBE_LABEL_MAX ||
      strchr(version, '/'))
    return error_set(err, EINVAL, "%s is no apiVersion: one is like v1 or apps/v1",
                     quote_text(&quote, api_version, strlen(api_version)));
  struct kube_resource resource = {0};
  memcpy(resource.group, api_version, group_length);
  memcpy(resource.version, version, strlen(version));
  *ret_resource = resource;
  return 0;
}

void kube_api_version_append(struct strbuf *out, const struct kube_resource *resource) {
  strbuf_printf(out, "%s%s%s", resource->group, resource->group[0] ? "/" : "", resource->version);
}

static void append_segment(struct strbuf *out, const char *text) {
  strbuf_putc(out, '/');
  append_escaped(out, text);
}

int kube_version_path_append(struct strbuf *out, const struct kube_resource *version, struct error **err) {
  int r = check_segment("version", version->version, err);

  r = r < 0 || !version->group[0] ? r : check_segment("API group", version->group, err);
  if (r < 0)
    return r;
  strbuf_puts(out, version->group[0] ? "/apis" : "/api");
  if (version->group[0])
    append_segment(out, version->group);
  append_segment(out, version->version);
  return strbuf_failed(out) ? error_set(err, ENOMEM, "out of memory for a path") : 0;
}

static int check_ref(const struct kube_ref *ref, struct error **err) {
  const struct kube_resource *resource = ref->resource;

  if (ref->namespace_ && !resource->namespaced)
    return error_set(err, EINVAL, "%s has no namespaces, and was asked for in namespace %s", resource->plural,
                     ref->namespace_);
  if (ref->name && resource->namespaced && !ref->namespace_)
    return error_set(err, EINVAL, "%s %s: a namespace is needed", resource->plural, ref->name);
  if (ref->subresource && !ref->name)
    return error_set(err, EINVAL, "%s: a subresource needs a name", resource->plural);
  int r = check_segment("resource", resource->plural, err);
  r = r < 0 || !ref->namespace_ ? r : check_segment("namespace", ref->namespace_, err);
  r = r < 0 || !ref->name ? r : check_segment("name", ref->name, err);
  return r < 0 || !ref->subresource ? r : check_segment("subresource", ref->subresource, err);
}

int kube_path_append(struct strbuf *out, const struct kube_ref *ref, struct error **err) {
  int r = check_ref(ref, err);

  r = r < 0 ? r : kube_version_path_append(out, ref->resource, err);
  if (r < 0)
    return r;
  if (ref->namespace_) {
    strbuf_puts(out, "/namespaces");
    append_segment(out, ref->namespace_);
  }
  append_segment(out, ref->resource->plural);
  if (ref->name)
    append_segment(out, ref->name);
  if (ref->subresource)
    append_segment(out, ref->subresource);
  return strbuf_failed(out) ? error_set(err, ENOMEM, "out of memory for a path") : 0;
}

void kube_ref_describe(struct strbuf *out, const struct kube_ref *ref) {
  strbuf_puts(out, ref->resource->plural);
  if (ref->resource->group[0])
    strbuf_printf(out, ".%s", ref->resource->group);
  if (ref->subresource)
    strbuf_printf(out, "/%s", ref->subresource);
  if (ref->namespace_ && ref->name)
    strbuf_printf(out, " %s/%s", ref->namespace_, ref->name);
  else if (ref->namespace_)
    strbuf_printf(out, " in namespace %s", ref->namespace_);
  else if (ref->name)
    strbuf_printf(out, " %s", ref->name);
}

static const char *metadata(const json_t *object, const char *key) {
  return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

const char *kube_object_name(const json_t *object) {
  return metadata(object, "name");
}

const char *kube_object_namespace(const json_t *object) {
  return metadata(object, "namespace");
}

const char *kube_object_uid(const json_t *object) {
  return metadata(object, "uid");
}

const char *kube_object_version(const json_t *object) {
  return metadata(object, "resourceVersion");
}

const char *kube_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));

  return text ? text : "";
}

const json_t *kube_find(const json_t *list, const char *key, const char *text) {
  const json_t *item;
  size_t i;

  json_array_foreach(list, i, item) {
    if (strcmp(kube_text(item, key), text) == 0)
      return item;
  }
  return NULL;
}

bool kube_pod_ready(const json_t *pod) {
  const json_t *conditions = json_object_get(json_object_get(pod, "status"), "conditions");

  return strcmp(kube_text(kube_find(conditions, "type", "Ready"), "status"), "True") == 0;
}
