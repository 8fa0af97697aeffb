#include "host/runner/listen.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "host/adapter/address.h"
#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/adapter/gate.h"
#include "host/adapter/identity.h"
#include "host/adapter/instance.h"
#include "host/runner/guests.h"

/* Connections that the kernel keeps for later. */
#define BACKLOG 16

struct arguments {
  const char *address;
  const char *adapter;
  struct identity_files identity;
  bool allow_unconfined;
};

enum { KEY_LISTEN = 0x100, KEY_ADAPTER, KEY_CERT, KEY_KEY, KEY_CLIENT_CA, KEY_ALLOW_UNCONFINED };

static const struct argp_option option_table[] = {
    {"listen", KEY_LISTEN, "HOST:PORT", 0, "serve here; port 0: any that is free", 0},
    {"adapter", KEY_ADAPTER, "FILE", 0, "the adapter, a shared object", 0},
    {"cert", KEY_CERT, "FILE", 0, "this side's certificate, in PEM", 0},
    {"key", KEY_KEY, "FILE", 0, "its private key, in PEM, without a pass phrase", 0},
    {"client-ca", KEY_CLIENT_CA, "FILE", 0, "serve hosts whose certificate one of these authorities signed", 0},
    {"allow-unconfined", KEY_ALLOW_UNCONFINED, NULL, 0, "also where the kernel lacks a part of its confinement", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_LISTEN:
    arguments->address = argument;
    return 0;
  case KEY_ADAPTER:
    arguments->adapter = argument;
    return 0;
  case KEY_CERT:
    arguments->identity.certificate = argument;
    return 0;
  case KEY_KEY:
    arguments->identity.key = argument;
    return 0;
  case KEY_CLIENT_CA:
    arguments->identity.ca = argument;
    return 0;
  case KEY_ALLOW_UNCONFINED:
    arguments->allow_unconfined = true;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->address || !arguments->adapter || !arguments->identity.certificate || !arguments->identity.key ||
        !arguments->identity.ca)
      argp_error(state, "--listen needs --adapter, --cert, --key and --client-ca, too");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse,
    .doc = "Serves one adapter to Trammel on other machines, over TLS with certificates of both sides.",
};

/* ---- the adapter's file */

static int check_adapter(const struct gate *gate, bool partly, struct error **err) {
  Trammel__Adapter__V1__DescribeResponse *description = NULL;
  int r = child_describe(gate->fd, partly, &description, err);
  if (r == 0)
    r = description_check(description, &gate->note, err);
  if (description)
    trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
  return r;
}

/* A file that no host could use is told now. */
static int open_adapter(const struct arguments *arguments, struct gate *gate, struct error **err) {
  const char *path = arguments->adapter;
  _cleanup_free_ char *absolute = realpath(path, NULL);
  if (!absolute)
    return error_set(err, errno, "adapter %s: %s", path, strerror(errno));
  int r = gate_open(absolute, gate, err);
  if (r == 0)
    r = check_adapter(gate, arguments->allow_unconfined, err);
  return r < 0 ? error_wrap(err, "adapter %s", path) : 0;
}

/* ---- TLS */

static int choose_protocol(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_length,
                           const unsigned char *offered, unsigned length, void *ctx) {
  static const unsigned char http2[] = {2, 'h', '2'};
  (void)ssl;
  (void)ctx;
  return SSL_select_next_proto((unsigned char **)(uintptr_t)ret_chosen, ret_length, http2, sizeof http2, offered,
                               length) == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Nothing of a connection is remembered for the next: each shows its certificate. */
static int make_context(const struct identity_files *files, SSL_CTX **ret_context, struct error **err) {
  int r = identity_context(files, TLS_server_method(), ret_context, err);
  if (r < 0)
    return r;
  SSL_CTX_set_client_CA_list(*ret_context, SSL_load_client_CA_file(files->ca));
  SSL_CTX_set_alpn_select_cb(*ret_context, choose_protocol, NULL);
  (void)SSL_CTX_set_session_cache_mode(*ret_context, SSL_SESS_CACHE_OFF);
  (void)SSL_CTX_set_options(*ret_context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  return 0;
}

/* ---- the socket */

static int open_socket(const struct addrinfo *at) {
  int on = 1;
  int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
  if (fd < 0)
    return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
      listen(fd, BACKLOG) == 0)
    return fd;
  int code = errno;
  (void)close(fd);
  return -code;
}

static int open_listener(const char *text, int *ret_fd, struct error **err) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *found = NULL;
  struct address address;
  int r = address_parse(text, 0, &address, err);
  if (r < 0)
    return r;
  int resolved = getaddrinfo(address.host, address.port, &hints, &found);
  if (resolved != 0)
    return error_set(err, EINVAL, "--listen %s: %s", text, gai_strerror(resolved));
  int fd = open_socket(found);
  freeaddrinfo(found);
  if (fd < 0)
    return error_set(err, -fd, "--listen %s: %s", text, strerror(-fd));
  *ret_fd = fd;
  return 0;
}

/* With the port that it came to be. */
static void tell_ready(int listener, const char *id) {
  struct sockaddr_storage at = {0};
  socklen_t length = sizeof at;
  char host[64] = "?", port[8] = "?";
  if (getsockname(listener, (struct sockaddr *)&at, &length) == 0)
    (void)getnameinfo((struct sockaddr *)&at, length, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
  (void)printf(at.ss_family == AF_INET6 ? "serving adapter %s at [%s]:%s\n" : "serving adapter %s at %s:%s\n", id, host,
               port);
  (void)fflush(stdout);
}

/* ---- serving */

static void accept_all(int listener, struct guests *guests) {
  int fd, other;
  while (guests_have_room(guests, &other) && (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
    guests_admit(guests, fd);
}

/* Until one of the signals. While there is no room, connections are left to the kernel's queue. */
static void serve_until(int signals, int listener, struct guests *guests) {
  struct pollfd fds[2] = {{.fd = signals, .events = POLLIN}, {.events = POLLIN}};
  for (;;) {
    int room;
    fds[1].fd = guests_have_room(guests, &room) ? listener : room;
    int n = poll(fds, 2, -1);
    if (n < 0 && errno != EINTR)
      return;
    if (n > 0 && fds[0].revents)
      return;
    if (n > 0 && fds[1].revents && fds[1].fd == listener)
      accept_all(listener, guests);
  }
}

/* What this process needs none of: it runs nothing of the adapter, but holds the key. */
static int give_up_rights(struct error **err) {
  const struct rlimit no_core = {0, 0};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
    return error_set(err, errno, "the runner cannot confine itself: %s", strerror(errno));
  return 0;
}

/* Blocked before there are threads, so that they come here. */
static int open_signals(struct error **err) {
  sigset_t signals;
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGTERM);
  (void)sigaddset(&signals, SIGINT);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)sigprocmask(SIG_BLOCK, &signals, NULL);
  int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? error_set(err, errno, "no signalfd: %s", strerror(errno)) : fd;
}

static int serve_at(const struct arguments *arguments, const struct gate *gate, SSL_CTX *tls, struct error **err) {
  _cleanup_close_ int listener = -1;
  _cleanup_close_ int signals = open_signals(err);
  struct guests *guests = NULL;
  int r = signals < 0 ? signals : open_listener(arguments->address, &listener, err);
  if (r == 0)
    r = guests_create(&(struct guests_fare){tls, gate->fd, gate->note.id, arguments->allow_unconfined}, &guests, err);
  if (r < 0)
    return r;
  tell_ready(listener, gate->note.id);
  serve_until(signals, listener, guests);
  guests_destroy(guests);
  return 0;
}

static void write_log(void *ctx, const char *adapter, uint32_t level, const char *line) {
  (void)ctx;
  (void)fprintf(stderr, "adapter %s <%" PRIu32 "> %s\n", adapter, level, line);
}

int listen_main(int argc, char **argv) {
  struct arguments arguments = {0};
  struct gate gate = {.fd = -1};
  SSL_CTX *tls = NULL;
  _cleanup_error_ struct error *err = NULL;
  argp_err_exit_status = 2;
  if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
    return 2;
  adapter_log_to(write_log, NULL);
  int r = give_up_rights(&err);
  if (r == 0)
    r = make_context(&arguments.identity, &tls, &err);
  if (r == 0)
    r = open_adapter(&arguments, &gate, &err);
  if (r == 0)
    r = serve_at(&arguments, &gate, tls, &err);
  gate_close(&gate);
  SSL_CTX_free(tls);
  if (r < 0)
    (void)fprintf(stderr, "trammel-runner: %s\n", error_message(err));
  return r < 0 ? 1 : 0;
}
