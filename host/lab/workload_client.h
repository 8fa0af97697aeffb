/* Talks to a trammel-workload's control port: makes it call others, and asks what it received. One thread at a time.
 * The protocol is in docs/workload.md. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_CLIENT_H
#define TRAMMEL_HOST_LAB_WORKLOAD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/lab/call.h"
#include "host/transport/http/client.h"
#include "sdk/base/error.h"

/* A batch: `count` calls with ids "<id>-0", "<id>-1", … Numbers that are 0 and texts that are NULL take the defaults of
 * docs/workload.md. */
struct call_batch {
  const char *id; /* at most 40 characters of [A-Za-z0-9._-] */
  enum call_protocol protocol;
  const char *address; /* to connect to: numeric */
  uint16_t port;
  const char *host; /* Host header; NULL: address:port */
  const char *method;
  const char *path;
  const struct call_header *headers;
  size_t header_count;
  const char *body;
  unsigned count;       /* at most WORKLOAD_CALLS_MAX */
  unsigned concurrency; /* 1…256 */
  bool fresh;           /* a new connection per call; else connections are kept within the batch */
  const char *keep;    /* NULL; else the name of a connection the workload keeps open between batches (concurrency 1) */
  unsigned spacing_us; /* between the starts of calls; 0: none */
  unsigned timeout_ms; /* per call */
};

/* `control_url` is "http://ADDRESS:PORT"; nothing is sent yet. Every error names it. */
struct workload_client;
int workload_client_create(const char *control_url, struct workload_client **ret_client, struct error **err);
/* The same through the proxy of an API server: `path` is that of the control port there, such as
 * "/api/v1/namespaces/NS/pods/POD:PORT/proxy". `kube` is borrowed. */
struct kube_client;
int workload_client_create_proxied(struct kube_client *kube, const char *path, struct workload_client **ret_client,
                                   struct error **err);
/* NULL is fine. */
void workload_client_destroy(struct workload_client *client);

/* Runs the batch and waits for it. `*ret_outcomes` is a heap array of `count`, in the order of ids. `deadline_ns` is of
 * CLOCK_MONOTONIC; 0: none. Nor is a batch waited for longer than it can take. When the time is up, or `cancel` (may be
 * NULL) is set, the workload gives the batch up. -EINVAL when the workload refuses the batch; -ECONNREFUSED,
 * -ETIMEDOUT, -ECANCELED or another error when it cannot be reached or asked; -EPROTO when its answer is none. */
int workload_call(struct workload_client *client, const struct call_batch *batch, int64_t deadline_ns,
                  const atomic_bool *cancel, struct call_outcome **ret_outcomes, struct error **err);

/* What a server received since the last reset: the id that came with the request and the nonce that was issued for it.
 */
struct received {
  char id[CALL_ID_MAX + 1];
  char nonce[NONCE_LENGTH + 1];
  uint16_t port;
};
/* Requests whose id starts with `id_prefix` (of [A-Za-z0-9._-], "" for all), oldest first. Heap array. -EOVERFLOW when
 * the record was full: what is not in it would look as if it never arrived. */
int workload_received(struct workload_client *client, const char *id_prefix, struct received **ret_received,
                      size_t *ret_count, struct error **err);
/* Forgets what was received and closes kept connections; gives the workload its name (as servers answer it) and its
 * listeners. */
struct workload_listener {
  uint16_t port;
  enum call_protocol protocol; /* CALL_HTTP1 (serves h2c too), CALL_TCP, CALL_UDP */
};
/* -EADDRINUSE when an address is taken; the workload then listens nowhere. */
int workload_configure(struct workload_client *client, const char *name, const char *address,
                       const struct workload_listener *listeners, size_t count, struct error **err);
/* The counters of the known sample app: forgets them all; and how many requests to /call and /echo were counted since.
 */
int workload_counters_clear(struct workload_client *client, struct error **err);
int workload_requests_counted(struct workload_client *client, unsigned *ret_count, struct error **err);

int workload_ready(struct workload_client *client, struct error **err);

#endif
