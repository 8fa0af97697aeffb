/* A Kubernetes client: JSON objects in and out. Thread-safe: any number of threads share one client, which keeps their
 * connections, credentials, discovery and rate limit together; each call waits on its own thread, on a connection of
 * its own.
 *
 * Every call ends by its deadline or soon after its cancellation. Retried with backoff, and after what Retry-After
 * says, is what can do no harm twice: reading, applying, deleting. Of the others (create, update) only what the server
 * said not to have begun: refused connections, and 429. A 500 without Retry-After, which may be about the object, is
 * the answer when it comes for the third time. A 401 makes credentials be fetched anew, once.
 *
 * Messages name verb, resource, namespace and name, and never hold a secret. Return values are those of
 * host/transport/kube/failure.h for what a server answered, and of http_client_send() for what came of no answer. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_CLIENT_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_CLIENT_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/transport/http/client.h"
#include "host/transport/kube/failure.h"
#include "host/transport/kube/kubeconfig.h"
#include "host/transport/kube/resource.h"

/* Unless options say otherwise: requests per second and at once, tries of one call. */
#define KUBE_RATE_DEFAULT 50.0
#define KUBE_BURST_DEFAULT 100
#define KUBE_TRIES_DEFAULT 8

/* The most bytes of an answer, and what a call may take unless it has a deadline. */
#define KUBE_ANSWER_MAX (64u * 1024 * 1024)
#define KUBE_TIMEOUT_DEFAULT_NS (60 * INT64_C(1000000000))

/* Connections that are kept open while no call uses them. */
#define KUBE_CONNECTIONS_KEPT 16

struct kube_client;

struct kube_client_options {
  double rate;            /* requests per second, in all; 0: KUBE_RATE_DEFAULT; below 0: no limit */
  unsigned burst;         /* requests at once after a pause; 0: KUBE_BURST_DEFAULT */
  unsigned tries;         /* of one call; 0: KUBE_TRIES_DEFAULT; 1: nothing is retried */
  const char *user_agent; /* NULL: "trammel" */
};

/* How one call waits. NULL stands for one with all zero. */
struct kube_call {
  int64_t deadline_ns;          /* CLOCK_MONOTONIC; 0: KUBE_TIMEOUT_DEFAULT_NS from now */
  const atomic_bool *cancel;    /* NULL: none */
  struct kube_failure *failure; /* filled when a server refused (all zero before the first use); NULL: not wanted */
};

/* Opens no connection yet. Takes `config` over, also when it fails. `options` NULL: all defaults. A program that uses
 * one ignores SIGPIPE. */
int kube_client_create(struct kube_config *config, const struct kube_client_options *options,
                       struct kube_client **ret_client, struct error **err);
/* After the last call has returned. NULL is fine. */
void kube_client_destroy(struct kube_client *client);
DEFINE_CLEANUP(struct kube_client *, kube_client_destroy);
#define _cleanup_kube_client_ _cleanup_(kube_client_destroy_p)

/* The namespace of the context. Borrowed. */
const char *kube_client_namespace(const struct kube_client *client);

/* An object. A new reference. -ENOENT when there is none, -ENOTSUP when the server does not serve its kind. */
int kube_get(struct kube_client *client, const struct kube_ref *ref, const struct kube_call *call, json_t **ret_object,
             struct error **err);

/* Makes `object`, in the namespace of `ref` (whose name is only for messages). -EEXIST when there is one already.
 * `ret_object` may be NULL: as the server has it now. */
int kube_create(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
                const struct kube_call *call, json_t **ret_object, struct error **err);

/* Puts `object` in place of the one there is. Its metadata.resourceVersion must be that one's: -ESTALE otherwise. */
int kube_update(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
                const struct kube_call *call, json_t **ret_object, struct error **err);

/* Server-side apply (apply-patch): makes the object, or makes its fields what `object` says; fields that
 * this manager applied before and that `object` no longer has are removed. -EBUSY when other managers own fields that
 * would change: the message names fields and managers, and so does call->failure. */
struct kube_apply_options {
  const char *field_manager; /* 1 to 128 printable characters */
  bool dry_run;              /* the answer is what would be */
  bool exists;               /* the object is there, and meant by its uid: it takes no right to create one */
  bool force;                /* fields that others own and that would change are taken from them */
};
int kube_apply(struct kube_client *client, const struct kube_ref *ref, const json_t *object,
               const struct kube_apply_options *options, const struct kube_call *call, json_t **ret_object,
               struct error **err);

/* Merges `patch` (RFC 7386) into the object. Its metadata.resourceVersion must be that of the one there is: -ESTALE
 * otherwise. `manager` as field_manager. */
int kube_merge(struct kube_client *client, const struct kube_ref *ref, const json_t *patch, const char *manager,
               const struct kube_call *call, json_t **ret_object, struct error **err);

enum kube_propagation {
  KUBE_PROPAGATION_DEFAULT = 0, /* of the kind */
  KUBE_PROPAGATION_BACKGROUND,
  KUBE_PROPAGATION_FOREGROUND,
  KUBE_PROPAGATION_ORPHAN,
};

struct kube_delete_options {
  const char *uid;              /* only the object that has it; NULL: any */
  const char *resource_version; /* only when it is still this; NULL: any */
  enum kube_propagation propagation;
};

/* Asks for the deletion; finalizers may keep the object for a while. -ENOENT when there is none, -ESTALE when a
 * precondition does not hold. `options` NULL: none. */
int kube_delete(struct kube_client *client, const struct kube_ref *ref, const struct kube_delete_options *options,
                const struct kube_call *call, struct error **err);

/* Any request to a path of the server ("/api/v1/namespaces/demo/pods/web:15000/proxy/state?x=y"). Any HTTP status is
 * success, after the retries that `idempotent` allows; response as of http_client_send(). */
struct kube_raw {
  const char *method;
  const char *path;         /* begins with a slash */
  const char *content_type; /* NULL: application/json when there is a body */
  const void *body;
  size_t body_length;
  size_t response_max; /* 0: KUBE_ANSWER_MAX */
  bool idempotent;     /* GET and HEAD are, anyway */
};
int kube_raw(struct kube_client *client, const struct kube_raw *raw, const struct kube_call *call,
             struct http_response *ret_response, struct error **err);

#endif
