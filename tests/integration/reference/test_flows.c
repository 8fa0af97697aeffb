/* Flows of UDP and the connections that carry them, in this process: what ends by time and by number, and what comes of
 * a proxy at the other end that does not keep to the rules. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugins/reference/mesh/limits.h"
#include "plugins/reference/mesh/mesh.h"
#include "plugins/reference/mesh/resource.h"
#include "plugins/reference/mesh/value.h"
#include "sdk/base/clock.h"

enum { UDP_ONLY = 5353, SHARED = 5354, TCP_ONLY = 5355, UPSTREAM = 22000, WAIT_S = 20 };

static struct mesh *mesh;
static int udp_app, shared_app;
static int64_t now_s;

static int64_t test_clock_s(void) {
  return now_s;
}

/* Addresses of this process: 'a' app, 'i' inbound, 'o' outbound. */
static struct sockaddr_in address_of(char kind, uint16_t port) {
  uint32_t pid = (uint32_t)getpid();
  uint32_t address = UINT32_C(127) << 24 | (192 | (pid >> 14 & 63)) << 16 | (pid >> 6 & 255) << 8 | (pid & 63) << 2;
  address |= kind == 'a' ? 1 : kind == 'i' ? 2 : 3;
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

static const char *text_of(char kind) {
  static char texts[3][INET_ADDRSTRLEN];
  static unsigned next;
  char *text = texts[next++ % 3];
  struct sockaddr_in address = address_of(kind, 0);
  assert_non_null(inet_ntop(AF_INET, &address.sin_addr, text, INET_ADDRSTRLEN));
  return text;
}

static void declare(const char *kind, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void declare(const char *kind, const char *name, const char *format, ...) {
  char text[2048];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  json_t *body = json_loads(text, 0, NULL);
  assert_non_null(body);
  struct resource_name resource = {.namespace = "main", .name = name};
  if (name)
    store_key(resource.key, "main", name);
  else
    (void)snprintf(resource.key, sizeof resource.key, "main");
  struct problem problem = {0};
  if (resource_put(mesh, resource_kind_find(kind), &resource, body, &problem) < 0)
    fail_msg("%s: %s", strbuf_text(&problem.pointer), strbuf_text(&problem.text));
  problem_finish(&problem);
  json_decref(body);
}

static int udp_at(struct sockaddr_in at) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  return fd;
}

static int connect_to(int type, struct sockaddr_in to) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  return fd;
}

static int setup(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  now_s = clock_monotonic_s();
  assert_int_equal(mesh_create((struct fault_set){0}, "trammel.test", &mesh, NULL), 0);
  mesh->loop.clock_s = test_clock_s;
  mesh->loop.now_s = now_s;
  udp_app = udp_at(address_of('a', UDP_ONLY));
  shared_app = udp_at(address_of('a', SHARED));
  declare("workloads", "server",
          "{\"serviceAccount\":\"server\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\",\"ports\":["
          "{\"port\":%d,\"protocol\":\"udp\"},{\"port\":%d,\"protocol\":\"udp\"},{\"port\":%d,\"protocol\":\"tcp\"},"
          "{\"port\":%d,\"protocol\":\"tcp\"}],\"upstreams\":[{\"namespace\":\"main\",\"service\":\"server\","
          "\"port\":53,\"listen\":%d,\"transport\":\"udp\"}]}",
          text_of('a'), text_of('i'), text_of('o'), UDP_ONLY, SHARED, SHARED, TCP_ONLY, UPSTREAM);
  declare("services", "server",
          "{\"ports\":[{\"port\":53,\"targetPort\":%d,\"protocol\":\"udp\"}],"
          "\"workloads\":[\"server\"]}",
          UDP_ONLY);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  close(udp_app);
  close(shared_app);
  mesh_destroy(mesh);
  return 0;
}

/* ---- the loop */

static void turn(void) {
  (void)poll(NULL, 0, 1);
  assert_true(event_base_loop(mesh->base, EVLOOP_NONBLOCK) >= 0);
}

/* Turns the loop until the condition holds. */
#define until(condition)                                                                                               \
  do {                                                                                                                 \
    int64_t give_up_s_ = clock_monotonic_s() + WAIT_S;                                                                 \
    while (!(condition)) {                                                                                             \
      if (clock_monotonic_s() > give_up_s_)                                                                            \
        fail_msg("%s", #condition);                                                                                    \
      turn();                                                                                                          \
    }                                                                                                                  \
  } while (0)

/* Lets everything that is under way happen. */
static void settle(void) {
  for (int i = 0; i < 50; i++)
    turn();
}

static void advance(int64_t seconds) {
  now_s += seconds;
  until(mesh->loop.now_s >= now_s);
}

static ssize_t peeked(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_TRUNC);
}

/* Waits for a datagram, and compares it. */
static void assert_comes(int fd, const char *text) {
  char data[256];
  until(peeked(fd) >= 0);
  assert_int_equal(recv(fd, data, sizeof data, 0), strlen(text));
  assert_memory_equal(data, text, strlen(text));
}

static void assert_silent(int fd) {
  settle();
  assert_true(peeked(fd) < 0);
}

/* ---- a caller's proxy that the tests speak for */

struct caller_proxy {
  SSL_CTX *context;
  SSL *tls;
  struct tls_peer peer;
  int fd;
};

static bool shaken(struct caller_proxy *proxy, bool *ret_failed) {
  int result = SSL_do_handshake(proxy->tls);
  int reason = SSL_get_error(proxy->tls, result);
  *ret_failed = result != 1 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE;
  return result == 1;
}

static void proxy_open(struct caller_proxy *proxy, const char *account, uint16_t port, bool datagrams) {
  const struct account caller = {"main", account};
  const struct account server = {"main", "server"};
  static char identity[SPIFFE_ID];
  *proxy = (struct caller_proxy){.peer.identity = identity};
  assert_int_equal(authority_enroll(mesh->authority, &caller, account, &proxy->context, NULL), 0);
  assert_true(authority_identity(mesh->authority, &server, identity));
  proxy->tls = tls_client(proxy->context, &proxy->peer);
  assert_non_null(proxy->tls);
  if (datagrams)
    assert_true(tls_offer_datagrams(proxy->tls));
  proxy->fd = connect_to(SOCK_STREAM, address_of('i', port));
  assert_int_equal(SSL_set_fd(proxy->tls, proxy->fd), 1);
  bool failed;
  until(shaken(proxy, &failed) || failed);
  assert_false(failed);
}

static void proxy_close(struct caller_proxy *proxy) {
  SSL_free(proxy->tls);
  SSL_SESSION_free(proxy->peer.session);
  SSL_CTX_free(proxy->context);
  close(proxy->fd);
}

static void proxy_send(struct caller_proxy *proxy, const char *data, size_t length) {
  assert_int_equal(SSL_write(proxy->tls, data, (int)length), (int)length);
}

static bool proxy_reads(struct caller_proxy *proxy, char *data, int size, int *ret_length) {
  int n = SSL_read(proxy->tls, data, size);
  *ret_length = n;
  return n > 0 || SSL_get_error(proxy->tls, n) != SSL_ERROR_WANT_READ;
}

/* The mesh ends the connection, without a word. */
static void assert_cut(struct caller_proxy *proxy) {
  char data[16];
  int length;
  until(proxy_reads(proxy, data, sizeof data, &length));
  assert_true(length <= 0);
}

static void assert_reads(struct caller_proxy *proxy, const char *bytes, size_t length) {
  char data[256];
  size_t have = 0;
  while (have < length) {
    int n;
    until(proxy_reads(proxy, data + have, (int)(sizeof data - have), &n));
    assert_true(n > 0);
    have += (size_t)n;
  }
  assert_int_equal(have, length);
  assert_memory_equal(data, bytes, length);
}

static void answer(int app, const char *text) {
  char data[256];
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  until(peeked(app) >= 0);
  assert_true(recvfrom(app, data, sizeof data, 0, (struct sockaddr *)&from, &size) >= 0);
  assert_int_equal(sendto(app, text, strlen(text), 0, (struct sockaddr *)&from, size), strlen(text));
}

/* ---- tests */

static void test_datagrams_are_framed(void **state) {
  (void)state;
  struct caller_proxy proxy;
  proxy_open(&proxy, "client", UDP_ONLY, true);
  assert_true(tls_carries_datagrams(proxy.tls));
  proxy_send(&proxy, "\0\3one\0\0\0\3two\0", 13); /* two whole ones, an empty one between, and the begin of a length */
  assert_comes(udp_app, "one");
  assert_comes(udp_app, "");
  assert_comes(udp_app, "two");
  proxy_send(&proxy, "\5th", 3);
  assert_silent(udp_app);
  proxy_send(&proxy, "ree", 3);
  answer(udp_app, "and back");
  assert_reads(&proxy, "\0\10and back", 10);
  proxy_close(&proxy);
  until(mesh->connections == 0);
}

/* Longer than any datagram. */
static void test_nonsense_ends_the_connection(void **state) {
  (void)state;
  struct caller_proxy proxy;
  proxy_open(&proxy, "client", UDP_ONLY, true);
  proxy_send(&proxy,
             "\0\2ok\xff\xff"
             "GET / HTTP/1.1\r\n",
             22);
  assert_cut(&proxy);
  assert_comes(udp_app, "ok");
  assert_silent(udp_app);
  assert_int_equal(mesh->connections, 0);
  proxy_close(&proxy);
}

static void test_half_a_datagram_is_none(void **state) {
  (void)state;
  struct caller_proxy proxy;
  proxy_open(&proxy, "client", UDP_ONLY, true);
  proxy_send(&proxy, "\0\5hal", 5);
  settle();
  assert_int_equal(mesh->connections, 1);
  proxy_close(&proxy);
  until(mesh->connections == 0);
  assert_silent(udp_app);
}

/* What is carried is agreed in the handshake, not guessed from a port that both transports have. */
static void test_what_is_carried_is_agreed_on(void **state) {
  (void)state;
  int tcp_app = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = address_of('a', SHARED);
  assert_int_equal(setsockopt(tcp_app, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), 0);
  assert_int_equal(bind(tcp_app, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(tcp_app, 4), 0);
  struct caller_proxy proxy;
  proxy_open(&proxy, "client", SHARED, true);
  proxy_send(&proxy, "\0\3one", 5);
  assert_comes(shared_app, "one");
  assert_int_equal(accept(tcp_app, NULL, NULL), -1);
  proxy_close(&proxy);
  proxy_open(&proxy, "client", SHARED, false);
  assert_false(tls_carries_datagrams(proxy.tls));
  proxy_send(&proxy, "\0\3two", 5);
  int fd = -1;
  until((fd = accept(tcp_app, NULL, NULL)) >= 0);
  char data[16];
  until(peeked(fd) > 0);
  assert_int_equal(recv(fd, data, sizeof data, 0), 5);
  assert_memory_equal(data, "\0\3two", 5); /* bytes, as they are */
  assert_silent(shared_app);
  proxy_close(&proxy);
  close(fd);
  close(tcp_app);
  until(mesh->connections == 0);
}

static void test_ports_of_one_transport_take_no_other(void **state) {
  (void)state;
  static const struct {
    uint16_t port;
    bool datagrams;
  } cases[] = {{UDP_ONLY, false}, {TCP_ONLY, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct caller_proxy proxy;
    proxy_open(&proxy, "client", cases[i].port, cases[i].datagrams);
    (void)SSL_write(proxy.tls, "\0\3one", 5);
    assert_cut(&proxy);
    assert_silent(udp_app);
    assert_int_equal(mesh->connections, 0);
    proxy_close(&proxy);
  }
}

static void test_the_certificate_decides(void **state) {
  (void)state;
  static const struct resource_name name = {.namespace = "main", .name = "allow", .key = "main/allow"};
  static const struct resource_name namespace = {.namespace = "main", .key = "main"};
  struct caller_proxy client, guest;
  declare("enforcement", NULL, "{\"mode\":\"deny\"}");
  declare(
      "permissions", "allow",
      "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},\"sources\":[{\"namespace\":\"main\","
      "\"serviceAccount\":\"client\"}],\"rules\":[{\"protocol\":\"udp\"}]}");
  proxy_open(&guest, "guest", UDP_ONLY, true);
  proxy_open(&client, "client", UDP_ONLY, true);
  (void)SSL_write(guest.tls, "\0\2no", 4);
  proxy_send(&client, "\0\3yes", 5);
  assert_comes(udp_app, "yes");
  assert_cut(&guest);
  assert_true(resource_remove(mesh, resource_kind_find("permissions"), &name));
  assert_cut(&client);
  assert_silent(udp_app);
  assert_int_equal(mesh->connections, 0);
  assert_true(resource_remove(mesh, resource_kind_find("enforcement"), &namespace));
  proxy_close(&guest);
  proxy_close(&client);
}

static int new_flow(char kind) {
  return connect_to(SOCK_DGRAM, address_of(kind, kind == 'o' ? UPSTREAM : UDP_ONLY));
}

static void pass(int client, const char *text) {
  assert_int_equal(send(client, text, strlen(text), 0), strlen(text));
  assert_comes(udp_app, text);
}

static void test_silent_flows_end(void **state) {
  (void)state;
  int used = new_flow('o'), silent = new_flow('o'), direct = new_flow('i');
  pass(used, "one");
  pass(silent, "two");
  pass(direct, "three");
  assert_int_equal(mesh->connections, 5); /* each that goes between proxies counts at both ends */
  for (int i = 0; i < 2; i++) {
    advance(TIMEOUT_FLOW_IDLE - 10);
    pass(used, "used");
  }
  until(mesh->connections == 2);
  advance(TIMEOUT_FLOW_IDLE + 5);
  until(mesh->connections == 0);
  pass(silent, "a new one");
  assert_int_equal(mesh->connections, 2);
  advance(TIMEOUT_FLOW_IDLE + 5);
  until(mesh->connections == 0);
  close(used);
  close(silent);
  close(direct);
}

/* Answers alone keep a flow. */
static void test_a_flow_that_only_answers_stays(void **state) {
  (void)state;
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  char data[16];
  int client = new_flow('o');
  assert_int_equal(send(client, "begin", 5, 0), 5);
  until(peeked(udp_app) >= 0);
  assert_int_equal(recvfrom(udp_app, data, sizeof data, 0, (struct sockaddr *)&from, &size), 5);
  for (int i = 0; i < 3; i++) {
    advance(TIMEOUT_FLOW_IDLE - 10);
    assert_int_equal(sendto(udp_app, "tick", 4, 0, (struct sockaddr *)&from, size), 4);
    assert_comes(client, "tick");
  }
  advance(TIMEOUT_FLOW_IDLE + 5);
  until(mesh->connections == 0);
  close(client);
}

/* The one that was silent longest makes room; the others go on. */
static void test_flows_are_limited(void **state) {
  (void)state;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int oldest = new_flow('i'), second = new_flow('i');
  pass(oldest, "oldest");
  pass(second, "second");
  static int others[LIMIT_FLOWS - 2]; /* open, so that each has a port of its own */
  for (int i = 0; i < LIMIT_FLOWS - 2; i++) {
    others[i] = new_flow('i');
    pass(others[i], "x");
  }
  assert_int_equal(mesh->connections, LIMIT_FLOWS);
  pass(oldest, "used again");
  int one_more = new_flow('i');
  pass(one_more, "one more");
  assert_int_equal(mesh->connections, LIMIT_FLOWS);
  assert_int_equal(send(oldest, "a", 1, 0), 1);
  answer(udp_app, "for the oldest");
  assert_comes(oldest, "for the oldest");
  pass(second, "had to go, and begins anew");
  assert_int_equal(mesh->connections, LIMIT_FLOWS);
  advance(TIMEOUT_FLOW_IDLE + 5);
  until(mesh->connections == 0);
  for (int i = 0; i < LIMIT_FLOWS - 2; i++)
    close(others[i]);
  close(oldest);
  close(second);
  close(one_more);
}

/* Before its connection is there, little waits. */
static void test_what_waits_is_limited(void **state) {
  (void)state;
  static char large[LIMIT_FLOW_WAITING / 2];
  int client = new_flow('o');
  for (int i = 0; i < 4; i++)
    assert_int_equal(send(client, large, sizeof large, 0), sizeof large);
  until(peeked(udp_app) >= 0);
  assert_int_equal(recv(udp_app, large, sizeof large, MSG_TRUNC), sizeof large);
  assert_silent(udp_app);
  pass(client, "later ones pass");
  advance(TIMEOUT_FLOW_IDLE + 5);
  until(mesh->connections == 0);
  close(client);
}

/* A caller's proxy that does not read gets no more than a bounded queue. */
static void test_who_does_not_read_loses_answers(void **state) {
  (void)state;
  static char large[32 * 1024];
  struct caller_proxy proxy;
  proxy_open(&proxy, "client", UDP_ONLY, true);
  proxy_send(&proxy, "\0\5begin", 7);
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  char data[16];
  until(peeked(udp_app) >= 0);
  assert_int_equal(recvfrom(udp_app, data, sizeof data, 0, (struct sockaddr *)&from, &size), 5);
  for (int i = 0; i < 1000; i++) { /* 32 MiB */
    (void)sendto(udp_app, large, sizeof large, 0, (struct sockaddr *)&from, size);
    assert_true(event_base_loop(mesh->base, EVLOOP_NONBLOCK) >= 0);
  }
  static char all[64 * 1024];
  size_t read = 0;
  for (int quiet = 0; quiet < 100; quiet++) {
    turn();
    for (int n; (n = SSL_read(proxy.tls, all, sizeof all)) > 0; quiet = 0)
      read += (size_t)n;
  }
  assert_in_range(read, sizeof large, 24 * 1024 * 1024);
  proxy_send(&proxy, "\0\4more", 6);
  assert_comes(udp_app, "more");
  proxy_close(&proxy);
  until(mesh->connections == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datagrams_are_framed),
      cmocka_unit_test(test_nonsense_ends_the_connection),
      cmocka_unit_test(test_half_a_datagram_is_none),
      cmocka_unit_test(test_what_is_carried_is_agreed_on),
      cmocka_unit_test(test_ports_of_one_transport_take_no_other),
      cmocka_unit_test(test_the_certificate_decides),
      cmocka_unit_test(test_silent_flows_end),
      cmocka_unit_test(test_a_flow_that_only_answers_stays),
      cmocka_unit_test(test_flows_are_limited),
      cmocka_unit_test(test_what_waits_is_limited),
      cmocka_unit_test(test_who_does_not_read_loses_answers),
  };
  return cmocka_run_group_tests_name("refmesh_flows", tests, setup, teardown);
}
