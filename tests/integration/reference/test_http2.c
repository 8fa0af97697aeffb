/* HTTP/2 in cleartext through both proxies: what comes out is what went in, and every stream is a request of its own.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "h2.h"

enum {
  SERVER = 1,
  CLIENT = 2,
  OTHER = 3,
  OLD = 4,
  GUEST = 5,
  TO_SERVER = 20000,
  TO_DOWN,
  TO_ABSENT,
  TO_OLD,
  TO_ROOT,
  MEBIBYTE = 1 << 20
};

static struct mesh_process mesh;
static struct server *old; /* speaks HTTP/1.1 only */

static int setup(void **state) {
  (void)state;
  static const char *const services[] = {"main/server", "main/down", "main/absent", "main/old", "main/root", NULL};
  mesh_start(&mesh, NULL);
  old = server_start("old", OLD);
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "old", OLD, NULL);
  declare_workload("main", "client", CLIENT, services);
  declare_workload("main", "other", OTHER, services);
  declare_service("main", "server", "server");
  declare_service("main", "down", "nobody");
  declare_service("main", "old", "old");
  declare_service("main", "root", "server");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  server_stop(old);
  mesh_stop(&mesh);
  return 0;
}

static struct h2_net net;
static struct h2_peer *client;

static int connect_all(void **state) {
  (void)state;
  h2_net_init(&net);
  h2_net_listen(&net, SERVER);
  client = h2_net_dial(&net, address_of('o', CLIENT), TO_SERVER, false);
  return 0;
}

/* The proxies keep connections to a program that is gone otherwise. */
static int disconnect_all(void **state) {
  (void)state;
  (void)control("DELETE", "enforcement/main", "", NULL);
  (void)control("DELETE", "permissions/main/allow", "", NULL);
  (void)control("DELETE", "splits/main/split", "", NULL);
  h2_net_finish(&net);
  return 0;
}

static void finish(struct h2_stream *stream) {
  H2_WAIT(&net, stream->closed || client->ended);
}

static void test_the_program_sees_what_the_client_spoke(void **state) {
  (void)state;
  static const char *const fields[] = {":authority", "server.main:8080", "x-mine", "yes", "te", "trailers", NULL};
  struct h2_stream *stream = h2_ask(client, "GET", "/path?query", fields, NULL, 0);
  finish(stream);
  assert_int_equal(stream->status, 200);
  assert_int_equal(h2_net_programs(&net), 1);
  const struct h2_stream *seen = &h2_net_program(&net, 0)->streams[0];
  assert_true(h2_has(seen, ":method: GET\n"));
  assert_true(h2_has(seen, ":scheme: http\n"));
  assert_true(h2_has(seen, ":path: /path?query\n"));
  assert_true(h2_has(seen, ":authority: server.main:8080\n"));
  assert_true(h2_has(seen, "x-mine: yes\n"));
  assert_false(h2_has(seen, "te: "));
  assert_false(h2_has(seen, "host: "));
  assert_string_equal(strbuf_text(&stream->body), strbuf_text(&seen->head));
}

static void test_both_versions_on_one_port(void **state) {
  (void)state;
  struct h2_peer *second = h2_net_dial(&net, address_of('o', CLIENT), TO_OLD, false);
  assert_int_equal(status_of(address_of('o', CLIENT), TO_OLD, "GET", "/", ""), 200);
  /* The program is one of HTTP/1.1, which does not understand the preface. */
  assert_int_equal(h2_status(&net, second, "GET", "/", NULL), 502);
  assert_int_equal(status_of(address_of('o', CLIENT), TO_OLD, "GET", "/", ""), 200);
}

static void test_a_preface_in_pieces(void **state) {
  (void)state;
  static const char bytes[] = NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0";
  int fd = dial(address_of('o', CLIENT), TO_SERVER);
  for (size_t i = 0; i < sizeof bytes - 1; i++) {
    send_bytes(fd, bytes + i, 1);
    (void)poll(NULL, 0, 1);
  }
  char settings[9];
  assert_int_equal(recv(fd, settings, sizeof settings, MSG_WAITALL), sizeof settings);
  assert_int_equal(settings[3], NGHTTP2_SETTINGS);
  close(fd);
}

static void test_a_request_of_1_1_that_begins_like_a_preface(void **state) {
  (void)state;
  static const char *const pieces[] = {"P",
                                       "OST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc",
                                       "PR",
                                       "OPFIND / HTTP/1.1\r\nHost: t\r\n\r\n",
                                       "PRI * HTTP/2.0\r\n",
                                       "\r\nXX\r\n\r\n"};
  static const int statuses[] = {200, 501, 400};
  for (size_t i = 0; i < 3; i++) {
    struct reader reader = dial_reader(address_of('o', CLIENT), TO_OLD);
    send_text(reader.fd, pieces[2 * i]);
    (void)poll(NULL, 0, 20);
    send_text(reader.fd, pieces[2 * i + 1]);
    struct answer answer = read_answer(&reader, false);
    assert_int_equal(answer.status, statuses[i]);
    if (i == 0)
      assert_string_equal(answer.body, "abc");
    answer_free(&answer);
    reader_close(&reader);
  }
}

static void test_many_streams_at_once(void **state) {
  (void)state;
  enum { MANY = 50 };
  struct h2_stream *streams[MANY];
  char path[32];
  for (int i = 0; i < MANY; i++) {
    (void)snprintf(path, sizeof path, "/%d", i);
    streams[i] = h2_ask(client, "GET", path, NULL, NULL, 0);
  }
  for (int i = 0; i < MANY; i++) {
    finish(streams[i]);
    (void)snprintf(path, sizeof path, ":path: /%d\n", i);
    assert_int_equal(streams[i]->status, 200);
    assert_non_null(strstr(strbuf_text(&streams[i]->body), path));
  }
}

static void test_a_connection_is_used_again(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++)
    assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 200);
  assert_int_equal(h2_net_programs(&net), 1);
  assert_int_equal(h2_net_program(&net, 0)->count, 20);
}

static void test_much_both_ways(void **state) {
  (void)state;
  enum { LENGTH = MEBIBYTE };
  char *body = malloc(LENGTH);
  assert_non_null(body);
  for (size_t i = 0; i < LENGTH; i++)
    body[i] = (char)('a' + (i * 7 + i / 251) % 26);
  struct h2_stream *streams[4];
  for (int i = 0; i < 4; i++)
    streams[i] = h2_ask(client, "POST", "/", NULL, body, LENGTH);
  for (int i = 0; i < 4; i++) {
    finish(streams[i]);
    assert_int_equal(streams[i]->code, NGHTTP2_NO_ERROR);
    assert_int_equal(streams[i]->body.length, LENGTH);
    assert_memory_equal(streams[i]->body.data, body, LENGTH);
  }
  free(body);
}

/* Lets happen what happens, until nothing does for a while. */
static void settle(void) {
  while (h2_turn_within(&net, 300))
    continue;
}

static void test_a_program_that_does_not_take_holds_its_client_up(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  net.manual = true;
  struct h2_stream *slow = h2_ask_held(client, "/slow");
  slow->endless = 16 * MEBIBYTE;
  h2_send_more(client, slow, "", 0);
  struct h2_peer *program;
  struct h2_stream *seen = h2_take(&net, &program);
  settle();
  assert_in_range(slow->sent, 1, 512 * 1024); /* the windows on the way */
  assert_int_equal(seen->received, NGHTTP2_INITIAL_WINDOW_SIZE);
  /* Others are not held up by it. */
  struct h2_stream *quick = h2_ask(client, "GET", "/quick", NULL, NULL, 0);
  struct h2_peer *second;
  struct h2_stream *asked = h2_take(&net, &second);
  h2_answer(second, asked, "200", NULL, "quick");
  finish(quick);
  assert_int_equal(quick->status, 200);
  /* And it goes on when the program does. */
  size_t before = slow->sent;
  h2_consume(program, seen, seen->received);
  settle();
  assert_true(slow->sent > before);
  h2_reset(client, slow, NGHTTP2_CANCEL);
  H2_WAIT(&net, seen->closed || program->ended);
}

static void test_a_client_that_does_not_take_holds_the_program_up(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_peer *slow_client = h2_net_dial(&net, address_of('o', CLIENT), TO_SERVER, true);
  struct h2_stream *slow = h2_ask(slow_client, "GET", "/slow", NULL, NULL, 0);
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  asked->endless = 16 * MEBIBYTE;
  h2_answer_held(program, asked);
  h2_flush(program);
  settle();
  assert_in_range(asked->sent, 1, 512 * 1024);
  assert_int_equal(slow->received, NGHTTP2_INITIAL_WINDOW_SIZE);
  struct h2_stream *quick = h2_ask(slow_client, "GET", "/quick", NULL, NULL, 0);
  struct h2_peer *second;
  struct h2_stream *other = h2_take(&net, &second);
  h2_answer(second, other, "200", NULL, "quick");
  H2_WAIT(&net, quick->closed);
  assert_string_equal(strbuf_text(&quick->body), "quick");
  size_t before = asked->sent;
  h2_consume(slow_client, slow, slow->received);
  settle();
  assert_true(asked->sent > before);
}

static void test_a_cancelled_request_is_cancelled_at_the_program(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_peer *program;
  struct h2_stream *stream = h2_ask_held(client, "/");
  h2_send_more(client, stream, "part", 4);
  struct h2_stream *seen = h2_take(&net, &program);
  H2_WAIT(&net, seen->received == 4);
  h2_reset(client, stream, NGHTTP2_CANCEL);
  H2_WAIT(&net, seen->closed || program->ended);
  assert_true(seen->closed);
  assert_int_equal(seen->code, NGHTTP2_CANCEL);
  assert_false(seen->ended);
  program->manner = net.manner = H2_ECHO;
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 200); /* the client's connection stays */
}

static void test_an_answer_that_is_cut_is_a_reset(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    net.manner = H2_HOLD;
    struct h2_stream *stream = h2_ask(client, "GET", "/", NULL, NULL, 0);
    struct h2_peer *program;
    struct h2_stream *asked = h2_take(&net, &program);
    h2_answer_held(program, asked);
    h2_send_more(program, asked, "part", 4);
    H2_WAIT(&net, stream->received == 4);
    if (i == 0)
      h2_reset(program, asked, NGHTTP2_INTERNAL_ERROR);
    else
      h2_peer_close(program, true);
    finish(stream);
    assert_false(stream->ended);
    assert_int_equal(stream->code, NGHTTP2_INTERNAL_ERROR);
    assert_false(client->ended);
  }
}

static void test_no_answer_is_502(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    net.manner = H2_HOLD;
    struct h2_stream *stream = h2_ask(client, "POST", "/", NULL, "x", 1);
    struct h2_peer *program;
    struct h2_stream *asked = h2_take(&net, &program);
    if (i == 0)
      h2_reset(program, asked, NGHTTP2_INTERNAL_ERROR);
    else
      h2_peer_close(program, false);
    finish(stream);
    assert_int_equal(stream->status, 502);
    assert_true(h2_has(stream, "x-trammel-refmesh: unavailable\n"));
  }
}

static void test_nobody_to_ask_is_503(void **state) {
  (void)state;
  static const int ports[] = {TO_DOWN, TO_ABSENT};
  for (size_t i = 0; i < 2; i++) {
    struct h2_peer *peer = h2_net_dial(&net, address_of('o', CLIENT), ports[i], false);
    assert_int_equal(h2_status(&net, peer, "GET", "/", NULL), 503);
    assert_int_equal(h2_status(&net, peer, "GET", "/", NULL), 503);
  }
  close(net.listener); /* the program is gone */
  net.listener = -1;
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 503);
}

static void test_trailers_stay_behind(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_stream *stream = h2_ask_held(client, "/");
  stream->trailers = true;
  h2_send_more(client, stream, "up", 2);
  h2_send_end(client, stream);
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  H2_WAIT(&net, asked->ended);
  assert_int_equal(asked->heads, 1);
  assert_string_equal(strbuf_text(&asked->body), "up");
  asked->trailers = true;
  h2_answer(program, asked, "200", NULL, "down");
  finish(stream);
  assert_true(stream->ended);
  assert_int_equal(stream->heads, 1);
  assert_string_equal(strbuf_text(&stream->body), "down");
}

static void test_interim_answers_and_heads_without_bodies(void **state) {
  (void)state;
  static const char *const length[] = {"content-length", "9", NULL};
  net.manner = H2_HOLD;
  struct h2_peer *program;
  struct h2_stream *stream = h2_ask(client, "HEAD", "/", NULL, NULL, 0);
  struct h2_stream *asked = h2_take(&net, &program);
  h2_answer(program, asked, "103", NULL, NULL);
  H2_WAIT(&net, stream->status == 103);
  h2_answer(program, asked, "200", length, NULL);
  finish(stream);
  assert_int_equal(stream->status, 200);
  assert_int_equal(stream->heads, 2);
  assert_true(h2_has(stream, "content-length: 9\n"));
  stream = h2_ask(client, "GET", "/", NULL, NULL, 0);
  asked = h2_take(&net, &program);
  h2_answer(program, asked, "204", NULL, NULL);
  finish(stream);
  assert_true(stream->ended);
  assert_int_equal(stream->status, 204);
}

static void test_an_early_answer_is_whole(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_stream *stream = h2_ask_held(client, "/");
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  h2_answer(program, asked, "413", NULL, "too much");
  finish(stream);
  assert_int_equal(stream->status, 413);
  assert_string_equal(strbuf_text(&stream->body), "too much");
  assert_true(stream->ended);
  assert_int_equal(stream->code, NGHTTP2_NO_ERROR);
  H2_WAIT(&net, asked->closed || program->ended); /* nobody sends the rest */
  assert_false(client->ended);
}

static void test_only_the_mesh_says_who_refused(void **state) {
  (void)state;
  static const char *const fields[] = {"x-trammel-refmesh", "denied", NULL};
  net.manner = H2_HOLD;
  struct h2_stream *stream = h2_ask(client, "GET", "/", NULL, NULL, 0);
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  h2_answer(program, asked, "403", fields, NULL);
  finish(stream);
  assert_int_equal(stream->status, 403);
  assert_false(h2_has(stream, "x-trammel-refmesh"));
}

static void test_what_was_not_looked_at_is_sent_again(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_peer *program, *second;
  struct h2_stream *stream = h2_ask(client, "POST", "/", NULL, NULL, 0);
  struct h2_stream *asked = h2_take(&net, &program);
  h2_answer(program, asked, "200", NULL, NULL);
  finish(stream);
  stream = h2_ask(client, "POST", "/", NULL, NULL, 0); /* on the kept connection */
  asked = h2_take(&net, &second);
  assert_ptr_equal(program, second);
  h2_reset(program, asked, NGHTTP2_REFUSED_STREAM);
  asked = h2_take(&net, &second);
  h2_answer(second, asked, "200", NULL, NULL);
  assert_ptr_not_equal(program, second);
  finish(stream);
  assert_int_equal(stream->status, 200);
  stream = h2_ask(client, "POST", "/", NULL, NULL, 0); /* what may have had an effect is not */
  asked = h2_take(&net, &second);
  h2_peer_close(second, true);
  finish(stream);
  assert_int_equal(stream->status, 502);
}

static void test_a_client_that_ends_its_side_gets_the_answer(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_stream *whole = h2_ask(client, "GET", "/", NULL, NULL, 0);
  struct h2_peer *program, *second;
  struct h2_stream *asked = h2_take(&net, &program);
  struct h2_stream *part = h2_ask_held(client, "/");
  struct h2_stream *cut = h2_take(&net, &second);
  shutdown(client->fd, SHUT_WR);
  H2_WAIT(&net, cut->closed || second->ended); /* of what is not asked in full, nothing comes */
  h2_answer(program, asked, "200", NULL, "answer");
  H2_WAIT(&net, client->ended);
  assert_true(whole->ended);
  assert_string_equal(strbuf_text(&whole->body), "answer");
  assert_false(part->ended);
}

static void test_an_upload_that_is_cut_does_not_look_whole(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  struct h2_stream *stream = h2_ask_held(client, "/");
  h2_send_more(client, stream, "part", 4);
  struct h2_peer *program;
  struct h2_stream *seen = h2_take(&net, &program);
  H2_WAIT(&net, seen->received == 4);
  h2_peer_close(client, true);
  H2_WAIT(&net, seen->closed || program->ended);
  assert_false(seen->ended);
}

static void allow(const char *http) {
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  declare(
      "permissions/main/allow",
      "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},\"sources\":[{\"namespace\":\"main\","
      "\"serviceAccount\":\"client\"}],\"rules\":[{\"protocol\":\"http\",\"http\":[%s]}]}",
      http);
}

static void test_each_stream_is_decided(void **state) {
  (void)state;
  allow("{\"path\":\"/open\",\"methods\":[\"GET\"],\"headers\":[{\"name\":\"x-role\",\"regex\":\"a, b\"},{\"name\":"
        "\"host\",\"regex\":\"test\"}]}");
  static const char *const good[] = {"x-role", "a", "x-role", "b", NULL}, *const bad[] = {"x-role", "a", NULL};
  static const char *const host[] = {":authority", "else", "x-role", "a, b", NULL};
  static const struct {
    const char *method, *path;
    const char *const *fields;
    unsigned status;
  } cases[] = {
      {"GET", "/open", good, 200},          {"GET", "/closed", good, 403},      {"GET", "/open?x", good, 200},
      {"POST", "/open", good, 403},         {"GET", "/open", bad, 403},         {"GET", "/open", NULL, 403},
      {"GET", "/open", host, 403},          {"GET", "/x?/open", good, 403},     {"GET", "/open/../secret", good, 403},
      {"GET", "/open/%2e%2e/s", good, 403}, {"GET", "/open\\..\\s", good, 403}, {"GET", "/open", good, 200},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct h2_stream *stream = h2_ask(client, cases[i].method, cases[i].path, cases[i].fields, NULL, 0);
    finish(stream);
    if (stream->status != cases[i].status)
      fail_msg("%s %s: %u", cases[i].method, cases[i].path, stream->status);
    assert_true(h2_has(stream, "x-trammel-refmesh: denied\n") == (cases[i].status == 403));
  }
  assert_int_equal(h2_net_program(&net, 0)->count, 3);
  struct h2_peer *other = h2_net_dial(&net, address_of('o', OTHER), TO_SERVER, false);
  assert_int_equal(h2_status(&net, other, "GET", "/open", good), 403);
  struct h2_peer *plain = h2_net_dial(&net, address_of('i', SERVER), HTTP_PORT, false); /* without an identity */
  assert_int_equal(h2_status(&net, plain, "GET", "/open", good), 403);
}

static void test_a_change_holds_for_the_next_stream(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  allow("{}");
  struct h2_stream *open = h2_ask(client, "GET", "/open", NULL, NULL, 0);
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  undeclare("permissions/main/allow");
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 403);
  h2_answer(program, asked, "200", NULL, "begun before"); /* what was let in is answered */
  finish(open);
  assert_int_equal(open->status, 200);
  allow("{}");
  program->manner = H2_ECHO;
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 200);
}

static void test_a_denied_upload_is_not_waited_for(void **state) {
  (void)state;
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  struct h2_stream *stream = h2_ask_held(client, "/");
  stream->endless = 16 * MEBIBYTE;
  h2_send_more(client, stream, "", 0);
  finish(stream);
  assert_int_equal(stream->status, 403);
  assert_true(stream->ended);
  undeclare("enforcement/main");
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 200);
}

static void test_each_stream_is_split(void **state) {
  (void)state;
  struct h2_peer *peer = h2_net_dial(&net, address_of('o', CLIENT), TO_ROOT, false);
  declare("splits/main/split", "{\"service\":\"root\",\"backends\":[{\"service\":\"server\",\"weight\":1},"
                               "{\"service\":\"down\",\"weight\":1}]}");
  unsigned taken = 0, refused = 0;
  for (int i = 0; i < 100; i++) {
    unsigned status = h2_status(&net, peer, "GET", "/", NULL);
    taken += status == 200;
    refused += status == 503;
  }
  assert_int_equal(taken + refused, 100);
  assert_in_range(taken, 20, 80); /* misses once in 10^9 */
}

static void test_streams_are_counted(void **state) {
  (void)state;
  declare_workload("main", "guest", GUEST, (const char *const[]){"main/server", NULL});
  struct h2_peer *guest = h2_net_dial(&net, address_of('o', GUEST), TO_SERVER, false);
  for (int i = 0; i < 5; i++)
    assert_int_equal(h2_status(&net, guest, "GET", "/", NULL), 200);
  net.manner = h2_net_program(&net, 0)->manner = H2_HOLD;
  struct h2_stream *stream = h2_ask(guest, "GET", "/", NULL, NULL, 0);
  struct h2_peer *program = h2_net_program(&net, 0);
  H2_WAIT(&net, program->count == 6);
  h2_reset(guest, stream, NGHTTP2_CANCEL);
  H2_WAIT(&net, program->streams[5].closed || program->ended);
  char *body = metrics("/namespaces/main/pods/guest/edges");
  assert_true(counted(body, 5, 1));
  free(body);
  undeclare("workloads/main/guest");
}

/* While one waits for its answer, another one of the same connection goes elsewhere. */
static void test_streams_are_counted_for_whom_they_went_to(void **state) {
  (void)state;
  net.manner = H2_HOLD;
  declare("splits/main/split", "{\"service\":\"root\",\"backends\":[{\"service\":\"old\",\"weight\":1}],"
                               "\"matches\":[{\"path\":\"/old\"}]}");
  declare_workload("main", "guest", GUEST, (const char *const[]){"main/root", NULL});
  struct h2_peer *guest = h2_net_dial(&net, address_of('o', GUEST), TO_SERVER, false);
  struct h2_stream *stream = h2_ask(guest, "GET", "/", NULL, NULL, 0);
  struct h2_peer *program;
  struct h2_stream *asked = h2_take(&net, &program);
  assert_int_equal(h2_status(&net, guest, "GET", "/old", NULL), 502);
  h2_answer(program, asked, "200", NULL, "late");
  H2_WAIT(&net, stream->closed);
  char *body = metrics("/namespaces/main/pods/guest/edges");
  static const char *const names[] = {"server", "old"};
  for (unsigned i = 0; i < 2; i++) {
    char edge[160];
    (void)snprintf(edge, sizeof edge,
                   "\"direction\":\"to\",\"side\":\"client\",\"resource\":{\"kind\":\"Pod\",\"namespace\":\"main\","
                   "\"name\":\"%s\"}",
                   names[i]);
    const char *found = strstr(body, edge);
    assert_non_null(found);
    char *one = strdup(found);
    char *next = strstr(one + 1, "\"direction\"");
    if (next)
      *next = '\0';
    assert_true(counted(one, 1 - i, i));
    free(one);
  }
  free(body);
  undeclare("workloads/main/guest");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_all, disconnect_all)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_the_program_sees_what_the_client_spoke),
      TEST(test_both_versions_on_one_port),
      TEST(test_a_preface_in_pieces),
      TEST(test_a_request_of_1_1_that_begins_like_a_preface),
      TEST(test_many_streams_at_once),
      TEST(test_a_connection_is_used_again),
      TEST(test_much_both_ways),
      TEST(test_a_program_that_does_not_take_holds_its_client_up),
      TEST(test_a_client_that_does_not_take_holds_the_program_up),
      TEST(test_a_cancelled_request_is_cancelled_at_the_program),
      TEST(test_an_answer_that_is_cut_is_a_reset),
      TEST(test_no_answer_is_502),
      TEST(test_nobody_to_ask_is_503),
      TEST(test_trailers_stay_behind),
      TEST(test_interim_answers_and_heads_without_bodies),
      TEST(test_an_early_answer_is_whole),
      TEST(test_only_the_mesh_says_who_refused),
      TEST(test_what_was_not_looked_at_is_sent_again),
      TEST(test_a_client_that_ends_its_side_gets_the_answer),
      TEST(test_an_upload_that_is_cut_does_not_look_whole),
      TEST(test_each_stream_is_decided),
      TEST(test_a_change_holds_for_the_next_stream),
      TEST(test_a_denied_upload_is_not_waited_for),
      TEST(test_each_stream_is_split),
      TEST(test_streams_are_counted),
      TEST(test_streams_are_counted_for_whom_they_went_to),
  };
  return cmocka_run_group_tests_name("refmesh_http2", tests, setup, teardown);
}
