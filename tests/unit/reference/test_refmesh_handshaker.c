/* Handshakes on their own thread: what they come to is told in the event loop, and whoever gives one up, at whatever
 * moment, hears no more of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/reference/mesh/authority.h"
#include "plugins/reference/mesh/handshaker.h"
#include "plugins/reference/mesh/stream.h"
#include "sdk/base/memory.h"

static struct authority *authority;
static SSL_CTX *context;
static char identity[SPIFFE_ID];

static int setup(void **state) {
  (void)state;
  const struct account account = {"main", "server"};
  (void)signal(SIGPIPE, SIG_IGN);
  assert_int_equal(authority_create("trammel.test", &authority, NULL), 0);
  assert_int_equal(authority_enroll(authority, &account, "server", &context, NULL), 0);
  assert_true(authority_identity(authority, &account, identity));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  SSL_CTX_free(context);
  authority_destroy(authority);
  return 0;
}

/* ---- steps */

struct side {
  struct handshake handshake; /* first */
  unsigned steps;
};

static void on_stepped(struct handshake *handshake) {
  assert_int_equal(handshake->state, HANDSHAKE_IDLE);
  ((struct side *)handshake)->steps++;
}

struct pair {
  struct tls_peer peer;
  struct side client, server;
  int fds[2];
  unsigned given_up; /* after so many steps */
};

static void pair_open(struct pair *pair) {
  *pair = (struct pair){.peer.identity = identity};
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
  pair->client.handshake = (struct handshake){.tls = tls_client(context, &pair->peer), .stepped = on_stepped};
  pair->server.handshake = (struct handshake){.tls = tls_server(context), .stepped = on_stepped};
  assert_int_equal(SSL_set_fd(pair->client.handshake.tls, pair->fds[0]), 1);
  assert_int_equal(SSL_set_fd(pair->server.handshake.tls, pair->fds[1]), 1);
}

static void pair_close(struct pair *pair) {
  SSL_free(pair->client.handshake.tls);
  SSL_free(pair->server.handshake.tls);
  SSL_SESSION_free(pair->peer.session);
  close(pair->fds[0]);
  close(pair->fds[1]);
}

struct shaker {
  struct event_base *base;
  struct handshaker *handshaker;
};

static struct shaker shaker_start(void) {
  struct shaker shaker = {.base = event_base_new()};
  assert_non_null(shaker.base);
  assert_int_equal(handshaker_create(shaker.base, &shaker.handshaker), 0);
  return shaker;
}

static void shaker_stop(struct shaker *shaker) {
  handshaker_destroy(shaker->handshaker);
  event_base_free(shaker->base);
}

static void step(struct shaker *shaker, struct side *side) {
  unsigned before = side->steps;
  handshaker_step(shaker->handshaker, &side->handshake);
  while (side->steps == before)
    assert_true(event_base_loop(shaker->base, EVLOOP_ONCE) >= 0);
}

static void test_hands_are_shaken_step_by_step(void **state) {
  (void)state;
  struct shaker shaker = shaker_start();
  struct pair pair;
  pair_open(&pair);
  step(&shaker, &pair.client);
  assert_int_equal(pair.client.handshake.result, SSL_ERROR_WANT_READ);
  step(&shaker, &pair.server);
  assert_int_equal(pair.server.handshake.result, SSL_ERROR_WANT_READ);
  step(&shaker, &pair.client);
  assert_int_equal(pair.client.handshake.result, SSL_ERROR_NONE);
  step(&shaker, &pair.server);
  assert_int_equal(pair.server.handshake.result, SSL_ERROR_NONE);
  pair_close(&pair);
  shaker_stop(&shaker);
}

static void test_what_is_no_handshake_fails(void **state) {
  (void)state;
  struct shaker shaker = shaker_start();
  struct pair pair;
  pair_open(&pair);
  assert_int_equal(write(pair.fds[0], "GET / HTTP/1.1\r\n\r\n", 18), 18);
  step(&shaker, &pair.server);
  assert_int_equal(pair.server.handshake.result, SSL_ERROR_SSL);
  pair_close(&pair);
  shaker_stop(&shaker);
}

/* Queued, running and stepped ones are given up: the thread is somewhere among them. */
static void test_what_is_given_up_is_not_told(void **state) {
  (void)state;
  enum { PAIRS = 24, ROUNDS = 8 };
  struct shaker shaker = shaker_start();
  struct pair pairs[PAIRS];
  unsigned told = 0;
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < PAIRS; i++) {
      pair_open(&pairs[i]);
      handshaker_step(shaker.handshaker, &pairs[i].client.handshake);
    }
    for (unsigned i = 0; i < round; i++) /* and the thread goes on */
      assert_true(event_base_loop(shaker.base, EVLOOP_NONBLOCK) >= 0);
    for (unsigned i = 0; i < PAIRS; i += 2) {
      handshaker_cancel(shaker.handshaker, &pairs[i].client.handshake);
      assert_int_equal(pairs[i].client.handshake.state, HANDSHAKE_IDLE);
      pairs[i].given_up = pairs[i].client.steps;
    }
    for (unsigned i = 1; i < PAIRS; i += 2)
      while (pairs[i].client.steps == 0)
        assert_true(event_base_loop(shaker.base, EVLOOP_ONCE) >= 0);
    for (unsigned i = 0; i < PAIRS; i++) {
      assert_int_equal(pairs[i].client.steps, i % 2 ? 1 : pairs[i].given_up);
      told += i % 2 ? 1 : 0;
      pair_close(&pairs[i]);
    }
  }
  assert_int_equal(told, ROUNDS * PAIRS / 2);
  shaker_stop(&shaker);
}

/* ---- streams */

static void on_ready(void *stream) {
  *(unsigned *)stream += 1;
}

static size_t on_data(void *stream, const char *data, size_t length) {
  (void)stream;
  (void)data;
  return length;
}

static void on_ended(void *stream, enum stream_end end) {
  (void)stream;
  (void)end;
}

static const struct stream_handler handler = {
    .ready = on_ready, .data = on_data, .drained = on_ready, .ended = on_ended};

static int listen_on_loopback(struct sockaddr_in *ret_address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof *ret_address;
  *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(bind(fd, (struct sockaddr *)ret_address, size), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &size), 0);
  return fd;
}

/* Both ends go away after so many turns of the loop, together with what the client knew of the server. True when the
 * handshake was over by then. */
static bool part_after(struct stream_loop *loop, unsigned turns) {
  struct sockaddr_in address;
  int listener = listen_on_loopback(&address);
  struct tls_peer *peer = calloc(1, sizeof *peer);
  assert_true(peer && (peer->identity = strdup(identity)));
  unsigned ready = 0;
  struct stream *from = stream_connect(loop, &address, tls_client(context, peer), &handler, &ready);
  struct stream *to =
      stream_accept(loop, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), context, &handler, &ready);
  assert_true(from && to);
  for (unsigned i = 0; i < turns && ready < 2; i++)
    assert_true(event_base_loop(loop->base, EVLOOP_ONCE) >= 0);
  bool over = ready == 2;
  assert_true(over || !(stream_tls(from) && stream_tls(to)));
  stream_destroy(from);
  stream_destroy(to);
  SSL_SESSION_free(peer->session);
  free(peer->identity);
  free(peer);
  close(listener);
  return over;
}

static void test_a_stream_may_go_away_at_any_moment(void **state) {
  (void)state;
  enum { TURNS_MAX = 200 };
  struct event_base *base = event_base_new();
  struct stream_loop loop;
  assert_int_equal(stream_loop_init(&loop, base), 0);
  unsigned turns = 0;
  while (!part_after(&loop, turns))
    assert_true(++turns < TURNS_MAX);
  assert_true(turns > 3); /* so many moments there were */
  stream_loop_finish(&loop);
  event_base_free(base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hands_are_shaken_step_by_step),
      cmocka_unit_test(test_what_is_no_handshake_fails),
      cmocka_unit_test(test_what_is_given_up_is_not_told),
      cmocka_unit_test(test_a_stream_may_go_away_at_any_moment),
  };
  return cmocka_run_group_tests_name("refmesh_handshaker", tests, setup, teardown);
}
