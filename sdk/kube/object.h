/* Kubernetes objects made from SMI resources: their names, and what says whose they are. */
#ifndef TRAMMEL_SDK_KUBE_OBJECT_H
#define TRAMMEL_SDK_KUBE_OBJECT_H

#include "sdk/adapter/native.h"

/* The label of every object that Trammel makes: nothing without it is changed or deleted. */
#define KUBE_MANAGED_LABEL "app.kubernetes.io/managed-by"
#define KUBE_MANAGED_VALUE "trammel"
/* Annotations: the resources that an object came from, "Kind/namespace/name" with commas between them (after
 * KUBE_SOURCES_MAX bytes: "…"), and a hash of all of it but the metadata, in 16 hexadecimal digits. */
#define KUBE_SOURCES_ANNOTATION "trammel.dev/sources"
#define KUBE_HASH_ANNOTATION "trammel.dev/hash"
#define KUBE_SOURCES_MAX 4096u

/* Bytes of a name, so that it can be a label's value as well (Kubernetes, "Object Names and IDs"). */
#define KUBE_NAME_MAX 63u

/* "smi-<base>-<hash8>": `base` as far as it fits, with what a DNS label cannot hold replaced by '-'; the hash is that
 * of `key`, which tells apart what has the same base ("TrafficTarget/default/api/8080"). In the call's memory; "" when
 * that is used up. */
const char *kube_name(struct call *call, const char *base, const char *key);

struct kube_object {
  uint32_t wave;
  const char *api_version;
  const char *kind;
  const char *ns; /* NULL: cluster-wide */
  const char *name;
  const struct smi_meta *const *sources; /* at least one, unless the object is for a namespace as a whole */
  size_t source_count;
  const char *const *ready_conditions; /* as native_ready_condition(); NULL-terminated, or NULL: none */
};

/* A native object whose content is `body`: {"spec": …}, with "metadata" only for annotations and labels of its own.
 * Adds label, annotations and sources. Takes the reference to `body`; NULL, and the call marked, without memory. */
struct native_object *kube_object(struct call *call, const struct kube_object *object, json_t *body);

#endif
