#include "plugins/reference/mesh/stream.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "plugins/reference/mesh/authority.h"
#include "plugins/reference/mesh/handshaker.h"
#include "plugins/reference/mesh/limits.h"
#include "sdk/base/clock.h"
#include "sdk/base/loopback.h"
#include "sdk/base/strbuf.h"

enum {
  READS_PER_EVENT = 4,
  TLS_HANDSHAKE_RECORD = 0x16,
};

enum stream_state { STATE_CONNECTING, STATE_SNIFFING, STATE_HANDSHAKE, STATE_OPEN, STATE_LINGERING, STATE_DEAD };

struct stream {
  LIST_ENTRY(stream) link;
  struct stream_loop *loop;
  int fd;
  enum stream_state state;
  SSL_CTX *offered; /* STATE_SNIFFING */
  SSL *tls;
  struct handshake handshake; /* STATE_HANDSHAKE */
  struct event readable, writable;
  const struct stream_handler *handler;
  void *context;
  struct strbuf in;  /* read, not yet taken */
  struct strbuf out; /* to be sent from `sent` on */
  size_t sent;
  int64_t deadline_s; /* 0: none */
  bool paused, full, failed, end_told, shutdown_wanted, shutdown_done;
};

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

static void tell_end(struct stream *stream, enum stream_end end) {
  if (end != STREAM_EOF) {
    stream->failed = true;
    event_del(&stream->readable);
    event_del(&stream->writable);
  }
  if (!stream->handler)
    stream_destroy(stream);
  else if (!stream->end_told || end != STREAM_EOF) {
    stream->end_told = true;
    stream->handler->ended(stream->context, end);
  }
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct stream_loop *loop = context;
  loop->now_s = loop->clock_s();
  struct stream *stream = LIST_FIRST(&loop->live);
  while (stream) {
    /* A handler may destroy any stream; the dead keep their memory until the reaper, but not their place in the list.
     */
    struct stream *next = LIST_NEXT(stream, link);
    if (stream->deadline_s && stream->deadline_s <= loop->now_s) {
      stream->deadline_s = 0;
      tell_end(stream, STREAM_TIMEOUT);
      next = LIST_FIRST(&loop->live);
    }
    stream = next;
  }
}

static void on_reap(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct stream_loop *loop = context;
  struct stream *stream;
  while ((stream = LIST_FIRST(&loop->dead))) {
    LIST_REMOVE(stream, link);
    tls_destroy(stream->tls);
    strbuf_finish(&stream->in);
    strbuf_finish(&stream->out);
    free(stream);
  }
}

int stream_loop_init(struct stream_loop *loop, struct event_base *base) {
  *loop = (struct stream_loop){.base = base, .now_s = clock_monotonic_s(), .clock_s = clock_monotonic_s};
  LIST_INIT(&loop->live);
  LIST_INIT(&loop->dead);
  int r = handshaker_create(base, &loop->handshaker);
  if (r < 0)
    return r;
  loop->scratch = malloc(STREAM_SCRATCH);
  loop->tick = event_new(base, -1, EV_PERSIST, on_tick, loop);
  loop->reap = event_new(base, -1, 0, on_reap, loop);
  if (!loop->scratch || !loop->tick || !loop->reap || event_add(loop->tick, &(struct timeval){.tv_sec = 1}) < 0)
    return -ENOMEM;
  return 0;
}

void stream_loop_finish(struct stream_loop *loop) {
  struct stream *stream;
  while ((stream = LIST_FIRST(&loop->live)))
    stream_destroy(stream);
  on_reap(-1, 0, loop);
  handshaker_destroy(loop->handshaker);
  if (loop->tick)
    event_free(loop->tick);
  if (loop->reap)
    event_free(loop->reap);
  free(loop->scratch);
}

static struct stream *stream_new(struct stream_loop *loop, int fd, const struct stream_handler *handler,
                                 void *context) {
  struct stream *stream = calloc(1, sizeof *stream);
  if (!stream)
    return NULL;
  stream->loop = loop;
  stream->fd = fd;
  stream->handler = handler;
  stream->context = context;
  event_assign(&stream->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, stream);
  event_assign(&stream->writable, loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, stream);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  LIST_INSERT_HEAD(&loop->live, stream, link);
  stream_set_deadline(stream, TIMEOUT_HANDSHAKE);
  return stream;
}

struct stream *stream_accept(struct stream_loop *loop, int fd, SSL_CTX *tls, const struct stream_handler *handler,
                             void *context) {
  struct stream *stream = stream_new(loop, fd, handler, context);
  if (!stream) {
    close(fd);
    return NULL;
  }
  stream->state = tls ? STATE_SNIFFING : STATE_OPEN;
  stream->offered = tls;
  if (event_add(&stream->readable, NULL) < 0) {
    stream_destroy(stream);
    return NULL;
  }
  return stream;
}

struct stream *stream_connect(struct stream_loop *loop, const struct sockaddr_in *address, SSL *tls,
                              const struct stream_handler *handler, void *context) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct stream *stream = fd >= 0 ? stream_new(loop, fd, handler, context) : NULL;
  if (!stream) {
    SSL_free(tls);
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  loopback_tune(fd, (const struct sockaddr *)address);
  stream->tls = tls;
  stream->state = STATE_CONNECTING;
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
    stream->failed = true;
  if (event_add(&stream->writable, NULL) < 0)
    stream->failed = true;
  if (stream->failed)
    event_active(&stream->writable, EV_WRITE, 0);
  return stream;
}

void stream_set_handler(struct stream *stream, const struct stream_handler *handler, void *context) {
  stream->handler = handler;
  stream->context = context;
}

SSL *stream_tls(const struct stream *stream) {
  return stream->state == STATE_OPEN || stream->state == STATE_LINGERING ? stream->tls : NULL;
}

void stream_set_deadline(struct stream *stream, int seconds) {
  stream->deadline_s = seconds ? stream->loop->now_s + seconds + 1 : 0;
}

int64_t stream_now_s(const struct stream *stream) {
  return stream->loop->now_s;
}

bool stream_full(const struct stream *stream) {
  return stream->full;
}

/* A failure is told from the loop. */
static void fail_later(struct stream *stream) {
  stream->failed = true;
  event_active(&stream->readable, EV_READ, 0);
}

enum io { IO_DONE, IO_WAIT, IO_WAIT_OTHER, IO_END, IO_ERROR };

static enum io tls_result(struct stream *stream, int result) {
  switch (SSL_get_error(stream->tls, result)) {
  case SSL_ERROR_WANT_READ:
    return SSL_want_write(stream->tls) ? IO_WAIT_OTHER : IO_WAIT;
  case SSL_ERROR_WANT_WRITE:
    return IO_WAIT_OTHER;
  case SSL_ERROR_ZERO_RETURN:
    return IO_END;
  default:
    return IO_ERROR;
  }
}

static enum io raw_read(struct stream *stream, char *data, size_t size, size_t *ret_length) {
  if (stream->tls) {
    ERR_clear_error();
    int result = SSL_read_ex(stream->tls, data, size, ret_length);
    return result == 1 ? IO_DONE : tls_result(stream, result);
  }
  ssize_t n = recv(stream->fd, data, size, 0);
  if (n > 0) {
    *ret_length = (size_t)n;
    return IO_DONE;
  }
  if (n == 0)
    return IO_END;
  return errno == EAGAIN || errno == EINTR ? IO_WAIT : IO_ERROR;
}

static enum io raw_write(struct stream *stream, const char *data, size_t length, size_t *ret_length) {
  if (stream->tls) {
    ERR_clear_error();
    int result = SSL_write_ex(stream->tls, data, length, ret_length);
    if (result == 1)
      return IO_DONE;
    enum io io = tls_result(stream, result);
    return io == IO_WAIT_OTHER ? IO_WAIT : io;
  }
  ssize_t n = send(stream->fd, data, length, MSG_NOSIGNAL);
  if (n >= 0) {
    *ret_length = (size_t)n;
    return IO_DONE;
  }
  return errno == EAGAIN || errno == EINTR ? IO_WAIT : IO_ERROR;
}

static void end_writing(struct stream *stream) {
  if (stream->shutdown_done)
    return;
  stream->shutdown_done = true;
  if (stream->tls) {
    ERR_clear_error();
    (void)SSL_shutdown(stream->tls);
  }
  (void)shutdown(stream->fd, SHUT_WR);
}

void stream_write(struct stream *stream, const void *data, size_t length) {
  if (stream->failed || stream->state == STATE_DEAD)
    return;
  strbuf_append(&stream->out, data, length);
  if (strbuf_failed(&stream->out))
    fail_later(stream);
  if (stream->out.length - stream->sent > LIMIT_STREAM_HIGH)
    stream->full = true;
}

/* Sends what it can. False when the rest has to wait, or all is lost. */
static bool send_queued(struct stream *stream) {
  while (stream->sent < stream->out.length) {
    size_t n = 0;
    enum io io = raw_write(stream, stream->out.data + stream->sent, stream->out.length - stream->sent, &n);
    if (io == IO_DONE) {
      stream->sent += n;
      continue;
    }
    if (io != IO_WAIT || event_add(&stream->writable, NULL) < 0)
      fail_later(stream);
    return false;
  }
  stream->sent = 0;
  if (stream->out.capacity > LIMIT_STREAM_LOW)
    strbuf_finish(&stream->out);
  else
    strbuf_clear(&stream->out);
  return true;
}

void stream_flush(struct stream *stream) {
  if (stream->failed || (stream->state != STATE_OPEN && stream->state != STATE_LINGERING))
    return;
  if (stream->sent == stream->out.length && !stream->shutdown_wanted)
    return;
  if (send_queued(stream) && stream->shutdown_wanted) {
    end_writing(stream);
    if (stream->state == STATE_LINGERING)
      stream_set_deadline(stream, TIMEOUT_LINGER);
  }
  /* Who was told that it is full waits to hear that it no longer is. */
  if (stream->full && !stream->failed && stream->out.length - stream->sent <= LIMIT_STREAM_LOW)
    event_active(&stream->writable, EV_WRITE, 0);
}

void stream_pause(struct stream *stream) {
  if (stream->paused)
    return;
  stream->paused = true;
  if (stream->state == STATE_OPEN)
    event_del(&stream->readable);
}

void stream_resume(struct stream *stream) {
  if (!stream->paused)
    return;
  stream->paused = false;
  if (stream->state != STATE_OPEN)
    return;
  if (!stream->end_told && event_add(&stream->readable, NULL) < 0)
    fail_later(stream);
  if (stream->in.length > 0 || (stream->tls && SSL_has_pending(stream->tls)))
    event_active(&stream->readable, EV_READ, 0);
}

bool stream_stale(struct stream *stream) {
  char byte;
  if (stream->failed || stream->end_told || stream->state == STATE_DEAD || stream->in.length > 0)
    return true;
  if (stream->tls) {
    ERR_clear_error();
    size_t n;
    int result = SSL_peek_ex(stream->tls, &byte, 1, &n);
    return result == 1 || tls_result(stream, result) != IO_WAIT;
  }
  return recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void stream_shutdown(struct stream *stream) {
  stream->shutdown_wanted = true;
  stream_flush(stream);
}

void stream_finish(struct stream *stream) {
  if (stream->failed || stream->state != STATE_OPEN) {
    stream_destroy(stream);
    return;
  }
  stream->handler = NULL;
  stream->state = STATE_LINGERING;
  strbuf_clear(&stream->in);
  stream_set_deadline(stream, TIMEOUT_EXCHANGE);
  if (stream->end_told || event_add(&stream->readable, NULL) < 0) {
    stream_shutdown(stream);
    if (stream->sent == stream->out.length)
      stream_destroy(stream);
    return;
  }
  stream_shutdown(stream);
}

static void bury(struct stream *stream) {
  if (stream->state == STATE_HANDSHAKE)
    handshaker_cancel(stream->loop->handshaker, &stream->handshake);
  stream->state = STATE_DEAD;
  event_del(&stream->readable);
  event_del(&stream->writable);
  close(stream->fd);
  LIST_REMOVE(stream, link);
  LIST_INSERT_HEAD(&stream->loop->dead, stream, link);
  event_active(stream->loop->reap, EV_TIMEOUT, 0);
}

/* TLS without its closing word, and TCP with a reset: what was sent so far is not all (RFC 8446, 6.1). */
void stream_abort(struct stream *stream) {
  if (!stream || stream->state == STATE_DEAD)
    return;
  (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
  bury(stream);
}

void stream_destroy(struct stream *stream) {
  if (!stream || stream->state == STATE_DEAD)
    return;
  if (stream->sent < stream->out.length) {
    stream_abort(stream);
    return;
  }
  if (stream->tls && !stream->failed && (stream->state == STATE_OPEN || stream->state == STATE_LINGERING))
    end_writing(stream);
  bury(stream);
}

/* Hands the bytes over; what is not taken is kept until the handler resumes. False when no more may be handed over now.
 */
static bool deliver(struct stream *stream, const char *data, size_t length) {
  size_t taken = stream->handler->data(stream->context, data, length);
  if (stream->state != STATE_OPEN)
    return false;
  if (taken < length) {
    strbuf_append(&stream->in, data + taken, length - taken);
    if (strbuf_failed(&stream->in)) {
      fail_later(stream);
      return false;
    }
    stream_pause(stream);
  }
  return !stream->paused;
}

static bool deliver_kept(struct stream *stream) {
  if (stream->in.length == 0)
    return true;
  struct strbuf kept = stream->in;
  stream->in = STRBUF_INIT;
  bool more = deliver(stream, kept.data, kept.length);
  strbuf_finish(&kept);
  return more;
}

static void read_open(struct stream *stream) {
  if (stream->paused || !deliver_kept(stream))
    return;
  for (int i = 0; i < READS_PER_EVENT; i++) {
    size_t length = 0;
    enum io io = raw_read(stream, stream->loop->scratch, STREAM_SCRATCH, &length);
    if (io == IO_WAIT)
      return;
    if (io == IO_WAIT_OTHER) {
      (void)event_add(&stream->writable, NULL);
      return;
    }
    if (io != IO_DONE) {
      event_del(&stream->readable);
      tell_end(stream, io == IO_END ? STREAM_EOF : STREAM_FAILED);
      return;
    }
    if (!deliver(stream, stream->loop->scratch, length))
      return;
    if (stream->tls ? !SSL_has_pending(stream->tls) : length < STREAM_SCRATCH)
      return;
  }
  event_active(&stream->readable, EV_READ, 0); /* others first */
}

static void become_open(struct stream *stream) {
  stream->state = STATE_OPEN;
  stream_set_deadline(stream, 0);
  event_del(&stream->writable);
  if (!stream->paused && event_add(&stream->readable, NULL) < 0) {
    tell_end(stream, STREAM_FAILED);
    return;
  }
  stream->handler->ready(stream->context);
  if (stream->state == STATE_DEAD)
    return;
  stream_flush(stream);
  if (stream->state == STATE_OPEN && stream->tls && SSL_has_pending(stream->tls))
    event_active(&stream->readable, EV_READ, 0);
}

static void shake_hands(struct stream *stream) {
  event_del(&stream->readable);
  event_del(&stream->writable);
  handshaker_step(stream->loop->handshaker, &stream->handshake);
}

static void on_stepped(struct handshake *handshake) {
  struct stream *stream = (struct stream *)((char *)handshake - offsetof(struct stream, handshake));
  if (stream->failed)
    return;
  int r = -1;
  switch (handshake->result) {
  case SSL_ERROR_NONE:
    become_open(stream);
    return;
  case SSL_ERROR_WANT_READ:
    r = event_add(&stream->readable, NULL);
    break;
  case SSL_ERROR_WANT_WRITE:
    r = event_add(&stream->writable, NULL);
    break;
  }
  if (r < 0)
    tell_end(stream, STREAM_FAILED);
}

static void begin_tls(struct stream *stream) {
  stream->state = STATE_HANDSHAKE;
  stream->handshake = (struct handshake){.tls = stream->tls, .stepped = on_stepped};
  if (SSL_set_fd(stream->tls, stream->fd) == 1)
    shake_hands(stream);
  else
    tell_end(stream, STREAM_FAILED);
}

static void sniff(struct stream *stream) {
  unsigned char first;
  ssize_t n = recv(stream->fd, &first, 1, MSG_PEEK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    tell_end(stream, STREAM_FAILED);
    return;
  }
  if (first != TLS_HANDSHAKE_RECORD) {
    become_open(stream);
    return;
  }
  stream->tls = tls_server(stream->offered);
  if (stream->tls)
    begin_tls(stream);
  else
    tell_end(stream, STREAM_FAILED);
}

static void finish_connect(struct stream *stream) {
  int code = 0;
  socklen_t size = sizeof code;
  if (stream->failed || getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 || code != 0)
    tell_end(stream, STREAM_FAILED);
  else if (stream->tls)
    begin_tls(stream);
  else
    become_open(stream);
}

static void linger(struct stream *stream) {
  size_t length;
  enum io io = raw_read(stream, stream->loop->scratch, STREAM_SCRATCH, &length);
  if (io == IO_ERROR || (io == IO_END && stream->shutdown_done)) {
    stream_destroy(stream);
  } else if (io == IO_END) { /* it sends no more, but may still read what is queued */
    stream->end_told = true;
    event_del(&stream->readable);
  }
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct stream *stream = context;
  if (stream->failed) {
    tell_end(stream, STREAM_FAILED);
    return;
  }
  switch (stream->state) {
  case STATE_SNIFFING:
    sniff(stream);
    break;
  case STATE_HANDSHAKE:
    shake_hands(stream);
    break;
  case STATE_OPEN:
    read_open(stream);
    break;
  case STATE_LINGERING:
    linger(stream);
    break;
  case STATE_CONNECTING:
  case STATE_DEAD:
    break;
  }
}

static void write_open(struct stream *stream) {
  event_del(&stream->writable);
  stream_flush(stream);
  if (stream->state == STATE_LINGERING && stream->end_told && stream->shutdown_done) {
    stream_destroy(stream);
    return;
  }
  if (stream->failed || !stream->full || stream->out.length - stream->sent > LIMIT_STREAM_LOW)
    return;
  stream->full = false;
  if (stream->handler)
    stream->handler->drained(stream->context);
}

static void on_writable(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  struct stream *stream = context;
  if (stream->failed && stream->state != STATE_CONNECTING) {
    tell_end(stream, STREAM_FAILED);
    return;
  }
  switch (stream->state) {
  case STATE_CONNECTING:
    finish_connect(stream);
    break;
  case STATE_HANDSHAKE:
    shake_hands(stream);
    break;
  case STATE_OPEN:
  case STATE_LINGERING:
    write_open(stream);
    break;
  case STATE_SNIFFING:
  case STATE_DEAD:
    break;
  }
}
