/* The in-process placement with adapters of this program's own: tables of other sizes, a create that fails, and calls
 * at the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/loader.h"
#include "sdk/base/document.h"
#include "tests/support/command.h"

static const struct call_options no_options;

/* ---- an adapter */

static const trammel_op_api *op_api;
static const trammel_http_api *http_api;
static int destroyed;

/* Later versions append to tables: the host is given one that has more than it knows. */
static struct {
  trammel_diagnostic diagnostic;
  uint64_t appended;
} longer_diagnostic;
static struct {
  trammel_http_request request;
  uint64_t appended;
} longer_request;
static struct {
  trammel_http_response response;
  uint64_t appended;
} longer_response;

static int create(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  static char instance;
  (void)config;
  (void)op;
  op_api = host->get(host, TRAMMEL_OP_SERVICE);
  http_api = host->get(host, TRAMMEL_HTTP_SERVICE);
  *ret = (trammel_instance *)(void *)&instance;
  return TRAMMEL_OK;
}

static int create_dangling(const trammel_host *host, trammel_str config, trammel_instance **ret, trammel_op *op) {
  (void)host;
  (void)config;
  (void)op;
  *ret = malloc(16);
  free(*ret);
  return TRAMMEL_UNAVAILABLE;
}

static void destroy(trammel_instance *instance) {
  (void)instance;
  destroyed++;
}

static const void *get(trammel_instance *instance, const char *extension_id) {
  (void)instance;
  (void)extension_id;
  return NULL;
}

static pthread_mutex_t meeting_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t meeting = PTHREAD_COND_INITIALIZER;
static unsigned present, calls_wanted;

/* Returns when as many calls are in here at once as the test wants. */
static int meet(trammel_op *op) {
  struct timespec until;
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  int r = 0;
  pthread_mutex_lock(&meeting_lock);
  present++;
  pthread_cond_broadcast(&meeting);
  while (present < calls_wanted && r == 0)
    r = pthread_cond_timedwait(&meeting, &meeting_lock, &until);
  pthread_mutex_unlock(&meeting_lock);
  return r == 0 && op_api->emit(op, (trammel_str){"met", 3}) == 0 ? TRAMMEL_OK : TRAMMEL_DEADLINE_EXCEEDED;
}

static bool is(trammel_str text, const char *name) {
  return text.n == strlen(name) && memcmp(text.p, name, text.n) == 0;
}

static int call(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op) {
  (void)instance;
  (void)request;
  if (is(method, "Meet"))
    return meet(op);
  if (is(method, "Diagnose"))
    op_api->diagnose(op, &longer_diagnostic.diagnostic);
  int status = TRAMMEL_OK;
  if (is(method, "Http"))
    status = http_api->request(op, &longer_request.request, &longer_response.response);
  char text = (char)('0' + status);
  return op_api->emit(op, (trammel_str){&text, 1}) == 0 ? TRAMMEL_OK : TRAMMEL_INTERNAL;
}

static const trammel_adapter adapter = {
    .head = {sizeof adapter, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
    .id = {"inner", 5},
    .version = {"1.0.0", 5},
    .create = create,
    .call = call,
    .get = get,
    .destroy = destroy,
};

static struct inprocess *start(const Trammel__Adapter__V1__DescribeResponse *description) {
  struct inprocess *inprocess = NULL;
  struct error *err = NULL;
  const struct inprocess_options options = {.id = "inner", .description = description};
  if (inprocess_create(&adapter, &options, "", &no_options, &inprocess, &err) < 0)
    fail_msg("%s", error_message(err));
  return inprocess;
}

static int ask(struct inprocess *inprocess, const char *method, struct diagnostics *diagnostics, char *ret_answer) {
  uint8_t *message = NULL;
  size_t length = 0;
  const struct call_options options = {.diagnostics = diagnostics};
  int r = inprocess_call(inprocess, method, NULL, 0, NULL, NULL, &options, &message, &length, NULL);
  if (r == 0 && ret_answer)
    *ret_answer = length ? (char)message[0] : '\0';
  free(message);
  return r;
}

/* ---- tests */

static void what_a_failed_create_leaves_is_not_destroyed(void **state) {
  (void)state;
  trammel_adapter dangling = adapter;
  dangling.create = create_dangling;
  struct inprocess *inprocess = NULL;
  struct error *err = NULL;
  const struct inprocess_options options = {.id = "inner"};
  destroyed = 0;
  assert_int_equal(inprocess_create(&dangling, &options, "", &no_options, &inprocess, &err), -EIO);
  assert_non_null(strstr(error_message(err), "UNAVAILABLE"));
  assert_null(inprocess);
  assert_int_equal(destroyed, 0);
  error_free(err);
}

/* The three tables of calls: too short is refused, 1.0 and longer are taken. */
static void tables_of_1_0_and_longer_ones_are_taken_and_shorter_ones_not(void **state) {
  (void)state;
  static const struct {
    uint32_t more;
    size_t diagnostics; /* of Diagnose */
    char status;        /* of Http: PERMISSION_DENIED once it is read */
  } cases[] = {{(uint32_t)-1, 0, '0' + TRAMMEL_INVALID_ARGUMENT},
               {0, 1, '0' + TRAMMEL_PERMISSION_DENIED},
               {8, 1, '0' + TRAMMEL_PERMISSION_DENIED}};
  struct inprocess *inprocess = start(NULL);
  longer_diagnostic.diagnostic =
      (trammel_diagnostic){.severity = TRAMMEL_WARNING, .code = {"X-0001", 6}, .summary = {"said", 4}};
  longer_request.request = (trammel_http_request){.endpoint = {"none", 4}, .method = {"GET", 3}, .path = {"/", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct diagnostics *diagnostics = diagnostics_create();
    char status = 0;
    longer_diagnostic.diagnostic.size = TRAMMEL_DIAGNOSTIC_SIZE_1_0 + cases[i].more;
    longer_request.request.size = TRAMMEL_HTTP_REQUEST_SIZE_1_0 + cases[i].more;
    longer_response.response.size = TRAMMEL_HTTP_RESPONSE_SIZE_1_0 + cases[i].more;
    assert_int_equal(ask(inprocess, "Diagnose", diagnostics, NULL), 0);
    assert_int_equal(diagnostics_count(diagnostics), cases[i].diagnostics);
    assert_int_equal(ask(inprocess, "Http", diagnostics, &status), 0);
    assert_int_equal(status, cases[i].status);
    assert_int_equal(diagnostics_count(diagnostics), cases[i].diagnostics + 1);
    assert_int_equal(longer_response.appended, 0);
    diagnostics_destroy(diagnostics);
  }
  inprocess_destroy(inprocess);
}

static void *call_meet(void *inprocess) {
  return ask(inprocess, "Meet", NULL, NULL) == 0 ? NULL : (void *)1;
}

static void a_reentrant_adapter_is_called_from_several_threads(void **state) {
  (void)state;
  Trammel__Adapter__V1__DescribeResponse description = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  description.reentrant = true;
  struct inprocess *inprocess = start(&description);
  pthread_t threads[INPROCESS_THREADS];
  present = 0;
  calls_wanted = INPROCESS_THREADS;
  for (size_t i = 0; i < INPROCESS_THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, call_meet, inprocess), 0);
  for (size_t i = 0; i < INPROCESS_THREADS; i++) {
    void *failed = NULL;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    assert_null(failed);
  }
  inprocess_destroy(inprocess);
}

static char *built(const char *file) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/tests/%s", getenv("TRAMMEL_BUILD_DIR"), file) > 0);
  return path;
}

static void copy(const char *from, const char *to, const char *appended) {
  char *data = NULL;
  size_t length = 0;
  assert_int_equal(file_read(from, 64u << 20, &data, &length, NULL), 0);
  FILE *out = fopen(to, "we");
  assert_non_null(out);
  assert_int_equal(fwrite(data, 1, length, out), length);
  assert_true(fputs(appended, out) >= 0);
  assert_int_equal(fclose(out), 0);
  free(data);
}

static void a_file_that_changed_since_the_scan_is_refused(void **state) {
  (void)state;
  char *scratch = scratch_create(), *probe = built("probe-adapter/probe.so"), *path = NULL;
  assert_true(asprintf(&path, "%s/probe.so", scratch) > 0);
  copy(probe, path, "");
  struct registry *registry = NULL;
  struct instance *instance = NULL;
  struct error *err = NULL;
  assert_int_equal(registry_scan((const struct adapter_directory[]){{.path = scratch}, {0}},
                                 &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, &registry, NULL),
                   0);
  const struct adapter_entry *entry = registry_find(registry, "probe", NULL);
  assert_non_null(entry);
  copy(probe, path, "and more");
  assert_int_equal(instance_create(entry, NULL, NULL, NULL, &instance, &err), -ESTALE);
  assert_non_null(strstr(error_message(err), "changed after it was scanned"));
  error_free(err);
  registry_destroy(registry);
  scratch_remove(scratch);
  free(probe);
  free(path);
}

static void a_refused_table_is_remembered(void **state) {
  (void)state;
  char *path = built("broken-adapters/missing_function.so");
  const trammel_adapter *table = NULL;
  int first = -1;
  for (int i = 0; i < 3; i++) {
    struct error *err = NULL;
    struct gate gate;
    assert_int_equal(gate_open(path, &gate, NULL), 0);
    int fd = gate.fd;
    assert_int_equal(loader_load(&gate, &table, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "lacks the function call"));
    if (i == 0)
      first = fd;
    assert_int_equal(gate.fd, i == 0 ? -1 : fd); /* the linker has the first one, and no other */
    error_free(err);
    gate_close(&gate);
  }
  assert_int_not_equal(fcntl(first, F_GETFD), -1); /* still the linker's */
  assert_null(table);
  free(path);
}

static void a_file_that_cannot_be_read_is_refused(void **state) {
  (void)state;
  if (geteuid() == 0) {
    print_message("root may read everything\n");
    skip();
  }
  char *scratch = scratch_create(), *path = NULL;
  assert_true(asprintf(&path, "%s/closed.so", scratch) > 0);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_int_equal(fclose(out), 0);
  assert_int_equal(chmod(path, 0), 0);
  struct registry *registry = NULL;
  assert_int_equal(registry_scan((const struct adapter_directory[]){{.path = scratch}, {0}},
                                 &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, &registry, NULL),
                   0);
  assert_int_equal(registry_count(registry), 1);
  assert_false(registry_at(registry, 0)->usable);
  assert_non_null(strstr(registry_at(registry, 0)->refusal, "cannot be opened: Permission denied"));
  registry_destroy(registry);
  scratch_remove(scratch);
  free(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_failed_create_leaves_is_not_destroyed),
      cmocka_unit_test(tables_of_1_0_and_longer_ones_are_taken_and_shorter_ones_not),
      cmocka_unit_test(a_reentrant_adapter_is_called_from_several_threads),
      cmocka_unit_test(a_file_that_changed_since_the_scan_is_refused),
      cmocka_unit_test(a_refused_table_is_remembered),
      cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
