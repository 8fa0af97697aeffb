/* Versions of a mesh's API that were chosen before stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/engine/served_versions.h"

static void what_was_chosen_before_is_kept(void **state) {
  (void)state;
  Trammel__Adapter__V1__VersionOption policies = TRAMMEL__ADAPTER__V1__VERSION_OPTION__INIT, routes = policies,
                                      tunnels = policies;
  Trammel__Adapter__V1__VersionOption *options[] = {&policies, &routes, &tunnels};
  Trammel__Adapter__V1__DescribeResponse description = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  policies.option = "policies";
  routes.option = "routes";
  tunnels.option = "tunnels";
  description.version_options = options;
  description.n_version_options = 3;
  json_auto_t *before = json_pack("{s:s, s:s, s:b}", "policies", "v1beta1", "routes", "v1", "other", 1);
  json_auto_t *config = json_pack("{s:s}", "routes", "v2");
  json_auto_t *wanted = json_pack("{s:s, s:s}", "policies", "v1beta1", "routes", "v2");
  assert_int_equal(served_versions_keep(&description, before, config), 0);
  assert_true(json_equal(config, wanted));
  assert_int_equal(served_versions_keep(&description, NULL, config), 0);
  assert_true(json_equal(config, wanted));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_chosen_before_is_kept)};
  return cmocka_run_group_tests_name("served versions", tests, NULL, NULL);
}
