/* The engine with the adapter that comes with Trammel: objects against a control API that is played here, and programs
 * of plans. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/engine.h"
#include "tests/integration/engine/adapter_fixture.h"
#include "tests/integration/engine/fake_mesh.h"
#include "tests/integration/engine/state_fixture.h"

#define PB(name) Trammel__Adapter__V1__##name
#define OBJECTS_MAX 8

struct fixture {
  struct state_fixture state;
  struct journal *journal;
  struct registry *registry;
  struct fake_mesh *mesh;
  struct engine *engine;
  atomic_bool cancel;
};

static void start(struct fixture *f) {
  _cleanup_error_ struct error *err = NULL;

  state_fixture_init(&f->state);
  assert_int_equal(journal_create(f->state.state, &f->journal, NULL), 0);
  f->mesh = fake_mesh_start();
  if (engine_create(find_embedded_adapter(&f->registry), NULL, f->journal, &f->cancel, NULL, &f->engine, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(engine_set_endpoint(f->engine, "control", fake_mesh_url(f->mesh), NULL), 0);
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  start(f);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  engine_destroy(f->engine);
  registry_destroy(f->registry);
  journal_finish(f->journal);
  fake_mesh_stop(f->mesh);
  state_fixture_finish(&f->state);
  free(f);
  return 0;
}

/* What a test applies: objects at /v1/<name>. */
struct objects {
  PB(NativeObject) messages[OBJECTS_MAX];
  PB(HttpObject) https[OBJECTS_MAX];
  char ids[OBJECTS_MAX][32];
  char paths[OBJECTS_MAX][64];
  PB(NativeObject) * list[OBJECTS_MAX];
  size_t count;
};

static void add(struct objects *objects, const char *name, uint32_t wave, const char *body) {
  size_t i = objects->count++;
  PB(HttpObject) *http = &objects->https[i];
  PB(NativeObject) *message = &objects->messages[i];

  assert_true(i < OBJECTS_MAX);
  (void)snprintf(objects->ids[i], sizeof(objects->ids[i]), "%s", name);
  (void)snprintf(objects->paths[i], sizeof(objects->paths[i]), "/v1/%s", name);
  *http = (PB(HttpObject))TRAMMEL__ADAPTER__V1__HTTP_OBJECT__INIT;
  http->endpoint = (char *)"control";
  http->method = (char *)"PUT";
  http->path = http->read_path = http->delete_path = objects->paths[i];
  http->delete_method = (char *)"DELETE";
  *message = (PB(NativeObject))TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__INIT;
  message->id = objects->ids[i];
  message->transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP;
  message->http = http;
  message->wave = wave;
  message->body = (ProtobufCBinaryData){.data = (uint8_t *)body, .len = strlen(body)};
  objects->list[i] = message;
}

static int apply(struct fixture *f, const struct objects *objects, struct error **err) {
  return engine_apply(f->engine, "owner", objects->list, objects->count, err);
}

static void assert_log(struct fixture *f, const char *expected) {
  char *log = fake_mesh_log(f->mesh);

  assert_string_equal(log, expected);
  free(log);
}

static void test_waves_order_creation_and_removal(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};

  add(&objects, "c", 2, "{}");
  add(&objects, "a", 0, "{}");
  add(&objects, "b2", 1, "{}");
  add(&objects, "b1", 1, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  assert_log(f, "PUT /v1/a\nPUT /v1/b2\nPUT /v1/b1\nPUT /v1/c\n");
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_log(f, "DELETE /v1/c\nDELETE /v1/b1\nDELETE /v1/b2\nDELETE /v1/a\n");
  assert_int_equal(fake_mesh_count(f->mesh), 0);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_log(f, "");
}

static void test_only_what_changed_is_sent(void **state) {
  struct fixture *f = *state;
  struct objects first = {.count = 0}, second = {.count = 0};

  add(&first, "same", 0, "{}");
  add(&first, "changed", 0, "{}");
  add(&first, "gone", 0, "{}");
  assert_int_equal(apply(f, &first, NULL), 0);
  assert_log(f, "PUT /v1/same\nPUT /v1/changed\nPUT /v1/gone\n");
  assert_int_equal(apply(f, &first, NULL), 0);
  assert_log(f, "");
  add(&second, "same", 0, "{}");
  add(&second, "changed", 0, "{\"a\":1}");
  add(&second, "new", 0, "{}");
  assert_int_equal(apply(f, &second, NULL), 0);
  assert_log(f, "PUT /v1/changed\nPUT /v1/new\nDELETE /v1/gone\n");
  assert_int_equal(fake_mesh_count(f->mesh), 3);
}

static void test_moved_object_leaves_its_old_place(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};

  add(&objects, "x", 0, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  (void)snprintf(objects.paths[0], sizeof(objects.paths[0]), "/v1/elsewhere");
  assert_int_equal(apply(f, &objects, NULL), 0);
  assert_log(f, "PUT /v1/x\nPUT /v1/elsewhere\nDELETE /v1/x\n");
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_log(f, "DELETE /v1/elsewhere\n");
}

static void test_owners_are_apart(void **state) {
  struct fixture *f = *state;
  struct objects mine = {.count = 0}, yours = {.count = 0};

  add(&mine, "mine", 0, "{}");
  add(&yours, "yours", 0, "{}");
  assert_int_equal(engine_apply(f->engine, "me", mine.list, 1, NULL), 0);
  assert_int_equal(engine_apply(f->engine, "you", yours.list, 1, NULL), 0);
  assert_int_equal(engine_remove(f->engine, "me", NULL), 0);
  assert_log(f, "PUT /v1/mine\nPUT /v1/yours\nDELETE /v1/mine\n");
}

static void test_refusal_has_status_text_and_place(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};
  struct error *err = NULL;

  add(&objects, "good", 0, "{}");
  add(&objects, "bad", 1, "{}");
  add(&objects, "late", 2, "{}");
  fake_mesh_refuse(f->mesh, "/v1/bad", 400, "{\"error\":\"no such\\naccount\",\"pointer\":\"/sources/0\"}");
  assert_int_equal(apply(f, &objects, &err), -EIO);
  assert_string_equal(error_message(err),
                      "object bad: PUT /v1/bad was answered with 400: no such account (at /sources/0)");
  error_free(err);
  assert_log(f, "PUT /v1/good\nPUT /v1/bad\n");
  fake_mesh_refuse(f->mesh, NULL, 0, NULL);
  assert_int_equal(apply(f, &objects, NULL), 0); /* what is not certain is sent again */
  assert_log(f, "PUT /v1/bad\nPUT /v1/late\n");
}

static void test_uncertain_object_is_removed_too(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};

  add(&objects, "bad", 0, "{}");
  fake_mesh_refuse(f->mesh, "/v1/bad", 500, "half done");
  assert_int_equal(apply(f, &objects, NULL), -EIO);
  fake_mesh_refuse(f->mesh, NULL, 0, NULL);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_log(f, "PUT /v1/bad\nDELETE /v1/bad\n");
}

static void test_removal_goes_on_after_a_failure(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};
  struct error *err = NULL;

  add(&objects, "a", 0, "{}");
  add(&objects, "b", 0, "{}");
  add(&objects, "c", 0, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  free(fake_mesh_log(f->mesh));
  fake_mesh_refuse(f->mesh, "/v1/b", 500, "busy");
  assert_int_equal(engine_remove(f->engine, "owner", &err), -EIO);
  assert_non_null(strstr(error_message(err), "500: busy"));
  error_free(err);
  assert_log(f, "DELETE /v1/c\nDELETE /v1/b\nDELETE /v1/a\n");
  fake_mesh_refuse(f->mesh, NULL, 0, NULL);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_log(f, "DELETE /v1/b\n");
}

static void test_nothing_is_sent_when_one_object_is_wrong(void **state) {
  struct fixture *f = *state;
  struct objects twice = {.count = 0}, kubernetes = {.count = 0}, forbidden = {.count = 0}, climbing = {.count = 0};
  struct error *err = NULL;

  add(&twice, "x", 0, "{}");
  add(&twice, "x", 1, "{}");
  assert_int_equal(apply(f, &twice, NULL), -EINVAL);
  add(&kubernetes, "ok", 0, "{}");
  add(&kubernetes, "pod", 0, "{}");
  PB(KubernetesObject) pod = TRAMMEL__ADAPTER__V1__KUBERNETES_OBJECT__INIT;
  kubernetes.messages[1].transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES;
  kubernetes.messages[1].kubernetes = &pod;
  assert_int_equal(apply(f, &kubernetes, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "--kubeconfig"));
  error_free(err);
  add(&forbidden, "ok", 0, "{}");
  add(&forbidden, "post", 0, "{}");
  forbidden.https[1].method = (char *)"POST";
  assert_int_equal(apply(f, &forbidden, NULL), -EACCES);
  add(&climbing, "../admin", 0, "{}");
  assert_int_equal(apply(f, &climbing, NULL), -EACCES);
  assert_log(f, "");
}

static void test_read_back(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};
  json_t *values;

  add(&objects, "a", 0, "{\"k\":[1]}");
  add(&objects, "unread", 0, "{}");
  objects.https[1].read_path = (char *)"";
  assert_int_equal(apply(f, &objects, NULL), 0);
  assert_int_equal(engine_read(f->engine, "owner", &values, NULL), 0);
  char *text = json_dumps(values, JSON_COMPACT);
  assert_string_equal(text, "[{\"id\":\"a\",\"path\":\"/v1/a\",\"body\":{\"k\":[1]}}]");
  free(text);
  json_decref(values);
  assert_int_equal(engine_read(f->engine, "nobody", &values, NULL), 0);
  assert_int_equal(json_array_size(values), 0);
  json_decref(values);
}

static void test_cancellation_stops_creating_but_not_removing(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};

  add(&objects, "a", 0, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  atomic_store(&f->cancel, true);
  objects.messages[0].body = (ProtobufCBinaryData){.data = (uint8_t *)"[]", .len = 2};
  assert_int_equal(apply(f, &objects, NULL), -ECANCELED);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_int_equal(fake_mesh_count(f->mesh), 0);
}

/* As after a crash: the journal knows what to remove on a mesh that outlives the run. */
static void test_crash_after_applying_is_cleaned_up(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};
  struct cleanup_summary summary;

  add(&objects, "a", 0, "{}");
  add(&objects, "b", 0, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  fake_mesh_refuse(f->mesh, "/v1/b", 500, "");
  engine_destroy(f->engine);
  f->engine = NULL;
  assert_int_equal(journal_finish(f->journal), 1); /* not clean: it stays */
  f->journal = NULL;
  fake_mesh_refuse(f->mesh, NULL, 0, NULL);
  assert_int_equal(fake_mesh_count(f->mesh), 1);
  assert_int_equal(journal_cleanup(f->state.state, false, NULL, NULL, &summary, NULL), 0);
  assert_int_equal(summary.objects, 1);
  assert_int_equal(fake_mesh_count(f->mesh), 0);
  assert_false(path_exists(f->state.state));
}

static void test_destroy_removes_what_is_left(void **state) {
  struct fixture *f = *state;
  struct objects objects = {.count = 0};

  add(&objects, "a", 0, "{}");
  assert_int_equal(apply(f, &objects, NULL), 0);
  engine_destroy(f->engine);
  f->engine = NULL;
  assert_int_equal(fake_mesh_count(f->mesh), 0);
  journal_finish(f->journal);
  f->journal = NULL;
  assert_false(path_exists(f->state.state));
}

#define THREADS 4
#define ROUNDS 25

struct worker {
  struct fixture *f;
  unsigned number;
  int result;
};

static void *apply_and_remove(void *ctx) {
  struct worker *worker = ctx;
  char name[16];

  for (unsigned i = 0; worker->result == 0 && i < ROUNDS; i++) {
    struct objects objects = {.count = 0};
    (void)snprintf(name, sizeof(name), "o-%u", worker->number);
    add(&objects, name, 0, "{}");
    worker->result = engine_apply(worker->f->engine, name, objects.list, 1, NULL);
    if (worker->result == 0)
      worker->result = engine_apply(worker->f->engine, "shared", objects.list, 0, NULL);
    if (worker->result == 0)
      worker->result = engine_remove(worker->f->engine, name, NULL);
  }
  return NULL;
}

static void test_several_threads(void **state) {
  struct worker workers[THREADS];
  pthread_t threads[THREADS];

  for (unsigned i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.f = *state, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, apply_and_remove, &workers[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(workers[i].result, 0);
  }
  assert_int_equal(fake_mesh_count(workers[0].f->mesh), 0);
}

static void test_endpoints(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;

  assert_int_equal(engine_set_endpoint(f->engine, "nonsense", "http://127.0.0.1:1", &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "nonsense"));
  assert_int_equal(engine_set_endpoint(f->engine, "control", "file:///x", NULL), -EINVAL);
}

static void test_detect_goes_through_the_engine(void **state) {
  struct fixture *f = *state;
  PB(DetectResponse) * found;

  assert_int_equal(engine_detect(f->engine, &found, NULL), 0);
  assert_true(found->present);
  assert_string_equal(found->mesh_version, "9.9");
  trammel__adapter__v1__detect_response__free_unpacked(found, NULL);
}

/* A process of an adapter that is ready when the control API says so. */
static int start_child(struct fixture *f, const char *what, const char *path, uint32_t timeout_ms,
                       struct process **ret_process, struct error **err) {
  PB(Process) message = TRAMMEL__ADAPTER__V1__PROCESS__INIT;
  PB(HttpCheck) check = TRAMMEL__ADAPTER__V1__HTTP_CHECK__INIT;
  char *arguments[] = {(char *)what};

  check.endpoint = (char *)"control";
  check.path = (char *)path;
  check.timeout_ms = timeout_ms;
  message.name = (char *)"child";
  message.program = (char *)"trammel-test-child";
  message.arguments = arguments;
  message.n_arguments = 1;
  message.ready = &check;
  return engine_start_process(f->engine, "test", &message, ret_process, err);
}

static void test_process_is_waited_for(void **state) {
  struct fixture *f = *state;
  struct process *process;

  fake_mesh_start_slowly(f->mesh, 5);
  assert_int_equal(start_child(f, "rest", "/v1/ready", 10000, &process, NULL), 0);
  assert_true(process_alive(process));
  assert_string_equal(process_name(process), "test-child");
  process_stop(process, 5000);
}

static void test_process_that_dies_before_it_is_ready(void **state) {
  struct fixture *f = *state;
  struct process *process;
  struct error *err = NULL;
  int64_t start_ms = monotonic_ms();

  assert_int_equal(start_child(f, "fail", "/v1/never", 30000, &process, &err), -ECHILD);
  assert_true(monotonic_ms() - start_ms < 10000);
  assert_non_null(strstr(error_message(err), "exited with 3"));
  assert_non_null(strstr(error_message(err), "no such mesh"));
  error_free(err);
}

static void test_process_that_is_never_ready(void **state) {
  struct fixture *f = *state;
  struct process *process;
  struct error *err = NULL;

  assert_int_equal(start_child(f, "rest", "/v1/never", 100, &process, &err), -ETIMEDOUT);
  assert_non_null(strstr(error_message(err), "404"));
  error_free(err);
  atomic_store(&f->cancel, true);
  assert_int_equal(start_child(f, "rest", "/v1/never", 30000, &process, NULL), -ECANCELED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_waves_order_creation_and_removal),
      TEST(test_only_what_changed_is_sent),
      TEST(test_moved_object_leaves_its_old_place),
      TEST(test_owners_are_apart),
      TEST(test_refusal_has_status_text_and_place),
      TEST(test_uncertain_object_is_removed_too),
      TEST(test_removal_goes_on_after_a_failure),
      TEST(test_nothing_is_sent_when_one_object_is_wrong),
      TEST(test_read_back),
      TEST(test_cancellation_stops_creating_but_not_removing),
      TEST(test_crash_after_applying_is_cleaned_up),
      TEST(test_destroy_removes_what_is_left),
      TEST(test_several_threads),
      TEST(test_endpoints),
      TEST(test_detect_goes_through_the_engine),
      TEST(test_process_is_waited_for),
      TEST(test_process_that_dies_before_it_is_ready),
      TEST(test_process_that_is_never_ready),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
