#include "h2.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

enum { WAIT_MS = 20000, FIELDS = 32, LARGE_WINDOW = 64 * 1024 * 1024 };

static struct h2_stream *stream_of(struct h2_peer *peer, int32_t id) {
  for (size_t i = 0; i < peer->count; i++)
    if (peer->streams[i].id == id)
      return &peer->streams[i];
  return NULL;
}

static struct h2_stream *stream_new(struct h2_peer *peer, int32_t id) {
  assert_in_range(peer->count, 0, H2_STREAMS - 1);
  struct h2_stream *stream = &peer->streams[peer->count++];
  *stream = (struct h2_stream){.id = id};
  return stream;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  struct h2_peer *peer = context;
  struct h2_stream *stream = stream_of(peer, frame->hd.stream_id);
  if (!stream)
    stream = stream_new(peer, frame->hd.stream_id);
  stream->heads++;
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *context) {
  (void)session;
  (void)flags;
  struct h2_stream *stream = stream_of(context, frame->hd.stream_id);
  if (name_length == 7 && memcmp(name, ":status", 7) == 0)
    stream->status = (unsigned)atoi((const char *)value);
  strbuf_printf(&stream->head, "%.*s: %.*s\n", (int)name_length, (const char *)name, (int)value_length,
                (const char *)value);
  return 0;
}

static int on_body(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length,
                   void *context) {
  (void)session;
  (void)flags;
  struct h2_peer *peer = context;
  struct h2_stream *stream = stream_of(peer, id);
  if (!peer->discards)
    strbuf_append(&stream->body, data, length);
  stream->received += length;
  if (peer->manual)
    assert_int_equal(nghttp2_session_consume_connection(session, length), 0);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  (void)session;
  struct h2_peer *peer = context;
  if (frame->hd.type == NGHTTP2_GOAWAY) {
    peer->goaway = true;
    peer->goaway_last = frame->goaway.last_stream_id;
    peer->goaway_code = frame->goaway.error_code;
  }
  struct h2_stream *stream = stream_of(peer, frame->hd.stream_id);
  bool message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!stream || !message || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  stream->ended = true;
  if (peer->server && peer->manner == H2_ECHO && !stream->body_submitted) {
    const struct strbuf *what = stream->body.length > 0 ? &stream->body : &stream->head;
    h2_answer_held(peer, stream);
    strbuf_append(&stream->out, what->data, what->length);
    stream->held = false;
  }
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context) {
  (void)session;
  struct h2_stream *stream = stream_of(context, id);
  if (!stream)
    return 0;
  stream->closed = true;
  stream->code = code;
  return 0;
}

static nghttp2_nv field(const char *name, const char *value) {
  return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                      .value = (uint8_t *)(uintptr_t)value,
                      .namelen = strlen(name),
                      .valuelen = strlen(value)};
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *data, size_t size, uint32_t *flags,
                       nghttp2_data_source *source, void *context) {
  (void)source;
  struct h2_stream *stream = stream_of(context, id);
  size_t n = stream->out.length < size ? stream->out.length : size;
  if (n > 0)
    memcpy(data, stream->out.data, n);
  strbuf_consume(&stream->out, n);
  while (n < size && stream->endless > 0) {
    data[n++] = 'x';
    stream->endless--;
  }
  stream->sent += n;
  if (stream->out.length > 0 || stream->endless > 0)
    return (ssize_t)n;
  if (stream->held)
    return n > 0 ? (ssize_t)n : NGHTTP2_ERR_DEFERRED;
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream->trailers) {
    nghttp2_nv trailer = field("x-trailer", "1");
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    assert_int_equal(nghttp2_submit_trailer(session, id, &trailer, 1), 0);
  }
  return (ssize_t)n;
}

static nghttp2_session *session_new(struct h2_peer *peer) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *option;
  nghttp2_session *session;
  assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
  assert_int_equal(nghttp2_option_new(&option), 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_option_set_no_http_messaging(option, 1); /* what the test wants to send is sent */
  nghttp2_option_set_no_auto_window_update(option, peer->manual);
  nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
  int r = peer->server ? nghttp2_session_server_new2(&session, callbacks, peer, option)
                       : nghttp2_session_client_new2(&session, callbacks, peer, option);
  assert_int_equal(r, 0);
  assert_int_equal(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
  if (peer->manual)
    assert_int_equal(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, LARGE_WINDOW), 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  return session;
}

static struct h2_peer *peer_new(struct h2_net *net, int fd, bool server, bool manual) {
  assert_in_range(net->count, 0, H2_PEERS - 1);
  struct h2_peer *peer = calloc(1, sizeof *peer);
  assert_non_null(peer);
  assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), errno);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  peer->fd = fd;
  peer->server = server;
  peer->manual = manual;
  peer->manner = net->manner;
  peer->session = session_new(peer);
  net->peers[net->count++] = peer;
  h2_flush(peer);
  return peer;
}

void h2_net_init(struct h2_net *net) {
  *net = (struct h2_net){.listener = -1};
}

void h2_peer_close(struct h2_peer *peer, bool reset) {
  if (peer->fd < 0)
    return;
  if (reset)
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
  close(peer->fd);
  peer->fd = -1;
}

static void peer_free(struct h2_peer *peer) {
  h2_peer_close(peer, false);
  for (size_t i = 0; i < peer->count; i++) {
    strbuf_finish(&peer->streams[i].head);
    strbuf_finish(&peer->streams[i].body);
    strbuf_finish(&peer->streams[i].out);
  }
  nghttp2_session_del(peer->session);
  free(peer);
}

void h2_net_finish(struct h2_net *net) {
  for (size_t i = 0; i < net->count; i++)
    peer_free(net->peers[i]);
  if (net->listener >= 0)
    close(net->listener);
  h2_net_init(net);
}

void h2_net_listen(struct h2_net *net, int host) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(HTTP_PORT)};
  assert_int_equal(inet_pton(AF_INET, address_of('a', host), &at.sin_addr), 1);
  net->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  assert_true(net->listener >= 0);
  setsockopt(net->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  assert_int_equal(bind(net->listener, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(net->listener, 256), 0);
}

struct h2_peer *h2_net_dial(struct h2_net *net, const char *address, int port, bool manual) {
  return peer_new(net, dial(address, port), false, manual);
}

struct h2_peer *h2_net_program(struct h2_net *net, size_t index) {
  for (size_t i = 0; i < net->count; i++)
    if (net->peers[i]->server && index-- == 0)
      return net->peers[i];
  return NULL;
}

size_t h2_net_programs(const struct h2_net *net) {
  size_t count = 0;
  for (size_t i = 0; i < net->count; i++)
    count += net->peers[i]->server;
  return count;
}

/* What the kernel has no room for is kept by nghttp2, and sent when there is. */
void h2_flush(struct h2_peer *peer) {
  while (peer->fd >= 0) {
    struct pollfd poller = {.fd = peer->fd, .events = POLLOUT};
    const uint8_t *data;
    if (poll(&poller, 1, 0) != 1)
      return;
    ssize_t length = nghttp2_session_mem_send(peer->session, &data);
    assert_true(length >= 0);
    if (length == 0)
      return;
    while (length > 0) { /* a frame is sent whole */
      ssize_t n = send(peer->fd, data, (size_t)length, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN)
        return; /* what comes of it is seen when reading */
      if (n < 0)
        assert_int_equal(poll(&poller, 1, WAIT_MS), 1);
      data += n > 0 ? n : 0;
      length -= n > 0 ? n : 0;
    }
  }
}

static void peer_read(struct h2_peer *peer) {
  uint8_t data[65536];
  ssize_t n = recv(peer->fd, data, sizeof data, 0);
  if (n < 0 && errno == EAGAIN)
    return;
  /* What is no HTTP/2 ends the connection, too. */
  if (n <= 0 || nghttp2_session_mem_recv(peer->session, data, (size_t)n) < 0) {
    peer->ended = true;
    h2_peer_close(peer, false);
    return;
  }
  h2_flush(peer);
}

static void take_programs(struct h2_net *net) {
  int fd;
  while ((fd = accept(net->listener, NULL, NULL)) >= 0)
    (void)peer_new(net, fd, true, net->manual);
}

bool h2_turn_within(struct h2_net *net, int ms) {
  struct pollfd pollers[H2_PEERS + 1] = {{.fd = net->listener, .events = POLLIN}};
  size_t count = net->count;
  for (size_t i = 0; i < count; i++) {
    struct h2_peer *peer = net->peers[i];
    bool writes = nghttp2_session_want_write(peer->session);
    pollers[i + 1] = (struct pollfd){.fd = peer->deaf && !writes ? -1 : peer->fd,
                                     .events = (short)((peer->deaf ? 0 : POLLIN) | (writes ? POLLOUT : 0))};
  }
  if (poll(pollers, (nfds_t)count + 1, ms) <= 0)
    return false;
  if (pollers[0].revents)
    take_programs(net);
  for (size_t i = 0; i < count; i++) {
    if (pollers[i + 1].revents & POLLOUT)
      h2_flush(net->peers[i]);
    if (pollers[i + 1].revents & (POLLIN | POLLHUP | POLLERR) && net->peers[i]->fd >= 0)
      peer_read(net->peers[i]);
  }
  return true;
}

void h2_turn(struct h2_net *net) {
  if (!h2_turn_within(net, WAIT_MS))
    fail_msg("nothing happened within %d ms", WAIT_MS);
}

static size_t put_fields(nghttp2_nv *items, size_t count, const char *const *fields) {
  for (size_t i = 0; fields && fields[i]; i += 2) {
    assert_in_range(count, 0, FIELDS - 1);
    items[count++] = field(fields[i], fields[i + 1]);
  }
  return count;
}

static struct h2_stream *submit(struct h2_peer *client, const char *method, const char *path, const char *const *fields,
                                bool body) {
  nghttp2_nv items[FIELDS] = {field(":method", method), field(":scheme", "http"), field(":path", path)};
  size_t count = 3;
  bool own_authority = false;
  for (size_t i = 0; fields && fields[i]; i += 2)
    own_authority |= fields[i][0] == ':';
  if (!own_authority)
    items[count++] = field(":authority", "test");
  count = put_fields(items, count, fields);
  nghttp2_data_provider provider = {.read_callback = on_read};
  int32_t id = nghttp2_submit_request(client->session, NULL, items, count, body ? &provider : NULL, NULL);
  assert_true(id > 0);
  return stream_new(client, id);
}

struct h2_stream *h2_ask(struct h2_peer *client, const char *method, const char *path, const char *const *fields,
                         const void *body, size_t length) {
  struct h2_stream *stream = submit(client, method, path, fields, body != NULL);
  if (body)
    strbuf_append(&stream->out, body, length);
  h2_flush(client);
  return stream;
}

struct h2_stream *h2_ask_held(struct h2_peer *client, const char *path) {
  struct h2_stream *stream = submit(client, "POST", path, NULL, true);
  stream->held = true;
  h2_flush(client);
  return stream;
}

static void answer(struct h2_peer *program, struct h2_stream *stream, const char *status, const char *const *fields,
                   bool body) {
  nghttp2_nv items[FIELDS] = {field(":status", status)};
  size_t count = put_fields(items, 1, fields);
  nghttp2_data_provider provider = {.read_callback = on_read};
  int r = status[0] == '1'
              ? nghttp2_submit_headers(program->session, NGHTTP2_FLAG_NONE, stream->id, NULL, items, count, NULL)
              : nghttp2_submit_response(program->session, stream->id, items, count, body ? &provider : NULL);
  assert_int_equal(r, 0);
  stream->body_submitted = body;
}

void h2_answer(struct h2_peer *program, struct h2_stream *stream, const char *status, const char *const *fields,
               const char *body) {
  answer(program, stream, status, fields, body != NULL);
  if (body)
    strbuf_puts(&stream->out, body);
  h2_flush(program);
}

void h2_answer_held(struct h2_peer *program, struct h2_stream *stream) {
  stream->held = true;
  answer(program, stream, "200", NULL, true);
}

void h2_send_more(struct h2_peer *peer, struct h2_stream *stream, const void *data, size_t length) {
  strbuf_append(&stream->out, data, length);
  (void)nghttp2_session_resume_data(peer->session, stream->id);
  h2_flush(peer);
}

void h2_send_end(struct h2_peer *peer, struct h2_stream *stream) {
  stream->held = false;
  (void)nghttp2_session_resume_data(peer->session, stream->id);
  h2_flush(peer);
}

void h2_reset(struct h2_peer *peer, struct h2_stream *stream, uint32_t code) {
  assert_int_equal(nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, stream->id, code), 0);
  h2_flush(peer);
}

void h2_consume(struct h2_peer *peer, struct h2_stream *stream, size_t length) {
  assert_int_equal(nghttp2_session_consume_stream(peer->session, stream->id, length), 0);
  h2_flush(peer);
}

static struct h2_stream *find_untaken(struct h2_net *net, struct h2_peer **ret_program) {
  for (size_t i = 0; i < net->count; i++)
    for (size_t k = 0; net->peers[i]->server && k < net->peers[i]->count; k++)
      if (!net->peers[i]->streams[k].taken) {
        *ret_program = net->peers[i];
        net->peers[i]->streams[k].taken = true;
        return &net->peers[i]->streams[k];
      }
  return NULL;
}

struct h2_stream *h2_take(struct h2_net *net, struct h2_peer **ret_program) {
  struct h2_stream *stream;
  H2_WAIT(net, (stream = find_untaken(net, ret_program)));
  return stream;
}

unsigned h2_status(struct h2_net *net, struct h2_peer *client, const char *method, const char *path,
                   const char *const *fields) {
  struct h2_stream *stream = h2_ask(client, method, path, fields, NULL, 0);
  H2_WAIT(net, stream->closed || client->ended);
  return stream->ended ? stream->status : 0;
}

bool h2_has(const struct h2_stream *stream, const char *line) {
  return strstr(strbuf_text(&stream->head), line) != NULL;
}
