#include "tests/integration/engine/adapter_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const struct adapter_entry *find_embedded_adapter(struct registry **ret_registry) {
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  char directory[600];
  _cleanup_error_ struct error *err = NULL;

  assert_non_null(build);
  (void)snprintf(directory, sizeof(directory), "%s/lib/trammel/adapters", build);
  const struct adapter_directory directories[] = {{.path = directory}, {0}};
  assert_int_equal(
      registry_scan(directories, &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, ret_registry, &err), 0);
  const struct adapter_entry *entry = registry_default(*ret_registry, &err);
  if (entry)
    return entry;
  for (size_t i = 0; i < registry_count(*ret_registry); i++)
    if (!registry_at(*ret_registry, i)->usable)
      print_error("%s: %s\n", registry_at(*ret_registry, i)->path, registry_at(*ret_registry, i)->refusal);
  fail_msg("%s", error_message(err));
  return NULL;
}
