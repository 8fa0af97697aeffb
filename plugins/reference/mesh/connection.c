#include "plugins/reference/mesh/connection.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "sdk/base/strbuf.h"

struct connection *connection_create(struct workload *workload, size_t size) {
  struct connection *connection = calloc(1, size);
  if (!connection)
    return NULL;
  connection->workload = workload;
  LIST_INSERT_HEAD(&workload->connections, connection, entry);
  workload->mesh->connections++;
  return connection;
}

void connection_destroy(struct connection *connection) {
  connection->workload->mesh->connections--;
  LIST_REMOVE(connection, entry);
  if (connection->finish)
    connection->finish(connection);
  session_destroy(connection->session);
  h2_session_destroy(connection->h2);
  tunnel_destroy(connection->tunnel);
  relay_destroy(connection->relay);
  stream_destroy(connection->stream);
  free(connection);
}

void connection_closed(void *connection) {
  connection_destroy(connection);
}

static const char preface[] = NGHTTP2_CLIENT_MAGIC;

static void speak_http2(struct connection *connection, const char *data, size_t length) {
  const struct greeting *greeting = &connection->greeting;
  connection->h2 = h2_session_create(take(connection->stream), greeting->pool, greeting->handler, connection);
  if (!connection->h2) {
    connection_destroy(connection);
    return;
  }
  /* In one piece: the session may be gone after any. */
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_append(&text, preface, NGHTTP2_CLIENT_MAGIC_LEN);
  strbuf_append(&text, data, length);
  if (strbuf_failed(&text))
    connection_destroy(connection);
  else
    h2_session_feed(connection->h2, text.data, text.length);
}

/* What was taken for the beginning of a preface is the session's to read, before `data`. */
static size_t speak_http1(struct connection *connection, const char *data, size_t length) {
  const struct greeting *greeting = &connection->greeting;
  size_t read_before = greeting->length;
  connection->session =
      session_create(take(connection->stream), greeting->pool, greeting->silent, greeting->handler, connection);
  if (!connection->session) {
    connection_destroy(connection);
    return length;
  }
  if (read_before == 0)
    return session_feed(connection->session, data, length);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_append(&text, preface, read_before);
  strbuf_append(&text, data, length);
  if (strbuf_failed(&text)) {
    connection_destroy(connection);
    return length;
  }
  size_t used = session_feed(connection->session, text.data, text.length);
  return used > read_before ? used - read_before : 0;
}

static void greeting_ready(void *connection) {
  (void)connection;
}

static size_t greeting_data(void *context, const char *data, size_t length) {
  struct connection *connection = context;
  struct greeting *greeting = &connection->greeting;
  size_t left = NGHTTP2_CLIENT_MAGIC_LEN - greeting->length;
  size_t common = length < left ? length : left;
  if (memcmp(data, preface + greeting->length, common) != 0)
    return speak_http1(connection, data, length);
  if (common == left) {
    speak_http2(connection, data + common, length - common);
    return length;
  }
  if (greeting->length == 0)
    stream_set_deadline(connection->stream, TIMEOUT_HEAD);
  greeting->length += common;
  return length;
}

static void greeting_ended(void *connection, enum stream_end end) {
  (void)end;
  connection_destroy(connection);
}

static const struct stream_handler greeting_handler = {
    .ready = greeting_ready, .data = greeting_data, .drained = greeting_ready, .ended = greeting_ended};

void connection_serve(struct connection *connection, struct pool *pool, bool silent,
                      const struct session_handler *handler) {
  connection->greeting = (struct greeting){.pool = pool, .handler = handler, .silent = silent};
  stream_set_handler(connection->stream, &greeting_handler, connection);
  stream_set_deadline(connection->stream, TIMEOUT_IDLE);
}

void connection_tunnel(struct connection *connection, struct pool *pool, const struct target *target) {
  connection->tunnel = tunnel_create(take(connection->stream), pool, target, connection_closed, connection);
  if (!connection->tunnel)
    connection_destroy(connection);
}

void connection_relay(struct connection *connection, const struct sockaddr_in *program) {
  connection->relay =
      relay_create(&connection->workload->mesh->loop, take(connection->stream), program, connection_closed, connection);
  if (!connection->relay)
    connection_destroy(connection);
}
