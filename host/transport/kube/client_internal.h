/* Inside the client: one request with all that goes with it, for the modules that make calls of it. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_CLIENT_INTERNAL_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_CLIENT_INTERNAL_H

#include <pthread.h>

#include "host/transport/kube/client.h"
#include "host/transport/kube/credentials.h"
#include "host/transport/kube/limiter.h"

/* How long one try of something that may be tried again waits for its answer. */
#define KUBE_TRY_TIMEOUT_NS (30 * INT64_C(1000000000))

/* How often a server may answer 500 without saying when to come back. client-go takes the first as the answer; but a
 * server whose quotas do not know a new kind yet answers so once, too, and tells it only by its text. */
#define KUBE_TRIES_BROKEN 3

/* Between tries: twice as long each time, less a random part of up to half. */
#define KUBE_BACKOFF_FIRST_NS (100 * INT64_C(1000000))
#define KUBE_BACKOFF_MOST_NS (10 * INT64_C(1000000000))

/* A connection that no call uses, and the certificate that it was made with. */
struct idle_connection {
  struct http_client *http;
  uint64_t identity;
};

struct discovery;

struct kube_client {
  struct kube_config *config;
  struct credentials *credentials;
  struct discovery *discovery;
  struct limiter limiter;
  char *proxy;
  char *user_agent;
  unsigned tries;
  pthread_mutex_t lock; /* of what follows */
  struct idle_connection idle[KUBE_CONNECTIONS_KEPT];
  size_t idle_count;
};

struct kube_request {
  const char *verb;           /* for messages */
  const struct kube_ref *ref; /* NULL: `path` is told */
  const char *method;
  const char *path; /* with query */
  const char *content_type;
  const void *body;
  size_t body_length;
  size_t response_max; /* 0: KUBE_ANSWER_MAX */
  bool idempotent;
  http_data_fn *on_data; /* with it nothing is tried again, and a try has all the time there is */
  void *data_ctx;
};

/* Sends, with limit, credentials and retries. Any status is success. `*ret_tries` (may be NULL) is how often it was
 * sent. */
int kube_send(struct kube_client *client, const struct kube_request *request, const struct kube_call *call,
              struct http_response *ret_response, unsigned *ret_tries, struct error **err);

/* The same, where only 2xx is success. Its JSON object goes to `*ret_object`, which may be NULL. */
int kube_send_object(struct kube_client *client, const struct kube_request *request, const struct kube_call *call,
                     json_t **ret_object, unsigned *ret_tries, struct error **err);

/* The time before try number `tries` (from 1), of which a random part is left out. */
int64_t kube_backoff_ns(unsigned tries);

/* Appends "?key=value" or "&key=value", escaped; nothing for a NULL value. */
void kube_query_append(struct strbuf *path, const char *key, const char *value);

/* Hands an error over to a caller who may not want it. Returns its -code. */
int kube_error_pass(struct error **err, struct error **own);

int discovery_create(struct discovery **ret_discovery, struct error **err);
void discovery_destroy(struct discovery *discovery);

/* The connections: connection.c. */
int connection_take(struct kube_client *client, const struct credential *credential, struct http_client **ret_http,
                    struct error **err);
void connection_give_back(struct kube_client *client, struct http_client *http, uint64_t identity, bool usable);

#endif
