/* What is kept: versions of profiles, results, and words that must not become paths. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/perf/shelf.h"
#include "sdk/base/document.h"
#include "sdk/base/memory.h"
#include "tests/support/command.h"

static unsigned save(const char *state, const char *name, const char *text, bool *ret_new) {
  unsigned version = 0;
  _cleanup_error_ struct error *err = NULL;
  if (shelf_save_profile(state, name, text, strlen(text), &version, ret_new, &err) < 0)
    fail_msg("%s", error_message(err));
  return version;
}

static void assert_content(const char *state, const char *what, const char *expected) {
  _cleanup_free_ char *path = NULL, *text = NULL;
  size_t length;
  assert_int_equal(shelf_find(state, what, &path, NULL), 0);
  assert_int_equal(file_read(path, 1000, &text, &length, NULL), 0);
  assert_string_equal(text, expected);
}

static void a_changed_profile_keeps_the_older_version(void **state) {
  char *directory = scratch_create();
  bool new;
  char *path;
  (void)state;
  assert_int_equal(save(directory, "shop", "a", &new), 1);
  assert_true(new);
  assert_int_equal(save(directory, "shop", "a", &new), 1);
  assert_false(new);
  assert_int_equal(save(directory, "shop", "ab", &new), 2);
  assert_int_equal(save(directory, "shop", "a", &new), 3);
  assert_content(directory, "shop", "a");
  assert_content(directory, "shop@2", "ab");
  assert_int_equal(shelf_find(directory, "shop@4", &path, NULL), -ENOENT);
  assert_int_equal(shelf_delete(directory, "shop@3", NULL), 0);
  assert_content(directory, "shop", "ab");
  assert_int_equal(shelf_delete(directory, "shop", NULL), 0);
  assert_int_equal(shelf_find(directory, "shop", &path, NULL), -ENOENT);
  assert_int_equal(save(directory, "shop", "c", &new), 1);
  scratch_remove(directory);
}

static void results_are_listed_behind_profiles_the_latest_first(void **state) {
  char *directory = scratch_create();
  struct shelf_item *items = NULL;
  char first[SHELF_ID_SIZE], second[SHELF_ID_SIZE];
  size_t count = 7;
  bool new;
  (void)state;
  assert_int_equal(shelf_list(directory, &items, &count, NULL), 0);
  assert_int_equal(count, 0);
  assert_int_equal(shelf_keep_result(directory, "1", 1, first, NULL), 0);
  assert_int_equal(shelf_keep_result(directory, "2", 1, second, NULL), 0);
  (void)save(directory, "b", "x", &new);
  (void)save(directory, "a", "x", &new);
  (void)save(directory, "a", "y", &new);
  free(items);
  assert_int_equal(shelf_list(directory, &items, &count, NULL), 0);
  assert_int_equal(count, 4);
  assert_string_equal(items[0].name, "a");
  assert_int_equal(items[0].version, 2);
  assert_int_equal(items[0].versions, 2);
  assert_string_equal(items[1].name, "b");
  assert_true(items[2].version == 0 && strcmp(items[2].name, items[3].name) > 0);
  assert_content(directory, first, "1");
  assert_content(directory, second, "2");
  assert_int_equal(shelf_delete(directory, first, NULL), 0);
  assert_int_equal(shelf_delete(directory, first, NULL), -ENOENT);
  free(items);
  scratch_remove(directory);
}

static void fill(const char *directory) {
  char path[4096 + 64];
  for (int i = 0; i < SHELF_ITEMS_MAX; i++) {
    (void)snprintf(path, sizeof(path), "%s/20260101T0%05d0.000Z-abcdef", directory, i);
    assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
  }
}

/* What could not be listed is not kept. */
static void there_are_no_more_than_can_be_listed(void **state) {
  char *directory = scratch_create(), id[SHELF_ID_SIZE], results[4096], profiles[4096];
  unsigned version;
  bool new;
  (void)state;
  (void)snprintf(results, sizeof(results), "%s/perf/results", directory);
  (void)snprintf(profiles, sizeof(profiles), "%s/perf/profiles", directory);
  assert_int_equal(shelf_prepare(directory, NULL), 0);
  fill(results);
  assert_int_equal(shelf_prepare(directory, NULL), -E2BIG);
  assert_int_equal(shelf_keep_result(directory, "1", 1, id, NULL), -E2BIG);
  assert_int_equal(shelf_delete(directory, "20260101T0000000.000Z-abcdef", NULL), 0);
  assert_int_equal(shelf_keep_result(directory, "1", 1, id, NULL), 0);
  assert_int_equal(rename(results, profiles), 0);
  assert_int_equal(shelf_save_profile(directory, "shop", "x", 1, &version, &new, NULL), -E2BIG);
  scratch_remove(directory);
}

static void what_is_no_name_becomes_no_path(void **state) {
  static const char *const words[] = {"",          ".",    "..",   "../a",   "a/b", "-a", "1a",          "a b",
                                      "a@0",       "a@-1", "a@1x", "a@../b", "a@",  "@1", "a@1/../../b", "2026",
                                      "2026/../a", "a\nb", "a@01", ".hidden"};
  char *directory = scratch_create(), *path;
  unsigned version;
  bool new;
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
    if (shelf_find(directory, words[i], &path, NULL) != -EINVAL || shelf_delete(directory, words[i], NULL) != -EINVAL)
      fail_msg("'%s' was taken", words[i]);
    if (shelf_save_profile(directory, words[i], "x", 1, &version, &new, NULL) != -EINVAL)
      fail_msg("'%s' was saved", words[i]);
  }
  char longer[SHELF_NAME_MAX + 2];
  memset(longer, 'a', sizeof(longer) - 1);
  longer[sizeof(longer) - 1] = '\0';
  assert_false(shelf_is_name(longer));
  assert_true(shelf_is_name(longer + 1));
  scratch_remove(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_changed_profile_keeps_the_older_version),
      cmocka_unit_test(results_are_listed_behind_profiles_the_latest_first),
      cmocka_unit_test(there_are_no_more_than_can_be_listed),
      cmocka_unit_test(what_is_no_name_becomes_no_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
