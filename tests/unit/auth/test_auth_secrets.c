/* Passwords, random secrets, roles, and who has to wait. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/auth/attempts.h"
#include "host/auth/password.h"
#include "host/auth/role.h"
#include "host/auth/secret.h"

static void a_password_is_known_again(void **state) {
  (void)state;
  char one[PASSWORD_TEXT_MAX], other[PASSWORD_TEXT_MAX];
  assert_int_equal(password_hash("correct horse battery", one, NULL), 0);
  assert_int_equal(password_hash("correct horse battery", other, NULL), 0);
  assert_string_not_equal(one, other); /* each has its salt */
  assert_int_equal(strncmp(one, "$scrypt$ln=15,r=8,p=3$", 22), 0);
  assert_int_equal(password_verify("correct horse battery", one), 1);
  assert_int_equal(password_verify("correct horse batterz", one), 0);
  assert_int_equal(password_verify("", one), 0);
  assert_int_equal(password_verify("correct horse battery", NULL), 0);
}

/* Made by Python's hashlib.scrypt of the salt 00 01 … 0f. */
static void another_implementation_agrees(void **state) {
  (void)state;
  static const char text[] = "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$BUS_jY3RXIlNUfVFibrXS1m-ZtyDS56ksoZ2SgSjUlQ";
  assert_int_equal(password_verify("correct horse battery", text), 1);
}

static void lengths_of_passwords_are_kept(void **state) {
  (void)state;
  char text[PASSWORD_TEXT_MAX], long_one[PASSWORD_MAX + 2];
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(password_hash("elevenchars", text, &err), -EINVAL);
  (void)memset(long_one, 'x', sizeof(long_one));
  long_one[PASSWORD_MAX + 1] = '\0';
  assert_int_equal(password_hash(long_one, text, &err), -EINVAL);
  long_one[PASSWORD_MAX] = '\0';
  assert_int_equal(password_hash(long_one, text, NULL), 0);
  assert_int_equal(password_verify(long_one, text), 1);
  long_one[PASSWORD_MAX - 1] = '\0';
  assert_int_equal(password_verify(long_one, text), 0);
}

static void what_is_no_hash_is_told(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "plain",
      "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$",
      "$scrypt$ln=30,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "$scrypt$ln=15,r=99,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "$scrypt$ln=0,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8x",
      "$scrypt$ln=15,r=8,p=3$AAEC$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
  };
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    assert_int_equal(password_verify("correct horse battery", texts[i]), -EBADMSG);
}

static void secrets_are_told_by_their_prefix(void **state) {
  (void)state;
  char one[SECRET_TEXT_MAX], other[SECRET_TEXT_MAX], hash[SECRET_HASH_MAX], again[SECRET_HASH_MAX];
  assert_int_equal(secret_make(SECRET_API, one, NULL), 0);
  assert_int_equal(secret_make(SECRET_API, other, NULL), 0);
  assert_string_not_equal(one, other);
  assert_int_equal(secret_hash(SECRET_API, one, hash), 0);
  assert_int_equal(secret_hash(SECRET_API, one, again), 0);
  assert_string_equal(hash, again);
  assert_int_equal(secret_hash(SECRET_API, other, again), 0);
  assert_string_not_equal(hash, again);
  assert_int_equal(secret_hash(SECRET_REFRESH, one, hash), -EINVAL);
  assert_int_equal(secret_hash(SECRET_API, "", hash), -EINVAL);
  one[strlen(one) - 1] = '\0';
  assert_int_equal(secret_hash(SECRET_API, one, hash), -EINVAL);
}

static void roles_have_names(void **state) {
  (void)state;
  enum role role = ROLE_NONE;
  for (enum role each = ROLE_VIEWER; each <= ROLE_ADMIN; each++) {
    assert_int_equal(role_parse(role_name(each), &role), 0);
    assert_int_equal(role, each);
  }
  assert_int_equal(role_parse("nobody", &role), -EINVAL);
  assert_int_equal(role_parse("Admin", &role), -EINVAL);
  assert_int_equal(role_parse("", &role), -EINVAL);
}

#define FREE 5
#define S NS_PER_SECOND

static int64_t try_one(struct attempts *attempts, const char *name, int64_t now_ns) {
  return attempts_begin(attempts, &(struct attempts_who){name, FREE}, 1, now_ns);
}

static void who_fails_waits_longer_and_longer(void **state) {
  (void)state;
  struct attempts *attempts = calloc(1, sizeof(*attempts));
  attempts_init(attempts);
  int64_t now_ns = 1000 * S, wait_ns = S;
  for (int i = 0; i < FREE; i++)
    assert_int_equal(try_one(attempts, "alice", now_ns), 0);
  for (int i = 0; i < 20; i++) {
    assert_int_equal(try_one(attempts, "alice", now_ns), wait_ns);
    now_ns += wait_ns;
    assert_int_equal(try_one(attempts, "alice", now_ns), 0);
    wait_ns = wait_ns * 2 < ATTEMPTS_WAIT_MAX_NS ? wait_ns * 2 : ATTEMPTS_WAIT_MAX_NS;
  }
  now_ns += ATTEMPTS_FORGET_NS + 1;
  for (int i = 0; i < FREE; i++) /* as the first */
    assert_int_equal(try_one(attempts, "alice", now_ns), 0);
  for (int i = 0; i < FREE; i++)
    assert_int_equal(try_one(attempts, "bob", now_ns), 0);
  attempts_succeeded(attempts, "bob");
  assert_int_equal(try_one(attempts, "bob", now_ns), 0);
  attempts_finish(attempts);
  free(attempts);
}

/* Who knows one password may not guess others for nothing: each success takes back itself, and no failure. */
static void a_success_takes_back_itself(void **state) {
  (void)state;
  struct attempts *attempts = calloc(1, sizeof(*attempts));
  attempts_init(attempts);
  for (int i = 0; i < FREE; i++) {
    assert_int_equal(try_one(attempts, "here", S), 0);
    attempts_take_back(attempts, "here");
    assert_int_equal(try_one(attempts, "here", S), 0);
  }
  assert_int_equal(try_one(attempts, "here", S), S);
  const struct attempts_who both[] = {{"alice", FREE}, {"here", FREE}};
  for (int i = 0; i < 2 * FREE; i++) /* what has to wait counts for nobody */
    assert_int_equal(attempts_begin(attempts, both, 2, S), S);
  assert_int_equal(try_one(attempts, "alice", S), 0);
  attempts_finish(attempts);
  free(attempts);
}

static void the_oldest_is_forgotten_first(void **state) {
  (void)state;
  struct attempts *attempts = calloc(1, sizeof(*attempts));
  char name[32];
  attempts_init(attempts);
  for (int i = 0; i < ATTEMPTS_PLACES; i++) {
    (void)snprintf(name, sizeof(name), "user %d", i);
    for (int k = 0; k < FREE; k++)
      assert_int_equal(try_one(attempts, name, (int64_t)i), 0);
  }
  assert_true(try_one(attempts, "user 0", S / 2) > 0);
  assert_int_equal(try_one(attempts, "one more", S), 0);
  assert_true(try_one(attempts, "user 1", S / 2) > 0);
  assert_int_equal(try_one(attempts, "user 0", S / 2), 0);
  attempts_finish(attempts);
  free(attempts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_password_is_known_again),         cmocka_unit_test(another_implementation_agrees),
      cmocka_unit_test(lengths_of_passwords_are_kept),     cmocka_unit_test(what_is_no_hash_is_told),
      cmocka_unit_test(secrets_are_told_by_their_prefix),  cmocka_unit_test(roles_have_names),
      cmocka_unit_test(who_fails_waits_longer_and_longer), cmocka_unit_test(a_success_takes_back_itself),
      cmocka_unit_test(the_oldest_is_forgotten_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
