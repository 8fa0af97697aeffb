/* What an adapter that wants out of its process gets to. The adapter is tests/broken-adapters/escapes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/adapter/registry.h"
#include "host/runner/landlock.h"
#include "host/runner/sanitized.h"
#include "tests/support/command.h"

static void every_attempt_to_escape_is_denied(void **state) {
  (void)state;
  char *directory = scratch_create();
  char source[512], link[512];
  (void)snprintf(source, sizeof source, "%s/tests/broken-adapters/escapes.so", getenv("TRAMMEL_BUILD_DIR"));
  (void)snprintf(link, sizeof link, "%s/escapes.so", directory);
  assert_int_equal(symlink(source, link), 0);
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
  print_message("%u attempts to escape, all denied\n", held);
  assert_true(held >= 35);
  assert_int_not_equal(access("/tmp/trammel-escaped", F_OK), 0);
  registry_destroy(registry);
  scratch_remove(directory);
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_attempt_to_escape_is_denied)};
  return cmocka_run_group_tests_name("confinement", tests, NULL, NULL);
}
