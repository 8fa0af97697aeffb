/* What adapters learn of a topology: real namespaces, addresses, and the labels that tell pods apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/lab/inventory.h"

static const char *real_name(const void *ctx, const char *alias) {
  (void)ctx;
  return strcmp(alias, "main") == 0 ? "main-7f" : "other-7f";
}

static void assert_label(const Trammel__Adapter__V1__Workload *workload, size_t i, const char *name,
                         const char *value) {
  assert_string_equal(workload->labels[i]->name, name);
  assert_string_equal(workload->labels[i]->value, value);
}

static void workloads_are_labelled_with_name_and_deployment(void **state) {
  static const struct topology_workload workloads[] = {
      {.name = "client", .ns = "other", .service_account = "client"},
      {.name = "server-1", .ns = "main", .service_account = "server", .deployment = "server"},
  };
  static const struct topology topology = {.name = "small", .workloads = workloads, .workload_count = 2};
  static const struct site sites[2] = {{.app = "127.1.0.1"}, {.app = "127.1.0.2"}};
  struct arena *arena = arena_create(0);
  const Trammel__Adapter__V1__Inventory *inventory = lab_inventory(arena, &topology, sites, real_name, NULL);
  (void)state;
  assert_non_null(inventory);
  assert_int_equal(inventory->n_workloads, 2);
  assert_string_equal(inventory->workloads[0]->namespace_, "other-7f");
  assert_int_equal(inventory->workloads[0]->n_labels, 2);
  assert_label(inventory->workloads[0], 0, "app", "client");
  assert_label(inventory->workloads[0], 1, "deployment", "client");
  assert_string_equal(inventory->workloads[1]->app_address, "127.1.0.2");
  assert_label(inventory->workloads[1], 0, "app", "server-1");
  assert_label(inventory->workloads[1], 1, "deployment", "server");
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(workloads_are_labelled_with_name_and_deployment)};
  return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
