/* A random world: SMI resources in hub form, and the workloads and services they are about. Everything that adapters
 * find hard is in it often: omitted and dangling references, headers, regexes of every kind, ports that are resolved
 * through Services, targets that overlap with different sources, accounts of one name in two namespaces, accounts whose
 * workloads share labels. All of it passes sdk/smi's parser; IdentityBindings (a draft) are not in it. */
#ifndef TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_WORLD_H
#define TRAMMEL_TESTS_SUPPORT_SMI_PROPERTY_WORLD_H

#include <stdio.h>

#include "sdk/adapter/inventory.h"
#include "sdk/base/arena.h"
#include "sdk/smi/model.h"
#include "tests/support/smi_property/random.h"

/* Backends that no inventory has (SPL-08). */
#define WORLD_GHOST_SERVICE "ghost"

struct world_options {
  size_t targets_max; /* each world has 1 to this many; 0: none */
  size_t splits_max;  /* the same */
  bool one_port;      /* workloads and services have one port each, of HTTP: for meshes whose services have one */
};

struct world {
  struct arena *arena; /* owns everything */
  uint64_t seed;
  struct random random; /* for what is drawn about the world afterwards */
  bool one_port;
  struct smi_set set;
  struct inventory inventory;         /* workloads and services by namespace and name, as the SDK hands them over */
  const char *const *deny_by_default; /* namespaces, sorted; not always all of them */
  size_t deny_count;
};

/* The same seed and options give the same world. Never NULL: without memory the test ends. */
struct world *world_create(uint64_t seed, const struct world_options *options);
void world_destroy(struct world *world);
DEFINE_CLEANUP(struct world *, world_destroy);
#define _cleanup_world_ _cleanup_(world_destroy_p)

/* For whoever reads why a test failed: the resources as YAML-compatible JSON, then the inventory. */
void world_print(const struct world *world, FILE *to);

#endif
