/* Calls between workloads: each protocol, each way a call ends, kept and fresh connections, and what both sides say
 * about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sdk/base/clock.h"
#include "tests/integration/workload/peer.h"
#include "tests/integration/workload/workload_process.h"

static struct workload_process client;
static struct workload_process server;
static char client_address[32];
static char server_address[32];
static char peer_address[32];

static int start(void **state) {
  (void)state;
  test_deadline(100);
  workload_start(&client, "client", test_address(0, client_address));
  workload_start(&server, "main/server", test_address(1, server_address));
  (void)test_address(2, peer_address);
  return 0;
}

static int stop(void **state) {
  (void)state;
  workload_stop(&client);
  workload_stop(&server);
  return 0;
}

static struct call_batch batch_to(enum call_protocol protocol, const char *address, uint16_t port, unsigned count) {
  return (struct call_batch){
      .id = "c", .protocol = protocol, .address = address, .port = port, .count = count, .timeout_ms = 20000};
}

static struct call_batch batch_to_server(enum call_protocol protocol, unsigned count) {
  return batch_to(protocol, server_address, protocol == CALL_TCP ? 9000 : protocol == CALL_UDP ? 9001 : 8080, count);
}

static struct call_outcome *run(const struct call_batch *batch) {
  struct call_outcome *outcomes = NULL;
  struct error *err = NULL;
  if (workload_call(client.client, batch, 0, NULL, &outcomes, &err) < 0)
    fail_msg("%s", error_message(err));
  return outcomes;
}

static struct call_outcome run_one(const struct call_batch *batch) {
  struct call_outcome *outcomes = run(batch);
  struct call_outcome first = outcomes[0];
  free(outcomes);
  return first;
}

/* The server's record has each id once, with the nonce that the client was answered; a datagram may have been sent
 * again. */
static void assert_recorded(const struct call_outcome *outcomes, unsigned count, bool repeats) {
  struct received *received = NULL;
  size_t received_count = 0;
  struct error *err = NULL;
  if (workload_received(server.client, "c-", &received, &received_count, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_true(received_count == count || (repeats && received_count > count));
  unsigned char *seen = calloc(count, 1);
  assert_non_null(seen);
  for (size_t i = 0; i < received_count; i++) {
    unsigned long index = strtoul(received[i].id + 2, NULL, 10);
    assert_true(index < count && (repeats || !seen[index]));
    bool same = strcmp(received[i].nonce, outcomes[index].nonce) == 0;
    assert_true(same || repeats);
    seen[index] |= same;
  }
  for (unsigned i = 0; i < count; i++)
    assert_true(seen[i]);
  free(seen);
  free(received);
}

static void reset_server(void) {
  static const struct workload_listener listeners[] = {{8080, CALL_HTTP1}, {9000, CALL_TCP}, {9001, CALL_UDP}};
  struct error *err = NULL;
  if (workload_configure(server.client, "main/server", server_address, listeners, 3, &err) < 0)
    fail_msg("%s", error_message(err));
}

static void check_answered(const struct call_batch *batch) {
  reset_server();
  struct call_outcome *outcomes = run(batch);
  for (unsigned i = 0; i < batch->count; i++) {
    if (outcomes[i].end != CALL_ANSWERED)
      fail_msg("%s call %u ended as %s: %s", call_protocol_name(batch->protocol), i, call_end_name(outcomes[i].end),
               outcomes[i].error);
    assert_string_equal(outcomes[i].server, "main/server");
    assert_int_equal(strlen(outcomes[i].nonce), NONCE_LENGTH);
    assert_int_equal(outcomes[i].status, batch->protocol <= CALL_H2C ? 200 : 0);
    assert_true(outcomes[i].latency_ns > 0);
  }
  assert_recorded(outcomes, batch->count, batch->protocol == CALL_UDP);
  free(outcomes);
}

static void every_protocol_is_answered_with_the_recorded_nonce(void **state) {
  (void)state;
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++) {
    struct call_batch batch = batch_to_server(protocol, 1);
    check_answered(&batch);
    batch.count = 2000;
    batch.concurrency = 32;
    check_answered(&batch);
    batch.count = 500;
    batch.fresh = true;
    check_answered(&batch);
    batch.concurrency = 256;
    check_answered(&batch);
  }
}

static void a_hundred_thousand_calls(void **state) {
  (void)state;
  struct call_batch batch = batch_to_server(CALL_HTTP1, WORKLOAD_CALLS_MAX);
  batch.concurrency = 64;
  check_answered(&batch);
}

static void more_calls_than_the_limit_are_refused_with_a_reason(void **state) {
  (void)state;
  struct call_outcome *outcomes = NULL;
  struct error *err = NULL;
  struct call_batch batch = batch_to_server(CALL_HTTP1, WORKLOAD_CALLS_MAX + 1);
  assert_int_equal(workload_call(client.client, &batch, 0, NULL, &outcomes, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), client.control));
  assert_non_null(strstr(error_message(err), "\"count\""));
  error_free(err);
}

/* The caller says what the answer is to be; a status that has no body, or is none, is refused and not recorded. */
static void a_request_chooses_the_status_of_its_answer(void **state) {
  (void)state;
  static const struct {
    const char *answer;
    unsigned status;
  } cases[] = {{"200", 200}, {"404", 404}, {"500", 500}, {"599", 599},  {"100", 400}, {"204", 400},
               {"304", 400}, {"600", 400}, {"50", 400},  {"5000", 400}, {"x00", 400}};
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_H2C; protocol++)
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
      struct call_header header = {"x-trammel-answer", cases[i].answer};
      struct call_batch batch = batch_to_server(protocol, 1);
      batch.headers = &header;
      batch.header_count = 1;
      reset_server();
      struct call_outcome outcome = run_one(&batch);
      assert_int_equal(outcome.end, CALL_ANSWERED);
      if (outcome.status != cases[i].status)
        fail_msg("%s: %u", cases[i].answer, outcome.status);
      bool served = strtoul(cases[i].answer, NULL, 10) == cases[i].status;
      assert_int_equal(strlen(outcome.nonce), served ? NONCE_LENGTH : 0);
      assert_recorded(&outcome, served ? 1 : 0, false);
    }
}

static void methods_headers_and_bodies_arrive(void **state) {
  (void)state;
  static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"};
  static const struct call_header headers[] = {{"x-one", "1"}, {"Content-Type", "text/plain"}};
  char *body = malloc(700001);
  assert_non_null(body);
  memset(body, 'b', 700000);
  body[700000] = '\0';
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_H2C; protocol++) {
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
      struct call_batch batch = batch_to_server(protocol, 3);
      batch.method = methods[i];
      batch.headers = headers;
      batch.header_count = 2;
      batch.body = i >= 2 && i <= 5 ? "a body" : NULL;
      batch.path = "/some/path?and=query";
      check_answered(&batch);
    }
    struct call_batch large = batch_to_server(protocol, 2);
    large.method = "POST";
    large.path = "/echo";
    large.body = body;
    check_answered(&large);
  }
  free(body);
}

static void a_closed_port_refuses(void **state) {
  (void)state;
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++) {
    struct call_batch batch = batch_to(protocol, peer_address, 1, 1000);
    batch.concurrency = 256;
    struct call_outcome *outcomes = run(&batch);
    for (unsigned i = 0; i < batch.count; i++)
      assert_int_equal(outcomes[i].end, CALL_REFUSED);
    free(outcomes);
  }
}

static void check_peer(enum peer_manner manner, enum call_protocol protocol, enum call_end end, unsigned status,
                       const char *error) {
  struct peer peer;
  peer_start(&peer, manner, peer_address);
  struct call_batch batch = batch_to(protocol, peer_address, peer.port, 1);
  batch.timeout_ms = end == CALL_TIMEOUT ? 50 : 20000;
  struct call_outcome outcome = run_one(&batch);
  peer_stop(&peer);
  assert_string_equal(outcome.server, "");
  if (outcome.end != end || outcome.status != status || !strstr(outcome.error, error))
    fail_msg("manner %d by %s: %s, status %u, error \"%s\"", (int)manner, call_protocol_name(protocol),
             call_end_name(outcome.end), outcome.status, outcome.error);
  assert_string_equal(outcome.nonce, "");
}

static void ends_are_told_apart(void **state) {
  (void)state;
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_TCP; protocol++) {
    check_peer(PEER_SILENT, protocol, CALL_TIMEOUT, 0, "");
    check_peer(PEER_RESET, protocol, CALL_RESET, 0, "");
    check_peer(PEER_CLOSE, protocol, CALL_CLOSED, 0, "");
  }
  check_peer(PEER_GARBAGE, CALL_HTTP1, CALL_ERROR, 0, "not a response of HTTP/1.1");
  check_peer(PEER_GARBAGE, CALL_H2C, CALL_ERROR, 0, "");
  check_peer(PEER_GARBAGE, CALL_TCP, CALL_ERROR, 0, "SERVER NONCE");
  check_peer(PEER_HALF, CALL_HTTP1, CALL_CLOSED, 200, "in the middle");
  check_peer(PEER_UNTIL_CLOSED, CALL_HTTP1, CALL_ANSWERED, 201, "");
  check_peer(PEER_INTERIM, CALL_HTTP1, CALL_ANSWERED, 202, "");
  check_peer(PEER_EARLY_NONCE, CALL_HTTP1, CALL_ANSWERED, 200, "");
  check_peer(PEER_TWO_NONCES, CALL_HTTP1, CALL_ERROR, 200, "more than once");
  check_peer(PEER_H2_EARLY, CALL_H2C, CALL_ANSWERED, 200, "");
  check_peer(PEER_H2_TWO, CALL_H2C, CALL_ERROR, 200, "more than once");
  check_peer(PEER_LONG, CALL_HTTP1, CALL_ERROR, 200, "over 1 MiB");
}

/* What a content-length says of the body that a HEAD or GET would have had is not waited for. */
static void answers_without_a_body_keep_the_connection(void **state) {
  (void)state;
  static const enum peer_manner manners[] = {PEER_NO_CONTENT, PEER_NOT_MODIFIED};
  for (size_t i = 0; i < 2; i++) {
    struct peer peer;
    peer_start(&peer, manners[i], peer_address);
    struct call_batch batch = batch_to(CALL_HTTP1, peer_address, peer.port, 5);
    struct call_outcome *outcomes = run(&batch);
    for (unsigned call = 0; call < batch.count; call++) {
      assert_int_equal(outcomes[call].end, CALL_ANSWERED);
      assert_int_equal(outcomes[call].status, i == 0 ? 204 : 304);
    }
    free(outcomes);
    assert_int_equal(atomic_load(&peer.accepted), 1);
    peer_stop(&peer);
  }
}

/* Datagrams to it are lost. */
static int silent_socket(uint16_t *ret_port) {
  struct sockaddr_in where = {.sin_family = AF_INET};
  socklen_t length = sizeof(where);
  int silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(inet_pton(AF_INET, peer_address, &where.sin_addr), 1);
  assert_int_equal(bind(silent, (struct sockaddr *)&where, sizeof(where)), 0);
  assert_int_equal(getsockname(silent, (struct sockaddr *)&where, &length), 0);
  *ret_port = ntohs(where.sin_port);
  return silent;
}

static void a_lost_datagram_times_out_and_later_calls_go_on(void **state) {
  (void)state;
  uint16_t port;
  int silent = silent_socket(&port);
  struct call_batch batch = batch_to(CALL_UDP, peer_address, port, 64);
  batch.timeout_ms = 30;
  batch.concurrency = 16;
  struct call_outcome *outcomes = run(&batch);
  for (unsigned i = 0; i < batch.count; i++) {
    assert_int_equal(outcomes[i].end, CALL_TIMEOUT);
    assert_true(outcomes[i].latency_ns >= 30 * INT64_C(1000000));
  }
  free(outcomes);
  (void)close(silent);
}

/* One, then two, then four: each time as many more as have come to an end. */
static void calls_without_a_pace_begin_with_one(void **state) {
  (void)state;
  uint16_t port;
  int silent = silent_socket(&port);
  struct call_batch batch = batch_to(CALL_UDP, peer_address, port, 7);
  batch.timeout_ms = 100;
  batch.concurrency = 8;
  int64_t began_ns = clock_monotonic_ns();
  free(run(&batch));
  assert_true(clock_monotonic_ns() - began_ns >= 3 * 100 * NS_PER_MS);
  (void)close(silent);
}

/* A UDP server in a thread. */
struct udp_peer {
  pthread_t thread;
  int fd;
  uint16_t port;
  unsigned datagrams, clients;
  unsigned known; /* datagrams from a port that there was one from before */
  bool seen[UINT16_MAX + 1];
};

static void udp_peer_answer(const struct udp_peer *peer, const struct sockaddr_in *to, unsigned number) {
  char answer[64];
  int length = snprintf(answer, sizeof(answer), "late %032x", number);
  assert_int_equal(sendto(peer->fd, answer, (size_t)length, 0, (const struct sockaddr *)to, sizeof(*to)), length);
}

/* What it does not answer at once it answers late: the first datagram of each call is left until the same comes again;
 * both are answered then, the second first. */
static void *forgetful_run(void *user) {
  struct udp_peer *peer = user;
  char id[CALL_ID_MAX + 1], last[CALL_ID_MAX + 1] = "";
  struct sockaddr_in from, last_from = {0};
  socklen_t size = sizeof(from);
  for (ssize_t n; (n = recvfrom(peer->fd, id, CALL_ID_MAX, 0, (struct sockaddr *)&from, &size)) > 0;) {
    id[n] = '\0';
    peer->datagrams++;
    peer->clients += from.sin_port != last_from.sin_port;
    last_from = from;
    if (strcmp(id, last) == 0) {
      udp_peer_answer(peer, &from, peer->datagrams);
      udp_peer_answer(peer, &from, peer->datagrams - 1);
    }
    (void)snprintf(last, sizeof(last), "%s", id);
  }
  return NULL;
}

static void udp_peer_start(struct udp_peer *peer, void *(*serve)(void *)) {
  struct sockaddr_in where = {.sin_family = AF_INET};
  socklen_t length = sizeof(where);
  *peer = (struct udp_peer){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  assert_int_equal(inet_pton(AF_INET, peer_address, &where.sin_addr), 1);
  assert_int_equal(bind(peer->fd, (struct sockaddr *)&where, sizeof(where)), 0);
  assert_int_equal(getsockname(peer->fd, (struct sockaddr *)&where, &length), 0);
  peer->port = ntohs(where.sin_port);
  assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

/* An empty datagram ends it. */
static void udp_peer_stop(struct udp_peer *peer) {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
  assert_int_equal(inet_pton(AF_INET, peer_address, &where.sin_addr), 1);
  assert_int_equal(sendto(peer->fd, "", 0, 0, (struct sockaddr *)&where, sizeof(where)), 0);
  (void)pthread_join(peer->thread, NULL);
  (void)close(peer->fd);
}

/* A call's second answer is not taken for the next call's: what was sent twice is not called on again. */
static void a_lost_datagram_is_sent_again(void **state) {
  (void)state;
  struct udp_peer peer;
  udp_peer_start(&peer, forgetful_run);
  struct call_batch batch = batch_to(CALL_UDP, peer_address, peer.port, 3);
  struct call_outcome *outcomes = run(&batch);
  udp_peer_stop(&peer);
  assert_int_equal(peer.datagrams, 6);
  assert_int_equal(peer.clients, 3);
  for (unsigned i = 0; i < batch.count; i++) {
    char nonce[NONCE_LENGTH + 1];
    (void)snprintf(nonce, sizeof(nonce), "%032x", 2 * i + 2);
    assert_int_equal(outcomes[i].end, CALL_ANSWERED);
    assert_string_equal(outcomes[i].nonce, nonce);
  }
  free(outcomes);
}

static void *counting_run(void *user) {
  struct udp_peer *peer = user;
  char id[CALL_ID_MAX];
  struct sockaddr_in from;
  socklen_t size = sizeof(from);
  while (recvfrom(peer->fd, id, sizeof(id), 0, (struct sockaddr *)&from, &size) > 0) {
    peer->datagrams++;
    peer->known += peer->seen[from.sin_port];
    peer->seen[from.sin_port] = true;
    udp_peer_answer(peer, &from, peer->datagrams);
  }
  return NULL;
}

/* A port that comes again would go on with the flow it had: of 3,000 that a system draws, a hundred and more do. */
static void a_fresh_datagram_socket_has_a_fresh_port(void **state) {
  (void)state;
  static struct udp_peer peer;
  udp_peer_start(&peer, counting_run);
  struct call_batch batch = batch_to(CALL_UDP, peer_address, peer.port, 1500);
  batch.fresh = true;
  batch.concurrency = 8;
  free(run(&batch));
  free(run(&batch));
  udp_peer_stop(&peer);
  assert_true(peer.datagrams >= 2 * batch.count);
  /* One that was late was sent again, from the same port. */
  assert_int_equal(peer.datagrams - peer.known, 2 * batch.count);
}

static void each_place_has_one_connection(void **state) {
  (void)state;
  struct peer peer;
  peer_start(&peer, PEER_INTERIM, peer_address);
  struct call_batch batch = batch_to(CALL_HTTP1, peer_address, peer.port, 40);
  batch.concurrency = 4;
  free(run(&batch));
  assert_int_equal(atomic_load(&peer.accepted), 4);
  batch.fresh = true;
  free(run(&batch));
  assert_int_equal(atomic_load(&peer.accepted), 44);
  peer_stop(&peer);
}

static void a_kept_connection_stays_across_batches(void **state) {
  (void)state;
  struct peer peer;
  peer_start(&peer, PEER_INTERIM, peer_address);
  struct call_batch batch = batch_to(CALL_HTTP1, peer_address, peer.port, 3);
  batch.keep = "one";
  for (unsigned i = 0; i < 5; i++)
    free(run(&batch));
  assert_int_equal(atomic_load(&peer.accepted), 1);
  batch.keep = "two";
  free(run(&batch));
  assert_int_equal(atomic_load(&peer.accepted), 2);
  batch.keep = NULL;
  free(run(&batch));
  assert_int_equal(atomic_load(&peer.accepted), 3);
  peer_stop(&peer);
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_UDP; protocol++) {
    struct call_batch to_server = batch_to_server(protocol, 3);
    to_server.keep = "server";
    assert_int_equal(run_one(&to_server).end, CALL_ANSWERED);
    assert_int_equal(run_one(&to_server).end, CALL_ANSWERED);
  }
}

static void http_reopens_a_used_connection_once(void **state) {
  (void)state;
  struct peer peer;
  peer_start(&peer, PEER_ONE_ANSWER, peer_address);
  struct call_batch batch = batch_to(CALL_HTTP1, peer_address, peer.port, 3);
  struct call_outcome *outcomes = run(&batch);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(outcomes[i].end, CALL_ANSWERED);
  free(outcomes);
  assert_int_equal(atomic_load(&peer.accepted), 3); /* the second and the third call found theirs closed */
  peer_stop(&peer);
}

static void a_lost_kept_connection(void **state) {
  (void)state;
  for (enum call_protocol protocol = CALL_HTTP1; protocol <= CALL_TCP; protocol++) {
    struct call_batch batch = batch_to_server(protocol, 1);
    batch.keep = "lost";
    assert_int_equal(run_one(&batch).end, CALL_ANSWERED);
    reset_server(); /* closes its connections */
    struct call_outcome first = run_one(&batch);
    if (protocol == CALL_TCP)
      assert_true(first.end == CALL_CLOSED || first.end == CALL_RESET);
    else
      assert_int_equal(first.end, CALL_ANSWERED);
    assert_int_equal(run_one(&batch).end, CALL_ANSWERED);
  }
}

static void spaced_calls_start_when_due_and_count_latency_from_there(void **state) {
  (void)state;
  struct call_batch batch = batch_to_server(CALL_HTTP1, 50);
  batch.spacing_us = 2000;
  int64_t started_ns = clock_monotonic_ns();
  free(run(&batch));
  assert_true(clock_monotonic_ns() - started_ns >= 49 * INT64_C(2000000));

  /* One place, and each call takes 40 ms: call i is due at i × 10 ms and ends at (i + 1) × 40 ms. */
  struct peer peer;
  peer_start(&peer, PEER_SILENT, peer_address);
  struct call_batch late = batch_to(CALL_HTTP1, peer_address, peer.port, 4);
  late.spacing_us = 10000;
  late.timeout_ms = 40;
  struct call_outcome *outcomes = run(&late);
  for (int i = 0; i < 4; i++)
    assert_true(outcomes[i].latency_ns >= ((i + 1) * 40 - i * 10 - 1) * INT64_C(1000000));
  free(outcomes);
  peer_stop(&peer);
}

static void a_dead_workload_is_named(void **state) {
  (void)state;
  struct workload_client *dead = NULL;
  struct error *err = NULL;
  char url[64];
  (void)snprintf(url, sizeof(url), "http://%s:1", peer_address);
  assert_int_equal(workload_client_create(url, &dead, &err), 0);
  assert_int_equal(workload_ready(dead, &err), -ECONNREFUSED);
  assert_non_null(strstr(error_message(err), url));
  error_free(err);
  workload_client_destroy(dead);
}

static void a_taken_address_is_reported(void **state) {
  (void)state;
  static const struct workload_listener listener = {8080, CALL_HTTP1};
  struct error *err = NULL;
  assert_int_equal(workload_configure(client.client, "client", server_address, &listener, 1, &err), -EADDRINUSE);
  assert_non_null(strstr(error_message(err), server_address));
  error_free(err);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_protocol_is_answered_with_the_recorded_nonce),
      cmocka_unit_test(a_hundred_thousand_calls),
      cmocka_unit_test(more_calls_than_the_limit_are_refused_with_a_reason),
      cmocka_unit_test(a_request_chooses_the_status_of_its_answer),
      cmocka_unit_test(methods_headers_and_bodies_arrive),
      cmocka_unit_test(a_closed_port_refuses),
      cmocka_unit_test(ends_are_told_apart),
      cmocka_unit_test(answers_without_a_body_keep_the_connection),
      cmocka_unit_test(a_lost_datagram_times_out_and_later_calls_go_on),
      cmocka_unit_test(calls_without_a_pace_begin_with_one),
      cmocka_unit_test(a_lost_datagram_is_sent_again),
      cmocka_unit_test(a_fresh_datagram_socket_has_a_fresh_port),
      cmocka_unit_test(each_place_has_one_connection),
      cmocka_unit_test(a_kept_connection_stays_across_batches),
      cmocka_unit_test(http_reopens_a_used_connection_once),
      cmocka_unit_test(a_lost_kept_connection),
      cmocka_unit_test(spaced_calls_start_when_due_and_count_latency_from_there),
      cmocka_unit_test(a_dead_workload_is_named),
      cmocka_unit_test(a_taken_address_is_reported),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
