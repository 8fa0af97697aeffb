/* UDP through a real trammel-refmesh: who gets through, to whom, and that answers find the way back. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

enum {
  SERVER = 1,
  CLIENT = 2,
  GUEST = 3,
  BACKUP = 4,
  UDP_PORT = 5300,   /* of the service; 5353 at the workloads */
  UDP_TARGET = 5353, /* of UDP only */
  TO_UDP = 22000,
  TO_SHARED = 22001, /* TCP_PORT, by UDP */
  TO_TCP = 22002,
  TO_PAIR = 22003, /* a service of two workloads */
  TO_ROOT = 22004,
  WAIT_MS = 20000,
  DATAGRAM_MAX = 65507,
};

static struct mesh_process mesh;
static struct server *server;                  /* TCP and HTTP of SERVER */
static int server_app, shared_app, backup_app; /* UDP, in this process */

static int udp_at(const char *address, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int)), 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  return fd;
}

/* A new client of a workload's program. */
static int udp_to(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int)), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static int call(int workload, int port) {
  return udp_to(address_of('o', workload), port);
}

static void declare_udp_workload(const char *name, int host) {
  static const char *const upstreams =
      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":5300,\"listen\":22000,\"transport\":\"udp\"},"
      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":7070,\"listen\":22001,\"transport\":\"udp\"},"
      "{\"namespace\":\"main\",\"service\":\"server\",\"port\":7070,\"listen\":22002},"
      "{\"namespace\":\"main\",\"service\":\"pair\",\"port\":5300,\"listen\":22003,\"transport\":\"udp\"},"
      "{\"namespace\":\"main\",\"service\":\"root\",\"port\":5300,\"listen\":22004,\"transport\":\"udp\"}";
  char path[64];
  snprintf(path, sizeof path, "workloads/main/%s", name);
  declare(path,
          "{\"serviceAccount\":\"%s\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\",\"ports\":["
          "{\"port\":%d,\"protocol\":\"udp\"},{\"port\":%d,\"protocol\":\"udp\"},{\"port\":%d,\"protocol\":\"tcp\"}],"
          "\"upstreams\":[%s]}",
          name, address_of('a', host), address_of('i', host), address_of('o', host), UDP_TARGET, TCP_PORT, TCP_PORT,
          upstreams);
}

static void declare_udp_service(const char *name, const char *workloads) {
  char path[64];
  snprintf(path, sizeof path, "services/main/%s", name);
  declare(path,
          "{\"ports\":[{\"port\":%d,\"targetPort\":%d,\"protocol\":\"udp\"},{\"port\":%d,\"protocol\":\"tcp\"},"
          "{\"port\":%d,\"protocol\":\"udp\"}],\"workloads\":[%s]}",
          UDP_PORT, UDP_TARGET, TCP_PORT, TCP_PORT, workloads);
}

static int setup(void **state) {
  (void)state;
  signal(SIGPIPE, SIG_IGN); /* the server says "bye" to clients that are gone */
  mesh_start(&mesh, NULL);
  server = server_start("server", SERVER);
  server_app = udp_at(address_of('a', SERVER), UDP_TARGET);
  shared_app = udp_at(address_of('a', SERVER), TCP_PORT);
  backup_app = udp_at(address_of('a', BACKUP), UDP_TARGET);
  declare_udp_workload("server", SERVER);
  declare_udp_workload("client", CLIENT);
  declare_udp_workload("guest", GUEST);
  declare_udp_workload("backup", BACKUP);
  declare_udp_service("server", "\"server\"");
  declare_udp_service("backup", "\"backup\"");
  declare_udp_service("pair", "\"server\",\"backup\"");
  declare_udp_service("root", "");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  close(server_app);
  close(shared_app);
  close(backup_app);
  server_stop(server);
  mesh_stop(&mesh);
  return 0;
}

static void send_datagram(int fd, const void *data, size_t length) {
  assert_int_equal(send(fd, data, length, 0), length);
}

static bool comes(int fd, int ms) {
  struct pollfd poller = {.fd = fd, .events = POLLIN};
  return poll(&poller, 1, ms) == 1;
}

/* The next datagram at a server: its length, and whom to answer. */
static size_t receive(int app, char *data, size_t size, struct sockaddr_in *ret_from) {
  assert_true(comes(app, WAIT_MS));
  socklen_t length = sizeof *ret_from;
  ssize_t n = recvfrom(app, data, size, 0, (struct sockaddr *)ret_from, &length);
  assert_true(n >= 0);
  return (size_t)n;
}

/* Sends `text`; it must arrive at `app`, and the answer at the client. */
static void assert_passes(int client, int app, const char *text) {
  char data[256], answer[300];
  struct sockaddr_in from;
  send_datagram(client, text, strlen(text));
  size_t length = receive(app, data, sizeof data, &from);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(data, text, length);
  int n = snprintf(answer, sizeof answer, "re: %s", text);
  assert_int_equal(sendto(app, answer, (size_t)n, 0, (struct sockaddr *)&from, sizeof from), n);
  assert_true(comes(client, WAIT_MS));
  assert_int_equal(recv(client, data, sizeof data, 0), n);
  assert_memory_equal(data, answer, (size_t)n);
}

/* Two flows of a workload begin and pass, one after the other. */
static void assert_begin(int workload) {
  for (int i = 0; i < 2; i++) {
    int client = call(workload, TO_UDP);
    assert_passes(client, server_app, "after it");
    close(client);
  }
}

/* What is denied leaves no trace to wait for. But the mesh takes turns: what it let in would have arrived before flows
 * that begin after it, which take as many steps. */
static void assert_lost(int denied, int allowed_workload, const char *text) {
  send_datagram(denied, text, strlen(text));
  assert_begin(allowed_workload);
  assert_false(comes(server_app, 0));
  assert_false(comes(denied, 0));
}

static void allow(const char *rules) {
  declare("permissions/main/allow",
          "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
          "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"client\"}],\"rules\":%s}",
          rules);
}

static void enforce(const char *rules) {
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  allow(rules);
}

static void open_up(void) {
  undeclare("permissions/main/allow");
  undeclare("enforcement/main");
}

#define UDP_TARGET_RULE "[{\"protocol\":\"udp\",\"ports\":[5353]}]"

static void test_datagrams_pass_both_ways(void **state) {
  (void)state;
  int client = call(CLIENT, TO_UDP), other = call(CLIENT, TO_UDP);
  assert_passes(client, server_app, "one");
  assert_passes(other, server_app, "two");
  assert_passes(client, server_app, "three");
  assert_false(comes(other, 0));
  close(client);
  close(other);
}

static void test_any_size_stays_as_it_is(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 255, 256, 1500, 9000, 65506, DATAGRAM_MAX};
  static char sent[DATAGRAM_MAX], data[DATAGRAM_MAX + 1];
  int client = call(CLIENT, TO_UDP);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct sockaddr_in from;
    memset(sent, 'a' + (int)i, sizes[i]);
    send_datagram(client, sent, sizes[i]);
    assert_int_equal(receive(server_app, data, sizeof data, &from), sizes[i]);
    assert_memory_equal(data, sent, sizes[i]);
    assert_int_equal(sendto(server_app, sent, sizes[i], 0, (struct sockaddr *)&from, sizeof from), sizes[i]);
    assert_true(comes(client, WAIT_MS));
    assert_int_equal(recv(client, data, sizeof data, 0), sizes[i]);
    assert_memory_equal(data, sent, sizes[i]);
  }
  close(client);
}

static void test_tcp_and_udp_share_a_number(void **state) {
  (void)state;
  int client = call(CLIENT, TO_SHARED);
  unsigned lines = server_lines(server);
  assert_passes(client, shared_app, "a datagram\n");
  assert_int_equal(server_lines(server), lines);
  assert_true(line_passes(address_of('o', CLIENT), TO_TCP));
  assert_true(line_passes(address_of('i', SERVER), TCP_PORT));
  assert_int_equal(server_lines(server), lines + 2);
  assert_false(comes(shared_app, 0));
  close(client);
}

/* It is there for other proxies' datagrams, which come with a certificate. */
static void test_the_tunnel_port_serves_nothing_else(void **state) {
  (void)state;
  static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: t\r\n\r\n", "hello\n"};
  for (size_t i = 0; i < 2; i++) {
    struct reader reader = dial_reader(address_of('i', SERVER), UDP_TARGET);
    send_text(reader.fd, texts[i]);
    assert_true(ends(&reader));
    reader_close(&reader);
  }
  assert_false(comes(server_app, 0));
}

static void test_the_callers_account_decides(void **state) {
  (void)state;
  int client = call(CLIENT, TO_UDP), guest = call(GUEST, TO_UDP);
  enforce(UDP_TARGET_RULE);
  assert_passes(client, server_app, "hello");
  assert_lost(guest, CLIENT, "let me in");
  open_up();
  assert_passes(guest, server_app, "hello");
  close(client);
  close(guest);
}

static void test_plaintext_is_nobody(void **state) {
  (void)state;
  int direct = udp_to(address_of('i', SERVER), UDP_TARGET);
  assert_passes(direct, server_app, "while it is open");
  enforce(UDP_TARGET_RULE);
  assert_lost(direct, CLIENT, "on the flow that was open");
  int anew = udp_to(address_of('i', SERVER), UDP_TARGET);
  assert_lost(anew, CLIENT, "on a new one");
  open_up();
  assert_passes(direct, server_app, "open again");
  close(direct);
  close(anew);
}

static void test_rules_of_tcp_and_udp_are_apart(void **state) {
  (void)state;
  int shared = call(CLIENT, TO_SHARED);
  enforce("[{\"protocol\":\"tcp\"},{\"protocol\":\"http\"},{\"protocol\":\"udp\",\"ports\":[5353]}]");
  assert_true(line_passes(address_of('o', CLIENT), TO_TCP));
  send_datagram(shared, "no", 2);
  assert_begin(CLIENT);
  assert_false(comes(shared_app, 0));
  allow("[{\"protocol\":\"udp\"}]");
  assert_passes(shared, shared_app, "now");
  assert_false(line_passes(address_of('o', CLIENT), TO_TCP));
  open_up();
  close(shared);
}

/* Neither its datagrams nor late answers; and with the permission back, the same client gets through again. */
static void test_revocation_cuts_a_flow(void **state) {
  (void)state;
  int client = call(CLIENT, TO_UDP);
  char data[64];
  struct sockaddr_in from;
  enforce("[{\"protocol\":\"udp\"}]");
  declare("permissions/main/guest", "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
                                    "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"guest\"}],"
                                    "\"rules\":[{\"protocol\":\"udp\"}]}");
  send_datagram(client, "asked", 5);
  assert_int_equal(receive(server_app, data, sizeof data, &from), 5);
  undeclare("permissions/main/allow");
  (void)sendto(server_app, "late", 4, 0, (struct sockaddr *)&from, sizeof from);
  assert_lost(client, GUEST, "more");
  allow("[{\"protocol\":\"udp\"}]");
  assert_passes(client, server_app, "again");
  undeclare("permissions/main/guest");
  open_up();
  close(client);
}

/* Which of the two it was. */
static int passes_to_either(int client) {
  char data[64];
  struct sockaddr_in from;
  send_datagram(client, "x", 1);
  struct pollfd pollers[] = {{.fd = server_app, .events = POLLIN}, {.fd = backup_app, .events = POLLIN}};
  assert_int_equal(poll(pollers, 2, WAIT_MS), 1);
  int app = pollers[0].revents ? server_app : backup_app;
  assert_int_equal(receive(app, data, sizeof data, &from), 1);
  return app;
}

static void assert_flows_choose_once(int port) {
  unsigned to_server = 0, to_backup = 0;
  for (int i = 0; i < 40; i++) {
    int client = call(CLIENT, port);
    int app = passes_to_either(client);
    for (int k = 0; k < 3; k++)
      assert_int_equal(passes_to_either(client), app);
    to_server += app == server_app;
    to_backup += app == backup_app;
    close(client);
  }
  assert_true(to_server > 0 && to_backup > 0);
}

static void test_a_flow_stays_with_its_workload(void **state) {
  (void)state;
  assert_flows_choose_once(TO_PAIR);
  declare("splits/main/split", "{\"service\":\"root\",\"backends\":[{\"service\":\"server\",\"weight\":1},"
                               "{\"service\":\"backup\",\"weight\":1}]}");
  assert_flows_choose_once(TO_ROOT); /* all alike once in 2^39 */
  undeclare("splits/main/split");
}

static void test_nobody_to_send_to(void **state) {
  (void)state;
  int root = call(CLIENT, TO_ROOT), client = call(CLIENT, TO_UDP);
  assert_lost(root, CLIENT, "to a service without workloads");
  assert_passes(client, server_app, "hello");
  undeclare("services/main/server");
  send_datagram(client, "to a service that is gone, on an open flow", 5);
  declare_udp_service("server", "\"server\"");
  char data[64];
  struct sockaddr_in from;
  assert_int_equal(receive(server_app, data, sizeof data, &from), 5); /* the choice stands */
  close(root);
  close(client);
}

/* That nobody listened before is told to the mesh in place of sending the next datagram, and must not lose that one for
 * ever. */
static void test_a_program_that_comes_late(void **state) {
  (void)state;
  int client = call(CLIENT, TO_UDP);
  char data[64];
  struct sockaddr_in from;
  assert_passes(client, server_app, "hello");
  close(server_app);
  send_datagram(client, "lost", 4);
  server_app = udp_at(address_of('a', SERVER), UDP_TARGET);
  send_datagram(client, "found", 5);
  while (receive(server_app, data, sizeof data, &from) != 5)
    assert_memory_equal(data, "lost", 4);
  assert_memory_equal(data, "found", 5);
  close(client);
}

/* Flows end with their workload, and leave nothing open. */
static void test_200_declarations_leave_no_descriptor(void **state) {
  (void)state;
  declare_udp_workload("client", CLIENT);
  declare_udp_workload("server", SERVER);
  declare_udp_workload("backup", BACKUP);
  declare_udp_workload("guest", GUEST);
  size_t before = mesh_descriptors(&mesh);
  for (int i = 0; i < 200; i++) {
    int client = call(CLIENT, TO_UDP), direct = udp_to(address_of('i', SERVER), UDP_TARGET);
    assert_passes(client, server_app, "x");
    assert_passes(direct, server_app, "y");
    undeclare(i % 2 ? "workloads/main/client" : "workloads/main/server");
    declare_udp_workload(i % 2 ? "client" : "server", i % 2 ? CLIENT : SERVER);
    close(client);
    close(direct);
  }
  undeclare("workloads/main/server");
  declare_udp_workload("server", SERVER);
  assert_true(mesh_settles(&mesh, before));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datagrams_pass_both_ways),
      cmocka_unit_test(test_any_size_stays_as_it_is),
      cmocka_unit_test(test_tcp_and_udp_share_a_number),
      cmocka_unit_test(test_the_tunnel_port_serves_nothing_else),
      cmocka_unit_test(test_the_callers_account_decides),
      cmocka_unit_test(test_plaintext_is_nobody),
      cmocka_unit_test(test_rules_of_tcp_and_udp_are_apart),
      cmocka_unit_test(test_revocation_cuts_a_flow),
      cmocka_unit_test(test_a_flow_stays_with_its_workload),
      cmocka_unit_test(test_nobody_to_send_to),
      cmocka_unit_test(test_a_program_that_comes_late),
      cmocka_unit_test(test_200_declarations_leave_no_descriptor),
  };
  return cmocka_run_group_tests_name("refmesh_udp", tests, setup, teardown);
}
