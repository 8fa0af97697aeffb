/* The hub form over the wire: nothing is lost, and a peer's mistakes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "sdk/adapter/smi_wire.h"

#define PB(name) Trammel__Adapter__V1__##name

static const struct smi_set *everything(void) {
  static const struct smi_label labels[] = {{"app", "a"}, {"", ""}};
  static const char *const matches[] = {"get", "post"};
  static const struct smi_rule rules[] = {{SMI_HTTP_ROUTE_GROUP, "http", matches, 2}, {SMI_TCP_ROUTE, "tcp", NULL, 0}};
  static const struct smi_subject sources[] = {{.kind = SMI_SERVICE_ACCOUNT, .name = "client", .ns = "other"},
                                               {.kind = SMI_BINDING, .name = "pods", .ns = "main"}};
  static const struct smi_traffic_target targets[] = {
      {.meta = {.kind = SMI_TRAFFIC_TARGET,
                .version = {SMI_ACCESS, 2},
                .name = "t",
                .ns = "main",
                .position = {"a.yaml", 3, 7},
                .labels = labels,
                .label_count = 2},
       .destination = {.kind = SMI_SERVICE_ACCOUNT, .name = "server", .ns = "main"},
       .rules = rules,
       .rule_count = 2,
       .sources = sources,
       .source_count = 2}};
  static const struct smi_header headers[] = {{"X-Tag", "a.*"}};
  static const struct smi_http_match http_matches[] = {
      {.name = "any"},
      {.name = "get", .path_regex = "", .methods = matches, .method_count = 2, .headers = headers, .header_count = 1}};
  static const struct smi_http_route_group groups[] = {
      {.meta = {.kind = SMI_HTTP_ROUTE_GROUP, .name = "http", .ns = "main"},
       .matches = http_matches,
       .match_count = 2}};
  static const uint16_t ports[] = {1, 65535};
  static const struct smi_port_route routes[] = {
      {.meta = {.kind = SMI_TCP_ROUTE, .name = "tcp", .ns = "main", .synthesised = true},
       .ports = ports,
       .port_count = 2},
      {.meta = {.kind = SMI_UDP_ROUTE, .name = "udp", .ns = "main"}}};
  static const struct smi_backend backends[] = {{"v1", 0, "0m"}, {"v2", UINT64_MAX, NULL}};
  static const struct smi_traffic_split splits[] = {{.meta = {.kind = SMI_TRAFFIC_SPLIT, .name = "s", .ns = "main"},
                                                     .service = "root",
                                                     .backends = backends,
                                                     .backend_count = 2,
                                                     .matches = matches,
                                                     .match_count = 1}};
  static const struct smi_identity_binding bindings[] = {
      {.meta = {.kind = SMI_IDENTITY_BINDING, .name = "pods", .ns = "main"},
       .pod_labels = labels,
       .pod_label_count = 1},
      {.meta = {.kind = SMI_IDENTITY_BINDING, .name = "sa", .ns = "main"},
       .spiffe_ids = matches,
       .spiffe_id_count = 2,
       .service_account = "x"}};
  static const struct smi_set set = {targets, 1, groups, 1, routes, 2, splits, 1, bindings, 2};
  return &set;
}

/* Through bytes and back. */
static struct smi_set travel(struct arena *arena, const struct smi_set *set) {
  PB(SmiSet) *message = smi_to_wire(arena, set);
  uint8_t *bytes = NULL;
  size_t length = 0;
  struct arena *there = arena_create(0);
  ProtobufCMessage *received = NULL;
  struct smi_set result = {0};
  assert_non_null(message);
  assert_int_equal(message_pack(&message->base, &bytes, &length, NULL), 0);
  assert_int_equal(message_unpack_arena(there, message->base.descriptor, bytes, length, &received, NULL), 0);
  assert_int_equal(smi_from_wire(arena, (PB(SmiSet) *)received, &result, NULL), 0);
  arena_destroy(there); /* nothing of the message is held on to */
  free(bytes);
  return result;
}

static void everything_survives(void **state) {
  (void)state;
  struct arena *arena = arena_create(0);
  struct smi_set set = travel(arena, everything());
  const struct smi_traffic_target *t = &set.targets[0];
  assert_int_equal(set.target_count, 1);
  assert_string_equal(t->meta.position.file, "a.yaml");
  assert_int_equal(t->meta.position.line, 3);
  assert_int_equal(t->meta.position.column, 7);
  assert_int_equal(t->meta.version.group, SMI_ACCESS);
  assert_int_equal(t->meta.version.alpha, 2);
  assert_int_equal(t->meta.label_count, 2);
  assert_string_equal(t->meta.labels[0].value, "a");
  assert_string_equal(t->destination.name, "server");
  assert_int_equal(t->rules[0].kind, SMI_HTTP_ROUTE_GROUP);
  assert_string_equal(t->rules[0].matches[1], "post");
  assert_int_equal(t->rules[1].match_count, 0);
  assert_string_equal(t->sources[0].ns, "other");
  assert_int_equal(t->sources[1].kind, SMI_BINDING);
  /* No path and an empty path are two things. */
  assert_null(set.route_groups[0].matches[0].path_regex);
  assert_string_equal(set.route_groups[0].matches[1].path_regex, "");
  assert_string_equal(set.route_groups[0].matches[1].headers[0].regex, "a.*");
  assert_true(set.port_routes[0].meta.synthesised);
  assert_int_equal(set.port_routes[0].ports[1], 65535);
  assert_int_equal(set.port_routes[1].meta.kind, SMI_UDP_ROUTE);
  assert_int_equal(set.port_routes[1].port_count, 0);
  assert_true(set.splits[0].backends[1].weight == UINT64_MAX);
  assert_string_equal(set.splits[0].backends[0].quantity, "0m");
  assert_null(set.splits[0].backends[1].quantity);
  assert_string_equal(set.splits[0].matches[0], "get");
  assert_string_equal(set.bindings[0].pod_labels[0].name, "app");
  assert_null(set.bindings[0].service_account);
  assert_string_equal(set.bindings[1].service_account, "x");
  assert_int_equal(set.bindings[1].spiffe_id_count, 2);
  arena_destroy(arena);
}

/* Each breaks one thing of a good message. */
static void break_name(PB(SmiSet) * m) {
  m->targets[0]->meta->name = (char *)(uintptr_t) "";
}
static void break_slash(PB(SmiSet) * m) {
  m->targets[0]->meta->namespace_ = (char *)(uintptr_t) "a/b";
}
static void break_dots(PB(SmiSet) * m) {
  m->splits[0]->service = (char *)(uintptr_t) "..";
}
static void break_control(PB(SmiSet) * m) {
  m->splits[0]->backends[0]->service = (char *)(uintptr_t) "a\nb";
}
static void break_subject(PB(SmiSet) * m) {
  m->targets[0]->sources[0]->kind = (PB(SubjectKind))9;
}
static void break_destination(PB(SmiSet) * m) {
  m->targets[0]->destination = NULL;
}
static void break_rule(PB(SmiSet) * m) {
  m->targets[0]->rules[0]->kind = (PB(RouteKind))0;
}
static void break_port(PB(SmiSet) * m) {
  m->port_routes[0]->ports[0] = 65536;
}
static void break_port_zero(PB(SmiSet) * m) {
  m->port_routes[0]->ports[0] = 0;
}
static void break_route(PB(SmiSet) * m) {
  m->port_routes[0]->kind = TRAMMEL__ADAPTER__V1__ROUTE_KIND__ROUTE_KIND_HTTP_ROUTE_GROUP;
}
static void break_meta(PB(SmiSet) * m) {
  m->route_groups[0]->meta = NULL;
}
static void break_version(PB(SmiSet) * m) {
  m->targets[0]->meta->origin->api_version = (char *)(uintptr_t) "apps/v1";
}

static void mistakes_of_a_peer_are_refused(void **state) {
  (void)state;
  static void (*const breaks[])(PB(SmiSet) *) = {break_name,        break_slash, break_dots, break_control,
                                                 break_subject,     break_rule,  break_port, break_port_zero,
                                                 break_destination, break_route, break_meta, break_version};
  for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
    struct arena *arena = arena_create(0);
    PB(SmiSet) *message = smi_to_wire(arena, everything());
    breaks[i](message);
    struct smi_set set = {0};
    struct error *err = NULL;
    if (smi_from_wire(arena, message, &set, &err) != -EINVAL)
      fail_msg("mistake %zu is taken", i);
    assert_int_equal(set.target_count, 0);
    assert_true(strlen(error_message(err)) > 10);
    error_free(err);
    arena_destroy(arena);
  }
}

static void memory_is_bounded(void **state) {
  (void)state;
  struct arena *source = arena_create(0);
  PB(SmiSet) *message = smi_to_wire(source, everything());
  struct arena *small = arena_create(512);
  struct smi_set set = {0};
  assert_int_equal(smi_from_wire(small, message, &set, NULL), -ENOMEM);
  arena_destroy(small);
  small = arena_create(512);
  assert_null(smi_to_wire(small, everything()));
  arena_destroy(small);
  arena_destroy(source);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_survives),
      cmocka_unit_test(mistakes_of_a_peer_are_refused),
      cmocka_unit_test(memory_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
