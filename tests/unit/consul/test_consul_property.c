/* No translation for Consul admits what SMI denies, and what is said to be exact is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/consul/consul_mesh.h"

/* A configuration of the adapter, and the mesh that it is for. */
struct setting {
  const char *config;
  struct consul_mesh mesh;
  bool one_port;        /* of the worlds */
  unsigned exact_least; /* requests that are allowed by exact parts */
};

/* Without namespaces in Consul, accounts of one name in two namespaces leave little to be exact about. */
static const struct setting resources = {.config = "{}", .mesh.default_allow = true};
static const struct setting over_acls = {.config = "{\"default_deny\": \"acl\", \"protocols\": \"leave\"}",
                                         .mesh.http_by_others = true};
static const struct setting each_port = {.config = "{\"ports\": \"each\"}",
                                         .mesh = {.default_allow = true, .each_port = true}};
static const struct setting old = {.config = "{\"transport\": \"http\", \"generation\": \"1.8\", \"ports\": \"each\"}",
                                   .mesh = {.default_allow = true, .each_port = true}};
static const struct setting enterprise = {.config = "{\"namespaces\": true, \"ports\": \"each\"}",
                                          .mesh = {.default_allow = true, .namespaces = true, .each_port = true},
                                          .exact_least = 500};
static const struct setting over_http = {.config =
                                             "{\"transport\": \"http\", \"namespaces\": true, \"ports\": \"each\"}",
                                         .mesh = {.default_allow = true, .namespaces = true, .each_port = true},
                                         .exact_least = 500};
static const struct setting one_port = {.config = "{\"namespaces\": true}",
                                        .mesh = {.default_allow = true, .namespaces = true},
                                        .one_port = true,
                                        .exact_least = 500};

static const struct setting *current;

static void *open_mesh(const struct world *world, const struct translated *translated) {
  struct consul_mesh *mesh = malloc(sizeof *mesh);
  assert_non_null(mesh);
  *mesh = current->mesh;
  mesh->world = world;
  mesh->translated = translated;
  return mesh;
}

static bool admits(void *mesh, const struct request *request) {
  return consul_admits(mesh, request);
}

static void shares(void *mesh, const struct outbound_request *request, struct shares *ret_shares) {
  consul_shares(mesh, request, ret_shares);
}

static bool is_anybody(const struct inventory *inventory, const char *ns, const char *account) {
  for (size_t i = 0; i < inventory->workload_count; i++)
    if (strcmp(inventory->workloads[i].ns, ns) == 0 && strcmp(inventory->workloads[i].service_account, account) == 0)
      return true;
  return false;
}

/* UDP is not carried by the mesh, and so neither allowed nor denied by it. Without namespaces in Consul, an account
 * that the adapter has not heard of has the identity of its namesake elsewhere (docs/meshes/consul.md, Limits). */
static bool is_out_of_reach(const struct world *world, const struct request *request) {
  return request->protocol == PORT_UDP ||
         (!current->mesh.namespaces && !is_anybody(&world->inventory, request->source_ns, request->source_account));
}

static struct property property_of(const struct setting *setting, bool access) {
  current = setting;
  return (struct property){.config = setting->config,
                           .options = {.targets_max = access ? 5 : 0,
                                       .splits_max = access ? 0 : 4,
                                       .one_port = setting->one_port || !access},
                           .worlds = 200,
                           .requests = 60,
                           .open = open_mesh,
                           .close = free,
                           .admits = admits,
                           .shares = shares,
                           .skips = is_out_of_reach};
}

/* A run of fewer worlds, by the variables of property.h, may see too little of everything. */
static bool is_whole_run(void) {
  return !getenv("TRAMMEL_PROPERTY_SEED") && !getenv("TRAMMEL_PROPERTY_WORLDS");
}

static void access_is_never_wider(void **state) {
  const struct setting *setting = *state;
  struct property property = property_of(setting, true);
  struct property_seen seen;
  property_access(&property, &seen);
  print_message("%u requests: %u denied, %u allowed, %u of them exactly\n", seen.requests, seen.denied, seen.allowed,
                seen.exact);
  if (!is_whole_run())
    return;
  assert_true(seen.denied > 1000);
  assert_true(seen.admitted > 0);
  assert_true(seen.exact >= setting->exact_least);
}

static void shares_are_the_same(void **state) {
  struct property property = property_of(*state, false);
  struct property_seen seen;
  property_shares(&property, &seen);
  print_message("%u distributed, %u of them exactly\n", seen.distributed, seen.distributed_exactly);
  assert_true(!is_whole_run() || seen.distributed_exactly > 20);
}

#define WITH(test, setting) cmocka_unit_test_prestate(test, (void *)&(setting))

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH(access_is_never_wider, resources),  WITH(access_is_never_wider, over_acls),
      WITH(access_is_never_wider, each_port),  WITH(access_is_never_wider, old),
      WITH(access_is_never_wider, enterprise), WITH(access_is_never_wider, over_http),
      WITH(access_is_never_wider, one_port),   WITH(shares_are_the_same, one_port),
      WITH(shares_are_the_same, over_http),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
