/* Calls of the Kubernetes client, against a server that refuses, fails, stalls and breaks. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/clock.h"
#include "tests/integration/kube/kube_fixture.h"
#include "tests/support/command.h"

#define OBJECT "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\",\"uid\":\"u1\",\"resourceVersion\":\"7\"}}"
#define SECRET_TOKEN "secret-token-of-the-test"

/* What a server does: answers from a list, the last one for ever. */
struct answer {
  unsigned status; /* 0: the connection is reset; 1: nothing ever */
  const char *headers;
  const char *body;
};
#define DROP                                                                                                           \
  { 0, NULL, NULL }
#define HANG                                                                                                           \
  { 1, NULL, NULL }

struct script {
  struct answer answers[8];
  size_t count;
  struct fake_request last; /* without its body */
  char last_body[4096];
};

static void play(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct script *script = ctx;
  size_t at = request->number - 1 < script->count ? request->number - 1 : script->count - 1;
  const struct answer *answer = &script->answers[at];

  script->last = *request;
  script->last.body = NULL;
  (void)snprintf(script->last_body, sizeof(script->last_body), "%s", request->body);
  if (answer->status == 0)
    fake_drop(connection);
  else if (answer->status == 1)
    fake_hang(connection);
  else
    fake_reply(connection, answer->status, answer->headers, answer->body);
}

#define SCRIPT(...)                                                                                                    \
  { .answers = {__VA_ARGS__}, .count = sizeof((struct answer[]){__VA_ARGS__}) / sizeof(struct answer) }

static void assert_holds(const struct error *err, const char *text) {
  if (!strstr(error_message(err), text))
    fail_msg("\"%s\" is not in: %s", text, error_message(err));
  assert_null(strstr(error_message(err), SECRET_TOKEN));
}

/* One get with the script: its result and error. */
static int get(struct kube_fixture *f, struct script *script, const struct kube_call *call, struct error **err) {
  json_t *object = NULL;

  fixture_serve(f, play, script, "    token: " SECRET_TOKEN "\n", NULL, NULL);
  int r = kube_get(f->client, &config_map, call, &object, err);
  json_decref(object);
  return r;
}

static void test_get(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({200, NULL, OBJECT});
  json_t *object = NULL;

  fixture_serve(f, play, &script, "    token: " SECRET_TOKEN "\n", NULL, NULL);
  assert_int_equal(kube_get(f->client, &config_map, NULL, &object, NULL), 0);
  assert_string_equal(kube_object_name(object), "web");
  assert_string_equal(kube_object_uid(object), "u1");
  assert_string_equal(kube_object_version(object), "7");
  assert_string_equal(script.last.method, "GET");
  assert_string_equal(script.last.path, "/api/v1/namespaces/demo/configmaps/web");
  assert_string_equal(script.last.authorization, "Bearer " SECRET_TOKEN);
  assert_string_equal(kube_client_namespace(f->client), "demo");
  json_decref(object);
}

static void test_connections_are_kept(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({200, NULL, OBJECT});

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  unsigned connection = 0;
  for (unsigned i = 0; i < 5; i++) {
    json_t *object = NULL;
    assert_int_equal(kube_get(f->client, &config_map, NULL, &object, NULL), 0);
    json_decref(object);
    if (i > 0)
      assert_int_equal(script.last.connection, connection);
    connection = script.last.connection;
  }
}

static void test_a_busy_server_is_asked_again(void **state) {
  struct script script = SCRIPT({503, NULL, "{}"}, {500, NULL, "{}"}, {200, NULL, OBJECT});

  assert_int_equal(get(*state, &script, NULL, NULL), 0);
  assert_int_equal(((struct kube_fixture *)*state)->requests, 3);
}

/* It may be about the object: a webhook that fails is told before long, however many tries there are. */
static void test_a_server_that_fails_is_told_soon(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT(DROP, {500, NULL, "{\"message\":\"failed calling webhook\"}"});
  json_t *object = NULL;
  int64_t start_ns = clock_monotonic_ns();

  fixture_serve(f, play, &script, NULL, NULL, &(struct kube_client_options){.tries = 100});
  assert_int_equal(kube_get(f->client, &config_map, NULL, &object, &err), -EIO);
  assert_true(clock_monotonic_ns() - start_ns < 20 * NS_PER_SECOND);
  assert_int_equal(f->requests, 4); /* the lost one, and three that it failed */
  assert_holds(err, "500: failed calling webhook");
}

static void test_a_server_that_says_when_is_asked_until_it_can(void **state) {
  static const char later[] = "Retry-After: 1\r\n";
  struct script script =
      SCRIPT({500, later, "{}"}, {500, later, "{}"}, {500, later, "{}"}, {500, later, "{}"}, {200, NULL, OBJECT});

  assert_int_equal(get(*state, &script, NULL, NULL), 0);
  assert_int_equal(((struct kube_fixture *)*state)->requests, 5);
}

static void test_retry_after_is_waited_for(void **state) {
  struct script script = SCRIPT({429, "Retry-After: 1\r\n", "{}"}, {200, NULL, OBJECT});
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(get(*state, &script, NULL, NULL), 0);
  assert_true(clock_monotonic_ns() - start_ns >= NS_PER_SECOND);
}

static void test_a_retry_after_beyond_the_deadline_is_not(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT({429, "Retry-After: 600\r\n", "{\"message\":\"too many requests\"}"});
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(get(*state, &script, &(struct kube_call){.deadline_ns = in_ms(20000)}, &err), -EAGAIN);
  assert_true(clock_monotonic_ns() - start_ns < 10 * NS_PER_SECOND);
  assert_holds(err, "get configmaps demo/web: the server answered 429: too many requests");
}

static void test_tries_end(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT({503, NULL, "down for now"});
  json_t *object = NULL;

  fixture_serve(f, play, &script, NULL, NULL, &(struct kube_client_options){.tries = 3});
  assert_int_equal(kube_get(f->client, &config_map, NULL, &object, &err), -EIO);
  assert_int_equal(f->requests, 3);
  assert_holds(err, "503: down for now");
}

static void test_a_reset_connection_is_made_again(void **state) {
  struct script script = SCRIPT(DROP, DROP, {200, NULL, OBJECT});

  assert_int_equal(get(*state, &script, NULL, NULL), 0);
}

static int create(struct kube_fixture *f, struct error **err) {
  json_t *object = json_loads(OBJECT, 0, NULL);
  int r = kube_create(f->client, &config_map, object, NULL, NULL, err);

  json_decref(object);
  return r;
}

static void test_create_is_sent_once(void **state) {
  struct kube_fixture *f = *state;
  struct script reset = SCRIPT(DROP);
  struct script down = SCRIPT({503, "Retry-After: 1\r\n", "{}"});

  fixture_serve(f, play, &reset, NULL, NULL, NULL);
  assert_int_equal(create(f, NULL), -ECONNRESET);
  assert_int_equal(f->requests, 1);
  assert_string_equal(reset.last.path, "/api/v1/namespaces/demo/configmaps");
  fixture_serve(f, play, &down, NULL, NULL, NULL);
  assert_int_equal(create(f, NULL), -EIO);
  assert_int_equal(f->requests, 1);
}

/* libcurl sends again what a kept connection lost, whatever the method is. */
static void test_create_is_sent_once_on_a_kept_connection_too(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({200, NULL, OBJECT}, DROP);
  json_t *object = NULL;

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(kube_get(f->client, &config_map, NULL, &object, NULL), 0);
  json_decref(object);
  assert_int_equal(create(f, NULL), -ECONNRESET);
  assert_int_equal(f->requests, 2);
}

static void test_create_is_sent_again_when_the_server_had_no_room(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({429, NULL, "{}"}, {201, NULL, OBJECT});

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(create(f, NULL), 0);
  assert_int_equal(f->requests, 2);
}

static void test_a_create_of_what_there_is(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct script script =
      SCRIPT({409, NULL, "{\"reason\":\"AlreadyExists\",\"message\":\"configmaps \\\"web\\\" already exists\"}"});

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(create(f, &err), -EEXIST);
  assert_holds(err, "create configmaps demo/web: configmaps \"web\" already exists");
}

static void test_update_needs_a_version(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({409, NULL, "{\"reason\":\"Conflict\",\"message\":\"was modified\"}"});
  json_t *object = json_loads(OBJECT, 0, NULL);

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(kube_update(f->client, &config_map, object, NULL, NULL, NULL), -ESTALE);
  assert_string_equal(script.last.method, "PUT");
  json_object_del(json_object_get(object, "metadata"), "resourceVersion");
  assert_int_equal(kube_update(f->client, &config_map, object, NULL, NULL, NULL), -EINVAL);
  assert_int_equal(f->requests, 1);
  json_decref(object);
}

static int apply(struct kube_fixture *f, const struct kube_call *call, bool dry_run, struct error **err) {
  const struct kube_apply_options options = {.field_manager = "trammel/a b", .dry_run = dry_run};
  json_t *object = json_loads(OBJECT, 0, NULL);
  int r = kube_apply(f->client, &config_map, object, &options, call, NULL, err);

  json_decref(object);
  return r;
}

static void test_apply(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT(DROP, {200, NULL, OBJECT});

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(apply(f, NULL, false, NULL), 0);
  assert_string_equal(script.last.method, "PATCH");
  assert_string_equal(script.last.content_type, "application/apply-patch+yaml");
  assert_string_equal(script.last.path,
                      "/api/v1/namespaces/demo/configmaps/web?fieldManager=trammel%2Fa%20b&force=false");
  assert_string_equal(script.last_body, OBJECT);
  assert_int_equal(apply(f, NULL, true, NULL), 0);
  assert_non_null(strstr(script.last.path, "&dryRun=All"));
}

static void test_conflicts_name_fields_and_managers(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct kube_failure failure = {0};
  struct script script = SCRIPT(
      {409, NULL,
       "{\"reason\":\"Conflict\",\"message\":\"Apply failed with 2 conflicts\",\"details\":{\"causes\":["
       "{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"kubectl\\\" using "
       "v1\",\"field\":\".data.a\"},"
       "{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"helm\\\"\",\"field\":\".data.b\"}]}}"});

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(apply(f, &(struct kube_call){.failure = &failure}, false, &err), -EBUSY);
  assert_holds(err,
               "apply configmaps demo/web: 2 fields are owned by other managers: .data.a of \"kubectl\", .data.b of "
               "\"helm\"");
  assert_int_equal(failure.status, 409);
  assert_string_equal(failure.reason, "Conflict");
  assert_int_equal(failure.conflict_count, 2);
  assert_string_equal(failure.conflicts[1].manager, "helm");
  assert_string_equal(failure.conflicts[1].field, ".data.b");
  assert_int_equal(f->requests, 1);
  kube_failure_finish(&failure);
}

static void test_delete_has_preconditions(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({200, NULL, "{\"kind\":\"Status\"}"}, {409, NULL, "{\"reason\":\"Conflict\"}"});
  const struct kube_delete_options options = {
      .uid = "u1", .resource_version = "7", .propagation = KUBE_PROPAGATION_FOREGROUND};

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(kube_delete(f->client, &config_map, &options, NULL, NULL), 0);
  assert_string_equal(script.last.method, "DELETE");
  assert_string_equal(script.last_body,
                      "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":\"u1\","
                      "\"resourceVersion\":\"7\"},\"propagationPolicy\":\"Foreground\"}");
  assert_int_equal(kube_delete(f->client, &config_map, &options, NULL, NULL), -ESTALE);
  assert_int_equal(kube_delete(f->client, &config_map, NULL, NULL, NULL), -ESTALE);
  assert_string_equal(script.last_body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{}}");
}

#define GONE "{\"reason\":\"NotFound\",\"message\":\"not found\",\"details\":{\"name\":\"web\"}}"

static void test_a_delete_whose_answer_was_lost_is_done(void **state) {
  struct kube_fixture *f = *state;
  struct script lost = SCRIPT(DROP, {404, NULL, GONE});
  struct script absent = SCRIPT({404, NULL, GONE});
  const struct kube_delete_options options = {.uid = "u1"};

  fixture_serve(f, play, &lost, NULL, NULL, NULL);
  assert_int_equal(kube_delete(f->client, &config_map, &options, NULL, NULL), 0);
  fixture_serve(f, play, &absent, NULL, NULL, NULL);
  assert_int_equal(kube_delete(f->client, &config_map, &options, NULL, NULL), -ENOENT);
}

static void test_what_is_not_there_and_what_is_not_served(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct script absent = SCRIPT({404, NULL, GONE});
  struct script unserved = SCRIPT({404, NULL, "404 page not found\n"});

  assert_int_equal(get(*state, &absent, NULL, &err), -ENOENT);
  assert_int_equal(get(*state, &unserved, NULL, &err), -ENOTSUP);
  assert_holds(err, "the server does not serve v1 configmaps: install its definition");
}

#define FORBIDDEN                                                                                                      \
  "{\"reason\":\"Forbidden\",\"message\":\"configmaps \\\"web\\\" is forbidden: User \\\"u\\\" cannot get resource "   \
  "\\\"configmaps\\\" in API group \\\"\\\" in the namespace \\\"demo\\\"\"}"

static void test_a_denial_names_the_rule(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT({403, NULL, FORBIDDEN});

  assert_int_equal(get(f, &script, NULL, &err), -EACCES);
  assert_holds(err, "get configmaps demo/web: ");
  assert_holds(err, "it needs a Role in namespace demo with the rule {apiGroups: [\"\"], resources: [\"configmaps\"], "
                    "verbs: [\"get\"]}");
  assert_int_equal(apply(f, NULL, false, &err), -EACCES);
  assert_holds(err, "verbs: [\"create\", \"patch\"]");
}

static void test_no_rule_helps_against_a_quota(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT({403, NULL, "{\"reason\":\"Forbidden\",\"message\":\"exceeded quota: pods\"}"});

  assert_int_equal(get(*state, &script, NULL, &err), -EACCES);
  assert_holds(err, "exceeded quota");
  assert_null(strstr(error_message(err), "Role"));
}

static void test_messages_show_nothing_of_a_secret(void **state) {
  struct kube_fixture *f = *state;
  static const struct kube_resource secrets = {
      .version = "v1", .kind = "Secret", .plural = "secrets", .namespaced = true};
  const struct kube_ref ref = {.resource = &secrets, .namespace_ = "demo", .name = "web"};
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT({422, NULL, "{\"message\":\"invalid value: " SECRET_TOKEN "\"}"});
  json_t *object = json_loads(OBJECT, 0, NULL);

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(
      kube_apply(f->client, &ref, object, &(struct kube_apply_options){.field_manager = "m"}, NULL, NULL, &err),
      -EINVAL);
  assert_holds(err, "apply secrets demo/web: the server answered 422");
  json_decref(object);
}

static void test_a_silent_server(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct script script = SCRIPT(HANG);
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(get(*state, &script, &(struct kube_call){.deadline_ns = in_ms(300)}, &err), -ETIMEDOUT);
  assert_true(clock_monotonic_ns() - start_ns < 5 * NS_PER_SECOND);
  assert_holds(err, "get configmaps demo/web");
}

static void *set_when_asked(void *ctx) {
  struct {
    struct kube_fixture *f;
    atomic_bool cancel;
  } *both = ctx;

  while (atomic_load(&both->f->requests) == 0)
    ;
  atomic_store(&both->cancel, true);
  return NULL;
}

static void test_a_call_can_be_cancelled(void **state) {
  struct {
    struct kube_fixture *f;
    atomic_bool cancel;
  } both = {.f = *state};
  struct script script = SCRIPT(HANG);
  json_t *object = NULL;
  pthread_t thread;

  fixture_serve(both.f, play, &script, NULL, NULL, NULL);
  assert_int_equal(pthread_create(&thread, NULL, set_when_asked, &both), 0);
  assert_int_equal(kube_get(both.f->client, &config_map, &(struct kube_call){.cancel = &both.cancel}, &object, NULL),
                   -ECANCELED);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_the_own_rate_is_kept(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({200, NULL, OBJECT});
  json_t *object = NULL;
  int64_t start_ns = clock_monotonic_ns();

  fixture_serve(f, play, &script, NULL, NULL, &(struct kube_client_options){.rate = 20, .burst = 1});
  for (unsigned i = 0; i < 6; i++) {
    assert_int_equal(kube_get(f->client, &config_map, NULL, &object, NULL), 0);
    json_decref(object);
  }
  assert_true(clock_monotonic_ns() - start_ns >= 250 * NS_PER_MS);
}

struct worker {
  pthread_t thread;
  struct kube_client *client;
  unsigned good;
};

static void *work(void *ctx) {
  struct worker *worker = ctx;

  for (unsigned i = 0; i < 50; i++) {
    json_t *object = NULL;
    worker->good += kube_get(worker->client, &config_map, NULL, &object, NULL) == 0;
    json_decref(object);
  }
  return NULL;
}

static void reply_object(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  (void)request;
  (void)ctx;
  fake_reply(connection, 200, NULL, OBJECT);
}

static void test_threads_share_a_client(void **state) {
  struct kube_fixture *f = *state;
  struct worker workers[8] = {0};

  fixture_serve(f, reply_object, NULL, NULL, NULL, &(struct kube_client_options){.rate = -1});
  for (size_t i = 0; i < 8; i++) {
    workers[i].client = f->client;
    assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(workers[i].good, 50);
  }
}

static void test_raw_paths(void **state) {
  struct kube_fixture *f = *state;
  struct script script = SCRIPT({418, NULL, "short"});
  struct http_response response;
  const struct kube_raw raw = {
      .method = "POST", .path = "/api/v1/namespaces/demo/pods/web:80/proxy/x?y=z", .body = "{}", .body_length = 2};

  fixture_serve(f, play, &script, NULL, NULL, NULL);
  assert_int_equal(kube_raw(f->client, &raw, NULL, &response, NULL), 0);
  assert_int_equal(response.status, 418);
  assert_string_equal(response.body, "short");
  assert_string_equal(script.last.path, raw.path);
  http_response_finish(&response);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_get),
      cmocka_unit_test(test_connections_are_kept),
      cmocka_unit_test(test_a_busy_server_is_asked_again),
      cmocka_unit_test(test_a_server_that_fails_is_told_soon),
      cmocka_unit_test(test_a_server_that_says_when_is_asked_until_it_can),
      cmocka_unit_test(test_retry_after_is_waited_for),
      cmocka_unit_test(test_a_retry_after_beyond_the_deadline_is_not),
      cmocka_unit_test(test_tries_end),
      cmocka_unit_test(test_a_reset_connection_is_made_again),
      cmocka_unit_test(test_create_is_sent_once),
      cmocka_unit_test(test_create_is_sent_once_on_a_kept_connection_too),
      cmocka_unit_test(test_create_is_sent_again_when_the_server_had_no_room),
      cmocka_unit_test(test_a_create_of_what_there_is),
      cmocka_unit_test(test_update_needs_a_version),
      cmocka_unit_test(test_apply),
      cmocka_unit_test(test_conflicts_name_fields_and_managers),
      cmocka_unit_test(test_delete_has_preconditions),
      cmocka_unit_test(test_a_delete_whose_answer_was_lost_is_done),
      cmocka_unit_test(test_what_is_not_there_and_what_is_not_served),
      cmocka_unit_test(test_a_denial_names_the_rule),
      cmocka_unit_test(test_no_rule_helps_against_a_quota),
      cmocka_unit_test(test_messages_show_nothing_of_a_secret),
      cmocka_unit_test(test_a_silent_server),
      cmocka_unit_test(test_a_call_can_be_cancelled),
      cmocka_unit_test(test_the_own_rate_is_kept),
      cmocka_unit_test(test_threads_share_a_client),
      cmocka_unit_test(test_raw_paths),
  };

  return cmocka_run_group_tests(tests, kube_fixture_setup, kube_fixture_teardown);
}
