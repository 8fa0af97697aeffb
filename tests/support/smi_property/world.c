#include "tests/support/smi_property/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <jansson.h>

#include "sdk/smi/convert.h"
#include "tests/support/smi_property/world_parts.h"

const char *const world_namespaces[WORLD_NAMESPACES] = {"main", "other", "shop"};
const char *const world_accounts[WORLD_ACCOUNTS] = {"api", "cart", "db", "web"};

void *world_array(struct world *world, size_t count, size_t size) {
  void *items = arena_array(world->arena, count, size);
  assert_non_null(items);
  return items;
}

const char *world_text(struct world *world, const char *format, ...) {
  char text[128];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const char *copy = arena_strdup(world->arena, text);
  assert_non_null(copy);
  return copy;
}

static void add_denying_namespaces(struct world *world) {
  const char **namespaces = world_array(world, WORLD_NAMESPACES, sizeof *namespaces);
  for (size_t i = 0; i < WORLD_NAMESPACES; i++)
    if (random_chance(&world->random, 7, 8))
      namespaces[world->deny_count++] = world_namespaces[i];
  world->deny_by_default = namespaces;
}

struct world *world_create(uint64_t seed, const struct world_options *options) {
  struct arena *arena = arena_create(0);
  assert_non_null(arena);
  struct world *world = arena_new(arena, struct world);
  assert_non_null(world);
  *world = (struct world){.arena = arena, .seed = seed, .random.state = seed, .one_port = options->one_port};
  add_denying_namespaces(world);
  world_add_inventory(world);
  world_add_resources(world, options);
  return world;
}

void world_destroy(struct world *world) {
  if (world)
    arena_destroy(world->arena);
}

static void print_ports(const struct inventory_port *ports, size_t count, FILE *to) {
  for (size_t i = 0; i < count; i++) {
    (void)fprintf(to, " %u", ports[i].port);
    if (ports[i].target_port)
      (void)fprintf(to, "->%u", ports[i].target_port);
    (void)fprintf(to, "/%s", port_protocol_name(ports[i].protocol));
  }
}

static void print_inventory(const struct inventory *inventory, FILE *to) {
  for (size_t i = 0; i < inventory->workload_count; i++) {
    const struct inventory_workload *w = &inventory->workloads[i];
    (void)fprintf(to, "workload %s/%s as %s:", w->ns, w->name, w->service_account);
    print_ports(w->ports, w->port_count, to);
    for (size_t j = 0; j < w->label_count; j++)
      (void)fprintf(to, " %s=%s", w->labels[j].name, w->labels[j].value);
    (void)fputs("\n", to);
  }
  for (size_t i = 0; i < inventory->service_count; i++) {
    const struct inventory_service *s = &inventory->services[i];
    (void)fprintf(to, "service %s/%s:", s->ns, s->name);
    print_ports(s->ports, s->port_count, to);
    (void)fputs(" of", to);
    for (size_t j = 0; j < s->workload_count; j++)
      (void)fprintf(to, " %s", s->workloads[j]);
    (void)fputs("\n", to);
  }
}

void world_print(const struct world *world, FILE *to) {
  const struct smi_target_versions hub = {0};
  struct diagnostics *diagnostics = diagnostics_create();
  json_t *resources = NULL;
  (void)fprintf(to, "world of seed %" PRIu64 "; denying by default:", world->seed);
  for (size_t i = 0; i < world->deny_count; i++)
    (void)fprintf(to, " %s", world->deny_by_default[i]);
  (void)fputs("\n", to);
  if (smi_convert(&world->set, &hub, diagnostics, &resources) < 0)
    diagnostics_print(diagnostics, to);
  for (size_t i = 0; i < json_array_size(resources); i++) {
    (void)json_dumpf(json_array_get(resources, i), to, JSON_COMPACT);
    (void)fputs("\n", to);
  }
  print_inventory(&world->inventory, to);
  json_decref(resources);
  diagnostics_destroy(diagnostics);
}
