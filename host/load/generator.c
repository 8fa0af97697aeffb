#include "host/load/generator.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "host/load/connection.h"
#include "host/load/protocol.h"
#include "sdk/base/clock.h"

enum {
  EVENTS = 256,           /* of one look */
  BUFFER = 64 * 1024,     /* received at once */
  SPIN_NS = 50 * 1000,    /* a sleep ends this long before a due time: a processor takes as long to wake up */
  TICK_NS = 20 * 1000000, /* between two looks at what has taken too long */
  LOOK_NS = 5000,         /* at most, of a look that finds nothing: what took longer was another program's */
  LATE_NS = 1000000,      /* a look that comes this much later than meant: the processor was not there */
};

TAILQ_HEAD(connection_list, connection);
STAILQ_HEAD(connection_queue, connection);

struct generator {
  struct generator_options options;
  struct connection_context context;
  struct tally tally;
  struct pacer pacer;
  struct connection *connections;
  struct exchange *exchanges;      /* of all connections */
  struct connection_list standing; /* that take a request, the longest first */
  struct connection_list down; /* of these, those that have to wait come last, in the order in which they may go on */
  struct connection_queue unsent; /* that were given requests, which are to be sent at once */
  int64_t next_tick_ns;
  int64_t meant_ns; /* when it meant to look at the clock, at the latest */
  struct epoll_event events[EVENTS];
};

/* ---- one connection's steps */

static int64_t now_of(const struct generator *generator) {
  return clock_monotonic_ns() - generator->context.start_ns;
}

static struct connection_list *list_of(struct generator *generator, enum connection_list_kind kind) {
  return kind == CONNECTION_LISTED_STANDING ? &generator->standing : &generator->down;
}

/* To be called after whatever may have changed a connection: into the list that it belongs to. */
static void file(struct generator *generator, struct connection *connection) {
  enum connection_list_kind kind = CONNECTION_UNLISTED;
  if (connection_room(connection) > 0)
    kind = connection->state == CONNECTION_DOWN ? CONNECTION_LISTED_DOWN : CONNECTION_LISTED_STANDING;
  if (connection->listed == kind)
    return;
  if (connection->listed != CONNECTION_UNLISTED)
    TAILQ_REMOVE(list_of(generator, connection->listed), connection, entry);
  if (kind == CONNECTION_LISTED_DOWN && connection->not_before_ns == 0)
    TAILQ_INSERT_HEAD(&generator->down, connection, entry);
  else if (kind != CONNECTION_UNLISTED)
    TAILQ_INSERT_TAIL(list_of(generator, kind), connection, entry);
  connection->listed = kind;
}

/* Out of its list: it comes back as the last one. */
static void pull(struct generator *generator, struct connection *connection) {
  TAILQ_REMOVE(list_of(generator, connection->listed), connection, entry);
  connection->listed = CONNECTION_UNLISTED;
}

/* A free connection; NULL when there is none that may be used now. */
static struct connection *candidate(struct generator *generator, int64_t now_ns) {
  struct connection *connection = TAILQ_FIRST(&generator->standing);
  if (connection)
    return connection;
  connection = TAILQ_FIRST(&generator->down);
  return connection && connection->not_before_ns <= now_ns ? connection : NULL;
}

static void give(struct generator *generator, struct connection *connection, const struct shot *shot, int64_t now_ns) {
  pull(generator, connection);
  connection_send(connection, &generator->context, shot, now_ns);
  file(generator, connection);
  if (connection->has_unsent)
    return;
  connection->has_unsent = true;
  STAILQ_INSERT_TAIL(&generator->unsent, connection, unsent_entry);
}

static void push_unsent(struct generator *generator, int64_t now_ns) {
  struct connection *connection;
  while ((connection = STAILQ_FIRST(&generator->unsent))) {
    STAILQ_REMOVE_HEAD(&generator->unsent, unsent_entry);
    connection->has_unsent = false;
    connection_push(connection, &generator->context, now_ns);
    file(generator, connection);
  }
}

/* Nothing goes out before the start. What a connection is given goes out by one send. */
static void dispatch(struct generator *generator, int64_t now_ns) {
  struct connection *connection;
  struct shot shot;
  while (now_ns >= 0 && (connection = candidate(generator, now_ns)) && pacer_take(&generator->pacer, now_ns, &shot))
    give(generator, connection, &shot, now_ns);
  push_unsent(generator, now_ns);
}

/* ---- time */

static void tick(struct generator *generator, int64_t now_ns) {
  if (now_ns < generator->next_tick_ns)
    return;
  generator->next_tick_ns = now_ns + TICK_NS;
  for (unsigned i = 0; i < generator->options.connections; i++) {
    connection_expire(&generator->connections[i], &generator->context, now_ns);
    file(generator, &generator->connections[i]);
  }
}

/* How long nothing has to be done unless something comes; 0 to look at once and again. */
static int64_t idle_ns(struct generator *generator, int64_t now_ns) {
  int64_t idle = generator->next_tick_ns - now_ns;
  int64_t due_ns = pacer_due(&generator->pacer);
  if (due_ns != INT64_MAX && candidate(generator, now_ns) && due_ns - SPIN_NS - now_ns < idle)
    idle = due_ns - SPIN_NS - now_ns;
  return idle > 0 ? idle : 0;
}

/* ---- the loop */

/* Of an event; NULL when it is of a descriptor that is closed since. */
static struct connection *connection_of(const struct generator *generator, const struct epoll_event *event) {
  struct connection *connection = &generator->connections[event->data.u64 >> 32];
  bool stale = connection->state == CONNECTION_DOWN || connection_mark(connection) != event->data.u64;
  return stale ? NULL : connection;
}

/* What an event does to its connection. */
static void handle(struct generator *generator, const struct epoll_event *event, int64_t now_ns) {
  struct connection *connection = connection_of(generator, event);
  if (!connection)
    return;
  connection_event(connection, &generator->context, event->events, now_ns);
  file(generator, connection);
}

/* Whether it could send what is due, or would have looked in time if it had a processor. */
static bool is_at_fault(struct generator *generator, int64_t now_ns) {
  return now_ns > generator->meant_ns + LATE_NS || candidate(generator, now_ns);
}

static int look(struct generator *generator, struct error **err) {
  int64_t now_ns = now_of(generator);
  int64_t wait_ns = idle_ns(generator, now_ns);
  generator->meant_ns = now_ns + wait_ns;
  const struct timespec wait = {.tv_sec = wait_ns / NS_PER_SECOND, .tv_nsec = wait_ns % NS_PER_SECOND};
  int count = epoll_pwait2(generator->context.epoll_fd, generator->events, EVENTS, &wait, NULL);
  if (count < 0 && errno != EINTR)
    return error_set(err, errno, "waiting for connections: %s", strerror(errno));
  if (count <= 0 && wait_ns == 0) {
    int64_t spun_ns = now_of(generator) - now_ns;
    generator->tally.spun_ns += spun_ns < LOOK_NS ? spun_ns : LOOK_NS;
  }
  for (int i = 0; i < count; i++) {
    int64_t at_ns = now_of(generator);
    pacer_notice(&generator->pacer, at_ns, is_at_fault(generator, at_ns));
    generator->meant_ns = at_ns;
    handle(generator, &generator->events[i], at_ns);
    dispatch(generator, at_ns);
  }
  return 0;
}

static bool cancelled(const struct generator *generator) {
  return generator->options.cancel && atomic_load_explicit(generator->options.cancel, memory_order_relaxed);
}

static bool is_over(const struct generator *generator, int64_t now_ns) {
  if (cancelled(generator) || now_ns >= generator->pacer.end_ns + generator->options.drain_ns)
    return true;
  return pacer_ended(&generator->pacer, now_ns) && generator->context.on_their_way == 0;
}

static void finish(struct generator *generator, int64_t now_ns) {
  generator->tally.elapsed_ns = now_ns;
  for (unsigned i = 0; i < generator->options.connections; i++)
    connection_finish(&generator->connections[i], &generator->context, now_ns);
  pacer_end(&generator->pacer, now_ns);
}

int generator_run(struct generator *generator, int64_t start_ns, struct error **err) {
  int r = 0;
  int64_t before_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
  int64_t shift_ns = generator->context.start_ns - start_ns;
  (void)prctl(PR_SET_TIMERSLACK, 1UL);
  for (unsigned i = 0; i < generator->options.connections; i++) {
    generator->connections[i].since_ns += shift_ns;
    generator->connections[i].dialed_ns += shift_ns;
  }
  generator->context.start_ns = start_ns;
  generator->next_tick_ns = 0;
  generator->meant_ns = 0;
  int64_t now_ns = now_of(generator);
  while (r == 0 && !is_over(generator, now_ns)) {
    pacer_notice(&generator->pacer, now_ns, is_at_fault(generator, now_ns));
    tick(generator, now_ns);
    dispatch(generator, now_ns);
    r = look(generator, err);
    now_ns = now_of(generator);
  }
  finish(generator, now_ns);
  generator->tally.processor_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
  return r;
}

/* ---- the whole */

static bool is_coming_up(const struct generator *generator) {
  for (unsigned i = 0; i < generator->options.connections; i++) {
    enum connection_state state = generator->connections[i].state;
    if (state != CONNECTION_DOWN && state != CONNECTION_UP)
      return true;
  }
  return false;
}

void generator_connect(struct generator *generator) {
  generator->context.start_ns = clock_monotonic_ns();
  for (unsigned i = 0; i < generator->options.connections; i++) {
    struct connection *connection = &generator->connections[i];
    pull(generator, connection);
    connection_dial(connection, &generator->context, now_of(generator));
    file(generator, connection);
  }
  while (is_coming_up(generator) && now_of(generator) < generator->options.connect_timeout_ns &&
         !cancelled(generator)) {
    int count = epoll_wait(generator->context.epoll_fd, generator->events, EVENTS, TICK_NS / NS_PER_MS);
    for (int i = 0; i < count; i++)
      handle(generator, &generator->events[i], now_of(generator));
  }
}

int generator_create(const struct generator_options *options, struct generator **ret_generator, struct error **err) {
  struct generator *generator = calloc(1, sizeof(*generator));
  if (!generator)
    return error_set(err, ENOMEM, "no memory for a generator");
  generator->options = *options;
  TAILQ_INIT(&generator->standing);
  TAILQ_INIT(&generator->down);
  STAILQ_INIT(&generator->unsent);
  unsigned streams = options->target->streams;
  generator->connections = calloc(options->connections, sizeof(*generator->connections));
  generator->exchanges = calloc((size_t)options->connections * streams, sizeof(*generator->exchanges));
  generator->context = (struct connection_context){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                                                   .target = options->target,
                                                   .protocol = protocol_of(options->target),
                                                   .pacer = &generator->pacer,
                                                   .tally = &generator->tally,
                                                   .connect_timeout_ns = options->connect_timeout_ns,
                                                   .timeout_ns = options->timeout_ns,
                                                   .buffer = malloc(BUFFER),
                                                   .buffer_size = BUFFER};
  int problem = generator->context.epoll_fd < 0 ? errno : 0;
  int r = tally_init(&generator->tally, err);
  if (r == 0 && problem)
    r = error_set(err, problem, "no epoll descriptor: %s", strerror(problem));
  if (r == 0 && (!generator->connections || !generator->exchanges || !generator->context.buffer))
    r = error_set(err, ENOMEM, "no memory for %u connections", options->connections);
  if (r < 0) {
    generator_destroy(generator);
    return r;
  }
  for (unsigned i = 0; i < options->connections; i++) {
    connection_init(&generator->connections[i], i, &generator->exchanges[(size_t)i * streams], streams);
    file(generator, &generator->connections[i]);
  }
  pacer_begin(&generator->pacer, options->schedule, options->worker, options->workers, options->warm_up_ns,
              &generator->tally);
  *ret_generator = generator;
  return 0;
}

void generator_destroy(struct generator *generator) {
  if (!generator)
    return;
  for (unsigned i = 0; generator->connections && i < generator->options.connections; i++)
    connection_close(&generator->connections[i], &generator->context, 0);
  if (generator->context.epoll_fd >= 0)
    (void)close(generator->context.epoll_fd);
  tally_finish(&generator->tally);
  free(generator->context.buffer);
  free(generator->connections);
  free(generator->exchanges);
  free(generator);
}

const struct tally *generator_tally(const struct generator *generator) {
  return &generator->tally;
}
