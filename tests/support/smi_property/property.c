#include "tests/support/smi_property/property.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct trial {
  const struct property *property;
  struct property_seen *seen;
  struct world *world;
  struct translated translated;
  void *mesh;
};

static unsigned long number_of(const char *variable) {
  const char *text = getenv(variable);
  return text ? strtoul(text, NULL, 10) : 0;
}

static void show(const struct trial *trial) {
  world_print(trial->world, stderr);
  translated_print(&trial->translated, stderr);
}

static void run(const struct property *property, struct property_seen *seen, void (*ask)(struct trial *trial)) {
  const unsigned long only = number_of("TRAMMEL_PROPERTY_SEED"), most = number_of("TRAMMEL_PROPERTY_WORLDS");
  const unsigned long last = only ? only : (most ? most : property->worlds);
  *seen = (struct property_seen){0};
  for (unsigned long seed = only ? only : 1; seed <= last; seed++) {
    struct trial trial = {.property = property, .seen = seen, .world = world_create(seed, &property->options)};
    translated_make(trial.world, property->config, true, &trial.translated);
    if (trial.translated.status != TRAMMEL_OK) {
      world_print(trial.world, stderr);
      (void)json_dumpf(trial.translated.diagnostics, stderr, JSON_INDENT(2));
      fail_msg("world %lu: status %d", seed, trial.translated.status);
    }
    trial.mesh = property->open(trial.world, &trial.translated);
    for (unsigned i = 0; i < property->requests; i++)
      ask(&trial);
    property->close(trial.mesh);
    translated_finish(&trial.translated);
    world_destroy(trial.world);
  }
}

static bool is_exact(const struct trial *trial, const struct witnesses *witnesses) {
  for (size_t i = 0; i < witnesses->count; i++)
    if (translated_exactly(&trial->translated, &witnesses->items[i]))
      return true;
  return false;
}

static void broken(const struct trial *trial, const struct request *request, const char *how) {
  show(trial);
  request_print(request, stderr);
  fail_msg("world %llu: %s", (unsigned long long)trial->world->seed, how);
}

static void ask_access(struct trial *trial) {
  struct property_seen *seen = trial->seen;
  struct request request;
  if (!request_draw(trial->world, &request) ||
      (trial->property->skips && trial->property->skips(trial->world, &request)))
    return;
  const bool denies = oracle_denies_by_default(trial->world, &request);
  struct witnesses witnesses;
  oracle_witnesses(trial->world, &request, &witnesses);
  const bool exact = is_exact(trial, &witnesses);
  const bool admitted = trial->property->admits(trial->mesh, &request);
  seen->requests++;
  seen->denied += denies && witnesses.count == 0;
  seen->allowed += witnesses.count > 0;
  seen->exact += exact;
  seen->admitted += witnesses.count > 0 && admitted;
  if (denies && witnesses.count == 0 && admitted)
    broken(trial, &request, "the mesh admits what SMI denies");
  if (exact && !admitted)
    broken(trial, &request, "the mesh denies what SMI allows, and the translation is said to be exact");
}

void property_access(const struct property *property, struct property_seen *ret_seen) {
  run(property, ret_seen, ask_access);
}

/* The weight that a service's port has among the shares. */
static uint64_t weight_of(const struct shares *shares, const char *service, uint16_t port) {
  uint64_t weight = 0;
  for (size_t i = 0; i < shares->count; i++)
    if (strcmp(shares->items[i].service, service) == 0 && shares->items[i].port == port)
      weight += shares->items[i].weight;
  return weight;
}

/* Whether every share of `a` is the same part of the whole in `b`. A sum of 0 reaches nobody, as a share without a
 * service does. */
static bool is_part(const struct shares *a, const struct shares *b) {
  for (size_t i = 0; i < a->count; i++) {
    const struct share *share = &a->items[i];
    if (!*share->service && b->sum == 0)
      continue;
    unsigned __int128 here = weight_of(a, share->service, share->port),
                      there = weight_of(b, share->service, share->port);
    if (here * b->sum != there * a->sum)
      return false;
  }
  return true;
}

static void print_shares(const char *whose, const struct shares *shares) {
  (void)fprintf(stderr, "%s:", whose);
  for (size_t i = 0; i < shares->count; i++)
    (void)fprintf(stderr, " %s:%u %llu", *shares->items[i].service ? shares->items[i].service : "(nobody)",
                  shares->items[i].port, (unsigned long long)shares->items[i].weight);
  (void)fputs("\n", stderr);
}

static void wrong_shares(const struct trial *trial, const struct outbound_request *request, const struct shares *wanted,
                         const struct shares *found, const char *how) {
  show(trial);
  outbound_request_print(request, stderr);
  print_shares("SMI", wanted);
  print_shares("mesh", found);
  fail_msg("world %llu: %s", (unsigned long long)trial->world->seed, how);
}

/* Of what may be approximated: whoever gets something gets it by SMI, too, or is the service that was asked. */
static bool is_known(const struct shares *found, const struct shares *wanted, const struct outbound_request *request) {
  for (size_t i = 0; i < found->count; i++) {
    const struct share *share = &found->items[i];
    if (*share->service && strcmp(share->service, request->service->name) != 0 &&
        weight_of(wanted, share->service, share->port) == 0)
      return false;
  }
  return true;
}

/* The split whose root was asked, whether or not it is for this request. */
static const struct smi_traffic_split *split_at(const struct world *world, const struct inventory_service *service) {
  for (size_t i = 0; i < world->set.split_count; i++)
    if (strcmp(world->set.splits[i].meta.ns, service->ns) == 0 &&
        strcmp(world->set.splits[i].service, service->name) == 0)
      return &world->set.splits[i];
  return NULL;
}

static void ask_shares(struct trial *trial) {
  struct outbound_request request;
  if (!outbound_request_draw(trial->world, &request))
    return;
  struct shares wanted, found = {0};
  smi_shares(trial->world, &request, &wanted);
  trial->property->shares(trial->mesh, &request, &found);
  const struct smi_traffic_split *split = split_at(trial->world, request.service);
  const bool exact = !split || translated_split_exactly(&trial->translated, split);
  trial->seen->requests++;
  trial->seen->distributed += wanted.split != NULL;
  trial->seen->distributed_exactly += wanted.split && exact;
  if (exact && (!is_part(&found, &wanted) || !is_part(&wanted, &found)))
    wrong_shares(trial, &request, &wanted, &found, "the shares differ, and the translation is said to be exact");
  if (!exact && !is_known(&found, &wanted, &request))
    wrong_shares(trial, &request, &wanted, &found, "the mesh sends requests to whom SMI sends none");
}

void property_shares(const struct property *property, struct property_seen *ret_seen) {
  run(property, ret_seen, ask_shares);
}
