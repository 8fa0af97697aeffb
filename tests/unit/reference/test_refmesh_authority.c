/* Who is let in between proxies: certificates as the authority issues them, and each thing that can be wrong with one,
 * signed with the authority's own key. That key doesn't leave authority.c, so this test is compiled with it. */
#include "plugins/reference/mesh/authority.c" /* NOLINT(bugprone-suspicious-include) */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SERVER_ID "spiffe://trammel.test/ns/main/sa/server"
#define CLIENT_ID "spiffe://trammel.test/ns/main/sa/client"

static struct authority *authority;
static SSL_CTX *server, *client;

static int setup(void **state) {
  (void)state;
  const struct account to = {"main", "server"}, from = {"main", "client"};
  assert_int_equal(authority_create("trammel.test", &authority, NULL), 0);
  assert_int_equal(authority_enroll(authority, &to, "server", &server, NULL), 0);
  assert_int_equal(authority_enroll(authority, &from, "client-1", &client, NULL), 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  SSL_CTX_free(server);
  SSL_CTX_free(client);
  authority_destroy(authority);
  return 0;
}

enum ending { CLEAN, CUT };

/* Shakes hands in memory. Whether both sides accept; then also who called, and whether it took a session from before.
 * The peer has the session to take next time. */
static bool meet(struct tls_peer *peer, enum ending ending, struct caller *ret_caller, bool *ret_resumed) {
  SSL *from = tls_client(client, peer), *to = tls_server(server);
  BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
  assert_true(from && to && up && down && BIO_up_ref(up) && BIO_up_ref(down));
  BIO_set_mem_eof_return(up, -1);
  BIO_set_mem_eof_return(down, -1);
  SSL_set_bio(from, down, up);
  SSL_set_bio(to, up, down);
  bool met = false;
  for (int i = 0; i < 8 && !met; i++) {
    bool called = SSL_do_handshake(from) == 1, answered = SSL_do_handshake(to) == 1;
    met = called && answered;
  }
  met = met && authority_caller(authority, to, ret_caller);
  char byte;
  assert_true(SSL_read(from, &byte, 1) <= 0); /* the session comes after the handshake */
  *ret_resumed = SSL_session_reused(from) && SSL_session_reused(to);
  if (ending == CLEAN)
    for (int i = 0; i < 2; i++)
      assert_true(SSL_shutdown(from) >= 0 && SSL_shutdown(to) >= 0);
  ERR_clear_error();
  tls_destroy(from);
  tls_destroy(to);
  return met;
}

static bool handshake(struct tls_peer *peer, struct caller *ret_caller) {
  bool resumed;
  bool met = meet(peer, CUT, ret_caller, &resumed);
  assert_false(resumed);
  SSL_SESSION_free(take(peer->session));
  return met;
}

/* Gives the client a certificate of the authority with these names, valid for `lifetime` seconds from now. */
static void present(const char *first, const char *second, long lifetime) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = certificate_new(key, "workload", lifetime);
  GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
  assert_true(push_name(names, GEN_DNS, "client-1.main"));
  assert_true(!first || push_name(names, GEN_URI, first));
  assert_true(!second || push_name(names, GEN_URI, second));
  assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)), 1);
  assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT), 1);
  assert_true(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
  assert_int_equal(SSL_CTX_use_cert_and_key(client, certificate, key, NULL, 1), 1);
  GENERAL_NAMES_free(names);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

static struct tls_peer meant = {.identity = (char *)SERVER_ID};

static void test_workloads_of_one_mesh_meet(void **state) {
  (void)state;
  struct caller caller;
  assert_true(handshake(&meant, &caller));
  assert_true(caller.identified);
  assert_string_equal(caller.namespace, "main");
  assert_string_equal(caller.account, "client");
  assert_string_equal(caller.workload, "client-1");
}

static void test_a_client_insists_on_whom_it_meant(void **state) {
  (void)state;
  struct caller caller;
  static const char *const others[] = {CLIENT_ID, SERVER_ID "s", "spiffe://trammel.test/ns/main/sa/serve", ""};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(handshake(&(struct tls_peer){.identity = (char *)others[i]}, &caller));
}

static void test_a_client_that_means_nobody_trusts_nobody(void **state) {
  (void)state;
  struct caller caller;
  assert_false(handshake(&(struct tls_peer){0}, &caller));
}

static void test_what_is_wrong_with_a_certificate(void **state) {
  (void)state;
  struct caller caller;
  present(CLIENT_ID, NULL, 60); /* nothing */
  assert_true(handshake(&meant, &caller));
  present(CLIENT_ID, NULL, -60); /* it expired */
  assert_false(handshake(&meant, &caller));
  present(CLIENT_ID, SERVER_ID, 60); /* two identities */
  assert_false(handshake(&meant, &caller));
  present(NULL, NULL, 60); /* none */
  assert_false(handshake(&meant, &caller));
  present("spiffe://elsewhere.test/ns/main/sa/client", NULL, 60); /* of another trust domain */
  assert_false(handshake(&meant, &caller));
}

static void check_resumption(enum ending first_ending) {
  struct tls_peer peer = meant;
  struct caller caller;
  bool resumed;
  assert_true(meet(&peer, first_ending, &caller, &resumed) && !resumed);
  const SSL_SESSION *first = peer.session;
  for (int i = 0; i < 3; i++) {
    assert_true(meet(&peer, CLEAN, &caller, &resumed) && resumed);
    assert_true(caller.identified);
    assert_string_equal(caller.workload, "client-1");
    assert_true(meet(&peer, CUT, &caller, &resumed) && resumed); /* which is no reason to verify anew */
    assert_ptr_equal(peer.session, first);                       /* and not one that outlives what it verified */
  }
  SSL_SESSION_free(peer.session);
}

static void test_a_session_is_taken_again_and_again(void **state) {
  (void)state;
  check_resumption(CLEAN);
}

static void test_a_cut_connection_leaves_its_session(void **state) {
  (void)state;
  check_resumption(CUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_workloads_of_one_mesh_meet, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_client_insists_on_whom_it_meant, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_client_that_means_nobody_trusts_nobody, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_is_wrong_with_a_certificate, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_session_is_taken_again_and_again, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_cut_connection_leaves_its_session, setup, teardown),
  };
  return cmocka_run_group_tests_name("refmesh_authority", tests, NULL, NULL);
}
