/* Routes of the Gateway API give every backend the share that SMI gives it, where that is stated, and nobody else any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/gateway/evaluator.h"

static void *mesh_open(const struct world *world, const struct translated *translated) {
  return routes_create(world, translated);
}

static void mesh_close(void *mesh) {
  routes_destroy(mesh);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  routes_shares(mesh, request, ret_shares);
}

/* One in `exact_of` requests is to be split exactly. */
static void run(const char *config, unsigned exact_of) {
  const struct property property = {.config = config,
                                    .options = {.targets_max = 1, .splits_max = 3},
                                    .worlds = 300,
                                    .requests = 100,
                                    .open = mesh_open,
                                    .close = mesh_close,
                                    .shares = shares};
  struct property_seen seen;
  property_shares(&property, &seen);
  print_message("%s: of %u requests %u are split, %u exactly\n", config, seen.requests, seen.distributed,
                seen.distributed_exactly);
  assert_in_range(seen.distributed_exactly, seen.requests / exact_of, seen.distributed);
}

static void shares_are_what_smi_says(void **state) {
  (void)state;
  run("{\"regular_expressions\":\"exact\"}", 10);
}

static void nothing_is_stated_of_regular_expressions(void **state) {
  (void)state;
  run("", 15);
}

static void refused_expressions_reach_nobody_else(void **state) {
  (void)state;
  run("{\"regular_expressions\":\"refuse\"}", 15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shares_are_what_smi_says),
      cmocka_unit_test(nothing_is_stated_of_regular_expressions),
      cmocka_unit_test(refused_expressions_reach_nobody_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
