/* What an adapter that wants out of its process gets to. The adapters are made of tests/broken-adapters/escapes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/adapter/registry.h"
#include "host/runner/landlock.h"
#include "host/runner/sanitized.h"
#include "sdk/base/document.h"
#include "tests/support/command.h"

/* A copy of its own, which it may try to empty. */
static void copy_adapter(const char *name, const char *path) {
  char source[512];
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  (void)snprintf(source, sizeof source, "%s/tests/broken-adapters/%s.so", getenv("TRAMMEL_BUILD_DIR"), name);
  assert_int_equal(file_read(source, FILE_READ_MAX, &data, &length, NULL), 0);
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

/* Has the adapter described, which must have been denied at least `least` attempts and have got nowhere. */
static void assert_held(const char *name, unsigned least) {
  char *directory = scratch_create();
  char path[512];
  struct stat before, after;
  (void)snprintf(path, sizeof path, "%s/%s.so", directory, name);
  copy_adapter(name, path);
  assert_int_equal(stat(path, &before), 0);
  const struct adapter_directory directories[] = {{.path = directory}, {0}};
  struct registry *registry = NULL;
  struct error *err = NULL;
  if (registry_scan(directories, &(struct registry_options){0}, &registry, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(registry_count(registry), 1);
  const struct adapter_entry *entry = registry_at(registry, 0);
  if (!entry->usable)
    fail_msg("%s", entry->refusal);
  unsigned held = 0;
  if (sscanf(entry->description->mesh_name, "held, %u attempts", &held) != 1)
    fail_msg("%s", entry->description->mesh_name);
  print_message("%s: %u attempts to escape, all denied\n", name, held);
  assert_true(held >= least);
  assert_int_not_equal(access("/tmp/trammel-escaped", F_OK), 0);
  assert_int_equal(stat(path, &after), 0);
  assert_int_equal(after.st_size, before.st_size);
  registry_destroy(registry);
  scratch_remove(directory);
}

static void every_attempt_to_escape_is_denied(void **state) {
  (void)state;
  assert_held("escapes", 47);
}

/* The second confinement is not what holds an adapter whose constructor keeps it from coming: the first one is. */
static void what_swallows_the_seal_stays_in(void **state) {
  (void)state;
  assert_held("unsealed", 44);
}

int main(void) {
  if (TRAMMEL_SANITIZED) {
    puts("skipped: a sanitizer needs what the confinement takes");
    return 77;
  }
  if (landlock_version() == 0 || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
    puts("skipped: the kernel lacks Landlock or seccomp");
    return 77;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_attempt_to_escape_is_denied),
                                     cmocka_unit_test(what_swallows_the_seal_stays_in)};
  return cmocka_run_group_tests_name("confinement", tests, NULL, NULL);
}
