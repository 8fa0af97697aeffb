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

#endif
