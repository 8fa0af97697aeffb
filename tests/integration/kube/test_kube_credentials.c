/* Who the client says it is, and whom it believes: tokens that change, programs, certificates, proxies. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "sdk/base/clock.h"
#include "tests/integration/kube/kube_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/command.h"

#define OBJECT "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\"}}"
#define TOKEN_OLD "old-token-that-is-secret"
#define TOKEN_NEW "new-token-that-is-secret"

/* Lets in who shows `token` (NULL: everyone), and remembers. */
struct door {
  const char *token;
  struct fake_request last;
  unsigned refused;
};

static void answer(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct door *door = ctx;
  char wanted[256];

  door->last = *request;
  door->last.body = NULL;
  (void)snprintf(wanted, sizeof(wanted), "Bearer %s", door->token ? door->token : "");
  bool in = !door->token || strcmp(request->authorization, wanted) == 0;
  door->refused += !in;
  fake_reply(connection, in ? 200 : 401, NULL, in ? OBJECT : "{\"message\":\"Unauthorized\"}");
}

static int get(struct kube_fixture *f, struct error **err) {
  json_t *object = NULL;
  int r = kube_get(f->client, &config_map, &(struct kube_call){.deadline_ns = in_ms(20000)}, &object, err);

  json_decref(object);
  assert_null(strstr(err ? error_message(*err) : "", "-that-is-secret"));
  return r;
}

static void assert_holds(const struct error *err, const char *text) {
  if (!strstr(error_message(err), text))
    fail_msg("\"%s\" is not in: %s", text, error_message(err));
}

static void test_a_token_file_is_read_again_when_the_server_refuses(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {.token = TOKEN_OLD};

  fixture_write(f, "token", TOKEN_OLD "\n", 0600);
  fixture_serve(f, answer, &door, "    tokenFile: token\n", NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  fixture_write(f, "token", TOKEN_NEW "\n", 0600);
  door.token = TOKEN_NEW;
  assert_int_equal(get(f, NULL), 0);
  assert_true(door.refused <= 1);
}

static void test_a_refused_token_is_an_error(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {.token = TOKEN_NEW};

  fixture_write(f, "token", TOKEN_OLD "\n", 0600);
  fixture_serve(f, answer, &door, "    tokenFile: token\n", NULL, NULL);
  assert_int_equal(get(f, &err), -EPERM);
  assert_int_equal(f->requests, 1);
  assert_holds(err, "does not accept these credentials (401)");
}

static void test_a_token_file_that_is_gone_for_a_moment(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {.token = TOKEN_OLD};
  char path[4096];

  fixture_write(f, "token", TOKEN_OLD, 0600);
  fixture_serve(f, answer, &door, "    tokenFile: token\n", NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  (void)snprintf(path, sizeof(path), "%s/token", f->directory);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(get(f, NULL), 0);
  fixture_serve(f, answer, &door, "    tokenFile: token\n", NULL, NULL);
  assert_int_equal(get(f, &err), -EACCES); /* not as if the server had not what was asked for */
  assert_holds(err, "token file");
}

static void test_basic_and_impersonation(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {0};

  fixture_serve(f, answer, &door, "    username: jo\n    password: doe\n    as: other\n", NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_string_equal(door.last.authorization, "Basic am86ZG9l");
  assert_string_equal(door.last.impersonate_user, "other");
}

static void test_a_client_certificate(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {0};

  fixture_serve(f, answer, &door, "    client-certificate: client.pem\n    client-key: client.key\n", NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_string_equal(door.last.subject, "client");
}

/* A program that counts its runs in a file and prints `answer`, with the arguments and environment that it has. */
static void write_plugin(struct kube_fixture *f, const char *script) {
  char text[8192];

  (void)snprintf(text, sizeof(text), "#!/bin/sh\ncd '%s'\necho x >>runs\n%s\n", f->directory, script);
  fixture_write(f, "plugin", text, 0700);
  fixture_write(f, "runs", "", 0600);
}

static size_t runs(struct kube_fixture *f) {
  char path[4096], text[256];

  (void)snprintf(path, sizeof(path), "%s/runs", f->directory);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t length = fread(text, 1, sizeof(text), file);
  (void)fclose(file);
  return length / 2;
}

#define EXEC_USER(version)                                                                                             \
  "    exec:\n      apiVersion: client.authentication.k8s.io/" version "\n      command: ./plugin\n"                   \
  "      interactiveMode: IfAvailable\n      args: [one, two]\n      env: [{name: PLUGIN_TEST, value: there}]\n"       \
  "      provideClusterInfo: true\n      installHint: ask your administrator\n"
#define PRINT_TOKEN(version, token, more)                                                                              \
  "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/" version                          \
  "\",\"status\":{\"token\":\"" token "\"" more "}}'"

static void test_a_program_gives_a_token(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {.token = TOKEN_OLD};

  write_plugin(f, "[ \"$1 $2 $PLUGIN_TEST\" = 'one two there' ] || exit 3\n"
                  "case $KUBERNETES_EXEC_INFO in *'\"server\":\"https://127.0.0.1:'*) ;; *) exit 4;; esac\n"
                  "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) ;; *) exit 5;; esac\n"
                  "[ -z \"$(cat)\" ] || exit 6\n" PRINT_TOKEN("v1", TOKEN_OLD, ""));
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(get(f, NULL), 0);
  assert_int_equal(runs(f), 1);
}

static void test_a_program_of_the_beta_version(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {.token = TOKEN_OLD};

  write_plugin(f, PRINT_TOKEN("v1beta1", TOKEN_OLD, ",\"expirationTimestamp\":\"2999-01-01T00:00:00Z\""));
  fixture_serve(f, answer, &door, EXEC_USER("v1beta1"), NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_int_equal(get(f, NULL), 0);
  assert_int_equal(runs(f), 1);
}

static void test_what_expires_is_fetched_again(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {.token = TOKEN_OLD};

  write_plugin(f, PRINT_TOKEN("v1", TOKEN_OLD, ",\"expirationTimestamp\":\"2001-01-01T00:00:00+02:00\""));
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_int_equal(get(f, NULL), 0);
  assert_int_equal(runs(f), 2);
}

static void test_what_is_refused_is_fetched_again_once(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {.token = TOKEN_NEW};

  write_plugin(f, "if [ $(wc -l <runs) = 1 ]; then\n" PRINT_TOKEN("v1", TOKEN_OLD, "") "\nelse\n" PRINT_TOKEN(
                      "v1", TOKEN_NEW, "") "\nfi");
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_int_equal(runs(f), 2);
  door.token = "neither";
  assert_int_equal(get(f, &err), -EPERM);
  assert_int_equal(runs(f), 3);
}

static void test_a_program_gives_a_certificate(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {0};

  write_plugin(
      f, "pem() { sed ':a;N;$!ba;s/\\n/\\\\n/g' \"$1\"; }\n"
         "printf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":"
         "{\"clientCertificateData\":\"%s\",\"clientKeyData\":\"%s\"}}' \"$(pem client.pem)\" \"$(pem client.key)\"");
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  assert_int_equal(get(f, NULL), 0);
  assert_string_equal(door.last.subject, "client");
}

static void refuse_plugin(struct kube_fixture *f, const char *script, int code, const char *why) {
  _cleanup_error_ struct error *err = NULL;
  struct door door = {0};

  write_plugin(f, script);
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  assert_int_equal(get(f, &err), -code);
  assert_int_equal(f->requests, 0);
  assert_holds(err, "credentials program ");
  assert_holds(err, why);
}

static void test_programs_that_fail(void **state) {
  struct kube_fixture *f = *state;

  refuse_plugin(f, "echo " TOKEN_OLD "; echo nobody is logged in >&2; exit 7", EACCES,
                "exit code 7, and said last: \"nobody is logged in\"");
  refuse_plugin(f, "kill -9 $$", EACCES, "killed by signal 9");
  refuse_plugin(f, "echo " TOKEN_OLD, EINVAL, "no ExecCredential");
  refuse_plugin(f, PRINT_TOKEN("v1beta1", TOKEN_OLD, ""), EINVAL, "another apiVersion");
  refuse_plugin(f, PRINT_TOKEN("v1", TOKEN_OLD, ",\"clientKeyData\":\"k\""), EINVAL, "only one of");
  refuse_plugin(f, PRINT_TOKEN("v1", TOKEN_OLD, ",\"expirationTimestamp\":\"soon\""), EINVAL, "RFC 3339");
  refuse_plugin(f, "yes " TOKEN_OLD " | head -c 3000000", E2BIG, "more than 1048576 bytes");
}

static void test_a_program_that_is_not_there(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {0};
  char path[4096];

  (void)snprintf(path, sizeof(path), "%s/plugin", f->directory);
  (void)unlink(path);
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  assert_int_equal(get(f, &err), -EACCES);
  assert_holds(err, "there is none; its kubeconfig says: \"ask your administrator\"");
}

/* The program ignores what it is asked and starts others; all of it ends with the call. */
static void test_a_program_that_hangs(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {0};
  json_t *object = NULL;

  write_plugin(f, "trap '' TERM\nsleep 600 & sleep 600");
  fixture_serve(f, answer, &door, EXEC_USER("v1"), NULL, NULL);
  int64_t start_ns = clock_monotonic_ns();
  assert_int_equal(kube_get(f->client, &config_map, &(struct kube_call){.deadline_ns = in_ms(300)}, &object, &err),
                   -ETIMEDOUT);
  assert_true(clock_monotonic_ns() - start_ns < 10 * NS_PER_SECOND);
  assert_holds(err, "did not end in time");
}

static int get_with_cluster(struct kube_fixture *f, const char *host, const char *more, struct door *door,
                            struct error **err) {
  char cluster[1024];

  (void)snprintf(cluster, sizeof(cluster), "    server: https://%s:%u\n%s", host, fake_server_port(f->server), more);
  fixture_serve(f, answer, door, NULL, cluster, &(struct kube_client_options){.tries = 1});
  return get(f, err);
}

static void test_only_the_own_authority_is_believed(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct door door = {0};

  assert_int_equal(get_with_cluster(f, "127.0.0.1", "    certificate-authority: other-ca.pem\n", &door, &err), -EIO);
  assert_holds(err, "certificate");
  assert_int_equal(get_with_cluster(f, "127.0.0.1", "", &door, NULL), -EIO);
  assert_int_equal(f->requests, 0);
}

static void test_the_name_of_the_server_is_verified(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {0};

  assert_int_equal(get_with_cluster(f, "localhost", "    certificate-authority: ca.pem\n", &door, NULL), -EIO);
  assert_int_equal(f->requests, 0);
  assert_int_equal(get_with_cluster(f, "localhost",
                                    "    certificate-authority: ca.pem\n    tls-server-name: api.example\n", &door,
                                    NULL),
                   0);
  assert_int_equal(strncmp(door.last.host, "localhost:", 10), 0);
  assert_int_equal(get_with_cluster(f, "127.0.0.1",
                                    "    certificate-authority: ca.pem\n    tls-server-name: other.example\n", &door,
                                    NULL),
                   -EIO);
}

/* A proxy that takes one CONNECT, remembers it, and carries bytes both ways. */
struct proxy {
  int listener;
  uint16_t to; /* whatever was asked for */
  char head[2048];
  pthread_t thread;
};

static bool carry(int from, int to) {
  char chunk[16384];
  ssize_t n = read(from, chunk, sizeof(chunk));

  return n > 0 && write(to, chunk, (size_t)n) == n;
}

static void *run_proxy(void *ctx) {
  struct proxy *proxy = ctx;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(proxy->to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  size_t length = 0;
  int client = accept(proxy->listener, NULL, NULL);
  int server = socket(AF_INET, SOCK_STREAM, 0);

  while (client >= 0 && !strstr(proxy->head, "\r\n\r\n")) {
    ssize_t n = read(client, proxy->head + length, sizeof(proxy->head) - 1 - length);
    if (n <= 0)
      break;
    length += (size_t)n;
  }
  if (client >= 0 && connect(server, (struct sockaddr *)&address, sizeof(address)) == 0) {
    static const char good[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool open = write(client, good, sizeof(good) - 1) > 0;
    while (open && poll(fds, 2, -1) > 0)
      open = (!fds[0].revents || carry(client, server)) && (!fds[1].revents || carry(server, client));
  }
  (void)close(client);
  (void)close(server);
  return NULL;
}

static uint16_t proxy_start(struct proxy *proxy, uint16_t to) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);

  *proxy = (struct proxy){.to = to, .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address, size), 0);
  assert_int_equal(listen(proxy->listener, 1), 0);
  assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&address, &size), 0);
  assert_int_equal(pthread_create(&proxy->thread, NULL, run_proxy, proxy), 0);
  return ntohs(address.sin_port);
}

static void proxy_stop(struct proxy *proxy) {
  (void)shutdown(proxy->listener, SHUT_RDWR);
  assert_int_equal(pthread_join(proxy->thread, NULL), 0);
  (void)close(proxy->listener);
}

static void test_a_proxy_sees_the_way_and_no_token(void **state) {
  struct kube_fixture *f = *state;
  struct door door = {.token = TOKEN_OLD};
  struct proxy proxy;
  char cluster[1024];

  (void)snprintf(cluster, sizeof(cluster),
                 "    server: https://api.example:6443\n    certificate-authority: ca.pem\n    proxy-url: "
                 "http://jo:pw@127.0.0.1:%u\n",
                 proxy_start(&proxy, fake_server_port(f->server)));
  fixture_serve(f, answer, &door, "    token: " TOKEN_OLD "\n", cluster, NULL);
  assert_int_equal(get(f, NULL), 0);
  kube_client_destroy(take(f->client));
  proxy_stop(&proxy);
  assert_int_equal(strncmp(proxy.head, "CONNECT api.example:6443 ", 25), 0);
  assert_non_null(strstr(proxy.head, "Proxy-Authorization: Basic am86cHc="));
  assert_null(strstr(proxy.head, TOKEN_OLD));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_token_file_is_read_again_when_the_server_refuses),
      cmocka_unit_test(test_a_refused_token_is_an_error),
      cmocka_unit_test(test_a_token_file_that_is_gone_for_a_moment),
      cmocka_unit_test(test_basic_and_impersonation),
      cmocka_unit_test(test_a_client_certificate),
      cmocka_unit_test(test_a_program_gives_a_token),
      cmocka_unit_test(test_a_program_of_the_beta_version),
      cmocka_unit_test(test_what_expires_is_fetched_again),
      cmocka_unit_test(test_what_is_refused_is_fetched_again_once),
      cmocka_unit_test(test_a_program_gives_a_certificate),
      cmocka_unit_test(test_programs_that_fail),
      cmocka_unit_test(test_a_program_that_is_not_there),
      cmocka_unit_test(test_a_program_that_hangs),
      cmocka_unit_test(test_only_the_own_authority_is_believed),
      cmocka_unit_test(test_the_name_of_the_server_is_verified),
      cmocka_unit_test(test_a_proxy_sees_the_way_and_no_token),
  };

  return cmocka_run_group_tests(tests, kube_fixture_setup, kube_fixture_teardown);
}
