/* Trusted keys: kept below the data directory, each with a name, and never half known. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/package/files.h"
#include "host/package/trust.h"
#include "tests/support/command.h"

struct fixture {
  char *scratch;
  char data[256];
  char keys[2][300]; /* public ones */
};

static int setup(void **state) {
  static struct fixture fixture;
  fixture = (struct fixture){.scratch = scratch_create()};
  (void)snprintf(fixture.data, sizeof fixture.data, "%s/data", fixture.scratch);
  for (int i = 0; i < 2; i++) {
    char private[300];
    (void)snprintf(private, sizeof private, "%s/%d.pem", fixture.scratch, i);
    (void)snprintf(fixture.keys[i], sizeof fixture.keys[i], "%s/%d.pub.pem", fixture.scratch, i);
    assert_int_equal(signing_key_create(private, fixture.keys[i], NULL), 0);
  }
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  scratch_remove(fixture->scratch);
  return 0;
}

static void what_is_added_is_read_back(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_trust_ struct trust none = {0}, two = {0}, one = {0};
  assert_int_equal(trust_read(fixture->data, &none, NULL), 0);
  assert_int_equal(none.count, 0);
  assert_int_equal(access(fixture->data, F_OK), -1); /* reading makes nothing */
  assert_int_equal(trust_add(fixture->data, "vendor", fixture->keys[0], NULL, NULL), 0);
  _cleanup_signing_key_ struct signing_key *friend = NULL;
  assert_int_equal(trust_add(fixture->data, "a-friend", fixture->keys[1], &friend, NULL), 0);
  assert_int_equal(trust_read(fixture->data, &two, NULL), 0);
  assert_int_equal(two.count, 2);
  assert_string_equal(two.names[0], "a-friend");
  assert_string_equal(signing_key_id(two.keys[0]), signing_key_id(friend));
  _cleanup_signing_key_ struct signing_key *key = NULL;
  assert_int_equal(signing_key_read_public(fixture->keys[0], &key, NULL), 0);
  assert_string_equal(trust_name_of(&two, signing_key_id(key)), "vendor");
  assert_int_equal(trust_remove(fixture->data, "vendor", NULL), 0);
  assert_int_equal(trust_remove(fixture->data, "vendor", NULL), -ENOENT);
  assert_int_equal(trust_read(fixture->data, &one, NULL), 0);
  assert_int_equal(one.count, 1);
  assert_null(trust_name_of(&one, signing_key_id(key)));
}

static void a_name_and_a_key_are_there_once(void **state) {
  const struct fixture *fixture = *state;
  assert_int_equal(trust_add(fixture->data, "vendor", fixture->keys[0], NULL, NULL), 0);
  assert_int_equal(trust_add(fixture->data, "vendor", fixture->keys[1], NULL, NULL), -EEXIST);
  assert_int_equal(trust_add(fixture->data, "other", fixture->keys[0], NULL, NULL), -EEXIST);
}

static void names_lead_nowhere_else(void **state) {
  const struct fixture *fixture = *state;
  static const char *const bad[] = {
      "", "-x", "../x", "a/b", "A", "a.b", "a b", "0123456789012345678901234567890123456789", NULL};
  for (int i = 0; bad[i]; i++) {
    assert_int_equal(trust_add(fixture->data, bad[i], fixture->keys[0], NULL, NULL), -EINVAL);
    assert_int_equal(trust_remove(fixture->data, bad[i], NULL), -ENOENT);
  }
  assert_int_equal(access(fixture->data, F_OK), -1);
}

/* A key that cannot be read might be the one that a signature needs. */
static void a_damaged_key_is_an_error(void **state) {
  const struct fixture *fixture = *state;
  char path[300];
  struct trust trust;
  assert_int_equal(trust_add(fixture->data, "vendor", fixture->keys[0], NULL, NULL), 0);
  (void)snprintf(path, sizeof path, "%s/keys/other.pem", fixture->data);
  assert_int_equal(files_replace(path, "no key", 6, NULL), 0);
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(trust_read(fixture->data, &trust, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "other.pem"));
  assert_int_equal(unlink(path), 0);
  (void)snprintf(path, sizeof path, "%s/keys/No Name.pem", fixture->data);
  assert_int_equal(files_replace(path, "", 0, NULL), 0);
  assert_int_equal(trust_read(fixture->data, &trust, &err), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_added_is_read_back, setup, teardown),
      cmocka_unit_test_setup_teardown(a_name_and_a_key_are_there_once, setup, teardown),
      cmocka_unit_test_setup_teardown(names_lead_nowhere_else, setup, teardown),
      cmocka_unit_test_setup_teardown(a_damaged_key_is_an_error, setup, teardown),
  };
  return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
