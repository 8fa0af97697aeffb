/* Calls on an instance at the other end of a channel, which is made anew when it ended. */
#include "host/adapter/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/adapter/exchange.h"
#include "sdk/base/clock.h"

/* A connection that lasted so long is made again at once. */
#define STEADY_NS (10 * NS_PER_SECOND)
/* Between two looks at whether a call that waits for a start is cancelled. */
#define LOOK_NS (20 * NS_PER_MS)

struct connected {
  struct placement placement; /* first */
  const struct connector *connector;
  const struct adapter_entry *entry;
  const struct adapter_http *http;
  char *config;
  struct placement_backoff backoff;
  pthread_mutex_t lock;          /* guards what follows, and connections' users */
  pthread_cond_t changed;        /* `starting` */
  bool starting;                 /* one call makes a connection, others wait for it */
  struct connection *connection; /* NULL: there is none */
  unsigned ends;                 /* one upon another */
  int64_t next_start_ns;
};

/* ---- a call */

/* What becomes of a connection after a call. */
enum verdict {
  KEEP,
  REPLACE, /* nothing is wrong with it, but the adapter may be at the call still, and take no other */
  BROKEN
};

static struct exchange exchange_of(const struct connected *own, const struct placed_call *call,
                                   const struct call_options *options, int64_t deadline_ns) {
  return (struct exchange){
      .entry = own->entry, .http = own->http, .call = call, .options = options, .deadline_ns = deadline_ns};
}

static int cut_short(const struct connected *own, const struct exchange *exchange, int code, const char *why,
                     struct error **err) {
  return exchange_cut_short(exchange, code, why, own->connector->detail, err);
}

static int cancelled(const struct connected *own, const struct exchange *exchange, struct error **err) {
  const char *method = exchange->call->method;
  if (exchange->changed)
    return cut_short(own, exchange, ECANCELED, "it was cancelled", err);
  return error_set(err, ECANCELED, "adapter %s: %s was cancelled", own->entry->id, *method ? method : "create");
}

static int run(const struct connected *own, struct connection *connection, struct exchange *exchange,
               enum verdict *ret_verdict, struct error **err) {
  char why[EXCHANGE_WHY_MAX], end_text[EXCHANGE_WHY_MAX];
  enum exchange_end end;
  int r = exchange_run(exchange, connection->channel, &end, why, err);
  *ret_verdict = BROKEN;
  switch (end) {
  case EXCHANGE_RETURNED:
    *ret_verdict = KEEP;
    return r;
  case EXCHANGE_CANCELLED:
    *ret_verdict = REPLACE;
    return cancelled(own, exchange, err);
  case EXCHANGE_LATE:
    (void)snprintf(why, sizeof why, "it did not answer in time; %s", own->connector->when_late);
    return cut_short(own, exchange, ETIMEDOUT, why, err);
  case EXCHANGE_MALFORMED:
    return cut_short(own, exchange, EPROTO, why, err);
  case EXCHANGE_LOST:
    own->connector->describe_end(connection, why, end_text, sizeof end_text);
    return cut_short(own, exchange, EIO, end_text, err);
  case EXCHANGE_FAILED:
    break;
  }
  *ret_verdict = REPLACE;
  return cut_short(own, exchange, -r, why, err);
}

/* ---- connections */

/* Makes the instance at the other end of a new connection. */
static int configure(const struct connected *own, struct connection *connection, const struct call_options *options,
                     int64_t deadline_ns, enum verdict *ret_verdict, struct error **err) {
  const struct placed_call call = {.method = "", .request = own->config, .length = strlen(own->config)};
  struct exchange exchange = exchange_of(own, &call, options, deadline_ns);
  int r = run(own, connection, &exchange, ret_verdict, err);
  free(exchange.message);
  return r;
}

static void back_off(struct connected *own) {
  int64_t wait_ns = own->backoff.min_ns;
  for (unsigned i = 1; i < own->ends && wait_ns < own->backoff.max_ns; i++)
    wait_ns *= 2;
  own->next_start_ns = clock_monotonic_ns() + (wait_ns < own->backoff.max_ns ? wait_ns : own->backoff.max_ns);
}

static struct timespec time_of(int64_t ns) {
  return (struct timespec){ns / NS_PER_SECOND, ns % NS_PER_SECOND};
}

/* Whether the call has time left, and is wanted still. */
static int check_wanted(const struct connected *own, const struct exchange *exchange, struct error **err) {
  const atomic_bool *cancel = exchange->options->cancel;
  if (cancel && atomic_load(cancel))
    return cancelled(own, exchange, err);
  if (clock_monotonic_ns() < exchange->deadline_ns)
    return 0;
  return cut_short(own, exchange, ETIMEDOUT, "its deadline passed before it began", err);
}

/* Until a start is due. */
static int wait_for_start(const struct connected *own, const struct exchange *exchange, struct error **err) {
  char why[160];
  int64_t wait_ns = own->ends > 0 ? own->next_start_ns - clock_monotonic_ns() : 0;
  if (wait_ns > 0 && own->next_start_ns > exchange->deadline_ns) {
    (void)snprintf(why, sizeof why,
                   "its process ended %u times one upon another; it is started again in %" PRId64
                   " ms, which is after this call's deadline",
                   own->ends, wait_ns / NS_PER_MS);
    return cut_short(own, exchange, ETIMEDOUT, why, err);
  }
  int r = check_wanted(own, exchange, err);
  while (r == 0 && own->ends > 0 && (wait_ns = own->next_start_ns - clock_monotonic_ns()) > 0) {
    const struct timespec nap = time_of(wait_ns < LOOK_NS ? wait_ns : LOOK_NS);
    (void)nanosleep(&nap, NULL);
    r = check_wanted(own, exchange, err);
  }
  return r;
}

/* By the one call that starts; without the lock. `ends` and `next_start_ns` change in no other call meanwhile: there is
 * no connection to end. `*ret_broken` when what was started did not come to its first answer, for which the next start
 * waits: that a caller gave up is no fault of the process. */
static int start(const struct connected *own, const struct exchange *exchange, struct connection **ret_connection,
                 bool *ret_broken, struct error **err) {
  struct connection *connection = NULL;
  enum verdict verdict = BROKEN;
  *ret_broken = false;
  int r = wait_for_start(own, exchange, err);
  if (r < 0)
    return r;
  r = own->connector->open(own->entry, &connection, err);
  if (r == 0)
    r = configure(own, connection, exchange->options, exchange->deadline_ns, &verdict, err);
  *ret_broken = r < 0 && verdict == BROKEN;
  if (r < 0) {
    if (connection)
      own->connector->close(connection);
    return r;
  }
  connection->started_ns = clock_monotonic_ns();
  *ret_connection = connection;
  return 0;
}

/* With the lock held, which it lets go of meanwhile. */
static int start_for_all(struct connected *own, const struct exchange *exchange, struct error **err) {
  struct connection *connection = NULL;
  bool broken;
  own->starting = true;
  pthread_mutex_unlock(&own->lock);
  int r = start(own, exchange, &connection, &broken, err);
  pthread_mutex_lock(&own->lock);
  own->starting = false;
  own->connection = connection;
  if (broken) {
    own->ends++;
    back_off(own);
  }
  pthread_cond_broadcast(&own->changed);
  return r;
}

static int wait_for_other(struct connected *own, const struct exchange *exchange, struct error **err) {
  int r = 0;
  while (r == 0 && own->starting) {
    const struct timespec until = time_of(clock_in_ns(LOOK_NS));
    (void)pthread_cond_timedwait(&own->changed, &own->lock, &until);
    r = check_wanted(own, exchange, err);
  }
  return r;
}

/* The connection to call on, which is used until leave(). */
static int enter(struct connected *own, const struct exchange *exchange, struct connection **ret_connection,
                 struct error **err) {
  pthread_mutex_lock(&own->lock);
  int r = wait_for_other(own, exchange, err);
  if (r >= 0 && !own->connection)
    r = start_for_all(own, exchange, err);
  if (r >= 0) {
    own->connection->users++;
    *ret_connection = own->connection;
  }
  pthread_mutex_unlock(&own->lock);
  return r;
}

static void leave(struct connected *own, struct connection *connection, enum verdict verdict) {
  pthread_mutex_lock(&own->lock);
  if (verdict == BROKEN && !connection->over) {
    own->ends = clock_monotonic_ns() - connection->started_ns > STEADY_NS ? 1 : own->ends + 1;
    back_off(own);
  }
  if (verdict != KEEP) {
    connection->over = true;
    if (own->connection == connection)
      own->connection = NULL;
  }
  bool last = --connection->users == 0 && connection->over;
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
  struct connection *connection = NULL;
  enum verdict verdict;
  if (wanted->length > CALL_MESSAGE_MAX)
    return error_set(err, EMSGSIZE,
                     "the request of %s has %zu bytes, at most %u are sent to another process; ask for less at a time",
                     wanted->method, wanted->length, CALL_MESSAGE_MAX);
  exchange.config = own->connector->config_with_calls ? own->config : NULL;
  int r = enter(own, &exchange, &connection, err);
  if (r < 0)
    return r;
  r = run(own, connection, &exchange, &verdict, err);
  leave(own, connection, verdict);
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
  pthread_cond_destroy(&own->changed);
  pthread_mutex_destroy(&own->lock);
  free(own->config);
  free(own);
}

static struct connected *create(const struct connector *connector, const struct adapter_entry *entry,
                                const char *config, const struct adapter_http *http,
                                const struct placement_backoff *backoff) {
  struct connected *own = calloc(1, sizeof *own);
  pthread_condattr_t attributes;
  if (!own || !(own->config = strdup(config))) {
    free(own);
    return NULL;
  }
  own->placement = (struct placement){.call = call, .destroy = destroy};
  own->connector = connector;
  own->entry = entry;
  own->http = http;
  own->backoff = *backoff;
  pthread_mutex_init(&own->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&own->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  return own;
}

/* A configuration that the adapter refuses is known before the first call. */
static int start_first(struct connected *own, struct diagnostics *diagnostics, struct error **err) {
  const struct call_options options = {.diagnostics = diagnostics};
  const struct placed_call creation = {.method = ""};
  const struct exchange exchange =
      exchange_of(own, &creation, &options, clock_monotonic_ns() + CALL_TIMEOUT_DEFAULT_NS);
  pthread_mutex_lock(&own->lock);
  int r = start_for_all(own, &exchange, err);
  pthread_mutex_unlock(&own->lock);
  return r;
}

int connection_placement_create(const struct connector *connector, const struct adapter_entry *entry,
                                const char *config, const struct adapter_http *http,
                                const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                                struct placement **ret_placement, struct error **err) {
  struct connected *own = create(connector, entry, config, http, backoff);
  if (!own)
    return error_set(err, ENOMEM, "out of memory");
  int r = start_first(own, diagnostics, err);
  if (r < 0) {
    destroy(&own->placement);
    return r;
  }
  *ret_placement = &own->placement;
  return 0;
}
