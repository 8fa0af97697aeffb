/* An instance in a child process. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/adapter/connection.h"
#include "host/adapter/gate.h"
#include "host/adapter/output.h"
#include "host/adapter/runner.h"
#include "host/adapter/runner_protocol.h"
#include "sdk/base/clock.h"

/* How long after the end of its call the end of a child is waited for, to tell that from an answer. */
#define END_NS (3 * NS_PER_SECOND)

struct child {
  struct connection connection; /* first */
  struct runner runner;
  struct output *output;
  pthread_mutex_t ending; /* who waits for the process */
};

static void close_child(struct connection *connection) {
  struct child *child = (struct child *)connection;
  rpc_channel_destroy(connection->channel);
  runner_stop(&child->runner);
  output_destroy(child->output);
  pthread_mutex_destroy(&child->ending);
  free(child);
}

static int start_child(const struct adapter_entry *entry, struct child *child, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  int pair[2] = {-1, -1};
  int r = registry_open(entry, &gate, err);
  if (r < 0)
    return r;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
    return error_set(err, errno, "no socket for adapter %s: %s", entry->id, strerror(errno));
  _cleanup_close_ int theirs = pair[1];
  r = runner_start(&(struct runner_start){RUNNER_SERVE, entry->partly, gate.fd, theirs}, &child->runner, err);
  if (r == 0)
    r = output_create(entry->id, runner_take_output(&child->runner), &child->output, err);
  if (r < 0) {
    (void)close(pair[0]);
    return r;
  }
  return rpc_channel_create(pair[0], &child->connection.channel, err);
}

/* What its end was, as the end of a message. */
static void describe_status(struct child *child, char *text, size_t size) {
  char said[OUTPUT_LAST_MAX + 1];
  output_last(child->output, said);
  const char *before = *said ? "; it wrote: " : "";
  if (WIFSIGNALED(child->runner.status)) {
    const char *name = sigabbrev_np(WTERMSIG(child->runner.status));
    (void)snprintf(text, size, "its process was killed by SIG%s%s%s", name ? name : "?", before, said);
  } else {
    int status = WEXITSTATUS(child->runner.status);
    (void)snprintf(text, size, "%sits process ended (exit status %d)%s%s",
                   status == 0 ? "the connection broke, and " : "", status, before, said);
  }
}

static int open_child(const struct adapter_entry *entry, struct connection **ret_connection, struct error **err) {
  struct child *child = calloc(1, sizeof *child);
  if (!child)
    return error_set(err, ENOMEM, "out of memory");
  child->runner = RUNNER_NONE;
  pthread_mutex_init(&child->ending, NULL);
  *ret_connection = &child->connection;
  return start_child(entry, child, err);
}

/* An end shows in the call a little before it shows in the process. */
static void describe_end(struct connection *connection, const char *reason, char *ret_why, size_t size) {
  struct child *child = (struct child *)connection;
  struct pollfd fd = {child->runner.pidfd, POLLIN, 0};
  pthread_mutex_lock(&child->ending);
  if (child->runner.ended || (poll(&fd, 1, (int)(END_NS / NS_PER_MS)) > 0 && runner_has_ended(&child->runner)))
    describe_status(child, ret_why, size);
  else
    (void)snprintf(ret_why, size, "the connection to its process broke (%.300s)", reason);
  pthread_mutex_unlock(&child->ending);
}

static const struct connector connector = {
    .open = open_child,
    .describe_end = describe_end,
    .close = close_child,
    .detail = "The adapter runs in a process of its own; when that is gone, the next call starts a new "
              "one.",
    .when_late = "its process was ended",
};

int child_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                           const struct placement_backoff *backoff, struct diagnostics *diagnostics,
                           struct placement **ret_placement, struct error **err) {
  return connection_placement_create(&connector, entry, config, http, backoff, diagnostics, ret_placement, err);
}
