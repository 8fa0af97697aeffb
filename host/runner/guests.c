#include "host/runner/guests.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "host/adapter/output.h"
#include "host/adapter/runner.h"
#include "host/adapter/runner_protocol.h"

struct guest {
  LIST_ENTRY(guest) next; /* under the lock of `guests` */
  struct guests *guests;
  int fd; /* closed with `tls` */
  char name[400];
  struct event_base *base;
  struct bufferevent *tls;
  struct bufferevent *worker; /* NULL until the host is known */
  struct runner runner;
  struct output *output;
  bool served;  /* counts as one of GUESTS_MAX */
  bool closing; /* the worker has ended; what it sent is still on its way */
};
LIST_HEAD(guest_list, guest);

struct guests {
  struct guests_fare fare;
  int room; /* eventfd: a connection ended */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct guest_list list;
  unsigned connections, served;
};

static void tell(const struct guest *guest, const char *what, const char *why) {
  (void)fprintf(stderr, "%s: %s%s%s\n", guest->name, what, *why ? ": " : "", why);
}

/* ---- what goes between host and worker */

/* As much as the other side has room for; the rest stays, and once it is much, nothing more is read. */
static void pump(struct bufferevent *from, struct bufferevent *to) {
  struct evbuffer *out = bufferevent_get_output(to);
  size_t waiting = evbuffer_get_length(out);
  if (waiting < GUESTS_BUFFER_MAX)
    (void)evbuffer_remove_buffer(bufferevent_get_input(from), out, GUESTS_BUFFER_MAX - waiting);
}

static void end_when_sent(struct guest *guest) {
  pump(guest->worker, guest->tls);
  if (evbuffer_get_length(bufferevent_get_output(guest->tls)) == 0)
    (void)event_base_loopbreak(guest->base);
}

static void on_host_data(struct bufferevent *tls, void *context) {
  const struct guest *guest = context;
  if (guest->worker)
    pump(tls, guest->worker);
}

static void on_host_room(struct bufferevent *tls, void *context) {
  struct guest *guest = context;
  if (guest->closing)
    end_when_sent(guest);
  else if (guest->worker)
    pump(guest->worker, tls);
}

static void on_worker_data(struct bufferevent *worker, void *context) {
  pump(worker, ((const struct guest *)context)->tls);
}

static void on_worker_room(struct bufferevent *worker, void *context) {
  pump(((const struct guest *)context)->tls, worker);
}

static void on_worker_end(struct bufferevent *worker, short what, void *context) {
  struct guest *guest = context;
  const struct timeval patience = {.tv_sec = GUESTS_HANDSHAKE_S};
  (void)worker;
  (void)what;
  guest->closing = true;
  bufferevent_setwatermark(guest->tls, EV_WRITE, 0, 0);
  (void)bufferevent_set_timeouts(guest->tls, NULL, &patience);
  end_when_sent(guest);
}

static void watch(struct guest *guest, struct bufferevent *of) {
  bool host = of == guest->tls;
  bufferevent_setwatermark(of, EV_READ, 0, GUESTS_BUFFER_MAX);
  bufferevent_setwatermark(of, EV_WRITE, GUESTS_BUFFER_MAX / 2, 0);
  if (!host)
    bufferevent_setcb(of, on_worker_data, on_worker_room, on_worker_end, guest);
}

/* ---- the worker */

static bool take_place(struct guest *guest) {
  struct guests *guests = guest->guests;
  pthread_mutex_lock(&guests->lock);
  guest->served = guests->served < GUESTS_MAX;
  guests->served += guest->served;
  pthread_mutex_unlock(&guests->lock);
  return guest->served;
}

static int start_worker(struct guest *guest, struct error **err) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
    return error_set(err, errno, "no socket: %s", strerror(errno));
  _cleanup_close_ int theirs = pair[1];
  const struct guests_fare *fare = &guest->guests->fare;
  int r = runner_start(&(struct runner_start){RUNNER_SERVE, fare->partly, fare->file, theirs}, &guest->runner, err);
  if (r == 0)
    r = output_create(fare->id, runner_take_output(&guest->runner), &guest->output, err);
  if (r == 0 && !(guest->worker = bufferevent_socket_new(guest->base, pair[0], BEV_OPT_CLOSE_ON_FREE)))
    r = error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    (void)close(pair[0]);
  return r;
}

/* The name in its certificate, which its authority vouches for. */
static void name_host(struct guest *guest) {
  X509 *certificate = SSL_get1_peer_certificate(bufferevent_openssl_get_ssl(guest->tls));
  char subject[256] = "";
  size_t length = strlen(guest->name);
  if (certificate)
    (void)X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
  X509_free(certificate);
  (void)snprintf(guest->name + length, sizeof guest->name - length, " (%s)", subject);
}

static void serve(struct guest *guest) {
  _cleanup_error_ struct error *err = NULL;
  name_host(guest);
  (void)bufferevent_set_timeouts(guest->tls, NULL, NULL);
  if (!take_place(guest)) {
    tell(guest, "refused", "as many hosts are served as may be; try again later");
    (void)event_base_loopbreak(guest->base);
    return;
  }
  if (start_worker(guest, &err) < 0) {
    tell(guest, "not served", error_message(err));
    (void)event_base_loopbreak(guest->base);
    return;
  }
  tell(guest, "connected", "");
  watch(guest, guest->worker);
  watch(guest, guest->tls);
  (void)bufferevent_enable(guest->worker, EV_READ | EV_WRITE);
  pump(guest->tls, guest->worker);
}

/* ---- a connection, on its thread */

static void tell_refusal(const struct guest *guest, short what) {
  unsigned long code = bufferevent_get_openssl_error(guest->tls);
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  if (what & BEV_EVENT_TIMEOUT)
    reason = "it took too long";
  tell(guest, "no TLS connection", reason ? reason : "it was closed");
}

static void on_host_event(struct bufferevent *tls, short what, void *context) {
  struct guest *guest = context;
  (void)tls;
  if (what & BEV_EVENT_CONNECTED) {
    serve(guest);
    return;
  }
  if (!guest->served)
    tell_refusal(guest, what);
  (void)event_base_loopbreak(guest->base);
}

static void run(struct guest *guest) {
  const struct timeval patience = {.tv_sec = GUESTS_HANDSHAKE_S};
  SSL *ssl = SSL_new(guest->guests->fare.tls);
  guest->base = event_base_new();
  if (ssl && guest->base)
    guest->tls =
        bufferevent_openssl_socket_new(guest->base, guest->fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (!guest->tls) {
    SSL_free(ssl);
    tell(guest, "not served", "out of memory");
    return;
  }
  bufferevent_openssl_set_allow_dirty_shutdown(guest->tls, 1);
  bufferevent_setcb(guest->tls, on_host_data, on_host_room, on_host_event, guest);
  (void)bufferevent_set_timeouts(guest->tls, &patience, &patience);
  (void)bufferevent_enable(guest->tls, EV_READ | EV_WRITE);
  (void)event_base_dispatch(guest->base);
  if (guest->worker)
    tell(guest, "left", "");
}

/* The worker ends with its socket; whatever is left of it is ended. */
static void finish(struct guest *guest) {
  if (guest->worker)
    bufferevent_free(guest->worker);
  if (guest->tls)
    bufferevent_free(guest->tls);
  else
    (void)close(guest->fd);
  if (guest->base)
    event_base_free(guest->base);
  runner_stop(&guest->runner);
  output_destroy(guest->output);
}

static void *guest_thread(void *context) {
  struct guest *guest = context;
  struct guests *guests = guest->guests;
  run(guest);
  pthread_mutex_lock(&guests->lock);
  LIST_REMOVE(guest, next); /* from here on its socket is this thread's alone */
  pthread_mutex_unlock(&guests->lock);
  finish(guest);
  pthread_mutex_lock(&guests->lock);
  guests->served -= guest->served;
  guests->connections--;
  (void)eventfd_write(guests->room, 1);
  pthread_cond_broadcast(&guests->changed);
  pthread_mutex_unlock(&guests->lock);
  free(guest);
  return NULL;
}

/* ---- all of them */

int guests_create(const struct guests_fare *fare, struct guests **ret_guests, struct error **err) {
  struct guests *guests = calloc(1, sizeof *guests);
  if (!guests)
    return error_set(err, ENOMEM, "out of memory");
  *guests = (struct guests){.fare = *fare,
                            .room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};
  if (guests->room < 0) {
    int code = errno;
    free(guests);
    return error_set(err, code, "no eventfd: %s", strerror(code));
  }
  *ret_guests = guests;
  return 0;
}

/* A host that is gone without a word must not keep its place for ever. */
static void prepare(int fd) {
  static const struct {
    int level, option, value;
  } options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                 {SOL_SOCKET, SO_KEEPALIVE, 1},
                 {IPPROTO_TCP, TCP_KEEPIDLE, 60},
                 {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                 {IPPROTO_TCP, TCP_KEEPCNT, 6}};
  for (size_t i = 0; i < ARRAY_COUNT(options); i++)
    (void)setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
}

static void name_peer(struct guest *guest) {
  struct sockaddr_storage from;
  socklen_t length = sizeof from;
  char host[64] = "?", port[8] = "?";
  if (getpeername(guest->fd, (struct sockaddr *)&from, &length) == 0)
    (void)getnameinfo((struct sockaddr *)&from, length, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
  (void)snprintf(guest->name, sizeof guest->name, "%s port %s", host, port);
}

void guests_admit(struct guests *guests, int fd) {
  struct guest *guest = calloc(1, sizeof *guest);
  pthread_t thread;
  if (!guest) {
    (void)close(fd);
    return;
  }
  *guest = (struct guest){.guests = guests, .fd = fd, .runner = RUNNER_NONE};
  prepare(fd);
  name_peer(guest);
  pthread_mutex_lock(&guests->lock);
  if (pthread_create(&thread, NULL, guest_thread, guest) == 0) {
    (void)pthread_detach(thread);
    LIST_INSERT_HEAD(&guests->list, guest, next);
    guests->connections++;
    guest = NULL;
  }
  pthread_mutex_unlock(&guests->lock);
  if (guest)
    (void)close(fd);
  free(guest);
}

bool guests_have_room(struct guests *guests, int *ret_fd) {
  eventfd_t ended;
  (void)eventfd_read(guests->room, &ended);
  pthread_mutex_lock(&guests->lock);
  bool room = guests->connections < GUESTS_CONNECTIONS_MAX;
  pthread_mutex_unlock(&guests->lock);
  *ret_fd = guests->room;
  return room;
}

void guests_destroy(struct guests *guests) {
  struct guest *guest;
  if (!guests)
    return;
  pthread_mutex_lock(&guests->lock);
  LIST_FOREACH(guest, &guests->list, next)
  (void)shutdown(guest->fd, SHUT_RDWR);
  while (guests->connections > 0)
    pthread_cond_wait(&guests->changed, &guests->lock);
  pthread_mutex_unlock(&guests->lock);
  (void)close(guests->room);
  free(guests);
}
