/* Native objects: what the host creates on the mesh. */
#ifndef TRAMMEL_SDK_ADAPTER_NATIVE_H
#define TRAMMEL_SDK_ADAPTER_NATIVE_H

#include "sdk/adapter/call.h"

#ifdef __cplusplus
extern "C" {
#endif

struct native_object;

/* A string member of a JSON document, and what it is. */
struct http_member {
  const char *pointer; /* RFC 6901: "/Meta/managed-by" */
  const char *value;
};

/* How the host tells what it made from what others did: it looks before it writes or removes, and leaves alone what
 * lacks one of the marks. Members that say nothing are NULL or 0. */
struct http_identity {
  const struct http_member *marks; /* that the body has as well */
  size_t mark_count;
  /* An object with a place of its own, read at `read_path`. */
  const char *version;           /* pointer into what is read: "/ModifyIndex" */
  const char *version_parameter; /* of the query of the creating request: the version that was read, or 0: "cas" */
  const char *stale_answer;      /* what is answered, with 200, when that is no longer the version: "false" */
  /* An object whose place is known once it is there: "{id}" in read_path, delete_path and update_path stands for its
   * id. */
  const char *list_path; /* GET gives an array; the object is the item with all of `match` */
  const struct http_member *match;
  size_t match_count;
  const char *id;            /* pointer into an item, and into what the creation answers: "/ID" */
  const char *update_method; /* NULL: one that is there is removed, and created again */
  const char *update_path;
};

/* How an object is created, read back and removed over HTTP. */
struct http_place {
  const char *endpoint;                 /* of the description */
  const char *path;                     /* where it is created or replaced, idempotently */
  const char *method;                   /* NULL: "PUT" */
  const char *content_type;             /* NULL: "application/json" */
  const char *read_path;                /* NULL: `path`; "": it cannot be read back */
  const char *delete_method;            /* NULL: "DELETE"; "": it needs no removal */
  const char *delete_path;              /* NULL: `path` */
  const struct http_identity *identity; /* NULL: the path says whose it is */
};

/* An object in the call's memory. `id` is unique in the response and stable between calls: the host prunes by it. Lower
 * waves are applied first and removed last. Takes the reference to `body`. NULL, and the call marked, without memory;
 * every function here takes that NULL. */
struct native_object *native_http(struct call *call, const char *id, uint32_t wave, const struct http_place *place,
                                  json_t *body);

/* The same for a Kubernetes object; apiVersion, kind, metadata.name and metadata.namespace are set in `body`. `ns`
 * NULL: cluster-wide. */
struct native_object *native_kubernetes(struct call *call, uint32_t wave, const char *api_version, const char *kind,
                                        const char *ns, const char *name, json_t *body);

/* Says that the object came from `source`, a resource of the request; once is enough. Its texts are borrowed until the
 * call is over: those of the request last as long, others are to be in the call's arena. */
void native_source(struct native_object *object, const struct smi_meta *source);

/* Names a condition that the mesh sets to True once it has taken a Kubernetes object (KubernetesObject.ready_conditions
 * of the contract). */
void native_ready_condition(struct native_object *object, const char *type);

const char *native_id(const struct native_object *object);

/* `text` as one segment of a path: what is not unreserved (RFC 3986) is percent-encoded. In the call's memory; "" when
 * that is used up. */
const char *path_segment(struct call *call, const char *text);

#ifdef __cplusplus
}
#endif

#endif
