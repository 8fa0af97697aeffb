/* The store's tests, which both of its databases pass alike. */
#ifndef TRAMMEL_TESTS_INTEGRATION_STORE_SUITE_H
#define TRAMMEL_TESTS_INTEGRATION_STORE_SUITE_H

#include <stdint.h>

#include "host/store/store.h"

#define OWNER "host-a"

/* What differs: an empty place for each test, and statements past the store. */
struct backend {
  void (*begin)(void);
  const char *(*location)(void);
  void (*end)(void);
  void (*execute)(const char *statements);
  const char *schema_1; /* the statements of version 1, written by hand */
};

/* Runs the suite; what cmocka says. */
int suite_run(const char *name, const struct backend *backend);

/* Fail the test with the error's message. */
struct store *open_store(const char *location, const char *owner, uint64_t expected_interrupted);
void add_run(struct store *store, const char *id, const char *mesh);
void start_run(struct store *store, const char *id);
uint64_t add_event(struct store *store, const char *id);
void end_run(struct store *store, const char *id);
enum store_state state_of(struct store *store, const char *id);

const char *backend_location(void);

/* In accounts.c. */
void users_are_kept(void **state);
void a_login_is_renewed_with_its_latest_secret_only(void **state);
void logins_end_with_what_they_rest_on(void **state);
void the_oldest_logins_make_room(void **state);
void tokens_are_found_by_their_hash(void **state);
void one_key_is_made_at_a_time(void **state);

#endif
