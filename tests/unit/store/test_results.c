/* Kept results: what was added is there again, whatever cut the last write, and only what nobody holds is removed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/store/results.h"
#include "tests/support/command.h"

#define FIRST "20260101T000000.000001Z-00000001"
#define SECOND "20260101T000000.000002Z-00000002"

static int setup(void **state) {
  *state = scratch_create();
  return 0;
}

static int teardown(void **state) {
  scratch_remove(*state);
  return 0;
}

static struct results *create(const char *state, const char *id) {
  struct results *results = NULL;
  struct error *err = NULL;
  json_t *head = json_pack("{s:s}", "what", id);
  if (results_create(state, id, head, &results, &err) < 0)
    fail_msg("%s", error_message(err));
  json_decref(head);
  assert_string_equal(results_id(results), id);
  return results;
}

static void add(struct results *results, int number) {
  struct error *err = NULL;
  json_t *line = json_pack("{s:i}", "number", number);
  if (results_add(results, line, &err) < 0)
    fail_msg("%s", error_message(err));
  json_decref(line);
}

/* The numbers must be 1, 2, … count. */
static struct results *reopen(const char *state, const char *id, size_t count, const char *what) {
  struct results *results = NULL;
  struct error *err = NULL;
  json_t *head = NULL;
  json_t *list = NULL;
  if (results_open(state, id, &results, &head, &list, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_string_equal(json_string_value(json_object_get(head, "what")), what);
  assert_int_equal(json_array_size(list), count);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "number")), i + 1);
  json_decref(head);
  json_decref(list);
  return results;
}

static int open_code(const char *state, const char *id) {
  struct results *results = NULL;
  json_t *head = NULL;
  json_t *list = NULL;
  int r = results_open(state, id, &results, &head, &list, NULL);
  results_close(results);
  json_decref(head);
  json_decref(list);
  return r;
}

static char *path_of(const char *state, const char *id) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/results/%s.jsonl", state, id) > 0);
  return path;
}

static bool exists(const char *state, const char *id) {
  struct stat status;
  char *path = path_of(state, id);
  bool is_there = stat(path, &status) == 0;
  free(path);
  return is_there;
}

static void append_text(const char *state, const char *id, const char *text) {
  char *path = path_of(state, id);
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
  free(path);
}

static void what_was_added_is_there_again(void **state) {
  struct results *results = create(*state, FIRST);
  add(results, 1);
  add(results, 2);
  results_close(results);
  results = reopen(*state, FIRST, 2, FIRST);
  add(results, 3);
  results_close(results);
  results_discard(reopen(*state, FIRST, 3, FIRST));
  assert_false(exists(*state, FIRST));
  assert_int_equal(open_code(*state, FIRST), -ENOENT);
}

static void a_torn_line_is_none(void **state) {
  struct results *results = create(*state, FIRST);
  add(results, 1);
  results_close(results);
  append_text(*state, FIRST, "{\"number\": 2, \"cut");
  results = reopen(*state, FIRST, 1, FIRST);
  add(results, 2);
  results_close(results);
  results_close(reopen(*state, FIRST, 2, FIRST));
}

static void what_is_damaged_is_refused(void **state) {
  results_close(create(*state, FIRST));
  append_text(*state, FIRST, "[1]\n");
  assert_int_equal(open_code(*state, FIRST), -EINVAL);
  char *path = path_of(*state, FIRST);
  assert_int_equal(truncate(path, 0), 0);
  free(path);
  assert_int_equal(open_code(*state, FIRST), -EINVAL);
}

static void a_run_that_goes_on_is_held(void **state) {
  struct results *results = create(*state, FIRST);
  add(results, 1);
  assert_int_equal(open_code(*state, FIRST), -EBUSY);
  assert_int_equal(open_code(*state, "last"), -ENOENT);
  assert_int_equal(results_prune(*state, true, false, NULL, NULL, NULL), 0);
  assert_true(exists(*state, FIRST));
  results_close(results);
  assert_int_equal(open_code(*state, FIRST), 0);
}

static void the_last_is_the_latest_that_nobody_holds(void **state) {
  struct results *first = create(*state, FIRST);
  struct results *second = create(*state, SECOND);
  add(first, 1);
  results_close(first);
  results_close(reopen(*state, "last", 1, FIRST));
  results_close(second);
  results_close(reopen(*state, "last", 0, SECOND));
}

static void ids_are_no_paths(void **state) {
  struct results *results = NULL;
  assert_int_equal(open_code(*state, "../../etc/passwd"), -ENOENT);
  assert_int_equal(open_code(*state, ""), -ENOENT);
  json_t *head = json_object();
  assert_int_equal(results_create(*state, "../x", head, &results, NULL), -EINVAL);
  json_decref(head);
}

struct told {
  unsigned count;
  char last[RESULTS_ID_SIZE];
};

static void tell(void *ctx, const char *id) {
  struct told *told = ctx;
  told->count++;
  (void)snprintf(told->last, sizeof(told->last), "%s", id);
}

static void pruning_keeps_the_latest(void **state) {
  struct told told = {0};
  char id[RESULTS_ID_SIZE];
  for (unsigned i = 0; i <= RESULTS_KEPT_MAX; i++) {
    (void)snprintf(id, sizeof(id), "20260101T000000.0000%02uZ-00000001", i);
    struct results *results = create(*state, id);
    add(results, 1);
    results_close(results);
  }
  assert_int_equal(results_prune(*state, false, true, tell, &told, NULL), 0);
  assert_int_equal(told.count, 1);
  assert_string_equal(told.last, "20260101T000000.000000Z-00000001");
  assert_true(exists(*state, told.last)); /* it was only told */
  assert_int_equal(results_prune(*state, false, false, tell, &told, NULL), 0);
  assert_int_equal(told.count, 2);
  assert_false(exists(*state, told.last));
  assert_true(exists(*state, id));
  assert_int_equal(results_prune(*state, true, false, tell, &told, NULL), 0);
  assert_int_equal(told.count, 2 + RESULTS_KEPT_MAX);
  assert_false(exists(*state, id));
  assert_true(access(*state, F_OK) == 0);
}

static void pruning_removes_what_is_empty_or_old(void **state) {
  const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
  results_close(create(*state, FIRST));
  assert_int_equal(results_prune(*state, false, false, NULL, NULL, NULL), 0);
  assert_false(exists(*state, FIRST));
  struct results *results = create(*state, SECOND);
  add(results, 1);
  results_close(results);
  assert_int_equal(results_prune(*state, false, false, NULL, NULL, NULL), 0);
  assert_true(exists(*state, SECOND));
  char *path = path_of(*state, SECOND);
  assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
  free(path);
  assert_int_equal(results_prune(*state, false, false, NULL, NULL, NULL), 0);
  assert_false(exists(*state, SECOND));
}

static void a_list_says_what_there_is(void **state) {
  struct results_entry *entries = NULL;
  size_t count = 0;
  assert_int_equal(results_list(*state, &entries, &count, NULL), 0);
  assert_int_equal(count, 0);
  results_list_free(entries, count);
  struct results *first = create(*state, FIRST);
  struct results *second = create(*state, SECOND);
  add(first, 1);
  results_close(first);
  assert_int_equal(results_list(*state, &entries, &count, NULL), 0);
  assert_int_equal(count, 2);
  assert_string_equal(entries[0].id, SECOND);
  assert_true(entries[0].held && entries[0].count == 0);
  assert_true(!entries[1].held && entries[1].count == 1);
  assert_string_equal(json_string_value(json_object_get(entries[1].head, "what")), FIRST);
  results_list_free(entries, count);
  results_close(second);
}

/* What cannot be written whole leaves the lines before as they were. */
static void a_file_that_is_full_stays_whole(void **state) {
  struct results *results = create(*state, FIRST);
  char *text = calloc(1, RESULTS_BYTES_MAX);
  add(results, 1);
  memset(text, 'x', RESULTS_BYTES_MAX - 1);
  json_t *line = json_pack("{s:s}", "text", text);
  assert_int_equal(results_add(results, line, NULL), -EFBIG);
  json_decref(line);
  free(text);
  add(results, 2);
  results_close(results);
  results_close(reopen(*state, FIRST, 2, FIRST));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_was_added_is_there_again),
      TEST(a_torn_line_is_none),
      TEST(what_is_damaged_is_refused),
      TEST(a_run_that_goes_on_is_held),
      TEST(the_last_is_the_latest_that_nobody_holds),
      TEST(ids_are_no_paths),
      TEST(pruning_keeps_the_latest),
      TEST(pruning_removes_what_is_empty_or_old),
      TEST(a_list_says_what_there_is),
      TEST(a_file_that_is_full_stays_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
