#include "plugins/reference/mesh/pool.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/authority.h"
#include "plugins/reference/mesh/limits.h"
#include "sdk/base/memory.h"

LIST_HEAD(link_list, pool_link);

/* A destination, with its connections. */
struct peer {
  LIST_ENTRY(peer) entry;
  struct pool *pool;
  struct sockaddr_in address;
  struct tls_peer tls;
  bool h2;
  struct link_list idle, used;
  size_t idle_count;
};

struct pool {
  struct stream_loop *loop;
  SSL_CTX *tls;
  LIST_HEAD(, peer) peers; /* the last used first */
  size_t count;
};

struct pool *pool_create(struct stream_loop *loop, SSL_CTX *tls) {
  struct pool *pool = calloc(1, sizeof *pool);
  if (!pool)
    return NULL;
  pool->loop = loop;
  pool->tls = tls;
  LIST_INIT(&pool->peers);
  return pool;
}

/* Without its stream, which is ended in one way or another. */
static void link_free(struct pool_link *link) {
  LIST_REMOVE(link, entry);
  if (link->state)
    link->state->destroy(link->state);
  free(link);
}

static void link_destroy(struct pool_link *link) {
  stream_destroy(link->stream);
  link_free(link);
}

static void peer_destroy(struct peer *peer) {
  struct pool_link *link;
  while ((link = LIST_FIRST(&peer->idle)) || (link = LIST_FIRST(&peer->used)))
    link_destroy(link);
  LIST_REMOVE(peer, entry);
  peer->pool->count--;
  SSL_SESSION_free(peer->tls.session);
  free(peer->tls.identity);
  free(peer);
}

void pool_destroy(struct pool *pool) {
  if (!pool)
    return;
  struct peer *peer;
  while ((peer = LIST_FIRST(&pool->peers)))
    peer_destroy(peer);
  free(pool);
}

/* An idle connection that ends has no use any more, nor has one that says what is not of its protocol. */
static void idle_ready(void *context) {
  (void)context;
}

static void idle_discard(struct pool_link *link) {
  link->peer->idle_count--;
  link_destroy(link);
}

static size_t idle_data(void *context, const char *data, size_t length) {
  struct pool_link *link = context;
  if (!link->state || !link->state->heard(link->state, data, length))
    idle_discard(link);
  return length;
}

static void idle_ended(void *context, enum stream_end end) {
  (void)end;
  idle_discard(context);
}

static const struct stream_handler idle_handler = {
    .ready = idle_ready, .data = idle_data, .drained = idle_ready, .ended = idle_ended};

static bool same_identity(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Makes room by forgetting the peer that was used longest ago and has no connection. */
static void evict_one(struct pool *pool) {
  struct peer *peer, *oldest = NULL;
  LIST_FOREACH(peer, &pool->peers, entry)
  if (LIST_EMPTY(&peer->used))
    oldest = peer;
  if (oldest)
    peer_destroy(oldest);
}

static struct peer *peer_new(struct pool *pool, const struct target *target) {
  if (pool->count >= LIMIT_PEERS)
    evict_one(pool);
  struct peer *peer = calloc(1, sizeof *peer);
  if (!peer)
    return NULL;
  if (target->identity && !(peer->tls.identity = strdup(target->identity))) {
    free(peer);
    return NULL;
  }
  peer->pool = pool;
  peer->address = target->address;
  peer->h2 = target->h2;
  LIST_INIT(&peer->idle);
  LIST_INIT(&peer->used);
  LIST_INSERT_HEAD(&pool->peers, peer, entry);
  pool->count++;
  return peer;
}

static struct peer *peer_get(struct pool *pool, const struct target *target) {
  struct peer *peer;
  LIST_FOREACH(peer, &pool->peers, entry) {
    if (peer->address.sin_port != target->address.sin_port ||
        peer->address.sin_addr.s_addr != target->address.sin_addr.s_addr || peer->h2 != target->h2 ||
        !same_identity(peer->tls.identity, target->identity))
      continue;
    if (peer != LIST_FIRST(&pool->peers)) {
      LIST_REMOVE(peer, entry);
      LIST_INSERT_HEAD(&pool->peers, peer, entry);
    }
    return peer;
  }
  return peer_new(pool, target);
}

/* How long a connection may still be used: one that outlived its certificates would prove an identity of the past. */
static int64_t seconds_left(const struct pool_link *link) {
  return link->made_s + CERTIFICATE_RENEWAL - link->peer->pool->loop->now_s;
}

static struct pool_link *take_idle(struct peer *peer, const struct stream_handler *handler, void *context) {
  struct pool_link *link;
  while ((link = LIST_FIRST(&peer->idle))) {
    if (stream_stale(link->stream)) {
      idle_discard(link);
      continue;
    }
    peer->idle_count--;
    LIST_REMOVE(link, entry);
    LIST_INSERT_HEAD(&peer->used, link, entry);
    link->reused = true;
    stream_set_deadline(link->stream, 0);
    stream_set_handler(link->stream, handler, context);
    return link;
  }
  return NULL;
}

struct pool_link *pool_take(struct pool *pool, const struct target *target, bool idle,
                            const struct stream_handler *handler, void *context) {
  struct peer *peer = peer_get(pool, target);
  if (!peer)
    return NULL;
  struct pool_link *link = idle ? take_idle(peer, handler, context) : NULL;
  if (link)
    return link;
  link = calloc(1, sizeof *link);
  SSL *tls = link && pool->tls ? tls_client(pool->tls, &peer->tls) : NULL;
  if (!link || (pool->tls && !tls) || (target->datagrams && !(tls && tls_offer_datagrams(tls)))) {
    SSL_free(tls);
    free(link);
    return NULL;
  }
  link->peer = peer;
  link->made_s = pool->loop->now_s;
  link->stream = stream_connect(pool->loop, &peer->address, tls, handler, context);
  if (!link->stream) {
    free(link);
    return NULL;
  }
  LIST_INSERT_HEAD(&peer->used, link, entry);
  return link;
}

void pool_give(struct pool_link *link, bool reusable) {
  struct peer *peer = link->peer;
  int64_t left = seconds_left(link);
  if (!reusable || left <= 0 || peer->idle_count >= LIMIT_IDLE_LINKS) {
    link_destroy(link);
    return;
  }
  LIST_REMOVE(link, entry);
  LIST_INSERT_HEAD(&peer->idle, link, entry);
  peer->idle_count++;
  stream_set_handler(link->stream, &idle_handler, link);
  stream_set_deadline(link->stream, left < TIMEOUT_IDLE ? (int)left : TIMEOUT_IDLE);
  stream_resume(link->stream);
}

void pool_release(struct pool_link *link) {
  if (stream_tls(link->stream))
    tls_detach(stream_tls(link->stream));
  stream_finish(link->stream);
  link_free(link);
}

void pool_abort(struct pool_link *link) {
  stream_abort(link->stream);
  link_free(link);
}
