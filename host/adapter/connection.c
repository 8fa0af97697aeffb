/* Calls on an instance at the other end of a channel, which is made anew when it ended. */
#include "host/adapter/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "host/adapter/exchange.h"
#include "sdk/base/clock.h"

/* A connection that lasted so long is made again at once. */
#define STEADY_NS (10 * NS_PER_SECOND)

struct connected {
  struct placement placement; /* first */
  const struct connector *connector;
  const struct adapter_entry *entry;
  const struct adapter_http *http;
  char *config;
  pthread_mutex_t lock;          /* guards what follows, and connections' users */
  struct connection *connection; /* NULL: there is none */
  unsigned ends;                 /* one upon another */
  int64_t next_start_ns;
};

/* ---- a call */

static struct exchange exchange_of(const struct connected *own, const struct placed_call *call,
                                   const struct call_options *options, int64_t deadline_ns) {
  return (struct exchange){
      .entry = own->entry, .http = own->http, .call = call, .options = options, .deadline_ns = deadline_ns};
}

static int judge_unavailable(const struct connected *own, struct connection *connection,
                             const struct exchange *exchange, bool *ret_broken, struct error **err) {
  char why[CONNECTION_WHY_MAX];
  if (!own->connector->has_ended(connection, err && *err ? error_message(*err) : "", why, sizeof why))
    return -EIO; /* it is what the adapter said */
  *ret_broken = true;
  return exchange_lost(exchange, why, own->connector->detail, err);
}

/* Sets `*ret_broken` when the connection is not to be used any more. */
static int run(const struct connected *own, struct connection *connection, struct exchange *exchange, bool *ret_broken,
               struct error **err) {
  _cleanup_error_ struct error *reason = NULL;
  enum exchange_end end;
  int r = exchange_run(exchange, connection->channel, &end, err ? err : &reason);
  *ret_broken = end == EXCHANGE_MALFORMED;
  if (end == EXCHANGE_UNAVAILABLE)
    return judge_unavailable(own, connection, exchange, ret_broken, err ? err : &reason);
  if (end != EXCHANGE_LATE)
    return r;
  *ret_broken = true; /* it may be at it for ever */
  return error_set(err, ETIMEDOUT, "adapter %s: %s did not answer in time; %s%s", own->entry->id,
                   exchange_method(exchange), own->connector->when_late, exchange_effects(exchange));
}

/* Makes the instance at the other end of a new connection. */
static int configure(const struct connected *own, struct connection *connection, const struct call_options *options,
                     int64_t deadline_ns, struct error **err) {
  const struct placed_call call = {.method = "", .request = own->config, .length = strlen(own->config)};
  struct exchange exchange = exchange_of(own, &call, options, deadline_ns);
  bool broken;
  int r = run(own, connection, &exchange, &broken, err);
  free(exchange.message);
  return r;
}

/* ---- connections */

static void back_off(struct connected *own) {
  int64_t wait_ns = CONNECTION_BACKOFF_MIN_NS;
  for (unsigned i = 1; i < own->ends && wait_ns < CONNECTION_BACKOFF_MAX_NS; i++)
    wait_ns *= 2;
  own->next_start_ns =
      clock_monotonic_ns() + (wait_ns < CONNECTION_BACKOFF_MAX_NS ? wait_ns : CONNECTION_BACKOFF_MAX_NS);
}

/* With the lock held. What it waits for is bounded by the deadline. */
static int start(struct connected *own, const struct call_options *options, int64_t deadline_ns, struct error **err) {
  int64_t wait_ns = own->ends > 0 ? own->next_start_ns - clock_monotonic_ns() : 0;
  if (wait_ns > deadline_ns - clock_monotonic_ns())
    return error_set(err, ETIMEDOUT,
                     "adapter %s ended %u times one upon another; it is started again in %" PRId64
                     " ms, which is after this call's deadline",
                     own->entry->id, own->ends, wait_ns / NS_PER_MS);
  if (wait_ns > 0)
    (void)nanosleep(&(struct timespec){wait_ns / NS_PER_SECOND, wait_ns % NS_PER_SECOND}, NULL);
  struct connection *connection = NULL;
  int r = own->connector->open(own->entry, &connection, err);
  if (r == 0)
    r = configure(own, connection, options, deadline_ns, err);
  if (r < 0) {
    if (connection)
      own->connector->close(connection);
    own->ends++;
    back_off(own);
    return r;
  }
  connection->started_ns = clock_monotonic_ns();
  own->connection = connection;
  return 0;
}

/* The connection to call on, which is used until leave(). */
static int enter(struct connected *own, const struct call_options *options, int64_t deadline_ns,
                 struct connection **ret_connection, struct error **err) {
  int r = 0;
  pthread_mutex_lock(&own->lock);
  if (!own->connection)
    r = start(own, options, deadline_ns, err);
  if (r == 0) {
    own->connection->users++;
    *ret_connection = own->connection;
  }
  pthread_mutex_unlock(&own->lock);
  return r;
}

static void leave(struct connected *own, struct connection *connection, bool broken) {
  pthread_mutex_lock(&own->lock);
  if (broken && !connection->broken) {
    connection->broken = true;
    own->ends = clock_monotonic_ns() - connection->started_ns > STEADY_NS ? 1 : own->ends + 1;
    back_off(own);
    if (own->connection == connection)
      own->connection = NULL;
  }
  bool last = --connection->users == 0 && connection->broken;
  pthread_mutex_unlock(&own->lock);
  if (last)
    own->connector->close(connection);
}

/* ---- the placement */

static int call(struct placement *placement, const struct placed_call *wanted, const struct call_options *options,
                uint8_t **ret_message, size_t *ret_length, struct error **err) {
  struct connected *own = (struct connected *)placement;
  int64_t deadline_ns = options->deadline_ns ? options->deadline_ns : clock_monotonic_ns() + CALL_TIMEOUT_DEFAULT_NS;
  struct exchange exchange = exchange_of(own, wanted, options, deadline_ns);
  struct connection *connection;
  bool broken;
  exchange.config = own->connector->config_with_calls ? own->config : NULL;
  int r = enter(own, options, deadline_ns, &connection, err);
  if (r < 0)
    return r;
  r = run(own, connection, &exchange, &broken, err);
  leave(own, connection, broken);
  if (r == 0 && !wanted->on_message) {
    *ret_message = take(exchange.message);
    *ret_length = exchange.length;
  }
  free(exchange.message);
  return r;
}

static void destroy(struct placement *placement) {
  struct connected *own = (struct connected *)placement;
  if (own->connection)
    own->connector->close(own->connection);
  pthread_mutex_destroy(&own->lock);
  free(own->config);
  free(own);
}

int connection_placement_create(const struct connector *connector, const struct adapter_entry *entry,
                                const char *config, const struct adapter_http *http, struct diagnostics *diagnostics,
                                struct placement **ret_placement, struct error **err) {
  struct connected *own = calloc(1, sizeof *own);
  if (!own)
    return error_set(err, ENOMEM, "out of memory");
  own->placement = (struct placement){.call = call, .destroy = destroy};
  own->connector = connector;
  own->entry = entry;
  own->http = http;
  own->config = strdup(config);
  pthread_mutex_init(&own->lock, NULL);
  int r = own->config ? 0 : error_set(err, ENOMEM, "out of memory");
  /* A configuration that the adapter refuses is known before the first call. */
  const struct call_options first = {.diagnostics = diagnostics};
  if (r == 0)
    r = start(own, &first, clock_monotonic_ns() + CALL_TIMEOUT_DEFAULT_NS, err);
  if (r < 0) {
    destroy(&own->placement);
    return r;
  }
  *ret_placement = &own->placement;
  return 0;
}
