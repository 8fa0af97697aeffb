#include "host/lab/workload/stream.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sdk/base/strbuf.h"

#define READ_SIZE (32u * 1024)
#define OUTPUT_MAX (256u * 1024)             /* output above this stops reading */
#define DISCARD_MAX (4u * 1024 * 1024)       /* bytes dropped while closing */
#define CLOSE_WAIT ((struct timeval){2, 0})  /* for the peer to close when all was sent */
#define DRAIN_WAIT ((struct timeval){60, 0}) /* for a peer that does not read the rest of what it is sent */

struct stream {
  struct event read;
  struct event write;
  const struct stream_handler *handler;
  void *user;
  struct strbuf output;
  size_t discarded;
  int fd;
  bool connecting;
  bool paused;
  bool throttled;
  bool closing;
  bool shut;
};

static void update_reading(struct stream *stream) {
  const struct timeval *wait = stream->shut ? &CLOSE_WAIT : stream->closing ? &DRAIN_WAIT : NULL;
  if (stream->connecting || (!stream->closing && (stream->paused || stream->throttled)))
    (void)event_del(&stream->read);
  else
    (void)event_add(&stream->read, wait);
}

static void on_read(evutil_socket_t fd, short what, void *user) {
  struct stream *stream = user;
  uint8_t data[READ_SIZE];
  if (what & EV_TIMEOUT) {
    stream->handler->end(stream->user, ETIMEDOUT);
    return;
  }
  ssize_t n = recv(fd, data, sizeof(data), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    stream->handler->end(stream->user, n == 0 ? 0 : errno);
  } else if (!stream->closing) {
    stream->handler->data(stream->user, data, (size_t)n);
  } else {
    stream->discarded += (size_t)n;
    if (stream->discarded > DISCARD_MAX)
      stream->handler->end(stream->user, ECONNABORTED);
  }
}

static int connect_result(const struct stream *stream) {
  int code = 0;
  socklen_t length = sizeof(code);
  return getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &code, &length) < 0 ? errno : code;
}

static void on_write(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  struct stream *stream = user;
  if (stream->connecting) {
    int code = connect_result(stream);
    if (code != 0) {
      stream->handler->end(stream->user, code);
      return;
    }
    stream->connecting = false;
  }
  stream_flush(stream);
  update_reading(stream);
}

static int stream_create(struct event_base *base, int fd, bool connecting, const struct stream_handler *handler,
                         void *user, struct stream **ret_stream) {
  struct stream *stream = calloc(1, sizeof(*stream));
  if (!stream || event_assign(&stream->read, base, fd, EV_READ | EV_PERSIST, on_read, stream) < 0 ||
      event_assign(&stream->write, base, fd, EV_WRITE, on_write, stream) < 0 ||
      event_add(connecting ? &stream->write : &stream->read, NULL) < 0) {
    (void)close(fd);
    free(stream);
    return -ENOMEM;
  }
  stream->fd = fd;
  stream->connecting = connecting;
  stream->handler = handler;
  stream->user = user;
  *ret_stream = stream;
  return 0;
}

int stream_adopt(struct event_base *base, int fd, const struct stream_handler *handler, void *user,
                 struct stream **ret_stream) {
  int yes = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)); /* fails on a socket that was already reset */
  return stream_create(base, fd, false, handler, user, ret_stream);
}

int stream_connect(struct event_base *base, const struct endpoint *endpoint, const struct stream_handler *handler,
                   void *user, struct stream **ret_stream) {
  int fd = endpoint_connect(endpoint, SOCK_STREAM);
  return fd < 0 ? fd : stream_create(base, fd, true, handler, user, ret_stream);
}

void stream_destroy(struct stream *stream) {
  if (!stream)
    return;
  (void)event_del(&stream->read);
  (void)event_del(&stream->write);
  (void)close(stream->fd);
  strbuf_finish(&stream->output);
  free(stream);
}

struct strbuf *stream_output(struct stream *stream) {
  return &stream->output;
}

/* A failed send drops the output and says nothing: what the peer sent before it closed is still to be read, and the end
 * after it. */
static void send_output(struct stream *stream) {
  struct strbuf *output = &stream->output;
  if (strbuf_failed(output)) {
    (void)shutdown(stream->fd, SHUT_RDWR);
    strbuf_clear(output);
  }
  while (output->length > 0) {
    ssize_t n = send(stream->fd, output->data, output->length, MSG_NOSIGNAL);
    if (n >= 0) {
      strbuf_consume(output, (size_t)n);
      if (stream->closing)
        update_reading(stream); /* the peer reads, so it is waited for anew */
    } else if (errno == EAGAIN) {
      (void)event_add(&stream->write, NULL);
      return;
    } else if (errno != EINTR) {
      strbuf_clear(output);
    }
  }
}

void stream_flush(struct stream *stream) {
  if (stream->connecting)
    return;
  send_output(stream);
  if (stream->closing && !stream->shut && stream->output.length == 0) {
    stream->shut = true;
    (void)shutdown(stream->fd, SHUT_WR);
    update_reading(stream);
  }
  bool throttled = stream->output.length > OUTPUT_MAX;
  if (throttled != stream->throttled) {
    stream->throttled = throttled;
    update_reading(stream);
  }
}

void stream_pause(struct stream *stream, bool paused) {
  stream->paused = paused;
  update_reading(stream);
}

void stream_close(struct stream *stream) {
  stream->closing = true;
  update_reading(stream);
  stream_flush(stream);
}
