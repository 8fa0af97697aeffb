/* No translation for OSM admits what SMI denies, and what is stated as exact admits what SMI allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/osm/evaluator.h"

static void *mesh_open(const struct world *world, const struct translated *translated) {
  return osm_create(world, translated);
}

static void mesh_close(void *mesh) {
  osm_destroy(mesh);
}

static bool admits(void *mesh, const struct request *request) {
  return osm_admits(mesh, request);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  osm_shares(mesh, request, ret_shares);
}

/* UDP goes past OSM's proxies, and what no Service leads to cannot be asked for. */
static bool skips(const struct world *world, const struct request *request) {
  return request->protocol == PORT_UDP || !osm_reaches(world, request);
}

static const struct property property = {.config = "",
                                         .options = {.targets_max = 6, .splits_max = 3},
                                         .worlds = 400,
                                         .requests = 200,
                                         .open = mesh_open,
                                         .close = mesh_close,
                                         .admits = admits,
                                         .shares = shares,
                                         .skips = skips};

static void access_is_what_smi_says(void **state) {
  (void)state;
  struct property_seen seen;
  property_access(&property, &seen);
  print_message("of %u requests SMI allows %u (%u of them by exact parts) and denies %u; OSM admits %u\n",
                seen.requests, seen.allowed, seen.exact, seen.denied, seen.admitted);
  assert_in_range(seen.exact, seen.allowed / 4, seen.allowed);
  assert_in_range(seen.denied, seen.requests / 4, seen.requests);
}

static void shares_are_what_smi_says(void **state) {
  (void)state;
  struct property_seen seen;
  property_shares(&property, &seen);
  print_message("of %u requests %u are split, %u exactly\n", seen.requests, seen.distributed, seen.distributed_exactly);
  assert_in_range(seen.distributed_exactly, seen.requests / 20, seen.distributed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(access_is_what_smi_says),
      cmocka_unit_test(shares_are_what_smi_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
