/* Clients that misuse HTTP/2, frame by frame: what comes of them is bounded and said, and others don't notice. */
#include <errno.h>
#include <fcntl.h>
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

enum { SERVER = 1, CLIENT = 2, TO_SERVER = 20000, TO_DOWN, FRAME_HEAD = 9 };
enum { END_STREAM = 1, END_HEADERS = 4, MIB = 1024 * 1024 };

static struct mesh_process mesh;
static struct h2_net net; /* the server's program, and a client that behaves */
static struct h2_peer *bystander;
static size_t unused_descriptors; /* of the mesh, before anyone connects */

static void declare_workloads(void) {
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "client", CLIENT, (const char *const[]){"main/server", "main/down", NULL});
}

static int setup(void **state) {
  (void)state;
  mesh_start(&mesh, NULL);
  declare_workloads();
  declare_service("main", "server", "server");
  declare_service("main", "down", "nobody");
  unused_descriptors = mesh_descriptors(&mesh);
  h2_net_init(&net);
  h2_net_listen(&net, SERVER);
  bystander = h2_net_dial(&net, address_of('o', CLIENT), TO_SERVER, false);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  h2_net_finish(&net);
  mesh_stop(&mesh);
  return 0;
}

/* --- frames, as bytes --- */

struct raw {
  int fd;
  struct strbuf out;
};

static void put_frame(struct raw *raw, int type, int flags, uint32_t id, const void *payload, size_t length) {
  const unsigned char head[FRAME_HEAD] = {
      (unsigned char)(length >> 16), (unsigned char)(length >> 8), (unsigned char)length,
      (unsigned char)type,           (unsigned char)flags,         (unsigned char)(id >> 24),
      (unsigned char)(id >> 16),     (unsigned char)(id >> 8),     (unsigned char)id};
  strbuf_append(&raw->out, head, sizeof head);
  strbuf_append(&raw->out, payload, length);
}

static void put_u32(struct raw *raw, int type, uint32_t id, uint32_t value) {
  const unsigned char payload[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
  put_frame(raw, type, 0, id, payload, sizeof payload);
}

static void send_frames(struct raw *raw) {
  send_bytes(raw->fd, raw->out.data, raw->out.length);
  strbuf_clear(&raw->out);
}

/* A connection with its preface sent, to a service whose requests end at the outbound proxy unless they go to the
 * server. */
static struct raw raw_open(int port) {
  struct raw raw = {.fd = dial(address_of('o', CLIENT), port)};
  strbuf_puts(&raw.out, NGHTTP2_CLIENT_MAGIC);
  put_frame(&raw, NGHTTP2_SETTINGS, 0, 0, "", 0);
  return raw;
}

static void raw_close(struct raw *raw) {
  close(raw->fd);
  strbuf_finish(&raw->out);
}

/* A field as a literal that isn't indexed (RFC 7541, 6.2.2), its texts shorter than 127 bytes. */
static void put_field(struct strbuf *block, const char *name, const char *value) {
  strbuf_putc(block, '\0');
  strbuf_putc(block, (char)strlen(name));
  strbuf_puts(block, name);
  strbuf_putc(block, (char)strlen(value));
  strbuf_puts(block, value);
}

static struct strbuf request_block(void) {
  struct strbuf block = STRBUF_INIT;
  put_field(&block, ":method", "GET");
  put_field(&block, ":scheme", "http");
  put_field(&block, ":path", "/");
  put_field(&block, ":authority", "t");
  return block;
}

static void put_request(struct raw *raw, uint32_t id, int flags) {
  struct strbuf block = request_block();
  put_frame(raw, NGHTTP2_HEADERS, flags | END_HEADERS, id, block.data, block.length);
  strbuf_finish(&block);
}

struct frame {
  int type; /* -1: the connection ended */
  int flags;
  uint32_t id;
  unsigned char payload[64]; /* its beginning */
  size_t length;
};

static bool read_whole(int fd, void *data, size_t length) {
  char *at = data;
  while (length > 0) {
    ssize_t n = recv(fd, at, length, 0);
    if (n < 0 && errno == EAGAIN)
      fail_msg("no frame came");
    if (n <= 0)
      return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

static struct frame read_frame(struct raw *raw) {
  unsigned char head[FRAME_HEAD];
  struct frame frame = {.type = -1};
  if (!read_whole(raw->fd, head, sizeof head))
    return frame;
  frame.length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
  char *rest = malloc(frame.length + 1);
  assert_non_null(rest);
  if (read_whole(raw->fd, rest, frame.length)) {
    frame.type = head[3];
    frame.flags = head[4];
    frame.id = (uint32_t)(head[5] & 127) << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
    memcpy(frame.payload, rest, frame.length < sizeof frame.payload ? frame.length : sizeof frame.payload);
  }
  free(rest);
  return frame;
}

static uint32_t u32_at(const struct frame *frame, size_t at) {
  const unsigned char *p = frame->payload + at;
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads on to a frame of that type; -1 is the connection's end. */
static struct frame await_frame(struct raw *raw, int type) {
  struct frame frame;
  do
    frame = read_frame(raw);
  while (frame.type != type && frame.type != -1);
  if (frame.type != type)
    fail_msg("the connection ended without a frame of type %d", type);
  return frame;
}

static void assert_goaway(struct raw *raw, uint32_t code) {
  struct frame frame = await_frame(raw, NGHTTP2_GOAWAY);
  assert_int_equal(u32_at(&frame, 4), code);
  assert_int_equal(await_frame(raw, -1).type, -1);
}

static void assert_reset(struct raw *raw, uint32_t id, uint32_t code) {
  struct frame frame = await_frame(raw, NGHTTP2_RST_STREAM);
  assert_int_equal(frame.id, id);
  assert_int_equal(u32_at(&frame, 0), code);
}

static void assert_others_go_on(void) {
  assert_int_equal(h2_status(&net, bystander, "GET", "/", NULL), 200);
}

/* --- what is malformed --- */

static void test_what_is_no_http2_ends_the_connection(void **state) {
  (void)state;
  static const struct {
    int type, flags;
    uint32_t id;
    const char *payload;
    size_t length;
    uint32_t code;
  } frames[] = {
      {NGHTTP2_DATA, 0, 0, "x", 1, NGHTTP2_PROTOCOL_ERROR},
      {NGHTTP2_DATA, 0, 1, "x", 1, NGHTTP2_PROTOCOL_ERROR}, /* of a stream that isn't open */
      {NGHTTP2_HEADERS, END_HEADERS, 2, "\x82", 1, NGHTTP2_PROTOCOL_ERROR},
      {NGHTTP2_HEADERS, END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff", 6, NGHTTP2_COMPRESSION_ERROR},
      {NGHTTP2_SETTINGS, 0, 0, "x", 1, NGHTTP2_FRAME_SIZE_ERROR},
      {NGHTTP2_PING, 0, 0, "x", 1, NGHTTP2_FRAME_SIZE_ERROR},
      {NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4, NGHTTP2_PROTOCOL_ERROR},
      {NGHTTP2_CONTINUATION, END_HEADERS, 1, "", 0, NGHTTP2_PROTOCOL_ERROR},
      {NGHTTP2_PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2", 4, NGHTTP2_PROTOCOL_ERROR},
  };
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    struct raw raw = raw_open(TO_DOWN);
    put_frame(&raw, frames[i].type, frames[i].flags, frames[i].id, frames[i].payload, frames[i].length);
    send_frames(&raw);
    assert_goaway(&raw, frames[i].code);
    raw_close(&raw);
  }
  struct raw raw = {.fd = dial(address_of('o', CLIENT), TO_DOWN)};
  send_text(raw.fd, NGHTTP2_CLIENT_MAGIC "GET / HTTP/1.1\r\n\r\n"); /* no SETTINGS first */
  assert_int_equal(await_frame(&raw, NGHTTP2_GOAWAY).type, NGHTTP2_GOAWAY);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_malformed_requests_are_reset(void **state) {
  (void)state;
  static const char *const extra[][2] = {
      {"Upper", "x"},
      {"connection", "close"},
      {"transfer-encoding", "chunked"},
      {"te", "gzip"},
      {"upgrade", "h2c"},
      {"bad name", "x"},
      {"bad", "a\rb"},
      {"bad", "a\nb"},
      {":path", "/again"},
      {":unknown", "x"},
      {"content-length", "x"},
      {"keep-alive", "1"},
      {"proxy-connection", "x"},
  };
  struct raw raw = raw_open(TO_DOWN);
  uint32_t id = 1;
  for (size_t i = 0; i < sizeof extra / sizeof *extra; i++, id += 2) {
    struct strbuf block = request_block();
    put_field(&block, extra[i][0], extra[i][1]);
    put_frame(&raw, NGHTTP2_HEADERS, END_STREAM | END_HEADERS, id, block.data, block.length);
    strbuf_finish(&block);
    send_frames(&raw);
    assert_reset(&raw, id, NGHTTP2_PROTOCOL_ERROR);
  }
  struct strbuf block = STRBUF_INIT; /* without a path */
  put_field(&block, ":method", "GET");
  put_field(&block, ":scheme", "http");
  put_field(&block, ":authority", "t");
  put_frame(&raw, NGHTTP2_HEADERS, END_STREAM | END_HEADERS, id, block.data, block.length);
  strbuf_finish(&block);
  send_frames(&raw);
  assert_reset(&raw, id, NGHTTP2_PROTOCOL_ERROR);
  put_request(&raw, id += 2, END_STREAM);
  send_frames(&raw);
  assert_int_equal(await_frame(&raw, NGHTTP2_HEADERS).id, id); /* and the connection goes on */
  raw_close(&raw);
}

static void test_what_http_1_1_refuses_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *method, *path;
    const char *fields[5];
    unsigned status;
  } cases[] = {
      {"GET", "/", {":authority", "a", "host", "b"}, 400},
      {"GET", "/", {":authority", "a", "host", "A"}, 503}, /* nobody is there to ask */
      {"GET", "/", {":authority", "user@a"}, 400},
      {"GET", "/#x", {":authority", "a"}, 400},
      {"GET", "/\xc3\xa4", {":authority", "a"}, 400},
      {"SOURCE", "/", {":authority", "a"}, 501},
      {"BREW", "/", {":authority", "a"}, 501},
      {"OPTIONS", "*", {":authority", "a"}, 503},
  };
  struct h2_peer *client = h2_net_dial(&net, address_of('o', CLIENT), TO_DOWN, false);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    unsigned status = h2_status(&net, client, cases[i].method, cases[i].path, cases[i].fields);
    /* What nghttp2 looks at, too, is reset before. */
    if (status != cases[i].status && !(cases[i].status == 400 && status == 0))
      fail_msg("%s %s: %u", cases[i].method, cases[i].path, status);
  }
  assert_false(client->ended);
}

static void test_connect_is_refused(void **state) {
  (void)state;
  struct raw raw = raw_open(TO_SERVER);
  struct strbuf block = STRBUF_INIT;
  put_field(&block, ":method", "CONNECT");
  put_field(&block, ":authority", "server:22");
  put_frame(&raw, NGHTTP2_HEADERS, END_HEADERS, 1, block.data, block.length);
  strbuf_finish(&block);
  send_frames(&raw);
  struct frame frame = await_frame(&raw, NGHTTP2_HEADERS);
  assert_true(frame.flags & END_STREAM);
  assert_reset(&raw, 1, NGHTTP2_NO_ERROR);
  raw_close(&raw);
}

static void test_a_length_that_is_not_kept_is_reset(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct raw raw = raw_open(TO_SERVER);
    struct strbuf block = request_block();
    put_field(&block, "content-length", "5");
    put_frame(&raw, NGHTTP2_HEADERS, END_HEADERS, 1, block.data, block.length);
    put_frame(&raw, NGHTTP2_DATA, i ? END_STREAM : 0, 1, i ? "1234" : "123456", i ? 4 : 6);
    strbuf_finish(&block);
    send_frames(&raw);
    assert_reset(&raw, 1, NGHTTP2_PROTOCOL_ERROR);
    raw_close(&raw);
  }
  assert_others_go_on();
}

/* --- what is too much --- */

static void test_a_head_over_its_limits_is_431(void **state) {
  (void)state;
  struct h2_peer *client = h2_net_dial(&net, address_of('o', CLIENT), TO_DOWN, false);
  char *large = malloc(60 * 1024);
  assert_non_null(large);
  memset(large, 'x', 60 * 1024);
  large[60 * 1024 - 1] = '\0';
  const char *const one[] = {"x-a", large, NULL}, *const two[] = {"x-a", large, "x-b", large, NULL};
  assert_int_equal(h2_status(&net, client, "GET", "/", one), 503);
  assert_int_equal(h2_status(&net, client, "GET", "/", two), 431);
  free(large);
  assert_int_equal(h2_status(&net, client, "GET", "/", NULL), 503);
  struct raw raw = raw_open(TO_DOWN); /* many small fields */
  struct strbuf block = request_block();
  for (int i = 0; i < 250; i++)
    put_field(&block, "x", "y");
  put_frame(&raw, NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block.data, block.length);
  strbuf_finish(&block);
  send_frames(&raw);
  struct frame frame = await_frame(&raw, NGHTTP2_HEADERS);
  assert_int_equal(frame.payload[0], 0x48); /* a status that isn't in HPACK's table, as an incremental literal */
  raw_close(&raw);
}

/* One byte stands for 4 kB. */
static void test_a_compressed_bomb_ends_the_connection(void **state) {
  (void)state;
  struct raw raw = raw_open(TO_DOWN);
  struct strbuf block = request_block();
  strbuf_append(&block,
                "\x40\x01"
                "a"
                "\x7f\xa1\x1e",
                6); /* a literal of 127 + 3873 bytes that is indexed */
  for (int i = 0; i < 4000; i++)
    strbuf_putc(&block, 'v');
  for (int i = 0; i < 10000; i++)
    strbuf_putc(&block, (char)0xbe);
  put_frame(&raw, NGHTTP2_HEADERS, END_STREAM | END_HEADERS, 1, block.data, block.length);
  strbuf_finish(&block);
  send_frames(&raw);
  assert_goaway(&raw, NGHTTP2_ENHANCE_YOUR_CALM);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_a_head_without_end_ends_the_connection(void **state) {
  (void)state;
  for (int empty = 0; empty < 2; empty++) {
    struct raw raw = raw_open(TO_DOWN);
    struct strbuf block = request_block();
    put_frame(&raw, NGHTTP2_HEADERS, END_STREAM, 1, block.data, block.length);
    strbuf_finish(&block);
    for (int i = 0; i < 1000; i++)
      put_frame(&raw, NGHTTP2_CONTINUATION, 0, 1, "\0\1x\1y", empty ? 0 : 5);
    send_frames(&raw);
    assert_goaway(&raw, NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
  }
  assert_others_go_on();
}

/* CVE-2023-44487: streams that are opened and reset at once cost the server work, and count against no limit. */
static void test_rapid_resets_end_the_connection(void **state) {
  (void)state;
  size_t programs = h2_net_programs(&net);
  struct raw raw = raw_open(TO_SERVER);
  for (uint32_t i = 0; i < 2000; i++) {
    put_request(&raw, 2 * i + 1, END_STREAM);
    put_u32(&raw, NGHTTP2_RST_STREAM, 2 * i + 1, NGHTTP2_CANCEL);
  }
  send_frames(&raw);
  assert_goaway(&raw, NGHTTP2_ENHANCE_YOUR_CALM);
  raw_close(&raw);
  assert_others_go_on();
  assert_in_range(h2_net_programs(&net) - programs, 0, 201);
}

/* CVE-2025-8671: the same, with the server made to do the resetting. */
static void test_made_resets_end_the_connection(void **state) {
  (void)state;
  struct raw raw = raw_open(TO_DOWN);
  for (uint32_t i = 0; i < 1000; i++) {
    put_request(&raw, 2 * i + 1, 0);
    put_u32(&raw, NGHTTP2_WINDOW_UPDATE, 2 * i + 1, 0);
  }
  send_frames(&raw);
  struct frame frame = await_frame(&raw, NGHTTP2_GOAWAY);
  assert_int_not_equal(u32_at(&frame, 4), NGHTTP2_NO_ERROR);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_frames_that_bring_nothing_end_the_connection(void **state) {
  (void)state;
  static const struct {
    int type;
    uint32_t id;
    size_t length;
  } frames[] = {{NGHTTP2_PING, 0, 8}, {NGHTTP2_SETTINGS, 0, 0}, {NGHTTP2_PRIORITY, 1, 5}, {NGHTTP2_DATA, 1, 0}};
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    struct raw raw = raw_open(TO_SERVER);
    put_request(&raw, 1, 0);
    for (int k = 0; k < 5000; k++)
      put_frame(&raw, frames[i].type, 0, frames[i].id, "\0\0\0\0\0\0\0\0", frames[i].length);
    send_frames(&raw);
    assert_goaway(&raw, NGHTTP2_ENHANCE_YOUR_CALM);
    raw_close(&raw);
  }
  assert_others_go_on();
}

static void test_streams_over_the_limit_are_refused(void **state) {
  (void)state;
  struct raw raw = raw_open(TO_SERVER);
  put_frame(&raw, NGHTTP2_SETTINGS, 1, 0, "", 0); /* an acknowledgement, so that the limit holds */
  for (uint32_t i = 0; i < 101; i++)
    put_request(&raw, 2 * i + 1, 0);
  send_frames(&raw);
  assert_goaway(&raw, NGHTTP2_PROTOCOL_ERROR);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_window_games(void **state) {
  (void)state;
  struct raw raw = raw_open(TO_SERVER); /* the connection's window beyond 2^31 - 1 */
  put_u32(&raw, NGHTTP2_WINDOW_UPDATE, 0, 0x7fffffff);
  send_frames(&raw);
  assert_goaway(&raw, NGHTTP2_FLOW_CONTROL_ERROR);
  raw_close(&raw);
  raw = raw_open(TO_SERVER); /* a stream's */
  put_request(&raw, 1, 0);
  put_u32(&raw, NGHTTP2_WINDOW_UPDATE, 1, 0x7fffffff);
  put_u32(&raw, NGHTTP2_WINDOW_UPDATE, 1, 0x7fffffff);
  send_frames(&raw);
  assert_reset(&raw, 1, NGHTTP2_FLOW_CONTROL_ERROR);
  raw_close(&raw);
  raw = raw_open(TO_DOWN); /* an initial window that is too large */
  put_frame(&raw, NGHTTP2_SETTINGS, 0, 0, "\0\4\xff\xff\xff\xff", 6);
  send_frames(&raw);
  assert_goaway(&raw, NGHTTP2_FLOW_CONTROL_ERROR);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_data_beyond_the_window_ends_the_stream(void **state) {
  (void)state;
  net.manual = true;
  net.manner = H2_HOLD;
  char data[16384] = {0};
  struct raw raw = raw_open(TO_SERVER);
  put_frame(&raw, NGHTTP2_SETTINGS, 1, 0, "", 0);
  put_request(&raw, 1, 0);
  for (int i = 0; i < 40; i++) /* no window is waited for */
    put_frame(&raw, NGHTTP2_DATA, 0, 1, data, sizeof data);
  send_frames(&raw);
  struct frame frame;
  do
    frame = read_frame(&raw);
  while (frame.type != -1 && frame.type != NGHTTP2_GOAWAY && frame.type != NGHTTP2_RST_STREAM);
  assert_in_range(frame.type, NGHTTP2_RST_STREAM, NGHTTP2_GOAWAY);
  assert_int_equal(u32_at(&frame, frame.type == NGHTTP2_GOAWAY ? 4 : 0), NGHTTP2_FLOW_CONTROL_ERROR);
  raw_close(&raw);
  net.manual = false;
  net.manner = H2_ECHO;
  assert_others_go_on();
}

/* Sends requests until `limit` bytes are sent, or no more are taken. */
static void send_requests(struct raw *raw, size_t limit) {
  size_t sent = 0;
  uint32_t id = 1;
  fcntl(raw->fd, F_SETFL, O_NONBLOCK);
  while (sent < limit) {
    for (; raw->out.length < 65536; id += 2)
      put_request(raw, id, END_STREAM);
    struct pollfd poller = {.fd = raw->fd, .events = POLLOUT};
    if (poll(&poller, 1, 1000) != 1)
      break;
    ssize_t n = send(raw->fd, raw->out.data, raw->out.length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
      break;
    strbuf_consume(&raw->out, n > 0 ? (size_t)n : 0);
    sent += n > 0 ? (size_t)n : 0;
  }
  fcntl(raw->fd, F_SETFL, 0);
}

static size_t mesh_bytes(void) {
  char path[64];
  size_t pages = 0;
  (void)snprintf(path, sizeof path, "/proc/%d/statm", mesh.pid);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What it asks for beyond the streams that wait for it is refused, and soon nothing is taken from it any more. */
static void test_a_client_that_does_not_read_is_given_up(void **state) {
  (void)state;
  size_t before = mesh_bytes();
  struct raw raw = raw_open(TO_DOWN);
  send_requests(&raw, 64 * (size_t)MIB);
  assert_in_range(mesh_bytes(), 1, before + 8 * (size_t)MIB);
  assert_goaway(&raw, NGHTTP2_ENHANCE_YOUR_CALM);
  raw_close(&raw);
  assert_others_go_on();
}

static void test_nothing_is_left_behind(void **state) {
  (void)state;
  h2_net_finish(&net);
  h2_net_listen(&net, SERVER);
  for (int i = 0; i < 50; i++) {
    struct raw raw = raw_open(TO_SERVER);
    put_request(&raw, 1, i % 2 ? END_STREAM : 0);
    put_request(&raw, 3, 0);
    if (i % 3 == 0)
      put_u32(&raw, NGHTTP2_RST_STREAM, 3, NGHTTP2_CANCEL);
    send_frames(&raw);
    while (i % 5 == 0 && h2_turn_within(&net, 20))
      continue;
    raw_close(&raw);
  }
  h2_net_finish(&net);
  undeclare("workloads/main/client"); /* with the connections that are kept for it */
  undeclare("workloads/main/server");
  declare_workloads();
  assert_true(mesh_settles(&mesh, unused_descriptors));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_no_http2_ends_the_connection),
      cmocka_unit_test(test_malformed_requests_are_reset),
      cmocka_unit_test(test_what_http_1_1_refuses_is_refused),
      cmocka_unit_test(test_connect_is_refused),
      cmocka_unit_test(test_a_length_that_is_not_kept_is_reset),
      cmocka_unit_test(test_a_head_over_its_limits_is_431),
      cmocka_unit_test(test_a_compressed_bomb_ends_the_connection),
      cmocka_unit_test(test_a_head_without_end_ends_the_connection),
      cmocka_unit_test(test_rapid_resets_end_the_connection),
      cmocka_unit_test(test_made_resets_end_the_connection),
      cmocka_unit_test(test_frames_that_bring_nothing_end_the_connection),
      cmocka_unit_test(test_streams_over_the_limit_are_refused),
      cmocka_unit_test(test_window_games),
      cmocka_unit_test(test_data_beyond_the_window_ends_the_stream),
      cmocka_unit_test(test_a_client_that_does_not_read_is_given_up),
      cmocka_unit_test(test_nothing_is_left_behind),
  };
  return cmocka_run_group_tests_name("refmesh_http2_peers", tests, setup, teardown);
}
