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
#include "host/cli/server_login.h"
#include "host/rpc/core/rpc.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"
#include "sdk/base/memory.h"

#define ASK_LIMIT_NS (60 * NS_PER_SECOND)
#define WATCH_LIMIT_NS (30 * 24 * 3600 * NS_PER_SECOND) /* a call has a deadline; no run is as long */

struct server {
  struct rpc_channel *channel;
};

enum { KEY_SERVER = 0x900, KEY_CA, KEY_CERTIFICATE, KEY_KEY };

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct server_options *given = state->input;
  switch (key) {
  case KEY_SERVER:
    given->address = argument;
    return 0;
  case KEY_CA:
    given->ca = argument;
    return 0;
  case KEY_CERTIFICATE:
    given->certificate = argument;
    return 0;
  case KEY_KEY:
    given->key = argument;
    return 0;
  case ARGP_KEY_END:
    if (!given->certificate != !given->key)
      argp_error(state, "--cert and --key go together");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option option_table[] = {
    {"server", KEY_SERVER, "ADDRESS", 0,
     "the central host: unix:PATH, or HOST:PORT over TLS (default $TRAMMEL_SERVER, else trammeld's own socket)", 0},
    {"ca", KEY_CA, "FILE", 0,
     "PEM: the authorities that the host's certificate may be of (default: those of the login, else the system's)", 0},
    {"cert", KEY_CERTIFICATE, "FILE", 0, "PEM: a certificate of one's own, for hosts that want one", 0},
    {"key", KEY_KEY, "FILE", 0, "PEM: its key", 0},
    {0},
};
const struct argp server_options_argp = {.options = option_table, .parser = parse};

/* ---- connecting */

#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define PEM_MAX ((size_t)4 << 20)
#define RENEW_BEFORE_MS 30000 /* that an access token has to hold for */

static const char unix_prefix[] = "unix:";

static bool is_unix(const char *address) {
  return strncmp(address, unix_prefix, strlen(unix_prefix)) == 0;
}

static int default_address(char **ret_address, struct error **err) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  if (!runtime || *runtime != '/')
    return error_set(err, EINVAL, "which host? say --server ADDRESS, or set TRAMMEL_SERVER");
  return asprintf(ret_address, "unix:%s/trammel/trammeld.sock", runtime) < 0 ? error_set(err, ENOMEM, "no memory") : 0;
}

/* "HOST:PORT", "[ADDRESS]:PORT". */
static bool is_network(const char *address) {
  const char *colon = strrchr(address, ':');
  bool bracketed = *address == '[' && colon && colon > address && colon[-1] == ']';
  return colon && colon > address && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
         !strchr(address, '/') && (bracketed || !memchr(address, ':', (size_t)(colon - address)));
}

int server_address(const char *address, char **ret_address, struct error **err) {
  if (!address)
    address = getenv("TRAMMEL_SERVER");
  if (!address || *address == '\0')
    return default_address(ret_address, err);
  if (is_unix(address) ? address[strlen(unix_prefix)] != '/' : !is_network(address))
    return error_set(err, EINVAL, "'%s' is no address of a host: unix: and an absolute path is, and HOST:PORT",
                     address);
  *ret_address = strdup(address);
  return *ret_address ? 0 : error_set(err, ENOMEM, "no memory");
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

static int connect_socket(const char *path, struct server *server, struct error **err) {
  int fd = -1;
  int r = connect_to(path, &fd, err);
  return r < 0 ? r : rpc_channel_create(fd, &server->channel, err);
}

/* "" and NULL: none. */
static int read_pem(const char *path, char **ret_text, struct error **err) {
  size_t length = 0;
  return path && *path ? file_read(path, PEM_MAX, ret_text, &length, err) : 0;
}

static int connect_tls(const char *address, const struct login *how, struct server *server, struct error **err) {
  _cleanup_free_ char *ca = NULL;
  _cleanup_free_ char *certificate = NULL;
  char *key = NULL;
  int r = read_pem(how && how->ca && *how->ca ? how->ca : SYSTEM_AUTHORITIES, &ca, err);
  if (r == 0 && how)
    r = read_pem(how->certificate, &certificate, err);
  if (r == 0 && how)
    r = read_pem(how->key, &key, err);
  const struct rpc_identity identity = {.certificate = certificate, .key = key, .ca = ca};
  (void)setenv("GRPC_DNS_RESOLVER", "native", 0); /* names are what the system says, nsswitch.conf(5) */
  if (r == 0)
    r = rpc_channel_connect(address, &identity, &server->channel, err);
  if (key)
    explicit_bzero(key, strlen(key));
  free(key);
  return r;
}

int server_connect_plainly(const char *address, const struct login *how, struct server **ret_server,
                           struct error **err) {
  struct server *server = calloc(1, sizeof(*server));
  if (!server)
    return error_set(err, ENOMEM, "no memory");
  int r = is_unix(address) ? connect_socket(address + strlen(unix_prefix), server, err)
                           : connect_tls(address, how, server, err);
  if (r < 0)
    free(server);
  else
    *ret_server = server;
  return r;
}

int server_authorize(struct server *server, const char *authorization, struct error **err) {
  return rpc_channel_authorize(server->channel, authorization) < 0 ? error_set(err, ENOMEM, "no memory") : 0;
}

static int authorize_with(struct server *server, const char *token, struct error **err) {
  char *authorization = NULL;
  if (asprintf(&authorization, "Bearer %s", token) < 0)
    return error_set(err, ENOMEM, "no memory");
  int r = server_authorize(server, authorization, err);
  explicit_bzero(authorization, strlen(authorization));
  free(authorization);
  return r;
}

/* The login that is kept, with an access token that still holds for a while. No login is none. */
static int find_login(const char *address, struct login *login, struct error **err) {
  _cleanup_error_ struct error *reason = NULL;
  _cleanup_close_ int lock = -1;
  int r = login_read(address, login, &reason);
  if (r == 0 && *login->refresh && login->access_end_ms < clock_realtime_ns() / NS_PER_MS + RENEW_BEFORE_MS) {
    login_finish(login);
    r = login_lock(address, &lock, &reason);
    if (r == 0) /* again: another program may have been faster */
      r = login_read(address, login, &reason);
    if (r == 0 && login->access_end_ms < clock_realtime_ns() / NS_PER_MS + RENEW_BEFORE_MS)
      r = server_renew(login, &reason);
  }
  if (r == -ENOENT)
    return 0;
  return r < 0 ? error_set(err, -r, "%s", error_message(reason)) : 0;
}

static int put(const char *text, char **field) {
  char *copy = text ? strdup(text) : NULL;
  if (!copy)
    return text ? -ENOMEM : 0;
  free(*field);
  *field = copy;
  return 0;
}

int server_take_options(const struct server_options *options, struct login *login, struct error **err) {
  if (put(options->ca, &login->ca) < 0 || put(options->certificate, &login->certificate) < 0 ||
      put(options->key, &login->key) < 0)
    return error_set(err, ENOMEM, "no memory");
  return 0;
}

int server_connect(const struct server_options *options, struct server **ret_server, struct error **err) {
  _cleanup_free_ char *effective = NULL;
  const char *token = getenv("TRAMMEL_TOKEN");
  bool has_token = token && *token;
  struct login login = {0};
  struct server *server = NULL;
  int r = server_address(options->address, &effective, err);
  if (r == 0 && has_token)
    (void)login_read(effective, &login, NULL); /* for its files of TLS, also when it is over */
  else if (r == 0)
    r = find_login(effective, &login, err);
  if (r == 0)
    r = server_take_options(options, &login, err);
  if (r == 0)
    r = server_connect_plainly(effective, &login, &server, err);
  if (r == 0 && (has_token || (login.access && *login.access)))
    r = authorize_with(server, has_token ? token : login.access, err);
  login_finish(&login);
  if (r < 0)
    server_close(server);
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
  (void)snprintf(name, sizeof(name), strchr(method, '/') ? "/trammel.v1.%s" : "/trammel.v1.RunService/%s", method);
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
  case 6: /* ALREADY_EXISTS */
    return error_set(err, EEXIST, "%s", said);
  case 7: /* PERMISSION_DENIED */
    return error_set(err, EPERM, "the host refuses: %s", said);
  case 8: /* RESOURCE_EXHAUSTED */
    return error_set(err, EAGAIN, "the host refuses: %s", said);
  case 16: /* UNAUTHENTICATED */
    return error_set(err, EACCES, "the host refuses: %s", said);
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
  return r == 0 ? EXIT_ALL_PASSED : r == -ENOENT || r == -EINVAL || r == -EEXIST ? EXIT_USAGE : EXIT_COULD_NOT_TEST;
}
