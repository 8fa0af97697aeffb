/* Profiles: what is read, how a load is split over targets, and where the reader says that something is wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/perf/profile.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"

static struct profile *parse(const char *text) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct profile *profile = NULL;
  int r = profile_parse("shop.yaml", text, strlen(text), diagnostics, &profile);
  diagnostics_print(diagnostics, stdout);
  assert_int_equal(r, 0);
  return profile;
}

#define FULL                                                                                                           \
  "format: trammel.perf-profile/v1\n"                                                                                  \
  "name: shop\n"                                                                                                       \
  "description: two pages\n"                                                                                           \
  "protocol: h2\n"                                                                                                     \
  "streams: 4\n"                                                                                                       \
  "targets:\n"                                                                                                         \
  "  - name: front\n"                                                                                                  \
  "    url: https://shop.test/\n"                                                                                      \
  "    weight: 3\n"                                                                                                    \
  "    headers: {X-One: 1, X-Two: two}\n"                                                                              \
  "    cookies: {a: b, c: d}\n"                                                                                        \
  "    validation: {statuses: [200, 304]}\n"                                                                           \
  "  - url: https://shop.test/buy\n"                                                                                   \
  "    body: '{}'\n"                                                                                                   \
  "    contentType: application/json\n"                                                                                \
  "schedule: {kind: poisson, rate: 400, seed: 7}\n"                                                                    \
  "connections: 10\n"                                                                                                  \
  "threads: 4\n"                                                                                                       \
  "duration: 1m30s\n"                                                                                                  \
  "warmUp: 5\n"                                                                                                        \
  "timeout: 2s\n"                                                                                                      \
  "connectTimeout: 1s\n"                                                                                               \
  "drain: 0s\n"                                                                                                        \
  "tls: {trust: ca.pem, certificate: me.pem, key: me.key, serverName: shop, insecure: false}\n"                        \
  "objectives: [p99 < 20ms, errors < 0.1%]\n"                                                                          \
  "repetitions: 3\n"

static void every_field_is_read(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile = parse(FULL);
  (void)state;
  assert_string_equal(profile->name, "shop");
  assert_string_equal(profile->description, "two pages");
  assert_int_equal(profile->repetitions, 3);
  assert_int_equal(profile->objective_count, 2);
  assert_int_equal(profile->load_count, 2);
  const struct profile_load *front = &profile->loads[0], *buy = &profile->loads[1];
  assert_string_equal(front->name, "front");
  assert_int_equal(front->line, 7);
  assert_null(front->target.method);
  assert_true(front->target.http2);
  assert_int_equal(front->target.streams, 4);
  assert_int_equal(front->target.header_count, 3);
  assert_string_equal(front->target.headers[0], "X-One: 1");
  assert_string_equal(front->target.headers[1], "X-Two: two");
  assert_string_equal(front->target.headers[2], "Cookie: a=b; c=d");
  assert_int_equal(front->status_count, 2);
  assert_int_equal(front->statuses[1], 304);
  assert_string_equal(front->target.tls.trust_file, "ca.pem");
  assert_string_equal(front->target.tls.server_name, "shop");
  assert_true(profile_is_relative(profile));
  assert_string_equal(buy->name, "2");
  assert_int_equal(buy->target.body_length, 2);
  assert_string_equal(buy->target.headers[0], "Content-Type: application/json");
  assert_int_equal(buy->status_count, 0);
  assert_int_equal(buy->options.warm_up_ns, 5 * NS_PER_SECOND);
  assert_int_equal(buy->options.timeout_ns, 2 * NS_PER_SECOND);
  assert_int_equal(buy->options.connect_timeout_ns, NS_PER_SECOND);
  assert_int_equal(buy->options.drain_ns, 0);
}

static void a_load_is_split_by_weight(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile = parse(FULL);
  const struct load_options *front = &profile->loads[0].options, *buy = &profile->loads[1].options;
  (void)state;
  assert_int_equal(front->schedule.kind, SCHEDULE_POISSON);
  assert_true(front->schedule.rate == 300 && buy->schedule.rate == 100);
  assert_int_equal(front->schedule.duration_ns, 90 * NS_PER_SECOND);
  assert_int_not_equal(front->schedule.seed, buy->schedule.seed);
  assert_int_equal(front->connections + buy->connections, 10);
  assert_int_equal(front->connections, 7);
  assert_int_equal(front->threads + buy->threads, 4);
  assert_int_equal(profile->whole.connections, 10);
  assert_true(profile->whole.schedule.rate == 400);
}

static void connections_are_split_to_the_last_one(void **state) {
  static const unsigned weights[][3] = {{1, 1, 1}, {7, 2, 1}, {1000000, 999999, 1000000}, {3, 100, 5}};
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(weights); i++)
    for (unsigned connections = 97; connections < 130; connections++) {
      char text[512];
      (void)snprintf(text, sizeof(text),
                     "{name: a, connections: %u, schedule: {kind: closed}, targets: [{url: 'http://a', weight: %u}, "
                     "{url: 'http://b', weight: %u}, {url: 'http://c', weight: %u}]}",
                     connections, weights[i][0], weights[i][1], weights[i][2]);
      _cleanup_(profile_destroy_p) struct profile *profile = parse(text);
      double sum = (double)weights[i][0] + weights[i][1] + weights[i][2];
      unsigned found = 0;
      for (size_t k = 0; k < 3; k++) {
        double exact = connections * weights[i][k] / sum;
        assert_true(profile->loads[k].options.connections > exact - 1 &&
                    profile->loads[k].options.connections < exact + 1);
        found += profile->loads[k].options.connections;
      }
      assert_int_equal(found, connections);
    }
}

static void what_is_left_out_is_as_on_the_command_line(void **state) {
  _cleanup_(profile_destroy_p) struct profile *profile =
      parse("{\"name\": \"a\", \"schedule\": {\"kind\": \"closed\"}, \"targets\": [{\"url\": \"http://a\"}]}");
  const struct load_options *options = &profile->loads[0].options;
  (void)state;
  assert_true(profile_is_closed(profile));
  assert_int_equal(options->connections, 10);
  assert_int_equal(options->threads, 1);
  assert_int_equal(options->schedule.duration_ns, 10 * NS_PER_SECOND);
  assert_int_equal(profile->repetitions, 1);
  assert_false(profile_is_relative(profile));
}

#define HEAD "name: a\n"
#define TARGETS "targets: [{url: 'http://a'}]\n"
#define CLOSED "schedule: {kind: closed}\n"

static void what_is_wrong_is_told_by_line_and_field(void **state) {
  static const struct {
    const char *text, *pointer;
    unsigned line;
  } wrong[] = {
      {"", NULL, 1},
      {"- a\n", "", 1},
      {TARGETS CLOSED, "", 1},
      {HEAD CLOSED, "", 1},
      {HEAD TARGETS, "", 1},
      {HEAD "targets: []\n" CLOSED, "/targets", 2},
      {HEAD TARGETS CLOSED "wat: 1\n", "/wat", 4},
      {"format: trammel.perf-profile/v2\n" HEAD TARGETS CLOSED, "/format", 1},
      {"name: \"a\\tb\"\n" TARGETS CLOSED, "/name", 1},
      {HEAD "targets:\n  - url: http://a\n    weight: 0\n" CLOSED, "/targets/0/weight", 4},
      {HEAD "targets:\n  - url: http://a\n    weight: 1.5\n" CLOSED, "/targets/0/weight", 4},
      {HEAD "targets:\n  - weight: 1\n" CLOSED, "/targets/0", 3},
      {HEAD "targets: [{url: 'http://a', name: x}, {url: 'http://a', name: x}]\n" CLOSED, "/targets/1", 2},
      {HEAD "targets: [{url: 'http://a', headers: [x]}]\n" CLOSED, "/targets/0/headers", 2},
      {HEAD "targets: [{url: 'http://a', headers: {a: [x]}}]\n" CLOSED, "/targets/0/headers/a", 2},
      {HEAD "targets: [{url: 'http://a', cookies: {a: 'b;c'}}]\n" CLOSED, "/targets/0/cookies/a", 2},
      {HEAD "targets: [{url: 'http://a', body: x, bodyFile: y}]\n" CLOSED, "/targets/0/body", 2},
      {HEAD "targets: [{url: 'http://a', validation: {statuses: [99]}}]\n" CLOSED, "/targets/0/validation/statuses/0",
       2},
      {HEAD "targets: [{url: 'http://a', validation: {body: x}}]\n" CLOSED, "/targets/0/validation/body", 2},
      {HEAD TARGETS "schedule: {kind: closed, rate: 5}\n", "/schedule/rate", 3},
      {HEAD TARGETS "schedule: {kind: constant}\n", "/schedule", 3},
      {HEAD TARGETS "schedule: {kind: constant, rate: max}\n", "/schedule/rate", 3},
      {HEAD TARGETS "schedule: {kind: constant, rate: .inf}\n", "/schedule/rate", 3},
      {HEAD TARGETS "schedule: {kind: constant, rate: -1}\n", "/schedule", 3},
      {HEAD TARGETS "schedule: {kind: constant, rate: 10000001}\n", "/schedule/rate", 3},
      {HEAD TARGETS "schedule: {kind: steps, rate: 5, rateStep: 1}\n", "/schedule", 3},
      {HEAD TARGETS "schedule: {kind: wave}\n", "/schedule/kind", 3},
      {HEAD TARGETS CLOSED "duration: 25h\n", "/duration", 4},
      {HEAD TARGETS CLOSED "duration: 0\n", "/duration", 4},
      {HEAD TARGETS CLOSED "connections: 100001\n", "/connections", 4},
      {HEAD TARGETS CLOSED "threads: 0\n", "/threads", 4},
      {HEAD TARGETS CLOSED "threads: 11\n", "", 1},
      {HEAD TARGETS CLOSED "protocol: grpc\n", "/protocol", 4},
      {HEAD TARGETS CLOSED "fresh: yes\n", "/fresh", 4},
      {HEAD TARGETS CLOSED "repetitions: 101\n", "/repetitions", 4},
      {HEAD TARGETS CLOSED "objectives: [p99]\n", "/objectives/0", 4},
      {HEAD TARGETS CLOSED "objectives: [5]\n", "/objectives/0", 4},
      {HEAD "targets: [{url: 'http://a', weight: 1}, {url: 'http://b', weight: 99}]\n" CLOSED, "", 1},
      {HEAD TARGETS CLOSED "  x: [\n", NULL, 4},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
    _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
    struct profile *profile = NULL;
    int r = profile_parse("a.yaml", wrong[i].text, strlen(wrong[i].text), diagnostics, &profile);
    if (r != -EINVAL || diagnostics_count(diagnostics) == 0)
      fail_msg("%zu was taken: %s", i, wrong[i].text);
    const struct diagnostic *first = diagnostics_at(diagnostics, 0);
    if (first->position.line != wrong[i].line ||
        (wrong[i].pointer && strcmp(first->pointer ? first->pointer : "?", wrong[i].pointer) != 0))
      fail_msg("%zu: line %u, %s: %s", i, first->position.line, first->pointer, first->summary);
  }
}

/* The published schema takes what the reader takes. */
static void the_schema_is_of_what_is_read(void **state) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_error_ struct error *err = NULL;
  struct document_list list;
  char path[4096];
  (void)state;
  (void)snprintf(path, sizeof(path), "%s/docs/schema/perf-profile.json", getenv("TRAMMEL_SOURCE_DIR"));
  json_t *schema = json_load_file(path, 0, NULL);
  assert_int_equal(json_object_del(schema, "$schema"), 0);
  if (schema_check(schema, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(document_read(arena, NULL, FULL, strlen(FULL), DOCUMENT_YAML, NULL, diagnostics, &list), 0);
  json_t *full = node_to_json(list.roots[0]);
  int r = schema_validate(schema, full, NULL, diagnostics);
  diagnostics_print(diagnostics, stdout);
  assert_int_equal(r, 0);
  assert_int_equal(json_object_size(full), json_object_size(json_object_get(schema, "properties")) - 1); /* fresh */
  json_decref(full);
  json_decref(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field_is_read),
      cmocka_unit_test(a_load_is_split_by_weight),
      cmocka_unit_test(connections_are_split_to_the_last_one),
      cmocka_unit_test(what_is_left_out_is_as_on_the_command_line),
      cmocka_unit_test(what_is_wrong_is_told_by_line_and_field),
      cmocka_unit_test(the_schema_is_of_what_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
