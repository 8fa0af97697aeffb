/* The laws of tests/support/smi_property/property.h, for Linkerd: nothing is admitted that SMI denies, and what is said
 * to be exact is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/unit/linkerd/evaluator.h"

static void *open_mesh(const struct world *world, const struct translated *translated) {
  struct linkerd_mesh *mesh = malloc(sizeof *mesh);
  assert_non_null(mesh);
  *mesh = (struct linkerd_mesh){world, translated->objects};
  return mesh;
}

static bool admits(void *mesh, const struct request *request) {
  return linkerd_admits(mesh, request);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  linkerd_shares(mesh, request, ret_shares);
}

/* Datagrams go past Linkerd. */
static bool skips(const struct world *world, const struct request *request) {
  (void)world;
  return request->protocol == PORT_UDP;
}

static struct property property(const char *config, size_t targets, size_t splits) {
  return (struct property){.config = config,
                           .options = {.targets_max = targets, .splits_max = splits},
                           .worlds = 600,
                           .requests = 40,
                           .open = open_mesh,
                           .close = free,
                           .admits = admits,
                           .shares = shares,
                           .skips = skips};
}

static void access_holds(const char *config, size_t targets) {
  const struct property law = property(config, targets, 0);
  struct property_seen seen;
  property_access(&law, &seen);
  print_message("%u requests: %u denied, %u allowed, %u of those exactly, %u of those admitted\n", seen.requests,
                seen.denied, seen.allowed, seen.exact, seen.admitted);
  if (getenv("TRAMMEL_PROPERTY_SEED") || getenv("TRAMMEL_PROPERTY_WORLDS"))
    return;
  assert_true(seen.denied > seen.requests / 10);
  assert_true(seen.allowed > seen.requests / 10);
  assert_true(seen.exact > seen.allowed / 3);
  assert_true(seen.admitted > seen.allowed / 2);
}

static void no_translation_admits_what_smi_denies(void **state) {
  (void)state;
  access_holds("", 6);
}

static void nor_does_one_of_many_targets_for_few_accounts(void **state) {
  (void)state;
  access_holds("{\"http_route\": \"gateway.networking.k8s.io\"}", 12);
}

static void nor_does_one_by_names_of_certificates(void **state) {
  (void)state;
  access_holds("{\"identities\": \"names\"}", 3);
}

static void splits_hold(const char *config, unsigned enough) {
  const struct property law = property(config, 0, 3);
  struct property_seen seen;
  property_shares(&law, &seen);
  print_message("%u requests: %u for splits, %u of those exactly\n", seen.requests, seen.distributed,
                seen.distributed_exactly);
  if (getenv("TRAMMEL_PROPERTY_SEED") || getenv("TRAMMEL_PROPERTY_WORLDS"))
    return;
  assert_true(seen.distributed > seen.requests / 10);
  assert_true(seen.distributed_exactly > enough);
}

static void routes_split_as_smi_says(void **state) {
  (void)state;
  splits_hold("", 400);
}

static void profiles_split_as_smi_says(void **state) {
  (void)state;
  splits_hold("{\"split\": \"serviceprofile\"}", 50); /* nearly every root has UDP, or a port of its own */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_translation_admits_what_smi_denies),
      cmocka_unit_test(nor_does_one_of_many_targets_for_few_accounts),
      cmocka_unit_test(nor_does_one_by_names_of_certificates),
      cmocka_unit_test(routes_split_as_smi_says),
      cmocka_unit_test(profiles_split_as_smi_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
