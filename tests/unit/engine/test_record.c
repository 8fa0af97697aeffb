/* Lines of the journal: what is written reads back, what is damaged is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/record.h"

static void assert_same(const char *a, const char *b) {
  if (a || b) {
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(a, b);
  }
}

static void assert_round_trip(const struct record *record) {
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct record back;

  assert_non_null(arena);
  assert_int_equal(record_write(record, &line, NULL), 0);
  assert_ptr_equal(strchr(line.data, '\n'), line.data + line.length - 1);
  assert_int_equal(record_read(arena, line.data, line.length - 1, &back, NULL), 0);
  assert_int_equal(back.kind, record->kind);
  assert_same(back.boot, record->boot);
  assert_same(back.name, record->name);
  assert_same(back.method, record->method);
  assert_same(back.url, record->url);
  assert_same(back.kubeconfig, record->kubeconfig);
  assert_same(back.context, record->context);
  assert_same(back.api_version, record->api_version);
  assert_same(back.object_kind, record->object_kind);
  assert_same(back.ns, record->ns);
  assert_same(back.object_name, record->object_name);
  assert_int_equal(back.pid, record->pid);
  assert_int_equal(back.start, record->start);
}

static void test_every_kind_reads_back(void **state) {
  (void)state;
  assert_round_trip(&(struct record){.kind = RECORD_RUN, .name = "20240101T000000.000000Z-0", .boot = "b-1"});
  assert_round_trip(&(struct record){.kind = RECORD_PROCESS_INTENDED, .name = "refmesh"});
  assert_round_trip(&(struct record){.kind = RECORD_PROCESS_STARTED, .name = "a", .pid = 77, .start = 123456789012});
  assert_round_trip(&(struct record){.kind = RECORD_PROCESS_ENDED, .pid = 4194304});
  assert_round_trip(&(struct record){.kind = RECORD_OBJECT_INTENDED,
                                     .name = "permission/\"quoted\"\nline",
                                     .method = "DELETE",
                                     .url = "http://127.0.0.1:1/v1/x"});
  assert_round_trip(&(struct record){.kind = RECORD_CLUSTER_OBJECT_INTENDED,
                                     .name = "v1 ConfigMap demo/a at https://127.0.0.1:6443",
                                     .url = "https://127.0.0.1:6443",
                                     .kubeconfig = "/home/me/.kube/config",
                                     .context = "test",
                                     .api_version = "v1",
                                     .object_kind = "ConfigMap",
                                     .ns = "demo",
                                     .object_name = "a"});
  assert_round_trip(&(struct record){.kind = RECORD_CLUSTER_OBJECT_INTENDED,
                                     .name = "n",
                                     .url = "https://127.0.0.1:6443",
                                     .api_version = "v1",
                                     .object_kind = "Namespace",
                                     .object_name = "demo"});
  assert_round_trip(&(struct record){.kind = RECORD_OBJECT_REMOVED, .name = "\xc3\xa9"});
}

static void test_unwritable_records(void **state) {
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  struct record record = {.kind = RECORD_OBJECT_REMOVED, .name = "\xff"};
  _cleanup_free_ char *big = calloc(1, RECORD_LINE_MAX + 1);

  (void)state;
  assert_int_equal(record_write(&record, &line, NULL), -EINVAL);
  assert_non_null(big);
  record.name = memset(big, 'x', RECORD_LINE_MAX);
  assert_int_equal(record_write(&record, &line, NULL), -E2BIG);
  assert_int_equal(line.length, 0);
}

static void test_damaged_lines(void **state) {
  static const char *const lines[] = {
      "",
      "{",
      "[]",
      "{}",
      "{\"record\":\"process-started\",\"name\":\"a\",\"pid\":1",
      "{\"record\":\"process-started\",\"name\":\"a\",\"pid\":1}",
      "{\"record\":\"process-started\",\"name\":\"a\",\"pid\":-1,\"start\":1}",
      "{\"record\":\"process-started\",\"name\":\"a\",\"pid\":0,\"start\":1}",
      "{\"record\":\"process-ended\",\"pid\":\"1\"}",
      "{\"record\":\"object-intended\",\"name\":\"a\",\"method\":\"DELETE\"}",
      "{\"record\":\"object-removed\"}",
      "{\"record\":\"unknown\",\"name\":\"a\"}",
      "{\"record\":\"object-removed\",\"name\":\"a\",\"name\":\"b\"}",
  };
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct record record;

  (void)state;
  assert_non_null(arena);
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    struct error *err = NULL;
    if (record_read(arena, lines[i], strlen(lines[i]), &record, &err) != -EINVAL)
      fail_msg("was read: %s", lines[i]);
    assert_true(strlen(error_message(err)) > 0);
    error_free(err);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind_reads_back),
      cmocka_unit_test(test_unwritable_records),
      cmocka_unit_test(test_damaged_lines),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
