/* Users, logins and tokens over a real store. The clock is the test's. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/auth/authority.h"
#include "host/auth/jwt.h"
#include "host/auth/keyring.h"
#include "host/store/accounts.h"
#include "tests/support/command.h"

#define PASSWORD "correct horse battery"
/* Of PASSWORD, with a thousandth of the work. */
#define CHEAP "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$hKGWL22WtdGfIbxEPAZ06BS2bWyYKuZIKvypfAlYOWk"
#define HERE "192.0.2.1"
#define DAY_S (INT64_C(24) * 3600)

static int64_t now_s;
static int64_t clock_of_test(void) {
  return now_s;
}

struct fixture {
  char *directory;
  struct store *store;
  struct authority *authority;
};

#define OK(call)                                                                                                       \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    if ((call) < 0)                                                                                                    \
      fail_msg("%s: %s", #call, error_message(err));                                                                   \
  } while (0)

#define REFUSED(code, call)                                                                                            \
  do {                                                                                                                 \
    _cleanup_error_ struct error *err = NULL;                                                                          \
    assert_int_equal((call), -(code));                                                                                 \
    assert_int_equal(error_code(err), (code));                                                                         \
    assert_true(*error_message(err) != '\0');                                                                          \
  } while (0)

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof(*fixture));
  now_s = 1800000000;
  fixture->directory = scratch_create();
  OK(store_open(fixture->directory, "host-a", &fixture->store, NULL, &err));
  OK(authority_open(fixture->store, clock_of_test, &fixture->authority, &err));
  OK(store_user_add(fixture->store, &(struct store_user){.name = "alice", .role = "operator", .password = CHEAP},
                    &err));
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  authority_close(fixture->authority);
  store_close(fixture->store);
  scratch_remove(fixture->directory);
  free(fixture);
  return 0;
}

static int identify(const struct fixture *fixture, const char *token, struct caller *ret_caller) {
  char *header = NULL;
  _cleanup_error_ struct error *err = NULL;
  assert_true(asprintf(&header, "Bearer %s", token) > 0);
  int r = authority_identify(fixture->authority, header, ret_caller, &err);
  if (r < 0) {
    assert_null(strstr(error_message(err), token)); /* what is secret is not told */
    assert_true(*error_message(err) != '\0');
  }
  free(header);
  return r;
}

static struct grant log_in(const struct fixture *fixture) {
  struct grant grant = {0};
  OK(authority_login(fixture->authority, "alice", PASSWORD, HERE, &grant, &err));
  return grant;
}

/* ---- access */

static void who_logged_in_is_known(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = log_in(fixture);
  struct caller caller = {0};
  assert_int_equal(grant.access_end_s, now_s + AUTHORITY_ACCESS_S);
  assert_int_equal(identify(fixture, grant.access, &caller), 0);
  assert_string_equal(caller.name, "alice");
  assert_string_equal(caller.user, "alice");
  assert_int_equal(caller.role, ROLE_OPERATOR);
  now_s += AUTHORITY_ACCESS_S + JWT_SKEW_S;
  assert_int_equal(identify(fixture, grant.access, &caller), -EACCES);
  grant_finish(&grant);
}

static void a_role_is_the_one_of_now(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = log_in(fixture);
  struct caller caller = {0};
  OK(store_user_change(fixture->store, "alice", "viewer", NULL, &err));
  assert_int_equal(identify(fixture, grant.access, &caller), 0);
  assert_int_equal(caller.role, ROLE_VIEWER);
  OK(store_user_change(fixture->store, "alice", "sorcerer", NULL, &err));
  assert_int_equal(identify(fixture, grant.access, &caller), 0);
  assert_int_equal(caller.role, ROLE_NONE);
  OK(store_user_remove(fixture->store, "alice", &err));
  assert_int_equal(identify(fixture, grant.access, &caller), -EACCES);
  grant_finish(&grant);
}

static void what_is_no_access_token_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = log_in(fixture);
  struct caller caller = {0};
  const char *const headers[] = {
      "", "Bearer", "Bearer ", "Basic YWxpY2U6eA==", grant.access, "Bearer trammel_api_", "Bearer  x"};
  for (size_t i = 0; i < ARRAY_COUNT(headers); i++)
    REFUSED(EACCES, authority_identify(fixture->authority, headers[i], &caller, &err));
  assert_int_equal(identify(fixture, grant.refresh, &caller), -EACCES);
  assert_int_equal(caller.role, ROLE_NONE);
  grant_finish(&grant);
}

/* A token of a host with another store is signed by a key that this one does not have. */
static void a_token_of_another_host_is_refused(void **state) {
  const struct fixture *fixture = *state;
  void *other = NULL;
  struct caller caller = {0};
  set_up(&other);
  struct grant grant = log_in(other);
  assert_int_equal(identify(fixture, grant.access, &caller), -EACCES);
  grant_finish(&grant);
  tear_down(&other);
}

/* ---- passwords */

static void a_wrong_password_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = {0};
  _cleanup_error_ struct error *wrong = NULL;
  _cleanup_error_ struct error *unknown = NULL;
  assert_int_equal(authority_login(fixture->authority, "alice", "wrong", HERE, &grant, &wrong), -EACCES);
  assert_int_equal(authority_login(fixture->authority, "mallory", PASSWORD, HERE, &grant, &unknown), -EACCES);
  assert_string_equal(error_message(wrong), error_message(unknown));
  REFUSED(EACCES, authority_login(fixture->authority, "", PASSWORD, HERE, &grant, &err));
  assert_null(grant.access);
}

/* Each failure after the free ones doubles the waiting, so that also a slow machine comes to it. */
static void who_guesses_has_to_wait(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = {0};
  int r = -EACCES, guesses = 0;
  for (; r == -EACCES && guesses < 20; guesses++)
    r = authority_login(fixture->authority, "alice", "wrong", HERE, &grant, NULL);
  assert_int_equal(r, -EAGAIN);
  assert_true(guesses > AUTHORITY_FREE_PAIR);
  OK(authority_login(fixture->authority, "alice", PASSWORD, "192.0.2.2", &grant, &err)); /* who is elsewhere does not */
  grant_finish(&grant);
}

static void another_password_ends_logins(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = log_in(fixture), next = {0};
  REFUSED(EACCES, authority_user_change_password(fixture->authority, "alice", "wrong", "another long one", HERE, &err));
  REFUSED(EINVAL, authority_user_change_password(fixture->authority, "alice", PASSWORD, "short", HERE, &err));
  OK(authority_user_change_password(fixture->authority, "alice", PASSWORD, "another long one", HERE, &err));
  REFUSED(EACCES, authority_renew(fixture->authority, grant.refresh, &next, &err));
  REFUSED(EACCES, authority_login(fixture->authority, "alice", PASSWORD, HERE, &next, &err));
  OK(authority_login(fixture->authority, "alice", "another long one", HERE, &next, &err));
  grant_finish(&grant);
  grant_finish(&next);
}

static void names_of_users_are_plain(void **state) {
  const struct fixture *fixture = *state;
  static const char *const bad[] = {
      "",    "Alice",    "1a",
      "a b", "a/b",      "a\nb",
      "-a",  "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
    REFUSED(EINVAL, authority_user_add(fixture->authority, bad[i], ROLE_VIEWER, PASSWORD, &err));
  REFUSED(EINVAL, authority_user_add(fixture->authority, "bob", ROLE_NONE, PASSWORD, &err));
  REFUSED(EINVAL, authority_user_add(fixture->authority, "bob", ROLE_VIEWER, "short", &err));
  REFUSED(EEXIST, authority_user_add(fixture->authority, "alice", ROLE_VIEWER, PASSWORD, &err));
  OK(authority_user_add(fixture->authority, "bob.o-neil@example", ROLE_VIEWER, PASSWORD, &err));
}

/* ---- logins */

static void a_login_is_renewed_by_its_latest_token(void **state) {
  const struct fixture *fixture = *state;
  struct grant first = log_in(fixture), second = {0}, third = {0};
  struct caller caller = {0};
  OK(authority_renew(fixture->authority, first.refresh, &second, &err));
  assert_string_not_equal(first.refresh, second.refresh);
  assert_string_not_equal(first.access, second.access);
  assert_int_equal(second.refresh_end_s, first.refresh_end_s);
  assert_int_equal(identify(fixture, second.access, &caller), 0);
  REFUSED(EACCES, authority_renew(fixture->authority, first.refresh, &third, &err));  /* replayed */
  REFUSED(EACCES, authority_renew(fixture->authority, second.refresh, &third, &err)); /* which ended it */
  assert_null(third.access);
  grant_finish(&first);
  grant_finish(&second);
}

static void a_login_ends_after_its_time(void **state) {
  const struct fixture *fixture = *state;
  struct grant first = log_in(fixture), second = {0}, third = {0};
  now_s += AUTHORITY_LOGIN_S - 1;
  OK(authority_renew(fixture->authority, first.refresh, &second, &err));
  now_s += 1;
  REFUSED(EACCES, authority_renew(fixture->authority, second.refresh, &third, &err));
  grant_finish(&first);
  grant_finish(&second);
}

static void a_logout_ends_a_login(void **state) {
  const struct fixture *fixture = *state;
  struct grant first = log_in(fixture), other = log_in(fixture), next = {0};
  OK(authority_logout(fixture->authority, first.refresh, &err));
  REFUSED(EACCES, authority_logout(fixture->authority, first.refresh, &err));
  REFUSED(EACCES, authority_renew(fixture->authority, first.refresh, &next, &err));
  OK(authority_renew(fixture->authority, other.refresh, &next, &err));
  grant_finish(&first);
  grant_finish(&other);
  grant_finish(&next);
}

static void what_is_no_refresh_token_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct grant grant = log_in(fixture), next = {0};
  static const char *const bad[] = {"",
                                    ".",
                                    "0123456789abcdef",
                                    "0123456789abcdef.",
                                    "0123456789abcdef.trammel_refresh_",
                                    "0123456789ABCDEF.trammel_refresh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                    "0123456789abcdef.trammel_refresh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
    REFUSED(EACCES, authority_renew(fixture->authority, bad[i], &next, &err));
  REFUSED(EACCES, authority_renew(fixture->authority, grant.access, &next, &err));
  OK(authority_renew(fixture->authority, grant.refresh, &next, &err));
  grant_finish(&grant);
  grant_finish(&next);
}

/* ---- tokens for programs */

static void a_program_is_known_by_its_token(void **state) {
  const struct fixture *fixture = *state;
  const struct caller alice = {.name = "alice", .user = "alice", .role = ROLE_OPERATOR};
  struct store_token token = {0};
  struct caller caller = {0};
  char *text = NULL;
  OK(authority_token_create(fixture->authority, &alice, "ci", ROLE_OPERATOR, DAY_S, &text, &token, &err));
  assert_int_equal(identify(fixture, text, &caller), 0);
  assert_string_equal(caller.name, "token ci");
  assert_string_equal(caller.user, "");
  assert_int_equal(caller.role, ROLE_OPERATOR);
  OK(store_user_change(fixture->store, "alice", "viewer", NULL, &err)); /* no more than who made it */
  assert_int_equal(identify(fixture, text, &caller), 0);
  assert_int_equal(caller.role, ROLE_VIEWER);
  now_s += DAY_S;
  assert_int_equal(identify(fixture, text, &caller), -EACCES);
  now_s -= 1;
  assert_int_equal(identify(fixture, text, &caller), 0);
  OK(store_token_remove(fixture->store, token.id, &err));
  assert_int_equal(identify(fixture, text, &caller), -EACCES);
  store_token_finish(&token);
  free(text);
}

static void a_token_is_not_above_its_maker(void **state) {
  const struct fixture *fixture = *state;
  const struct caller alice = {.name = "alice", .user = "alice", .role = ROLE_OPERATOR};
  struct store_token token = {0};
  char *text = NULL;
  REFUSED(EPERM, authority_token_create(fixture->authority, &alice, "ci", ROLE_ADMIN, DAY_S, &text, &token, &err));
  REFUSED(EINVAL, authority_token_create(fixture->authority, &alice, "ci", ROLE_NONE, DAY_S, &text, &token, &err));
  REFUSED(EINVAL, authority_token_create(fixture->authority, &alice, "C I", ROLE_VIEWER, DAY_S, &text, &token, &err));
  REFUSED(EINVAL, authority_token_create(fixture->authority, &alice, "ci", ROLE_VIEWER, 0, &text, &token, &err));
  REFUSED(EINVAL,
          authority_token_create(fixture->authority, &alice, "ci", ROLE_VIEWER, 367 * DAY_S, &text, &token, &err));
  assert_null(text);
}

/* It would hold on when the token that made it is revoked. */
static void a_token_makes_no_tokens(void **state) {
  const struct fixture *fixture = *state;
  const struct caller alice = {.name = "alice", .user = "alice", .role = ROLE_OPERATOR};
  struct store_token token = {0}, other = {0};
  struct caller caller = {0};
  char *text = NULL, *more = NULL;
  OK(authority_token_create(fixture->authority, &alice, "ci", ROLE_OPERATOR, DAY_S, &text, &token, &err));
  assert_int_equal(identify(fixture, text, &caller), 0);
  REFUSED(EPERM, authority_token_create(fixture->authority, &caller, "b", ROLE_VIEWER, DAY_S, &more, &other, &err));
  assert_null(more);
  store_token_finish(&token);
  free(text);
}

/* ---- keys */

static json_t *claims_of(int64_t end_s) {
  return json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", KEYRING_ISSUER, "aud", KEYRING_AUDIENCE, "sub", "alice", "iat",
                   (json_int_t)now_s, "exp", (json_int_t)end_s);
}

static int verify(struct keyring *keyring, const char *token) {
  json_t *claims = NULL;
  int r = keyring_verify(keyring, token, &claims, NULL);
  json_decref(claims);
  return r;
}

static void keys_change_and_old_ones_hold_for_a_while(void **state) {
  const struct fixture *fixture = *state;
  struct keyring *one = NULL, *other = NULL;
  char *first = NULL, *second = NULL;
  OK(keyring_open(fixture->store, clock_of_test, &one, &err));
  OK(keyring_open(fixture->store, clock_of_test, &other, &err));
  json_auto_t *claims = claims_of(now_s + 100 * DAY_S);
  OK(keyring_sign(one, claims, &first, &err));
  assert_int_equal(verify(other, first), 0); /* of one store */
  now_s += KEYRING_SIGNS_S;
  OK(keyring_sign(one, claims, &second, &err));
  assert_string_not_equal(first, second);
  assert_int_equal(verify(one, first), 0);
  assert_int_equal(verify(other, second), 0);     /* which looked again */
  now_s += KEYRING_SIGNS_S + KEYRING_HOLDS_S + 1; /* the keys before the latest are over */
  free(first);
  OK(keyring_sign(one, claims, &first, &err));
  assert_int_equal(verify(one, second), -ENOKEY);
  keyring_close(one);
  keyring_close(other);
  free(first);
  free(second);
}

/* What is signed with our key for something else is no access token. */
static void a_token_for_something_else_is_refused(void **state) {
  const struct fixture *fixture = *state;
  struct store_key *keys = NULL;
  size_t count = 0;
  struct jwk key;
  struct caller caller = {0};
  OK(store_key_list(fixture->store, &keys, &count, &err));
  OK(jwk_private_read(keys[0].data, keys[0].length, &key, &err));
  static const struct {
    const char *type, *member, *value;
    int expected;
  } cases[] = {{KEYRING_TYPE, "iss", KEYRING_ISSUER, 0},
               {KEYRING_TYPE, "iss", "https://evil.example", -EACCES},
               {KEYRING_TYPE, "aud", "another", -EACCES},
               {KEYRING_TYPE, "sub", "nobody", -EACCES},
               {"JWT", "iss", KEYRING_ISSUER, -EACCES}};
  for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
    char *token = NULL;
    json_auto_t *claims = claims_of(now_s + 60);
    json_object_set_new(claims, cases[i].member, json_string(cases[i].value));
    OK(jwt_sign(&key, cases[i].type, claims, &token, &err));
    assert_int_equal(identify(fixture, token, &caller), cases[i].expected);
    free(token);
  }
  jwk_finish(&key);
  store_keys_free(keys, count);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(who_logged_in_is_known),
      TEST(a_role_is_the_one_of_now),
      TEST(what_is_no_access_token_is_refused),
      TEST(a_token_of_another_host_is_refused),
      TEST(a_wrong_password_is_refused),
      TEST(who_guesses_has_to_wait),
      TEST(another_password_ends_logins),
      TEST(names_of_users_are_plain),
      TEST(a_login_is_renewed_by_its_latest_token),
      TEST(a_login_ends_after_its_time),
      TEST(a_logout_ends_a_login),
      TEST(what_is_no_refresh_token_is_refused),
      TEST(a_program_is_known_by_its_token),
      TEST(a_token_is_not_above_its_maker),
      TEST(a_token_makes_no_tokens),
      TEST(keys_change_and_old_ones_hold_for_a_while),
      TEST(a_token_for_something_else_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
