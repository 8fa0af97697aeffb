/* Where an adapter's instance runs, for instance.c: in this process, in a child of it, or
 * on another machine. */
#ifndef TRAMMEL_HOST_ADAPTER_PLACEMENT_H
#define TRAMMEL_HOST_ADAPTER_PLACEMENT_H

#include "host/adapter/instance.h"

/* One call's request, and where its messages go. */
struct placed_call {
  const char *method;
  const void *request;
  size_t length;
  int (*on_message)(void *ctx, const uint8_t *message, size_t length); /* of a stream; NULL: a unary call */
  void *ctx;
};

/* As inprocess_call(). */
struct placement {
  int (*call)(struct placement *placement, const struct placed_call *call, const struct call_options *options,
              uint8_t **ret_message, size_t *ret_length, struct error **err);
  void (*destroy)(struct placement *placement);
};

/* How long a start waits after ends of the child, or connection, that came one upon another: `min_ns` after the first,
 * twice as long after each further one, up to `max_ns`. */
struct placement_backoff {
  int64_t min_ns;
  int64_t max_ns;
};
#define PLACEMENT_BACKOFF_DEFAULT ((struct placement_backoff){10 * INT64_C(1000000), 5 * INT64_C(1000000000)})

/* In a child, trammel-runner, that is confined. It is started by the first call, and again by the next one after it
 * ended, however that came: then the call fails, and its error and a diagnostic say what is known of its effects.
 * Borrows `entry` and `http`; `config` is JSON text. */
int child_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                           const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                           struct placement **ret_placement, struct error **err);

/* At the other end of a TLS connection, as `entry->remote` says. The connection is made by the first call, and again by
 * the next one after it was lost, as above. */
int remote_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                            const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                            struct placement **ret_placement, struct error **err);

/* In this process, without a boundary. */
int inprocess_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                               struct diagnostics *diagnostics, struct placement **ret_placement, struct error **err);

#endif
