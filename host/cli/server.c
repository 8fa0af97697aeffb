#include "host/cli/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/cli/command.h"
#include "host/rpc/core/rpc.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define ASK_LIMIT_NS (60 * NS_PER_SECOND)
#define WATCH_LIMIT_NS (30 * 24 * 3600 * NS_PER_SECOND) /* a call has a deadline; no run is as long */

struct server {
  struct rpc_channel *channel;
};

enum { KEY_SERVER = 0x900 };

static error_t parse(int key, char *argument, struct argp_state *state) {
  const char **address = state->input;
  if (key != KEY_SERVER)
    return ARGP_ERR_UNKNOWN;
  *address = argument;
  return 0;
}

static const struct argp_option options[] = {
    {"server", KEY_SERVER, "unix:PATH", 0, "the central host (default $TRAMMEL_SERVER, else trammeld's own socket)", 0},
    {0},
};
const struct argp server_options_argp = {.options = options, .parser = parse};

/* ---- connecting */

static int default_path(char **ret_path, struct error **err) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  if (!runtime || *runtime != '/')
    return error_set(err, EINVAL, "which host? say --server unix:PATH, or set TRAMMEL_SERVER");
  return asprintf(ret_path, "%s/trammel/trammeld.sock", runtime) < 0 ? error_set(err, ENOMEM, "no memory") : 0;
}

static int path_of(const char *address, char **ret_path, struct error **err) {
  if (!address)
    address = getenv("TRAMMEL_SERVER");
  if (!address || *address == '\0')
    return default_path(ret_path, err);
  if (strncmp(address, "unix:/", 6) != 0)
    return error_set(err, EINVAL, "'%s' is no address of a host: unix: and an absolute path is", address);
  *ret_path = strdup(address + 5);
  return *ret_path ? 0 : error_set(err, ENOMEM, "no memory");
}

static int connect_to(const char *path, int *ret_fd, struct error **err) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof(address.sun_path))
    return error_set(err, EINVAL, "the path of a socket has at most %zu bytes", sizeof(address.sun_path) - 1);
  (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
  _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
      fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
    return error_set(err, EHOSTUNREACH, "no host answers at unix:%s: %s; is trammeld running?", path, strerror(errno));
  *ret_fd = fd;
  fd = -1;
  return 0;
}

int server_connect(const char *address, struct server **ret_server, struct error **err) {
  _cleanup_free_ char *path = NULL;
  int fd = -1;
  int r = path_of(address, &path, err);
  if (r == 0)
    r = connect_to(path, &fd, err);
  if (r < 0)
    return r;
  struct server *server = calloc(1, sizeof(*server));
  if (!server) {
    (void)close(fd);
    return error_set(err, ENOMEM, "no memory");
  }
  r = rpc_channel_create(fd, &server->channel, err);
  if (r < 0)
    free(server);
  else
    *ret_server = server;
  return r;
}

void server_close(struct server *server) {
  if (!server)
    return;
  rpc_channel_destroy(server->channel);
  free(server);
}

/* ---- calls */

static int start(struct server *server, const char *method, int64_t limit_ns, const ProtobufCMessage *request,
                 struct rpc_call **ret_call, struct error **err) {
  char name[128];
  size_t length = protobuf_c_message_get_packed_size(request);
  _cleanup_free_ uint8_t *data = malloc(length + 1);
  (void)snprintf(name, sizeof(name), "/trammel.v1.RunService/%s", method);
  if (data)
    (void)protobuf_c_message_pack(request, data);
  if (!data || rpc_call_start(server->channel, name, clock_in_ns(limit_ns), data, length, ret_call) < 0)
    return error_set(err, ENOMEM, "no memory");
  return 0;
}

/* What the call's end says. */
static int finish(struct rpc_call *call, struct error **err) {
  struct rpc_status status;
  rpc_call_finish(call, &status);
  _cleanup_free_ char *text = status.text;
  const char *said = text ? text : "no reason given";
  switch (status.code) {
  case 0:
    return 0;
  case 3: /* INVALID_ARGUMENT */
    return error_set(err, EINVAL, "%s", said);
  case 5: /* NOT_FOUND */
    return error_set(err, ENOENT, "%s", said);
  default:
    return error_set(err, EHOSTUNREACH, "the host says: %s (status %d)", said, status.code);
  }
}

/* The next message: 1 with it, 0 when there is none. */
static int receive(struct rpc_call *call, const atomic_bool *cancel, const ProtobufCMessageDescriptor *type,
                   ProtobufCMessage **ret_message, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  int r = rpc_receive(call, cancel, &data, &length);
  if (r <= 0)
    return r < 0 ? error_set(err, -r, "the host's answer: %s", strerror(-r)) : 0;
  *ret_message = protobuf_c_message_unpack(type, NULL, length, data);
  return *ret_message ? 1 : error_set(err, EHOSTUNREACH, "the host's answer cannot be decoded");
}

int server_ask(struct server *server, const char *method, const ProtobufCMessage *request,
               const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret_answer, struct error **err) {
  struct rpc_call *call = NULL;
  ProtobufCMessage *answer = NULL, *more = NULL;
  int r = start(server, method, ASK_LIMIT_NS, request, &call, err);
  if (r < 0)
    return r;
  r = receive(call, NULL, type, &answer, err);
  if (r > 0)
    r = receive(call, NULL, type, &more, err);
  if (r == 0)
    r = finish(call, err);
  rpc_call_destroy(call);
  if (more)
    protobuf_c_message_free_unpacked(more, NULL);
  if (r == 0 && answer && !more) {
    *ret_answer = answer;
    return 0;
  }
  if (answer)
    protobuf_c_message_free_unpacked(answer, NULL);
  return r < 0 ? r : error_set(err, EHOSTUNREACH, "the host did not give one answer");
}

int server_watch(struct server *server, const char *id, uint64_t after, const atomic_bool *cancel,
                 int (*each)(void *ctx, const Trammel__V1__RunEvent *event), void *ctx, struct error **err) {
  Trammel__V1__WatchRunRequest request = TRAMMEL__V1__WATCH_RUN_REQUEST__INIT;
  struct rpc_call *call = NULL;
  request.id = (char *)(uintptr_t)id;
  request.after = after;
  int r = start(server, "WatchRun", WATCH_LIMIT_NS, &request.base, &call, err);
  if (r < 0)
    return r;
  do {
    ProtobufCMessage *event = NULL;
    r = receive(call, cancel, &trammel__v1__run_event__descriptor, &event, err);
    if (r > 0 && each(ctx, (const Trammel__V1__RunEvent *)event) < 0)
      r = error_set(err, EIO, "an event could not be written");
    if (event)
      protobuf_c_message_free_unpacked(event, NULL);
  } while (r > 0);
  if (atomic_load(cancel))
    r = -ECANCELED;
  else if (r == 0)
    r = finish(call, err);
  rpc_call_destroy(call);
  return r;
}

int server_exit_code(int r) {
  return r == 0 ? EXIT_ALL_PASSED : r == -ENOENT || r == -EINVAL ? EXIT_USAGE : EXIT_COULD_NOT_TEST;
}
