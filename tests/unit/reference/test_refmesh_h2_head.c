/* How the reference mesh reads the head of an HTTP/2 request, so that it is decided like one of HTTP/1.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/mesh/h2_head.h"

static void add(struct h2_head *head, const char *name, const char *value) {
  h2_head_add(head, (struct slice){name, strlen(name)}, (struct slice){value, strlen(value)});
}

/* Fields are names and values in turn. */
static struct h2_head read_request(const char *method, const char *path, const char *const *fields) {
  struct h2_head head = {0};
  add(&head, ":method", method);
  add(&head, ":scheme", "http");
  add(&head, ":path", path);
  for (size_t i = 0; fields[i]; i += 2)
    add(&head, fields[i], fields[i + 1]);
  h2_head_check_request(&head);
  return head;
}

#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int problem_of(const char *method, const char *path, const char *const *fields) {
  struct h2_head head = read_request(method, path, fields);
  int problem = head.problem;
  h2_head_finish(&head);
  return problem;
}

static void test_pseudo_fields_are_mapped(void **state) {
  (void)state;
  struct h2_head head = read_request("POST", "/a?b", FIELDS(":authority", "host:80", "x-a", "1", "te", "trailers"));
  struct slice value;
  assert_int_equal(head.problem, 0);
  assert_string_equal(head.head.method, "POST");
  assert_true(slice_is(head_start(&head.head), "/a?b"));
  assert_true(slice_is(head_path(&head.head), "/a"));
  assert_int_equal(head_count(&head.head, "Host", &value), 1);
  assert_true(slice_is(value, "host:80"));
  assert_int_equal(head_count(&head.head, "te", NULL), 0);
  h2_head_finish(&head);
}

static void test_the_authority_may_be_the_host_field(void **state) {
  (void)state;
  struct h2_head head = read_request("GET", "/", FIELDS("host", "a"));
  struct slice value;
  assert_int_equal(head.problem, 0);
  assert_int_equal(head_count(&head.head, "host", &value), 1);
  assert_true(slice_is(value, "a"));
  h2_head_finish(&head);
  head = read_request("GET", "/", FIELDS(":authority", "a", "host", "A"));
  assert_int_equal(head.problem, 0);
  assert_int_equal(head_count(&head.head, "host", &value), 1);
  assert_true(slice_is(value, "a"));
  h2_head_finish(&head);
}

static void test_unclear_authorities_are_refused(void **state) {
  (void)state;
  assert_int_equal(problem_of("GET", "/", FIELDS("x-a", "no host")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS(":authority", "a", "host", "b")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS(":authority", "a", "host", "a", "host", "a")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "a", "host", "a")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS(":authority", "user@a")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS(":authority", "a/b")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS(":scheme", "https", ":authority", "a")), 400);
}

static void test_targets_are_paths(void **state) {
  (void)state;
  assert_int_equal(problem_of("OPTIONS", "*", FIELDS("host", "a")), 0);
  assert_int_equal(problem_of("GET", "", FIELDS("host", "a")), 400);
  assert_int_equal(problem_of("GET", "x", FIELDS("host", "a")), 400);
  assert_int_equal(problem_of("GET", "http://b/", FIELDS("host", "a")), 400);
  assert_int_equal(problem_of("GET", "/#x", FIELDS("host", "a")), 400);
  assert_int_equal(problem_of("GET", "/ x", FIELDS("host", "a")), 400);
  assert_int_equal(problem_of("GET", "/\x80", FIELDS("host", "a")), 400);
}

static void test_methods_are_those_of_http_1_1(void **state) {
  (void)state;
  assert_int_equal(problem_of("PROPFIND", "/", FIELDS("host", "a")), 0);
  assert_int_equal(problem_of("get", "/", FIELDS("host", "a")), 501);
  assert_int_equal(problem_of("BREW", "/", FIELDS("host", "a")), 501);
  assert_int_equal(problem_of("CONNECT", "/", FIELDS("host", "a")), 501);
  assert_int_equal(problem_of("SOURCE", "/", FIELDS("host", "a")), 501);
}

static void test_fields_are_clean(void **state) {
  (void)state;
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "a", "bad name", "x")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "a", "x-a", "a\rb")), 400);
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "a", "x-a", "tab\tis text")), 0);
}

static void test_heads_have_limits(void **state) {
  (void)state;
  struct h2_head head = {0};
  char *large = malloc(LIMIT_HEAD_BYTES + 1);
  assert_non_null(large);
  memset(large, 'x', LIMIT_HEAD_BYTES);
  large[LIMIT_HEAD_BYTES] = '\0';
  assert_int_equal(problem_of("GET", "/", FIELDS("host", "a", "x", large)), 431);
  assert_int_equal(problem_of("GET", "/", FIELDS(":authority", large)), 431);
  free(large);
  add(&head, ":method", "GET");
  add(&head, ":path", "/");
  for (int i = 0; i < LIMIT_HEAD_FIELDS; i++)
    add(&head, "x", "");
  assert_int_equal(head.problem, 0);
  add(&head, "x", "");
  h2_head_check_request(&head);
  assert_int_equal(head.problem, 431);
  h2_head_finish(&head);
}

static void test_repeated_fields_are_one(void **state) {
  (void)state;
  struct h2_head head =
      read_request("GET", "/", FIELDS("host", "a", "x-a", "1", "cookie", "a=1", "x-a", "2", "cookie", "b=2"));
  _cleanup_strbuf_ struct strbuf scratch = STRBUF_INIT;
  struct slice value;
  assert_true(head_combined(&head.head, "x-a", &scratch, &value));
  assert_true(slice_is(value, "1, 2"));
  assert_true(head_combined(&head.head, "Cookie", &scratch, &value));
  assert_true(slice_is(value, "a=1; b=2"));
  h2_head_finish(&head);
}

static bool field_is(const nghttp2_nv *field, const char *name, const char *value) {
  return field->namelen == strlen(name) && memcmp(field->name, name, field->namelen) == 0 &&
         field->valuelen == strlen(value) && memcmp(field->value, value, field->valuelen) == 0;
}

static void test_a_request_goes_on_as_it_came(void **state) {
  (void)state;
  struct h2_head head = read_request("GET", "/a?b", FIELDS(":authority", "h", "x-a", "1", "te", "trailers", "x-b", ""));
  struct h2_fields fields;
  h2_fields_of_request(&fields, &head.head);
  assert_int_equal(fields.count, 6);
  assert_true(field_is(&fields.items[0], ":method", "GET"));
  assert_true(field_is(&fields.items[1], ":scheme", "http"));
  assert_true(field_is(&fields.items[2], ":authority", "h"));
  assert_true(field_is(&fields.items[3], ":path", "/a?b"));
  assert_true(field_is(&fields.items[4], "x-a", "1"));
  assert_true(field_is(&fields.items[5], "x-b", ""));
  h2_head_finish(&head);
}

static void test_answers(void **state) {
  (void)state;
  struct h2_head head = {0};
  struct h2_fields fields;
  add(&head, ":status", "200");
  add(&head, "x-a", "1");
  h2_head_check_response(&head);
  assert_int_equal(head.problem, 0);
  h2_fields_of_response(&fields, &head);
  assert_int_equal(fields.count, 2);
  assert_true(field_is(&fields.items[0], ":status", "200"));
  h2_head_clear(&head);
  add(&head, ":status", "101"); /* HTTP/2 has no upgrades (RFC 9113, 8.6) */
  h2_head_check_response(&head);
  assert_int_not_equal(head.problem, 0);
  h2_head_finish(&head);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pseudo_fields_are_mapped),
      cmocka_unit_test(test_the_authority_may_be_the_host_field),
      cmocka_unit_test(test_unclear_authorities_are_refused),
      cmocka_unit_test(test_targets_are_paths),
      cmocka_unit_test(test_methods_are_those_of_http_1_1),
      cmocka_unit_test(test_fields_are_clean),
      cmocka_unit_test(test_heads_have_limits),
      cmocka_unit_test(test_repeated_fields_are_one),
      cmocka_unit_test(test_a_request_goes_on_as_it_came),
      cmocka_unit_test(test_answers),
  };
  return cmocka_run_group_tests_name("refmesh_h2_head", tests, NULL, NULL);
}
