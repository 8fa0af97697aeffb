/* No translation admits what SMI denies, and what is stated as exact admits exactly what SMI allows: over random
 * worlds, judged by an evaluator of Istio's own semantics. Splits the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "tests/support/smi_property/property.h"
#include "tests/unit/istio/evaluator.h"

#define WORLDS 500
#define REQUESTS 60

static void *open_with(const struct world *world, const struct translated *translated, const char *trust_domain,
                       const char *root_namespace) {
  struct istio *istio = malloc(sizeof *istio);
  assert_non_null(istio);
  *istio = (struct istio){.world = world,
                          .objects = translated->objects,
                          .trust_domain = trust_domain,
                          .root_namespace = root_namespace,
                          .cluster_domain = "cluster.local"};
  return istio;
}

/* The mesh's trust domain is another than the principals', which say cluster.local. */
static void *open_mesh(const struct world *world, const struct translated *translated) {
  return open_with(world, translated, "mesh.example", "istio-system");
}

static void *open_named(const struct world *world, const struct translated *translated) {
  return open_with(world, translated, "example.org", "mesh-root");
}

static bool admits(void *mesh, const struct request *request) {
  return istio_admits(mesh, request);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  istio_shares(mesh, request, ret_shares);
}

/* Istio's proxies don't take UDP: what the adapter says of it is in the recorded translations. */
static bool is_udp(const struct world *world, const struct request *request) {
  (void)world;
  return request->protocol == PORT_UDP;
}

static const struct property base = {.options = {.targets_max = 6, .splits_max = 3},
                                     .worlds = WORLDS,
                                     .requests = REQUESTS,
                                     .open = open_mesh,
                                     .close = free,
                                     .admits = admits,
                                     .shares = shares,
                                     .skips = is_udp};

static void print_seen(const char *what, const struct property_seen *seen) {
  print_message("%s: %u requests, %u denied, %u allowed (%u exactly, %u admitted), %u split (%u exactly)\n", what,
                seen->requests, seen->denied, seen->allowed, seen->exact, seen->admitted, seen->distributed,
                seen->distributed_exactly);
}

static void assert_access_seen(const char *what, const struct property_seen *seen) {
  print_seen(what, seen);
  if (getenv("TRAMMEL_PROPERTY_SEED") || getenv("TRAMMEL_PROPERTY_WORLDS"))
    return;
  assert_true(seen->denied > 1000);
  assert_true(seen->exact > 1000);
  assert_true(seen->admitted >= seen->exact);
}

static void policies_admit_what_smi_allows(void **state) {
  (void)state;
  struct property property = base;
  struct property_seen seen = {0};
  property.config = "";
  property_access(&property, &seen);
  assert_access_seen("AuthorizationPolicies", &seen);
}

static void filters_narrow_policies_down(void **state) {
  (void)state;
  struct property property = base;
  struct property_seen seen = {0};
  property.config = "{\"regex\":\"envoyfilter\",\"trust_domain\":\"example.org\"}";
  property.open = open_named;
  property_access(&property, &seen);
  assert_access_seen("EnvoyFilters", &seen);
}

static void a_mesh_wide_denial_denies_as_much(void **state) {
  (void)state;
  struct property property = base;
  struct property_seen seen = {0};
  property.config = "{\"deny_scope\":\"mesh\",\"root_namespace\":\"mesh-root\",\"api_version\":\"v1beta1\","
                    "\"trust_domain\":\"example.org\"}";
  property.open = open_named;
  property_access(&property, &seen);
  assert_access_seen("mesh-wide denial", &seen);
}

static void splits_go_where_smi_says(void **state) {
  (void)state;
  struct property property = base;
  struct property_seen seen = {0};
  property.config = "";
  property_shares(&property, &seen);
  print_seen("VirtualServices", &seen);
  if (!getenv("TRAMMEL_PROPERTY_SEED") && !getenv("TRAMMEL_PROPERTY_WORLDS"))
    assert_true(seen.distributed_exactly > 500);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(policies_admit_what_smi_allows),
      cmocka_unit_test(filters_narrow_policies_down),
      cmocka_unit_test(a_mesh_wide_denial_denies_as_much),
      cmocka_unit_test(splits_go_where_smi_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
