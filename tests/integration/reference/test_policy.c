/* Who may call what, seen at the server: identity over mutual TLS, live changes on open connections, and splits. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "fixture.h"

enum { SERVER = 1, CLIENT = 2, OTHER = 3, FOREIGN = 4, V1 = 11, V2 = 12 };
/* The services each client can call, in the order of their ports. */
enum { TO_SERVER, TO_ROOT, TO_V1 };

static struct mesh_process mesh;
static struct server *server, *v1, *v2;

static const char *const services[] = {"main/server", "main/root", "main/v1", NULL};

static int setup(void **state) {
  (void)state;
  mesh_start(&mesh, NULL);
  server = server_start("server", SERVER);
  v1 = server_start("v1", V1);
  v2 = server_start("v2", V2);
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "v1", V1, NULL);
  declare_workload("main", "v2", V2, NULL);
  declare_workload("main", "client", CLIENT, services);
  declare_workload("main", "other", OTHER, services);
  declare_workload("far", "client", FOREIGN, services);
  declare_service("main", "server", "server");
  declare_service("main", "v1", "v1");
  declare_service("main", "v2", "v2");
  declare_service("main", "root", "v1");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  server_stop(server);
  server_stop(v1);
  server_stop(v2);
  mesh_stop(&mesh);
  return 0;
}

static int reset(void **state) {
  (void)state;
  (void)control("DELETE", "enforcement/main", "", NULL);
  (void)control("DELETE", "permissions/main/p", "", NULL);
  (void)control("DELETE", "splits/main/s", "", NULL);
  declare_service("main", "root", "v1");
  return 0;
}

static void permit(const char *rules) {
  declare("permissions/main/p",
          "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
          "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"client\"}],\"rules\":%s}",
          rules);
}

static int call(int host, const char *method, const char *path, const char *fields) {
  return status_of(address_of('o', host), 20000 + TO_SERVER, method, path, fields);
}

#define RULES                                                                                                          \
  "[{\"protocol\":\"http\",\"ports\":[8080],\"http\":[{\"path\":\"/metrics\",\"methods\":[\"GET\"]},"                  \
  "{\"headers\":[{\"name\":\"x-env\",\"regex\":\"prod\"}]}]}]"

static void test_only_what_is_permitted_arrives(void **state) {
  (void)state;
  assert_int_equal(call(OTHER, "GET", "/x", ""), 200);
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  permit(RULES);
  unsigned before = server_requests(server);
  assert_int_equal(call(CLIENT, "POST", "/metrics", ""), 403);
  assert_int_equal(call(CLIENT, "GET", "/x", ""), 403);
  assert_int_equal(call(CLIENT, "GET", "/x", "X-Env: prod2\r\n"), 403);
  assert_int_equal(call(OTHER, "GET", "/metrics", ""), 403);
  assert_int_equal(call(FOREIGN, "GET", "/metrics", ""), 403);
  assert_int_equal(status_of(address_of('i', SERVER), HTTP_PORT, "GET", "/metrics", ""), 403);
  assert_false(line_passes(address_of('o', CLIENT), 21000));
  assert_int_equal(server_requests(server), before);
  assert_int_equal(call(CLIENT, "GET", "/metrics?q=1", ""), 200);
  assert_int_equal(call(CLIENT, "POST", "/x", "x-ENV: prod\r\n"), 200);
  assert_int_equal(server_requests(server), before + 2);
}

static void test_plaintext_is_a_caller_without_identity(void **state) {
  (void)state;
  assert_int_equal(status_of(address_of('i', SERVER), HTTP_PORT, "GET", "/", ""), 200);
  assert_true(line_passes(address_of('i', SERVER), TCP_PORT));
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  assert_int_equal(status_of(address_of('i', SERVER), HTTP_PORT, "GET", "/", ""), 403);
  assert_false(line_passes(address_of('i', SERVER), TCP_PORT));
}

static void test_a_refusal_says_who_refused(void **state) {
  (void)state;
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  struct reader reader = dial_reader(address_of('o', CLIENT), 20000);
  struct answer answer = ask(&reader, "GET", "/", "");
  assert_int_equal(answer.status, 403);
  assert_non_null(strstr(answer.head, "x-trammel-refmesh: denied\r\n"));
  answer_free(&answer);
  reader_close(&reader);
}

static void test_changes_hold_for_the_next_request_of_a_kept_connection(void **state) {
  (void)state;
  struct reader reader = dial_reader(address_of('o', CLIENT), 20000);
  static const int expected[] = {200, 403, 200, 403, 200};
  for (int i = 0; i < 5; i++) {
    if (i == 1)
      declare("enforcement/main", "{\"mode\":\"deny\"}");
    else if (i == 2)
      permit(RULES);
    else if (i == 3)
      undeclare("permissions/main/p");
    else if (i == 4)
      undeclare("enforcement/main");
    struct answer answer = ask(&reader, "GET", "/metrics", "");
    assert_int_equal(answer.status, expected[i]);
    answer_free(&answer);
  }
  reader_close(&reader);
}

static void test_a_denied_body_is_read_off(void **state) {
  (void)state;
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  permit(RULES);
  struct reader reader = dial_reader(address_of('o', CLIENT), 20000);
  for (int i = 0; i < 3; i++) {
    send_text(reader.fd, "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello");
    struct answer answer = read_answer(&reader, false);
    assert_int_equal(answer.status, 403);
    answer_free(&answer);
    answer = ask(&reader, "GET", "/metrics", "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
  }
  reader_close(&reader);
}

static void test_revocation_closes_open_tcp_connections(void **state) {
  (void)state;
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  permit("[{\"protocol\":\"tcp\",\"ports\":[7070]}]");
  struct reader reader = dial_reader(address_of('o', CLIENT), 21000);
  send_text(reader.fd, "one\n");
  char *line = read_line(&reader);
  assert_string_equal(line, "server one\n");
  free(line);
  permit("[{\"protocol\":\"tcp\",\"ports\":[7070,1]}]"); /* still allowed: stays */
  send_text(reader.fd, "two\n");
  line = read_line(&reader);
  assert_string_equal(line, "server two\n");
  free(line);
  undeclare("permissions/main/p");
  assert_true(ends(&reader));
  reader_close(&reader);
}

/* --- TLS at the inbound proxy --- */

static EVP_PKEY *foreign_key;

/* A certificate as the mesh's own would be, but of another authority: itself. */
static X509 *foreign_certificate(void) {
  X509 *certificate = X509_new();
  foreign_key = EVP_EC_gen("P-256");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, foreign_key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             (const unsigned char *)"Trammel reference mesh", -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_EXTENSION *names =
      X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "URI:spiffe://trammel.test/ns/main/sa/client");
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate, foreign_key, EVP_sha256());
  return certificate;
}

/* Shakes hands with the inbound proxy; with `certificate` as the caller's. Returns whether a request got an answer, and
 * the proxy's own certificate. */
static bool tls_call(X509 *certificate, X509 **ret_peer) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *tls = SSL_new(context);
  if (certificate) {
    SSL_use_certificate(tls, certificate);
    SSL_use_PrivateKey(tls, foreign_key);
  }
  int fd = dial(address_of('i', SERVER), HTTP_PORT);
  SSL_set_fd(tls, fd);
  static const char request[] = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  char answer[64];
  /* In TLS 1.3 the client is done before the server has seen its certificate: the refusal is read. */
  bool answered = SSL_connect(tls) == 1 && SSL_write(tls, request, (int)strlen(request)) > 0 &&
                  SSL_read(tls, answer, sizeof answer) > 0;
  *ret_peer = SSL_get1_peer_certificate(tls);
  SSL_free(tls);
  SSL_CTX_free(context);
  close(fd);
  return answered;
}

static void test_tls_needs_a_certificate_of_this_mesh(void **state) {
  (void)state;
  X509 *foreign = foreign_certificate(), *peer = NULL;
  unsigned before = server_requests(server);
  assert_false(tls_call(foreign, &peer));
  X509_free(peer);
  assert_false(tls_call(NULL, &peer));
  assert_int_equal(server_requests(server), before);
  X509_free(foreign);
  EVP_PKEY_free(foreign_key);

  /* The proxy showed who it is, for a short time. */
  assert_non_null(peer);
  GENERAL_NAMES *names = X509_get_ext_d2i(peer, NID_subject_alt_name, NULL, NULL);
  assert_non_null(names);
  bool found = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI) {
      assert_string_equal((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
                          "spiffe://trammel.test/ns/main/sa/server");
      found = true;
    }
  }
  assert_true(found);
  time_t tomorrow = time(NULL) + 24 * 3600;
  assert_int_equal(X509_cmp_time(X509_get0_notAfter(peer), &tomorrow), -1);
  GENERAL_NAMES_free(names);
  X509_free(peer);
}

/* --- splits --- */

static void split(const char *backends, const char *matches) {
  declare("splits/main/s", "{\"service\":\"root\",\"backends\":%s%s%s}", backends, matches ? ",\"matches\":" : "",
          matches ? matches : "");
}

static unsigned share_of(struct server *backend, unsigned count, bool kept, const char *path) {
  unsigned before = server_requests(backend);
  struct reader reader = {.fd = -1};
  for (unsigned i = 0; i < count; i++) {
    if (reader.fd < 0)
      reader = dial_reader(address_of('o', CLIENT), 20000 + TO_ROOT);
    struct answer answer = ask(&reader, "GET", path, "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
    if (!kept)
      reader_close(&reader);
  }
  if (kept)
    reader_close(&reader);
  return server_requests(backend) - before;
}

/* 1000 requests at 1/4: the standard deviation is 13.7, the bounds are 6 of it away. */
static void test_requests_are_split_by_weight(void **state) {
  (void)state;
  split("[{\"service\":\"v1\",\"weight\":250},{\"service\":\"v2\",\"weight\":750}]", NULL);
  assert_in_range(share_of(v1, 1000, true, "/"), 168, 332);
  assert_in_range(share_of(v1, 1000, false, "/"), 168, 332);
}

static void test_weight_zero_and_absent_backends_get_nothing(void **state) {
  (void)state;
  split("[{\"service\":\"v1\",\"weight\":0},{\"service\":\"v2\",\"weight\":1},{\"service\":\"nowhere\",\"weight\":9}]",
        NULL);
  assert_int_equal(share_of(v2, 200, true, "/"), 200);
}

static void test_no_usable_weight_is_503(void **state) {
  (void)state;
  split("[{\"service\":\"v1\",\"weight\":0},{\"service\":\"nowhere\",\"weight\":9}]", NULL);
  assert_int_equal(status_of(address_of('o', CLIENT), 20000 + TO_ROOT, "GET", "/", ""), 503);
  assert_false(line_passes(address_of('o', CLIENT), 21000 + TO_ROOT));
}

static void test_a_backend_without_the_roots_port_does_not_count(void **state) {
  (void)state;
  declare("services/main/odd",
          "{\"ports\":[{\"port\":81,\"targetPort\":8080,\"protocol\":\"http\"}],\"workloads\":[\"v1\"]}");
  split("[{\"service\":\"odd\",\"weight\":9},{\"service\":\"v2\",\"weight\":1}]", NULL);
  assert_int_equal(share_of(v2, 100, true, "/"), 100);
  undeclare("services/main/odd");
}

static void test_only_matching_requests_are_split(void **state) {
  (void)state;
  split("[{\"service\":\"v2\",\"weight\":1}]", "[{\"path\":\"/new\"}]");
  assert_int_equal(share_of(v2, 20, true, "/new/x"), 20);
  assert_int_equal(share_of(v1, 20, true, "/old"), 20);
  unsigned before = server_lines(v1);
  assert_true(line_passes(address_of('o', CLIENT), 21000 + TO_ROOT));
  assert_int_equal(server_lines(v1), before + 1);
}

static void test_splits_do_not_nest_and_leave_direct_calls_alone(void **state) {
  (void)state;
  split("[{\"service\":\"root\",\"weight\":1}]", NULL); /* its own workloads */
  assert_int_equal(share_of(v1, 20, true, "/"), 20);
  split("[{\"service\":\"v2\",\"weight\":1}]", NULL);
  declare("splits/main/t", "{\"service\":\"v2\",\"backends\":[{\"service\":\"server\",\"weight\":1}]}");
  assert_int_equal(share_of(v2, 20, true, "/"), 20);
  undeclare("splits/main/t");
  unsigned before = server_requests(v1);
  assert_int_equal(status_of(address_of('o', CLIENT), 20000 + TO_V1, "GET", "/", ""), 200);
  assert_int_equal(server_requests(v1), before + 1);
}

static void test_workloads_take_turns(void **state) {
  (void)state;
  declare("services/main/root",
          "{\"ports\":[{\"port\":8080,\"protocol\":\"http\"}],\"workloads\":[\"v1\",\"gone\",\"v2\"]}");
  assert_int_equal(share_of(v1, 40, true, "/"), 20);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* a proxy that refuses may be gone before all is written by OpenSSL */
#define TEST(name) cmocka_unit_test_setup(name, reset)
  const struct CMUnitTest tests[] = {
      TEST(test_only_what_is_permitted_arrives),
      TEST(test_plaintext_is_a_caller_without_identity),
      TEST(test_a_refusal_says_who_refused),
      TEST(test_changes_hold_for_the_next_request_of_a_kept_connection),
      TEST(test_a_denied_body_is_read_off),
      TEST(test_revocation_closes_open_tcp_connections),
      TEST(test_tls_needs_a_certificate_of_this_mesh),
      TEST(test_requests_are_split_by_weight),
      TEST(test_weight_zero_and_absent_backends_get_nothing),
      TEST(test_no_usable_weight_is_503),
      TEST(test_a_backend_without_the_roots_port_does_not_count),
      TEST(test_only_matching_requests_are_split),
      TEST(test_splits_do_not_nest_and_leave_direct_calls_alone),
      TEST(test_workloads_take_turns),
  };
  return cmocka_run_group_tests_name("refmesh_policy", tests, setup, teardown);
}
