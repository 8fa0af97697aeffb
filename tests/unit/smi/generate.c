#include "tests/unit/smi/generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COMMON_PORT 8080

uint64_t generate_number(struct generator *generator, uint64_t below) {
  uint64_t z = generator->state += 0x9e3779b97f4a7c15U; /* splitmix64 */

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return (z ^ (z >> 31)) % below;
}

static bool chance(struct generator *generator, unsigned percent) {
  return generate_number(generator, 100) < percent;
}

static json_t *pick(struct generator *generator, const char *const *texts, size_t count) {
  return json_string(texts[generate_number(generator, count)]);
}

static json_t *namespace(struct generator *generator) {
  static const char *const names[] = {"default", "other", "a-1"};

  return pick(generator, names, 3);
}

static json_t *metadata(struct generator *generator, const char *name) {
  json_t *meta = json_pack("{s:s}", "name", name);

  if (chance(generator, 70))
    json_object_set_new(meta, "namespace", namespace(generator));
  if (chance(generator, 20))
    json_object_set_new(meta, "labels", json_pack("{s:s, s:s}", "app.kubernetes.io/name", "x", "tier", ""));
  if (chance(generator, 20))
    json_object_set_new(meta, "annotations", json_pack("{s:s}", "note", "a: b\n# \"c\""));
  return meta;
}

/* Wraps a body as the version has it: under `spec`, or beside the metadata. */
static void add(struct generator *generator, json_t *set, const char *group, unsigned alpha, const char *kind,
                const char *name, json_t *body, bool in_spec) {
  json_t *resource = json_object();

  json_object_set_new(resource, "apiVersion", json_sprintf("%s.smi-spec.io/v1alpha%u", group, alpha));
  json_object_set_new(resource, "kind", json_string(kind));
  json_object_set_new(resource, "metadata", metadata(generator, name));
  if (in_spec)
    json_object_set(resource, "spec", body);
  else
    json_object_update(resource, body);
  json_decref(body);
  assert_int_equal(json_array_append_new(set, resource), 0);
}

static json_t *subject(struct generator *generator) {
  static const char *const names[] = {"client", "server", "sa.with.dots"};
  bool binding = generator->access == 4 && chance(generator, 40);
  json_t *object = json_pack("{s:s, s:o}", "kind", binding ? "IdentityBinding" : "ServiceAccount", "name",
                             pick(generator, names, 3));

  if (binding && chance(generator, 50))
    json_object_set_new(object, "group", json_string("access.smi-spec.io"));
  if (chance(generator, 60))
    json_object_set_new(object, "namespace", namespace(generator));
  return object;
}

static json_t *rule(struct generator *generator) {
  static const char *const kinds[] = {"HTTPRouteGroup", "TCPRoute", "UDPRoute"};
  static const char *const names[] = {"r0", "r1", "r2", "nowhere"};
  json_t *object = json_pack("{s:o, s:o}", "kind", pick(generator, kinds, generator->access >= 3 ? 3 : 2), "name",
                             pick(generator, names, 4));

  if (chance(generator, 30))
    json_object_set_new(object, "matches", json_pack("[s, s]", "m0", "Metrics"));
  return object;
}

static void add_target(struct generator *generator, json_t *set, const char *name) {
  json_t *destination = subject(generator), *rules = json_array(), *sources = json_array();
  json_t *body = json_object();
  uint64_t least =
      generator->access >= 3 || chance(generator, 70); /* none at all is legal in v1alpha1 and v1alpha2 only */

  if (generator->access <= 2 && chance(generator, 60))
    json_object_set_new(
        destination, "port",
        json_integer(generator->specs == 4 ? COMMON_PORT : (json_int_t)generate_number(generator, 65535) + 1));
  for (uint64_t n = least + generate_number(generator, 3); n > 0; n--)
    json_array_append_new(rules, rule(generator));
  for (uint64_t n = least + generate_number(generator, 3); n > 0; n--)
    json_array_append_new(sources, subject(generator));
  json_object_set_new(body, "destination", destination);
  json_object_set_new(body, generator->access == 1 ? "specs" : "rules", rules);
  json_object_set_new(body, "sources", sources);
  add(generator, set, "access", generator->access, "TrafficTarget", name, body, generator->access >= 2);
}

static json_t *http_match(struct generator *generator, unsigned number) {
  static const char *const paths[] = {"/", "", ".*", "/api/.*", "^/a\\.b$", "/\"quoted\"'", "/ü", "yes", "1"};
  static const char *const methods[] = {"GET", "POST", "*", "PATCH"};
  json_t *object = json_pack("{s:o}", "name", json_sprintf("m%u", number));

  if (chance(generator, 70))
    json_object_set_new(object, "pathRegex", pick(generator, paths, 9));
  if (chance(generator, 50))
    json_object_set_new(object, "methods", json_pack("[o]", pick(generator, methods, 4)));
  if (generator->specs >= 2 && chance(generator, 30))
    json_object_set_new(object, "headers",
                        chance(generator, 50)
                            ? json_pack("{s:s, s:s}", "user-agent", ".*Firefox.*", "X-Y", "1")
                            : json_pack("[{s:s}, {s:s}]", "cookie", "^(.*?;)?(a=b)(;.*)?$", "cookie", "c"));
  return object;
}

static void add_route_group(struct generator *generator, json_t *set, const char *name) {
  json_t *matches = json_array();
  unsigned count = (unsigned)generate_number(generator, 4);

  for (unsigned i = 0; i < count; i++)
    json_array_append_new(matches, http_match(generator, i));
  add(generator, set, "specs", generator->specs, "HTTPRouteGroup", name, json_pack("{s:o}", "matches", matches),
      generator->specs >= 3);
}

static void add_port_route(struct generator *generator, json_t *set, const char *name) {
  bool udp = generator->specs == 4 && chance(generator, 30);
  json_t *body = json_object(), *ports;

  if (generator->specs == 4 && chance(generator, 80)) {
    ports = json_array();
    if (chance(generator, 70)) {
      json_array_append_new(ports, json_integer(COMMON_PORT));
      for (uint64_t n = generate_number(generator, 3); n > 0; n--)
        json_array_append_new(ports, json_integer((json_int_t)generate_number(generator, 65535) + 1));
    }
    json_object_set_new(body, "matches", json_pack("{s:o}", "ports", ports));
  }
  add(generator, set, "specs", generator->specs, udp ? "UDPRoute" : "TCPRoute", name, body, generator->specs >= 3);
}

static json_t *weight(struct generator *generator) {
  static const char *const quantities[] = {"1", "500m", "1.5", "0", "2k", "1e3", "0.001", "1Ki", "900m"};
  static const uint64_t bounds[] = {2, 101, 1001, INT64_MAX / 8};

  if (generator->split == 1 && chance(generator, 70))
    return pick(generator, quantities, 9);
  return json_integer(
      (json_int_t)generate_number(generator, bounds[generate_number(generator, generator->split == 1 ? 3 : 4)]));
}

static void add_split(struct generator *generator, json_t *set, const char *name) {
  json_t *body = json_pack("{s:s}", "service", "root"), *backends = json_array();

  for (uint64_t i = 0, n = generate_number(generator, 5); i < n; i++)
    json_array_append_new(
        backends, json_pack("{s:o, s:o}", "service", json_sprintf("backend-%d", (int)i), "weight", weight(generator)));
  json_object_set_new(body, "backends", backends);
  if (generator->split >= 3 && chance(generator, 40))
    json_object_set_new(body, "matches", json_pack("[{s:s, s:s}]", "kind", "HTTPRouteGroup", "name", "r0"));
  add(generator, set, "split", generator->split, "TrafficSplit", name, body, true);
}

static void add_binding(struct generator *generator, json_t *set, const char *name) {
  json_t *schemes = json_object();

  if (chance(generator, 50))
    json_object_set_new(schemes, "podLabelSelector", json_pack("{s:{s:s}}", "matchLabels", "app", "x"));
  if (chance(generator, 50))
    json_object_set_new(schemes, "spiffeIdentities", json_pack("[s, s]", "cluster.local/ns/default/sa/x", "y"));
  if (chance(generator, 50))
    json_object_set_new(schemes, "serviceAccount", json_string("client"));
  add(generator, set, "access", 4, "IdentityBinding", name, json_pack("{s:o}", "schemes", schemes), true);
}

/* Now and then as long as a name may be, so that names made from it have to be cut. */
static const char *target_name(struct generator *generator, unsigned number, char name[254]) {
  if (chance(generator, 90)) {
    snprintf(name, 254, "t%u", number);
    return name;
  }
  memset(name, 'x', 253);
  name[199] = '.';
  name[252] = (char)('0' + number % 10);
  name[253] = '\0';
  return name;
}

json_t *generate_set(struct generator *generator) {
  json_t *set = json_array();
  char name[254];

  for (unsigned i = 0; i < 3; i++) {
    add_target(generator, set, target_name(generator, i, name));
    snprintf(name, sizeof(name), "r%u", i);
    add_route_group(generator, set, name);
    add_port_route(generator, set, name);
  }
  for (unsigned i = 0; i < 2; i++) {
    snprintf(name, sizeof(name), "s%u", i);
    add_split(generator, set, name);
    if (generator->access == 4)
      add_binding(generator, set, name);
  }
  return set;
}
