/* Translations of what a change touches add up to a translation of everything, with every adapter: for random resources
 * that change at random. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/watch/stock.h"
#include "host/watch/translator.h"

#define PB(name) Trammel__Adapter__V1__##name
#define ACCOUNTS 5
#define ROOTS 4
#define TARGETS 10
#define GROUPS 6
#define SPLITS 5
#define STEPS 30
#define ROUNDS 2

static const char *const namespaces[] = {"ns-a", "ns-b"};

struct world {
  uint32_t random;
  struct mirror resources, population;
  struct translator translator;
  struct stock *stock;
  unsigned parts, wholes;
};

static unsigned pick(struct world *world, unsigned most) {
  world->random = world->random * 1664525u + 1013904223u;
  return (world->random >> 8) % most;
}

static void tell(struct mirror *mirror, const char *kind, const char *ns, const char *name, const char *text) {
  struct message message = {.event = text ? FEED_OBJECT : FEED_GONE};
  char key[100];
  (void)snprintf(key, sizeof(key), "%s/%s/%s", kind, ns, name);
  message.key = strdup(key);
  message.text = text ? strdup(text) : NULL;
  message.api_version = strdup("v");
  assert_int_equal(mirror_take(mirror, &message, NULL), 0);
  free(message.key);
  free(message.text);
  free(message.api_version);
}

/* ---- resources */

static const char *some_namespace(struct world *world) {
  return namespaces[pick(world, 2)];
}

static void change_target(struct world *world) {
  static const char *const routes[] = {"HTTPRouteGroup", "TCPRoute"};
  const char *ns = some_namespace(world);
  char name[16], text[1000];
  unsigned route = pick(world, 6) == 0;
  (void)snprintf(name, sizeof(name), "t%u", pick(world, TARGETS));
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"%s\"},\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"a%u\","
                 "\"namespace\":\"%s\"},\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"a%u\",\"namespace\":"
                 "\"%s\"},{\"kind\":\"ServiceAccount\",\"name\":\"a%u\",\"namespace\":\"%s\"}],\"rules\":[{\"kind\":"
                 "\"%s\",\"name\":\"g%u\"}]}}",
                 name, ns, pick(world, ACCOUNTS), ns, pick(world, ACCOUNTS), some_namespace(world),
                 pick(world, ACCOUNTS), some_namespace(world), routes[route], route ? 0 : pick(world, GROUPS));
  tell(&world->resources, "TrafficTarget", ns, name, pick(world, 4) == 0 ? NULL : text);
}

static void change_group(struct world *world) {
  static const char *const paths[] = {"/", "/a", "/a/.*", "/b/c", "/b/.*", ".*"};
  static const char *const methods[] = {"\"GET\"", "\"POST\"", "\"GET\",\"PUT\"", "\"*\""};
  const char *ns = some_namespace(world);
  char name[16], text[700];
  (void)snprintf(name, sizeof(name), "g%u", pick(world, GROUPS));
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"HTTPRouteGroup\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"%s\"},\"spec\":{\"matches\":[{\"name\":\"m\",\"pathRegex\":\"%s\",\"methods\":"
                 "[%s]}]}}",
                 name, ns, paths[pick(world, 6)], methods[pick(world, 4)]);
  tell(&world->resources, "HTTPRouteGroup", ns, name, pick(world, 5) == 0 ? NULL : text);
}

static void change_route(struct world *world) {
  const char *ns = some_namespace(world);
  char text[300];
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"TCPRoute\",\"metadata\":{\"name\":\"g0\","
                 "\"namespace\":\"%s\"},\"spec\":{\"matches\":{\"ports\":[%u]}}}",
                 ns, pick(world, 2) ? 8080 : 9090);
  tell(&world->resources, "TCPRoute", ns, "g0", pick(world, 3) == 0 ? NULL : text);
}

/* Also two of one root, and backends that are roots. */
static void change_split(struct world *world) {
  const char *ns = some_namespace(world);
  unsigned root = pick(world, ROOTS);
  char name[16], text[500], matches[100] = "";
  (void)snprintf(name, sizeof(name), "s%u", pick(world, SPLITS));
  if (pick(world, 3) == 0)
    (void)snprintf(matches, sizeof(matches), ",\"matches\":[{\"kind\":\"HTTPRouteGroup\",\"name\":\"g%u\"}]",
                   pick(world, GROUPS) % 10);
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"split.smi-spec.io/v1alpha4\",\"kind\":\"TrafficSplit\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"%s\"},\"spec\":{\"service\":\"svc%u\",\"backends\":[{\"service\":\"svc%u\","
                 "\"weight\":%u},{\"service\":\"svc%u-b\",\"weight\":10}]%s}}",
                 name, ns, root, pick(world, ROOTS), 10 * pick(world, 10), root, matches);
  tell(&world->resources, "TrafficSplit", ns, name, pick(world, 4) == 0 ? NULL : text);
}

static void change(struct world *world) {
  static void (*const changes[])(struct world *) = {change_target, change_target, change_group, change_split,
                                                    change_route};
  changes[pick(world, 5)](world);
}

/* ---- who is there: accounts with workloads, and services of one or two of these */

static void put_account(struct world *world, const char *ns, unsigned i) {
  char name[16], text[700];
  (void)snprintf(name, sizeof(name), "w%u", i);
  (void)snprintf(
      text, sizeof(text),
      "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},"
      "\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"w%u\",\"half\":\"h%u\"}},\"spec\":{"
      "\"serviceAccountName\":\"a%u\",\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":8080},{"
      "\"name\":\"tcp-x\",\"containerPort\":9090}]}]}}}}",
      name, ns, i, i / 2, i);
  tell(&world->population, "Deployment", ns, name, text);
}

static void put_service(struct world *world, const char *ns, const char *name, const char *label, const char *value) {
  char text[500];
  (void)snprintf(
      text, sizeof(text),
      "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},"
      "\"spec\":{\"selector\":{\"%s\":\"%s\"},\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":8080}]}}",
      name, ns, label, value);
  tell(&world->population, "Service", ns, name, text);
}

static void populate(struct world *world) {
  for (unsigned n = 0; n < 2; n++) {
    for (unsigned i = 0; i < ACCOUNTS; i++)
      put_account(world, namespaces[n], i);
    for (unsigned i = 0; i < ROOTS; i++) {
      char name[16], value[16];
      (void)snprintf(name, sizeof(name), "svc%u", i);
      (void)snprintf(value, sizeof(value), i == 0 ? "h%u" : "w%u", i);
      put_service(world, namespaces[n], name, i == 0 ? "half" : "app", value);
      (void)snprintf(name, sizeof(name), "svc%u-b", i);
      (void)snprintf(value, sizeof(value), "w%u", i);
      put_service(world, namespaces[n], name, "app", value);
    }
  }
  assert_int_equal(translator_survey(&world->translator, &world->population, NULL), 0);
  mirror_settle(&world->population);
}

/* ---- translations */

static PB(TranslateResponse) *
    translate(const struct world *world, struct mirrored *const *entries, size_t count, translator_text *text_of) {
  PB(TranslateResponse) *response = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (translator_run(&world->translator, entries, count, text_of, &response, &err) < 0)
    fail_msg("%s", error_message(err));
  return response;
}

static size_t settle(struct world *world) {
  size_t count = 0, changes = 0;
  _cleanup_free_ struct mirrored **entries = entries_sorted(&world->resources, &count);
  PB(TranslateResponse) *response = translate(world, entries, count, translator_text_now);
  assert_int_equal(stock_settle(world->stock, response, 0, &changes), 0);
  protobuf_c_message_free_unpacked(&response->base, NULL);
  return changes;
}

static void step(struct world *world) {
  struct cells cells;
  size_t changes = 0;
  for (unsigned i = 1 + pick(world, 3); i > 0; i--)
    change(world);
  assert_int_equal(cells_find(&world->resources, &world->translator.edges, &cells), 0);
  PB(TranslateResponse) *before = translate(world, cells.members, cells.count, translator_text_before),
                        *after = translate(world, cells.members, cells.count, translator_text_now);
  int r = stock_change(world->stock, before, after, 0, &changes);
  protobuf_c_message_free_unpacked(&before->base, NULL);
  protobuf_c_message_free_unpacked(&after->base, NULL);
  cells_finish(&cells);
  changes = settle(world);
  if (r == 0 && changes > 0)
    fail_msg("everything differs from the parts in %zu objects", changes);
  assert_true(r == 0 || r == -ESTALE);
  world->parts += r == 0;
  world->wholes += r != 0;
  mirror_settle(&world->resources);
}

static const struct adapter_entry *find(struct registry *registry, const char *id) {
  for (size_t i = 0; i < registry_count(registry); i++)
    if (registry_at(registry, i)->usable && strcmp(registry_at(registry, i)->id, id) == 0)
      return registry_at(registry, i);
  fail_msg("there is no adapter %s", id);
  return NULL;
}

static void parts_add_up(void **state) {
  const char *id = *state;
  char directory[600];
  struct registry *registry = NULL;
  struct instance *instance = NULL;
  struct world world = {.random = 1, .resources = {.of_smi = true}};
  unsigned parts = 0, wholes = 0;
  (void)snprintf(directory, sizeof(directory), "%s/lib/trammel/adapters", getenv("TRAMMEL_BUILD_DIR"));
  const struct adapter_directory directories[] = {{.path = directory}, {0}};
  const struct registry_options options = {.placement = PLACEMENT_IN_PROCESS};
  json_auto_t *config = json_object();
  assert_int_equal(registry_scan(directories, &options, &registry, NULL), 0);
  assert_int_equal(instance_create(find(registry, id), config, NULL, NULL, &instance, NULL), 0);
  for (unsigned round = 0; round < ROUNDS; round++) {
    world = (struct world){.random = round + 1, .resources = {.of_smi = true}};
    world.translator = (struct translator){
        .instance = instance, .deny_by_default = namespaces, .deny_count = strcmp(id, "osm") == 0 ? 0 : 1};
    assert_int_equal(stock_create(&(struct managers_view){.manager = "test"}, &world.stock, NULL), 0);
    populate(&world);
    (void)settle(&world);
    for (unsigned i = 0; i < STEPS; i++)
      step(&world);
    parts += world.parts;
    wholes += world.wholes;
    mirror_finish(&world.resources);
    mirror_finish(&world.population);
    translator_finish(&world.translator);
    stock_destroy(world.stock);
  }
  print_message("%s: %u steps by parts, %u with everything\n", id, parts, wholes);
  assert_true(parts > 9 * wholes); /* otherwise parts are of no use */
  instance_destroy(instance);
  registry_destroy(registry);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(parts_add_up, (void *)"istio"),
      cmocka_unit_test_prestate(parts_add_up, (void *)"linkerd"),
      cmocka_unit_test_prestate(parts_add_up, (void *)"consul"),
      cmocka_unit_test_prestate(parts_add_up, (void *)"osm"),
      cmocka_unit_test_prestate(parts_add_up, (void *)"gateway"),
  };
  return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
