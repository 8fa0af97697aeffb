/* The HTTP client against a real server: limits, deadlines, cancellation, and what its messages show. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "host/transport/http/client.h"
#include "sdk/base/clock.h"
#include "tests/integration/engine/http_server.h"

struct fixture {
  struct http_server *server;
  struct http_client *client;
  atomic_uint requests;
  atomic_uint turn; /* orders what the server's thread and the test's write and read */
  char last_method[16];
  char last_type[64];
  char *last_body;
  uint16_t last_peer_port;
};

static void remember(struct fixture *f, struct evhttp_request *request) {
  const char *type = evhttp_find_header(evhttp_request_get_input_headers(request), "Content-Type");
  char *host;

  atomic_fetch_add(&f->turn, 1);
  (void)snprintf(f->last_method, sizeof(f->last_method), "%s", request_method(request));
  (void)snprintf(f->last_type, sizeof(f->last_type), "%s", type ? type : "");
  free(f->last_body);
  f->last_body = request_body(request);
  evhttp_connection_get_peer(evhttp_request_get_connection(request), &host, &f->last_peer_port);
  atomic_fetch_add(&f->turn, 1);
  atomic_fetch_add(&f->requests, 1);
}

static void answer_redirect(struct evhttp_request *request) {
  (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Location", "/elsewhere");
  request_answer(request, 302, NULL, "");
}

static void answer_big(struct evhttp_request *request, size_t size) {
  char *body = malloc(size + 1);

  assert_non_null(body);
  (void)memset(body, 'x', size);
  body[size] = '\0';
  request_answer(request, 200, "text/plain", body);
  free(body);
}

static void answer_big_head(struct evhttp_request *request) {
  char value[8000];

  (void)memset(value, 'h', sizeof(value) - 1);
  value[sizeof(value) - 1] = '\0';
  for (unsigned i = 0; i < 40; i++)
    (void)evhttp_add_header(evhttp_request_get_output_headers(request), "X-Long", value);
  request_answer(request, 200, NULL, "");
}

static void handle(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct fixture *f = ctx;
  const char *path = evhttp_request_get_uri(request);

  (void)server;
  remember(f, request);
  if (strcmp(path, "/silent") == 0)
    return; /* for ever */
  if (strcmp(path, "/redirect") == 0)
    answer_redirect(request);
  else if (strcmp(path, "/big") == 0)
    answer_big(request, 100000);
  else if (strcmp(path, "/head") == 0)
    answer_big_head(request);
  else if (strcmp(path, "/teapot") == 0)
    request_answer(request, 418, "text/plain", "short and stout");
  else
    request_answer(request, 200, "application/json", "{\"ok\":true}");
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  assert_int_equal(http_client_create(&f->client, NULL), 0);
  f->server = http_server_start(handle, f);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  http_client_destroy(f->client);
  http_server_stop(f->server);
  free(f->last_body);
  free(f);
  return 0;
}

/* Sends `request` to `path` of the fixture's server. */
static int send_to(struct fixture *f, const char *path, const struct http_request *request,
                   struct http_response *response, struct error **err) {
  char url[256];
  struct http_request whole = *request;

  (void)snprintf(url, sizeof(url), "%s%s", http_server_url(f->server), path);
  whole.url = url;
  atomic_fetch_add(&f->turn, 1);
  int r = http_client_send(f->client, &whole, response, err);
  atomic_fetch_add(&f->turn, 1);
  return r;
}

static void test_get(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/x?y=z", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  assert_int_equal(response.status, 200);
  assert_string_equal(response.body, "{\"ok\":true}");
  assert_int_equal(response.body_length, strlen("{\"ok\":true}"));
  assert_string_equal(response.content_type, "application/json");
  assert_string_equal(f->last_method, "GET");
  http_response_finish(&response);
}

static void test_any_status_is_an_answer(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/teapot", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  assert_int_equal(response.status, 418);
  assert_string_equal(response.body, "short and stout");
  http_response_finish(&response);
}

static void test_bodies_and_their_type(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  struct http_request put = {.method = "PUT", .body = "{}", .body_length = 2};
  struct http_request post = {.method = "POST", .body = "a=b", .body_length = 3, .content_type = "text/plain"};
  struct http_request empty = {.method = "POST"};

  assert_int_equal(send_to(f, "/", &put, &response, NULL), 0);
  http_response_finish(&response);
  assert_string_equal(f->last_method, "PUT");
  assert_string_equal(f->last_type, "application/json");
  assert_string_equal(f->last_body, "{}");
  assert_int_equal(send_to(f, "/", &post, &response, NULL), 0);
  http_response_finish(&response);
  assert_string_equal(f->last_method, "POST");
  assert_string_equal(f->last_type, "text/plain");
  assert_string_equal(f->last_body, "a=b");
  assert_int_equal(send_to(f, "/", &empty, &response, NULL), 0);
  http_response_finish(&response);
  assert_string_equal(f->last_type, "");
  assert_string_equal(f->last_body, "");
}

static void test_delete_and_head(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "DELETE"}, &response, NULL), 0);
  http_response_finish(&response);
  assert_string_equal(f->last_method, "DELETE");
  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "HEAD"}, &response, NULL), 0);
  assert_int_equal(response.body_length, 0);
  assert_string_equal(response.body, "");
  http_response_finish(&response);
  assert_string_equal(f->last_method, "HEAD");
}

/* libcurl waits a second for 100 Continue before bodies over 1 MiB unless told not to. */
static void test_large_body_goes_at_once(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  size_t size = 3 * 1024 * 1024;
  char *body = calloc(1, size);
  int64_t start_ns = clock_monotonic_ns();

  assert_non_null(body);
  (void)memset(body, 'b', size);
  assert_int_equal(
      send_to(f, "/", &(struct http_request){.method = "PUT", .body = body, .body_length = size}, &response, NULL), 0);
  assert_true(clock_monotonic_ns() - start_ns < 900 * NS_PER_MS);
  assert_int_equal(strlen(f->last_body), size);
  http_response_finish(&response);
  free(body);
}

static void test_connection_is_kept(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  http_response_finish(&response);
  uint16_t first = f->last_peer_port;
  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  http_response_finish(&response);
  assert_int_equal(f->last_peer_port, first);
}

static void test_redirect_is_not_followed(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/redirect", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  assert_int_equal(response.status, 302);
  assert_int_equal(atomic_load(&f->requests), 1);
  http_response_finish(&response);
}

static void test_environment_proxy_is_not_used(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
  int r = send_to(f, "/", &(struct http_request){.method = "GET"}, &response, NULL);
  assert_int_equal(unsetenv("http_proxy"), 0);
  assert_int_equal(r, 0);
  http_response_finish(&response);
}

static void test_body_over_its_limit(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  struct error *err = NULL;

  int r = send_to(f, "/big", &(struct http_request){.method = "GET", .response_max = 99999}, &response, &err);
  assert_int_equal(r, -EFBIG);
  assert_non_null(strstr(error_message(err), "99999"));
  error_free(err);
  r = send_to(f, "/big", &(struct http_request){.method = "GET", .response_max = 100000}, &response, NULL);
  assert_int_equal(r, 0);
  assert_int_equal(response.body_length, 100000);
  http_response_finish(&response);
}

static void test_head_over_its_limit(void **state) {
  struct fixture *f = *state;
  struct http_response response;

  assert_int_equal(send_to(f, "/head", &(struct http_request){.method = "GET"}, &response, NULL), -EFBIG);
}

static void test_deadline(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  int64_t start_ns = clock_monotonic_ns();
  struct error *err = NULL;

  int r = send_to(f, "/silent", &(struct http_request){.method = "GET", .deadline_ns = start_ns + 150 * NS_PER_MS},
                  &response, &err);
  int64_t took_ns = clock_monotonic_ns() - start_ns;
  assert_int_equal(r, -ETIMEDOUT);
  assert_true(took_ns >= 150 * NS_PER_MS && took_ns < 600 * NS_PER_MS);
  assert_non_null(strstr(error_message(err), "GET http://127.0.0.1:"));
  error_free(err);
  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  http_response_finish(&response);
}

struct cancel_after {
  struct fixture *f;
  atomic_bool *cancel;
  int64_t cancelled_ns;
};

/* Cancels once the request has reached the server. */
static void *cancel_when_asked(void *ctx) {
  struct cancel_after *c = ctx;

  while (atomic_load(&c->f->requests) == 0)
    (void)sched_yield();
  c->cancelled_ns = clock_monotonic_ns();
  atomic_store(c->cancel, true);
  return NULL;
}

static void test_cancel_is_quick(void **state) {
  struct fixture *f = *state;
  atomic_bool cancel = false;
  struct cancel_after c = {.f = f, .cancel = &cancel};
  struct http_response response;
  pthread_t thread;

  assert_int_equal(pthread_create(&thread, NULL, cancel_when_asked, &c), 0);
  int r = send_to(f, "/silent", &(struct http_request){.method = "GET", .cancel = &cancel}, &response, NULL);
  int64_t end_ns = clock_monotonic_ns();
  (void)pthread_join(thread, NULL);
  assert_int_equal(r, -ECANCELED);
  assert_true(end_ns - c.cancelled_ns < 100 * NS_PER_MS);
}

static void test_what_comes_too_late_is_not_sent(void **state) {
  struct fixture *f = *state;
  atomic_bool cancel = true;
  struct http_response response;

  int r = send_to(f, "/", &(struct http_request){.method = "PUT", .cancel = &cancel}, &response, NULL);
  assert_int_equal(r, -ECANCELED);
  r = send_to(f, "/", &(struct http_request){.method = "PUT", .deadline_ns = clock_monotonic_ns() - 1}, &response,
              NULL);
  assert_int_equal(r, -ETIMEDOUT);
  assert_int_equal(send_to(f, "/", &(struct http_request){.method = "GET"}, &response, NULL), 0);
  http_response_finish(&response);
  assert_int_equal(atomic_load(&f->requests), 1);
}

/* A port that was just free: bound, but not listening, while the test runs. */
static int closed_port(uint16_t *ret_port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
  *ret_port = ntohs(address.sin_port);
  return fd;
}

static void test_refused_without_credentials_in_the_message(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  struct error *err = NULL;
  char url[128];
  uint16_t port;
  int fd = closed_port(&port);

  (void)snprintf(url, sizeof(url), "http://user:secret@127.0.0.1:%u/path?token=hidden", port);
  int r = http_client_send(f->client, &(struct http_request){.method = "GET", .url = url}, &response, &err);
  assert_int_equal(r, -ECONNREFUSED);
  assert_non_null(strstr(error_message(err), "GET http://127.0.0.1:"));
  assert_non_null(strstr(error_message(err), "/path"));
  assert_null(strstr(error_message(err), "secret"));
  assert_null(strstr(error_message(err), "hidden"));
  error_free(err);
  (void)close(fd);
}

static void test_what_cannot_be_sent(void **state) {
  struct fixture *f = *state;
  struct http_response response;
  static const struct http_request bad[] = {
      {.method = "GET", .url = "file:///etc/passwd"},
      {.method = "GET", .url = "ftp://127.0.0.1/"},
      {.method = "GET", .url = NULL},
      {.method = "GET", .url = "http://127.0.0.1/a b"},
      {.method = "GET", .url = "http://127.0.0.1/a\r\nX: y"},
      {.method = "GET", .url = "http://127.0.0.1:99999/"},
      {.method = "get", .url = "http://127.0.0.1/"},
      {.method = "GET /x HTTP/1.1\r\nX:", .url = "http://127.0.0.1/"},
      {.method = "", .url = "http://127.0.0.1/"},
      {.method = "PUT", .url = "http://127.0.0.1/", .body = "x", .body_length = 1, .content_type = "a\r\nX: y"},
  };

  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct error *err = NULL;
    assert_int_equal(http_client_send(f->client, &bad[i], &response, &err), -EINVAL);
    assert_true(strlen(error_message(err)) > 0);
    error_free(err);
  }
  assert_int_equal(atomic_load(&f->requests), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_get),
      TEST(test_any_status_is_an_answer),
      TEST(test_bodies_and_their_type),
      TEST(test_delete_and_head),
      TEST(test_large_body_goes_at_once),
      TEST(test_connection_is_kept),
      TEST(test_redirect_is_not_followed),
      TEST(test_environment_proxy_is_not_used),
      TEST(test_body_over_its_limit),
      TEST(test_head_over_its_limit),
      TEST(test_deadline),
      TEST(test_cancel_is_quick),
      TEST(test_what_comes_too_late_is_not_sent),
      TEST(test_refused_without_credentials_in_the_message),
      TEST(test_what_cannot_be_sent),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
