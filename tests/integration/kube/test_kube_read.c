/* Lists in pages, watches and discovery, over connections that end and break. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/watch.h"
#include "sdk/base/clock.h"
#include "tests/integration/kube/kube_fixture.h"
#include "tests/support/command.h"

static const struct kube_ref all_config_maps = {.resource = &config_maps, .namespace_ = "demo"};

/* What a server of lists does: 5 objects in pages of 2. The continue token is the number of the next. */
struct shelf {
  unsigned gone; /* how many continued pages are refused with 410 */
  unsigned pages;
  bool selector_seen;
  unsigned unlimited;
};

#define OBJECTS 5

static void answer_page(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct shelf *shelf = ctx;
  char body[4096] = "";
  const char *at = strstr(request->path, "continue=");
  unsigned first = at ? (unsigned)strtoul(at + 9, NULL, 10) : 0;
  unsigned count = strstr(request->path, "limit=2") ? 2 : OBJECTS;
  int length = 0;

  shelf->pages++;
  shelf->unlimited += count == OBJECTS;
  shelf->selector_seen = shelf->selector_seen || strstr(request->path, "labelSelector=a%3Db%2Cc");
  if (at && shelf->gone > 0) {
    shelf->gone--;
    fake_reply(connection, 410, NULL, "{\"reason\":\"Expired\",\"code\":410,\"metadata\":{\"continue\":\"2\"}}");
    return;
  }
  length =
      snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"%u\",\"continue\":\"", 100 + shelf->pages);
  if (first + count < OBJECTS)
    length += snprintf(body + length, sizeof(body) - (size_t)length, "%u", first + count);
  length += snprintf(body + length, sizeof(body) - (size_t)length, "\"},\"items\":[");
  for (unsigned i = first; i < first + count && i < OBJECTS; i++)
    length += snprintf(body + length, sizeof(body) - (size_t)length, "%s{\"metadata\":{\"name\":\"n%u\"}}",
                       i > first ? "," : "", i);
  (void)snprintf(body + length, sizeof(body) - (size_t)length, "]}");
  fake_reply(connection, 200, NULL, body);
}

static void check_list(struct kube_fixture *f, struct shelf *shelf, const char *version) {
  const struct kube_list_options options = {.page = 2, .label_selector = "a=b,c"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *at = NULL;
  json_t *items = NULL;

  fixture_serve(f, answer_page, shelf, NULL, NULL, NULL);
  if (kube_list(f->client, &all_config_maps, &options, NULL, &items, &at, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(json_array_size(items), OBJECTS);
  for (unsigned i = 0; i < OBJECTS; i++) {
    char name[16];
    (void)snprintf(name, sizeof(name), "n%u", i);
    assert_string_equal(kube_object_name(json_array_get(items, i)), name);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, i), "apiVersion")), "v1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, i), "kind")), "ConfigMap");
  }
  assert_string_equal(at, version);
  assert_true(shelf->selector_seen);
  json_decref(items);
}

static void test_a_list_comes_in_pages(void **state) {
  struct shelf shelf = {0};

  check_list(*state, &shelf, "101");
  assert_int_equal(shelf.pages, 3);
  assert_int_equal(shelf.unlimited, 0);
}

static void test_a_list_that_was_forgotten_starts_again(void **state) {
  struct shelf shelf = {.gone = 2};

  check_list(*state, &shelf, "105"); /* page, 410, page, 410, page, page, page */
  assert_int_equal(shelf.pages, 7);
}

static void test_a_list_that_is_always_forgotten_comes_in_one_piece(void **state) {
  struct shelf shelf = {.gone = 100};

  check_list(*state, &shelf, "107");
  assert_int_equal(shelf.unlimited, 1);
}

static int stop_at_second(json_t *item, void *ctx, struct error **err) {
  unsigned *seen = ctx;

  (void)item;
  return ++*seen == 2 ? error_set(err, EDOM, "enough") : 0;
}

static void test_a_visitor_ends_a_list(void **state) {
  struct kube_fixture *f = *state;
  struct shelf shelf = {0};
  unsigned seen = 0;
  const struct kube_list_visitor visitor = {.item = stop_at_second, .ctx = &seen};

  fixture_serve(f, answer_page, &shelf, NULL, NULL, NULL);
  assert_int_equal(kube_list_each(f->client, &all_config_maps, NULL, &visitor, NULL, NULL, NULL), -EDOM);
  assert_int_equal(seen, 2);
}

/* What a server of watches sends on each connection. */
struct line {
  const char *text; /* NULL and no drop: nothing more comes */
  bool drop;        /* the connection is reset */
};
struct channel {
  struct line lines[16];
  atomic_uint at;
  unsigned connections;
  unsigned status; /* of the first connection; 0: 200 */
  const char *refusal;
  char paths[8][512];
};

static void stream(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct channel *channel = ctx;

  if (channel->connections < 8)
    (void)snprintf(channel->paths[channel->connections], sizeof(channel->paths[0]), "%.511s", request->path);
  channel->connections++;
  if (channel->status && channel->connections == 1) {
    fake_reply(connection, channel->status, "Retry-After: 1\r\n", channel->refusal);
    return;
  }
  fake_stream_start(connection);
  for (;;) {
    const struct line *line = &channel->lines[atomic_load(&channel->at)];
    if (!line->text && !line->drop)
      break;
    atomic_fetch_add(&channel->at, 1);
    if (!line->text) {
      fake_drop(connection);
      return;
    }
    fake_stream_send(connection, line->text);
  }
  fake_hang(connection);
}

struct seen {
  char text[1024]; /* "A n1, B, " */
  unsigned interruptions;
  unsigned most; /* events until the visitor ends the watch; 0: never */
  unsigned count;
  atomic_bool cancel;
  bool cancel_at_most;
};

static int note(enum kube_event event, json_t *object, void *ctx, struct error **err) {
  struct seen *seen = ctx;
  static const char letters[] = "?AMDB";
  size_t length = strlen(seen->text);
  const char *name = kube_object_name(object);

  (void)snprintf(seen->text + length, sizeof(seen->text) - length, "%c%s ", letters[event], name ? name : "");
  if (++seen->count != seen->most)
    return 0;
  if (seen->cancel_at_most)
    atomic_store(&seen->cancel, true);
  return seen->cancel_at_most ? 0 : error_set(err, EDOM, "enough");
}

static void interrupted(const struct error *reason, void *ctx) {
  struct seen *seen = ctx;

  assert_true(strlen(error_message(reason)) > 0);
  seen->interruptions++;
}

static int watch(struct kube_fixture *f, struct channel *channel, struct seen *seen,
                 const struct kube_watch_options *more, struct error **err) {
  const struct kube_watch_visitor visitor = {.event = note, .interrupted = interrupted, .ctx = seen};
  struct kube_watch_options options = more ? *more : (struct kube_watch_options){0};

  options.resource_version = "10";
  fixture_serve(f, stream, channel, NULL, NULL, NULL);
  return kube_watch(f->client, &all_config_maps, &options, &visitor,
                    &(struct kube_call){.deadline_ns = in_ms(60000), .cancel = &seen->cancel}, err);
}

#define EVENT(type, name, version)                                                                                     \
  "{\"type\":\"" type "\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name                           \
  "\",\"resourceVersion\":\"" version "\"}}}\n"
#define BOOKMARK(version)                                                                                              \
  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":\"" version "\"}}}\n"
#define EXPIRED                                                                                                        \
  "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old resource version: 1\"}}\n"

static void test_events_in_any_pieces(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct seen seen = {.most = 4};
  struct channel channel = {.lines = {{EVENT("ADDED", "a", "11") EVENT("MODIFIED", "a", "12") "{\"type\":\"DEL", false},
                                      {"ETED\",\"object\":{\"metadata\":{\"name\":\"b\",", false},
                                      {"\"resourceVersion\":\"13\"}}}", false},
                                      {"\n" BOOKMARK("20"), false}}};

  assert_int_equal(watch(*state, &channel, &seen, NULL, &err), -EDOM);
  assert_string_equal(seen.text, "Aa Ma Db B ");
  assert_string_equal(channel.paths[0], "/api/v1/namespaces/demo/configmaps?watch=true&allowWatchBookmarks=true&"
                                        "resourceVersion=10&timeoutSeconds=290");
}

static void test_a_watch_goes_on_where_it_was(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct seen seen = {.most = 4};
  struct channel channel = {.lines = {{EVENT("ADDED", "a", "11"), false},
                                      {BOOKMARK("40"), false},
                                      {NULL, true},
                                      {EVENT("ADDED", "b", "41") "{\"type\":\"ADDED\",\"obj", false},
                                      {NULL, true},
                                      {EVENT("ADDED", "c", "42"), false}}};
  const struct kube_watch_options options = {.label_selector = "a=b", .period_ns = 30 * NS_PER_SECOND};

  assert_int_equal(watch(*state, &channel, &seen, &options, &err), -EDOM);
  assert_string_equal(seen.text, "Aa B Ab Ac ");
  assert_int_equal(seen.interruptions, 2);
  assert_non_null(strstr(channel.paths[1], "resourceVersion=40&timeoutSeconds=30&labelSelector=a%3Db"));
  assert_non_null(strstr(channel.paths[2], "resourceVersion=41&"));
}

static void test_a_watch_that_is_too_old(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct seen seen = {0};
  struct channel channel = {.lines = {{EVENT("ADDED", "a", "11") EXPIRED, false}}};
  struct channel refused = {.status = 410, .refusal = "{\"reason\":\"Expired\",\"code\":410}"};

  assert_int_equal(watch(f, &channel, &seen, NULL, &err), -ESTALE);
  assert_non_null(strstr(error_message(err), "too old resource version"));
  assert_string_equal(seen.text, "Aa ");
  assert_int_equal(watch(f, &refused, &seen, NULL, &err), -ESTALE);
  assert_int_equal(refused.connections, 1);
}

static void test_a_busy_server_is_watched_later(void **state) {
  struct seen seen = {.most = 1};
  struct channel channel = {.status = 429, .refusal = "{}", .lines = {{EVENT("ADDED", "a", "11"), false}}};
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(watch(*state, &channel, &seen, NULL, NULL), -EDOM);
  assert_true(clock_monotonic_ns() - start_ns >= NS_PER_SECOND);
  assert_int_equal(channel.connections, 2);
}

static void test_a_refusal_ends_a_watch(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct seen seen = {0};
  struct channel channel = {
      .status = 403,
      .refusal = "{\"message\":\"User \\\"u\\\" cannot watch resource \\\"configmaps\\\" in API group \\\"\\\"\"}"};

  assert_int_equal(watch(*state, &channel, &seen, NULL, &err), -EACCES);
  assert_non_null(strstr(error_message(err), "verbs: [\"list\", \"watch\"]"));
  assert_int_equal(channel.connections, 1);
}

static void test_a_watch_gives_up(void **state) {
  _cleanup_error_ struct error *err = NULL;
  struct seen seen = {0};
  struct channel channel = {.lines = {{"this is no event\n", false}, {NULL, true}, {NULL, true}, {NULL, true}}};
  const struct kube_watch_options options = {.failures_max = 3};

  assert_int_equal(watch(*state, &channel, &seen, &options, &err), -ECONNRESET);
  assert_int_equal(seen.interruptions, 3);
  assert_int_equal(channel.connections, 3);
  assert_non_null(strstr(error_message(err), "3 failures in a row"));
}

static void test_a_watch_is_cancelled(void **state) {
  struct seen seen = {.most = 1, .cancel_at_most = true};
  struct channel channel = {.lines = {{EVENT("ADDED", "a", "11"), false}}};

  assert_int_equal(watch(*state, &channel, &seen, NULL, NULL), -ECANCELED);
}

static void test_a_watch_has_a_version(void **state) {
  struct kube_fixture *f = *state;
  const struct kube_watch_visitor visitor = {.event = note};

  assert_int_equal(kube_watch(f->client, &all_config_maps, &(struct kube_watch_options){0}, &visitor, NULL, NULL),
                   -EINVAL);
}

/* A server that serves apps/v1 and, once it is installed, widgets. */
struct served {
  atomic_bool installed;
};

static void answer_discovery(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct served *served = ctx;
  const char *body = NULL;

  if (strcmp(request->path, "/api") == 0)
    body = "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}";
  else if (strcmp(request->path, "/apis") == 0)
    body = "{\"groups\":[{\"name\":\"apps\",\"versions\":[{\"version\":\"v1beta1\"},{\"version\":\"v1\"}],"
           "\"preferredVersion\":{\"version\":\"v1\"}}]}";
  else if (strcmp(request->path, "/apis/apps/v1") == 0)
    body = "{\"resources\":[{\"name\":\"deployments\",\"kind\":\"Deployment\",\"namespaced\":true,\"verbs\":[\"get\","
           "\"patch\"]},{\"name\":\"deployments/scale\",\"kind\":\"Scale\",\"namespaced\":true,\"verbs\":[]}]}";
  else if (strcmp(request->path, "/apis/x.example/v1") == 0 && atomic_load(&served->installed))
    body = "{\"resources\":[{\"name\":\"widgets\",\"kind\":\"Widget\",\"namespaced\":false,\"verbs\":[\"list\"]}]}";
  fake_reply(connection, body ? 200 : 404, NULL, body ? body : "404 page not found\n");
}

static void test_kinds_are_discovered_once(void **state) {
  struct kube_fixture *f = *state;
  struct served served = {false};
  struct kube_resource resource;

  fixture_serve(f, answer_discovery, &served, NULL, NULL, NULL);
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(kube_discover(f->client, "apps/v1", "Deployment", NULL, &resource, NULL), 0);
  assert_int_equal(f->requests, 1);
  assert_string_equal(resource.plural, "deployments");
  assert_string_equal(resource.group, "apps");
  assert_string_equal(resource.version, "v1");
  assert_true(resource.namespaced);
  assert_int_equal(resource.verbs, KUBE_VERB_GET | KUBE_VERB_PATCH);
  kube_discovery_forget(f->client);
  assert_int_equal(kube_discover(f->client, "apps/v1", "Deployment", NULL, &resource, NULL), 0);
  assert_int_equal(f->requests, 2);
}

static void test_what_is_installed_later_is_found(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct served served = {false};
  struct kube_resource resource;

  fixture_serve(f, answer_discovery, &served, NULL, NULL, NULL);
  assert_int_equal(kube_discover(f->client, "x.example/v1", "Widget", NULL, &resource, &err), -ENOTSUP);
  assert_non_null(strstr(error_message(err), "the server does not serve x.example/v1: install its definitions"));
  atomic_store(&served.installed, true);
  assert_int_equal(kube_discover(f->client, "x.example/v1", "Widget", NULL, &resource, NULL), 0);
  assert_false(resource.namespaced);
}

static void test_what_is_served_instead_is_told(void **state) {
  struct kube_fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct served served = {false};
  struct kube_resource resource;

  fixture_serve(f, answer_discovery, &served, NULL, NULL, NULL);
  assert_int_equal(kube_discover(f->client, "apps/v9", "Deployment", NULL, &resource, &err), -ENOTSUP);
  assert_non_null(strstr(error_message(err), "apps/v9; of this group it has: v1, v1beta1"));
  assert_int_equal(kube_discover(f->client, "apps/v1", "Scale", NULL, &resource, &err), -ENOTSUP);
  assert_non_null(strstr(error_message(err), "no kind \"Scale\" in apps/v1"));
  assert_non_null(strstr(error_message(err), "it has: Deployment"));
}

static void test_groups_and_versions(void **state) {
  struct kube_fixture *f = *state;
  struct served served = {false};
  struct kube_versions versions;
  char **groups = NULL;

  fixture_serve(f, answer_discovery, &served, NULL, NULL, NULL);
  assert_int_equal(kube_discover_versions(f->client, "apps", NULL, &versions, NULL), 0);
  assert_int_equal(versions.count, 2);
  assert_string_equal(versions.names[0], "v1");
  assert_string_equal(versions.names[1], "v1beta1");
  assert_int_equal(kube_discover_versions(f->client, "x.example", NULL, &versions, NULL), -ENOTSUP);
  assert_int_equal(kube_discover_groups(f->client, NULL, &groups, NULL), 0);
  assert_string_equal(groups[0], "");
  assert_string_equal(groups[1], "apps");
  assert_null(groups[2]);
  kube_groups_free(groups);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_list_comes_in_pages),
      cmocka_unit_test(test_a_list_that_was_forgotten_starts_again),
      cmocka_unit_test(test_a_list_that_is_always_forgotten_comes_in_one_piece),
      cmocka_unit_test(test_a_visitor_ends_a_list),
      cmocka_unit_test(test_events_in_any_pieces),
      cmocka_unit_test(test_a_watch_goes_on_where_it_was),
      cmocka_unit_test(test_a_watch_that_is_too_old),
      cmocka_unit_test(test_a_busy_server_is_watched_later),
      cmocka_unit_test(test_a_refusal_ends_a_watch),
      cmocka_unit_test(test_a_watch_gives_up),
      cmocka_unit_test(test_a_watch_is_cancelled),
      cmocka_unit_test(test_a_watch_has_a_version),
      cmocka_unit_test(test_kinds_are_discovered_once),
      cmocka_unit_test(test_what_is_installed_later_is_found),
      cmocka_unit_test(test_what_is_served_instead_is_told),
      cmocka_unit_test(test_groups_and_versions),
  };

  return cmocka_run_group_tests(tests, kube_fixture_setup, kube_fixture_teardown);
}
