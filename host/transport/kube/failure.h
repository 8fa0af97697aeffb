/* What an API server answers when it does not do what it was asked: a metav1.Status, turned into an error that says
 * what to do. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_FAILURE_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_FAILURE_H

#include <stddef.h>

#include "host/transport/http/client.h"
#include "host/transport/kube/resource.h"

#define KUBE_CONFLICTS_MAX 64 /* more are counted, not kept */

/* A field that another manager owns, and who. */
struct kube_conflict {
  char *manager;
  char *field; /* ".spec.replicas" */
};

/* For callers that decide by more than the errno. */
struct kube_failure {
  unsigned status;       /* HTTP; 0: there was no answer */
  char reason[64];       /* "Conflict", "AlreadyExists", "Expired"; "" when the answer says none */
  size_t conflict_count; /* kept ones */
  struct kube_conflict *conflicts;
};
void kube_failure_finish(struct kube_failure *failure);

/* The error of an answer that is no success to `verb` ("apply", "get" …) on `ref`; `path` is told where `ref` is NULL.
 * `failure` may be NULL; what was in it is freed. The message names verb, resource and namespace, and for a 403 by RBAC
 * the rule that a Role needs. Returns:
 *   -ENOENT  404 of an object            -ENOTSUP 404 of a kind or version that is not served, 405, 415
 *   -EPERM   401                         -EACCES  403
 *   -EEXIST  409 AlreadyExists           -EBUSY   409 of an apply: other managers own fields, which are named
 *   -ESTALE  409 of anything else (preconditions do not hold), 410
 *   -EINVAL  400, 422                    -E2BIG   413
 *   -EAGAIN  429                         -EIO     anything else, 5xx */
int kube_failure_read(const char *verb, const struct kube_ref *ref, const char *path,
                      const struct http_response *response, struct kube_failure *failure, struct error **err);

#endif
