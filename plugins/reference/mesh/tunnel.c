#include "plugins/reference/mesh/tunnel.h"

#include <stdlib.h>

#include "plugins/reference/mesh/limits.h"
#include "sdk/base/memory.h"

/* One end, as seen by the other. */
struct side {
  struct tunnel *tunnel;
  struct stream *stream;
  struct side *other;
  bool open; /* connected: from then on the tunnel's idle time counts */
  bool ended;
};

struct tunnel {
  struct side client, server;
  struct pool_link *link;
  void (*closed)(void *context);
  void *context;
};

static void side_ready(void *context) {
  struct side *side = context;
  side->open = true;
  stream_set_deadline(side->stream, TIMEOUT_TUNNEL_IDLE);
}

/* A byte either way shows that the tunnel is used, also where the other way is silent. */
static void tunnel_used(struct tunnel *tunnel) {
  struct side *sides[] = {&tunnel->client, &tunnel->server};
  for (size_t i = 0; i < 2; i++)
    if (sides[i]->open)
      stream_set_deadline(sides[i]->stream, TIMEOUT_TUNNEL_IDLE);
}

static size_t side_data(void *context, const char *data, size_t length) {
  struct side *side = context;
  struct stream *other = side->other->stream;
  stream_write(other, data, length);
  stream_flush(other);
  if (stream_full(other))
    stream_pause(side->stream);
  tunnel_used(side->tunnel);
  return length;
}

static void side_drained(void *context) {
  struct side *side = context;
  stream_resume(side->other->stream);
}

static void side_ended(void *context, enum stream_end end) {
  struct side *side = context;
  side->ended = true;
  if (end == STREAM_EOF && !side->other->ended) {
    stream_shutdown(side->other->stream);
    return;
  }
  struct tunnel *tunnel = side->tunnel;
  if (end == STREAM_EOF) { /* both said all they had to say: let it arrive */
    stream_finish(take(tunnel->client.stream));
    pool_release(take(tunnel->link));
  }
  tunnel->closed(tunnel->context);
}

static const struct stream_handler side_handler = {
    .ready = side_ready, .data = side_data, .drained = side_drained, .ended = side_ended};

struct tunnel *tunnel_create(struct stream *client, struct pool *pool, const struct target *target,
                             void (*closed)(void *context), void *context) {
  struct tunnel *tunnel = calloc(1, sizeof *tunnel);
  if (!tunnel) {
    stream_destroy(client);
    return NULL;
  }
  tunnel->closed = closed;
  tunnel->context = context;
  tunnel->client = (struct side){.tunnel = tunnel, .stream = client, .other = &tunnel->server, .open = true};
  tunnel->server = (struct side){.tunnel = tunnel, .other = &tunnel->client};
  tunnel->link = pool_take(pool, target, false, &side_handler, &tunnel->server);
  if (!tunnel->link) {
    tunnel_destroy(tunnel);
    return NULL;
  }
  tunnel->server.stream = tunnel->link->stream;
  stream_set_handler(client, &side_handler, &tunnel->client);
  stream_set_deadline(client, TIMEOUT_TUNNEL_IDLE);
  return tunnel;
}

void tunnel_destroy(struct tunnel *tunnel) {
  if (!tunnel)
    return;
  if (tunnel->link)
    pool_abort(tunnel->link);
  stream_abort(tunnel->client.stream);
  free(tunnel);
}
