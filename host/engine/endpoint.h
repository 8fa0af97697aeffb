/* The named endpoints of an adapter: where each is, and requests to them. Thread-safe. Private to the engine. */
#ifndef TRAMMEL_HOST_ENGINE_ENDPOINT_H
#define TRAMMEL_HOST_ENGINE_ENDPOINT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "host/transport/http/client.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct endpoints;

/* `description` and `cancel` (may be NULL) are borrowed. */
int endpoints_create(const Trammel__Adapter__V1__DescribeResponse *description, const atomic_bool *cancel,
                     struct endpoints **ret_endpoints, struct error **err);
void endpoints_destroy(struct endpoints *endpoints);

/* Sets the base URL of an endpoint. `outlives` says that what is there goes on without this run: what is created on it
 * has to be journaled. -ENOENT when the adapter declares no such endpoint, -EINVAL for what is no http or https URL. */
int endpoints_set(struct endpoints *endpoints, const char *name, const char *url, bool outlives, struct error **err);

/* The same for an endpoint that is a Kubernetes API server; `cluster` is borrowed. It outlives the run. */
struct cluster;
int endpoints_set_cluster(struct endpoints *endpoints, const char *name, struct cluster *cluster, struct error **err);
/* The same for what is reached through a path of a cluster's API server, such as a Service's proxy. What is there ends
 * with the run, as that what it is part of does. -EINVAL for a path that is not absolute. */
int endpoints_set_below_cluster(struct endpoints *endpoints, const char *name, struct cluster *cluster,
                                const char *path, struct error **err);
bool endpoints_outlive(struct endpoints *endpoints, const char *name);

/* Sends the token of a file with every request to the endpoint, which has its address already. -EACCES for an address
 * to which a token may not go, and as token_read(). The file is read once; its name is kept for the journal. */
int endpoints_set_token(struct endpoints *endpoints, const char *name, const char *path, struct error **err);

/* The absolute path of the endpoint's token file, or NULL. Borrowed from the endpoints. */
const char *endpoints_token_file(struct endpoints *endpoints, const char *name);

/* The URL of a path. A heap string. -ENOENT when the endpoint is unknown or has no address yet; -ENOTSUP for a
 * cluster's, which takes more than a URL to reach. */
int endpoints_url(struct endpoints *endpoints, const char *name, const char *path, char **ret_url, struct error **err);

/* 0 when the adapter declared that it may send `method` to `path`; -EACCES otherwise. */
int endpoints_permit(const struct endpoints *endpoints, const char *name, const char *method, const char *path,
                     struct error **err);

/* A request to an endpoint. */
struct endpoint_request {
  const char *endpoint;
  const char *method;
  const char *path;
  const char *content_type;
  const void *body;
  size_t body_length;
  size_t response_max;
  int64_t deadline_ns;
  bool regardless; /* of a cancellation: for what has to be cleaned up */
};

/* As http_client_send(); -EACCES when the adapter declared no permission for method and path, -ENOENT as above. */
int endpoints_send(struct endpoints *endpoints, const struct endpoint_request *request,
                   struct http_response *ret_response, struct error **err);

#endif
