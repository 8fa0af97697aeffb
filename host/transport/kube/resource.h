/* What an API server serves, and the paths of it. Values without pointers: they can be copied and kept. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_RESOURCE_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_RESOURCE_H

#include <jansson.h>
#include <stdbool.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

#define KUBE_GROUP_MAX 253 /* bytes: a DNS subdomain (RFC 1123) */
#define KUBE_LABEL_MAX 63  /* bytes: a DNS label */

enum kube_verb {
  KUBE_VERB_GET = 1 << 0,
  KUBE_VERB_LIST = 1 << 1,
  KUBE_VERB_WATCH = 1 << 2,
  KUBE_VERB_CREATE = 1 << 3,
  KUBE_VERB_UPDATE = 1 << 4,
  KUBE_VERB_PATCH = 1 << 5,
  KUBE_VERB_DELETE = 1 << 6,
  KUBE_VERB_DELETECOLLECTION = 1 << 7,
};

/* A kind that is served: what discovery finds. One that a caller knows by itself can be written down. */
struct kube_resource {
  char group[KUBE_GROUP_MAX + 1]; /* "" for the core group */
  char version[KUBE_LABEL_MAX + 1];
  char kind[KUBE_LABEL_MAX + 1];
  char plural[KUBE_LABEL_MAX + 1]; /* the name in paths and Roles */
  bool namespaced;
  unsigned verbs; /* of enum kube_verb; 0: unknown */
};

/* One object, or all of a namespace or cluster. Texts are borrowed. */
struct kube_ref {
  const struct kube_resource *resource;
  const char *namespace_;  /* NULL for what has none, and for lists over all namespaces */
  const char *name;        /* NULL for lists */
  const char *subresource; /* "status"; NULL: the object itself */
};

/* Splits an apiVersion: "v1" has the group "". -EINVAL when it is none. */
int kube_api_version_split(const char *api_version, struct kube_resource *ret_resource, struct error **err);

/* Appends "v1" or "group/version". */
void kube_api_version_append(struct strbuf *out, const struct kube_resource *resource);

/* Appends "/api/v1" or "/apis/group/version". -EINVAL when these are no path segments. */
int kube_version_path_append(struct strbuf *out, const struct kube_resource *version, struct error **err);

/* Appends the path of an object or a list: "/apis/apps/v1/namespaces/demo/deployments/web". -EINVAL when a name is no
 * path segment, or a namespace is given to a kind that has none. A name needs a namespace where the kind has one. */
int kube_path_append(struct strbuf *out, const struct kube_ref *ref, struct error **err);

/* Appends how messages call it: "deployments.apps demo/web". */
void kube_ref_describe(struct strbuf *out, const struct kube_ref *ref);

/* metadata.name, .namespace, .uid and .resourceVersion of an object; NULL when absent. Borrowed from it. */
const char *kube_object_name(const json_t *object);
const char *kube_object_namespace(const json_t *object);
const char *kube_object_uid(const json_t *object);
const char *kube_object_version(const json_t *object);

/* The text under `key`, "" when there is none. Borrowed. */
const char *kube_text(const json_t *object, const char *key);

/* The first item of a list that has this text under `key`; NULL: none has. Borrowed. */
const json_t *kube_find(const json_t *list, const char *key, const char *text);

/* Whether a Pod's condition "Ready" is true. */
bool kube_pod_ready(const json_t *pod);

#endif
