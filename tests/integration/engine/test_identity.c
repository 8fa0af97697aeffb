/* Objects that others may have made, and objects whose place the mesh tells, against an API that is played here: a
 * ledger of pairs, which are listed and have ids, and entries with versions. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/engine/engine.h"
#include "tests/integration/engine/adapter_fixture.h"
#include "tests/integration/engine/http_server.h"
#include "tests/integration/engine/state_fixture.h"

#define PB(name) Trammel__Adapter__V1__##name
#define OURS "{\"from\":\"a\",\"to\":\"b\",\"action\":\"allow\",\"meta\":{\"made by\":\"trammel\"}}"
#define OURS_CHANGED "{\"from\":\"a\",\"to\":\"b\",\"action\":\"deny\",\"meta\":{\"made by\":\"trammel\"}}"
#define FOREIGN "{\"from\":\"a\",\"to\":\"b\",\"action\":\"deny\",\"meta\":{}}"
#define ENTRY "{\"name\":\"x\",\"meta\":{\"made by\":\"trammel\"}}"
#define FOREIGN_ENTRY "{\"name\":\"x\",\"version\":7}"

#define TOKEN "s3cr3t-of-the-operator"

struct ledger {
  struct http_server *server;
  pthread_mutex_t lock;
  json_t *pairs;   /* an array */
  json_t *entry;   /* the only one; NULL: none */
  unsigned next;   /* id */
  unsigned writes; /* all that was not a GET */
  bool down;       /* answers 503 */
  bool racing;     /* somebody always was faster */
  bool closed;     /* answers 403 without the token */
};

struct fixture {
  struct state_fixture state;
  struct journal *journal;
  struct registry *registry;
  struct ledger ledger;
  struct engine *engine;
};

static size_t index_of(const struct ledger *ledger, const char *id) {
  size_t i = 0;
  for (; i < json_array_size(ledger->pairs); i++)
    if (strcmp(json_string_value(json_object_get(json_array_get(ledger->pairs, i), "id")), id) == 0)
      break;
  return i;
}

static bool is_taken(const struct ledger *ledger, const json_t *pair) {
  size_t i;
  json_t *other;
  json_array_foreach(ledger->pairs, i, other) {
    if (json_equal(json_object_get(other, "from"), json_object_get(pair, "from")) &&
        json_equal(json_object_get(other, "to"), json_object_get(pair, "to")))
      return true;
  }
  return false;
}

static void answer_json(struct evhttp_request *request, const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  assert_non_null(text);
  request_answer(request, 200, "application/json", text);
  free(text);
}

static json_t *with_id(struct ledger *ledger, json_t *pair, const char *id) {
  (void)json_object_set_new(pair, "id", id ? json_string(id) : json_sprintf("id %u", ledger->next++));
  return pair;
}

static void serve_pairs(struct ledger *ledger, struct evhttp_request *request, const char *method, json_t *body) {
  if (strcmp(method, "GET") == 0) {
    answer_json(request, ledger->pairs);
  } else if (is_taken(ledger, body)) {
    request_answer(request, 500, NULL, "duplicate");
  } else {
    json_t *pair = with_id(ledger, json_incref(body), NULL);
    (void)json_array_append_new(ledger->pairs, pair);
    json_t *answer = json_pack("{s:O}", "id", json_object_get(pair, "id"));
    answer_json(request, answer);
    json_decref(answer);
  }
}

static void serve_pair(struct ledger *ledger, struct evhttp_request *request, const char *method, const char *id,
                       json_t *body) {
  size_t at = index_of(ledger, id);
  if (at == json_array_size(ledger->pairs)) {
    request_answer(request, 404, NULL, "");
    return;
  }
  if (strcmp(method, "DELETE") == 0)
    (void)json_array_remove(ledger->pairs, at);
  else
    (void)json_array_set_new(ledger->pairs, at, with_id(ledger, json_incref(body), id));
  request_answer(request, 200, "application/json", "true");
}

static void write_entry(struct ledger *ledger, struct evhttp_request *request, json_int_t over, json_t *body) {
  json_int_t now = json_integer_value(json_object_get(ledger->entry, "version"));
  if (ledger->racing || over != now) {
    request_answer(request, 200, "application/json", "false\n");
    return;
  }
  json_decref(ledger->entry);
  ledger->entry = json_incref(body);
  (void)json_object_set_new(ledger->entry, "version", json_integer(now + 1));
  request_answer(request, 200, "application/json", "true\n");
}

static void serve(struct ledger *ledger, struct evhttp_request *request, const char *path, json_t *body) {
  const char *method = request_method(request);
  long long over = -1;
  ledger->writes += strcmp(method, "GET") != 0;
  const char *authorization = evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
  if (ledger->down)
    request_answer(request, 503, NULL, "down");
  else if (ledger->closed && (!authorization || strcmp(authorization, "Bearer " TOKEN) != 0))
    request_answer(request, 403, NULL, "who are you");
  else if (strcmp(path, "/v1/pairs") == 0)
    serve_pairs(ledger, request, method, body);
  else if (strncmp(path, "/v1/pairs/id%20", 15) == 0) {
    char id[32];
    (void)snprintf(id, sizeof id, "id %s", path + 15);
    serve_pair(ledger, request, method, id, body);
  } else if (sscanf(path, "/v1/entry?over=%lld", &over) == 1)
    write_entry(ledger, request, over, body);
  else if (strcmp(path, "/v1/entry/x") == 0 && ledger->entry && strcmp(method, "DELETE") == 0) {
    json_decref(ledger->entry);
    ledger->entry = NULL;
    request_answer(request, 200, NULL, "");
  } else if (strcmp(path, "/v1/entry/x") == 0 && ledger->entry)
    answer_json(request, ledger->entry);
  else
    request_answer(request, 404, NULL, "");
}

static void handle(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct ledger *ledger = ctx;
  char *text = request_body(request);
  json_t *body = json_loads(text, 0, NULL);
  (void)server;
  (void)pthread_mutex_lock(&ledger->lock);
  serve(ledger, request, evhttp_request_get_uri(request), body);
  (void)pthread_mutex_unlock(&ledger->lock);
  json_decref(body);
  free(text);
}

static void begin(struct fixture *f) {
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(journal_create(f->state.state, &f->journal, NULL), 0);
  if (engine_create(find_embedded_adapter(&f->registry), NULL, f->journal, NULL, NULL, &f->engine, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(engine_set_endpoint(f->engine, "control", http_server_url(f->ledger.server), NULL), 0);
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  state_fixture_init(&f->state);
  (void)pthread_mutex_init(&f->ledger.lock, NULL);
  f->ledger.pairs = json_array();
  f->ledger.server = http_server_start(handle, &f->ledger);
  begin(f);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  engine_destroy(f->engine);
  registry_destroy(f->registry);
  journal_finish(f->journal);
  http_server_stop(f->ledger.server);
  (void)pthread_mutex_destroy(&f->ledger.lock);
  json_decref(f->ledger.pairs);
  json_decref(f->ledger.entry);
  state_fixture_finish(&f->state);
  free(f);
  return 0;
}

/* One object with an identity. */
struct object {
  PB(NativeObject) message;
  PB(HttpObject) http;
  PB(HttpIdentity) identity;
  PB(JsonMember) mark, from, to;
  PB(JsonMember) * marks[1], *match[2];
  PB(NativeObject) * list[1];
};

static PB(JsonMember) member(const char *pointer, const char *value) {
  PB(JsonMember) m = TRAMMEL__ADAPTER__V1__JSON_MEMBER__INIT;
  m.pointer = (char *)pointer;
  m.value = (char *)value;
  return m;
}

static void init_object(struct object *o, const char *body) {
  o->message = (PB(NativeObject))TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__INIT;
  o->http = (PB(HttpObject))TRAMMEL__ADAPTER__V1__HTTP_OBJECT__INIT;
  o->identity = (PB(HttpIdentity))TRAMMEL__ADAPTER__V1__HTTP_IDENTITY__INIT;
  o->mark = member("/meta/made by", "trammel");
  o->marks[0] = &o->mark;
  o->identity.n_marks = 1;
  o->identity.marks = o->marks;
  o->http.endpoint = (char *)"control";
  o->http.method = (char *)"PUT";
  o->http.delete_method = (char *)"DELETE";
  o->http.identity = &o->identity;
  o->message.id = (char *)"thing";
  o->message.transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP;
  o->message.http = &o->http;
  o->message.body = (ProtobufCBinaryData){.data = (uint8_t *)body, .len = strlen(body)};
  o->list[0] = &o->message;
}

static void init_pair(struct object *o, const char *body) {
  init_object(o, body);
  o->http.path = (char *)"/v1/pairs";
  o->http.read_path = o->http.delete_path = (char *)"/v1/pairs/{id}";
  o->from = member("/from", "a");
  o->to = member("/to", "b");
  o->match[0] = &o->from;
  o->match[1] = &o->to;
  o->identity.n_match = 2;
  o->identity.match = o->match;
  o->identity.list_path = (char *)"/v1/pairs";
  o->identity.id = (char *)"/id";
  o->identity.update_method = (char *)"PUT";
  o->identity.update_path = (char *)"/v1/pairs/{id}";
}

static void init_entry(struct object *o, const char *body) {
  init_object(o, body);
  o->http.path = (char *)"/v1/entry";
  o->http.read_path = o->http.delete_path = (char *)"/v1/entry/x";
  o->identity.version = (char *)"/version";
  o->identity.version_parameter = (char *)"over";
  o->identity.stale_answer = (char *)"false";
}

static int apply(struct fixture *f, const struct object *o, struct error **err) {
  return engine_apply(f->engine, "owner", o->list, 1, err);
}

static void add_pair(struct fixture *f, const char *text) {
  (void)json_array_append_new(f->ledger.pairs, with_id(&f->ledger, json_loads(text, 0, NULL), NULL));
}

static const char *action(const struct fixture *f, size_t index) {
  return json_string_value(json_object_get(json_array_get(f->ledger.pairs, index), "action"));
}

static void test_listed_object_is_made_changed_read_and_removed(void **state) {
  struct fixture *f = *state;
  struct object o;
  json_t *read = NULL;
  add_pair(f, "{\"from\":\"c\",\"to\":\"b\",\"action\":\"foreign\"}");
  init_pair(&o, OURS);
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 2);
  assert_string_equal(action(f, 1), "allow");
  init_pair(&o, OURS_CHANGED);
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 2);
  assert_string_equal(action(f, 1), "deny");
  assert_int_equal(engine_read(f->engine, "owner", &read, NULL), 0);
  assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(read, 0), "body"), "action")),
                      "deny");
  json_decref(read);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 1);
  assert_string_equal(action(f, 0), "foreign");
}

static void test_listed_object_without_an_update_is_made_anew(void **state) {
  struct fixture *f = *state;
  struct object o;
  init_pair(&o, OURS);
  o.identity.update_method = (char *)"";
  assert_int_equal(apply(f, &o, NULL), 0);
  o.message.body = (ProtobufCBinaryData){.data = (uint8_t *)OURS_CHANGED, .len = strlen(OURS_CHANGED)};
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 1);
  assert_string_equal(action(f, 0), "deny");
  assert_int_equal(f->ledger.next, 2);
}

static void test_what_others_made_is_not_changed(void **state) {
  struct fixture *f = *state;
  struct object o;
  _cleanup_error_ struct error *err = NULL, *entry_err = NULL;
  add_pair(f, FOREIGN);
  init_pair(&o, OURS);
  assert_int_equal(apply(f, &o, &err), -EEXIST);
  assert_non_null(strstr(error_message(err), "others made"));
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  f->ledger.entry = json_loads(FOREIGN_ENTRY, 0, NULL);
  init_entry(&o, ENTRY);
  assert_int_equal(apply(f, &o, &entry_err), -EEXIST);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_int_equal(f->ledger.writes, 0);
}

static void test_what_others_put_in_its_place_stays(void **state) {
  struct fixture *f = *state;
  struct object o;
  init_pair(&o, OURS);
  assert_int_equal(apply(f, &o, NULL), 0);
  (void)json_array_clear(f->ledger.pairs);
  add_pair(f, FOREIGN);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 1);
}

static void test_entries_are_written_over_the_version_that_was_seen(void **state) {
  struct fixture *f = *state;
  struct object o;
  _cleanup_error_ struct error *err = NULL;
  init_entry(&o, ENTRY);
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_integer_value(json_object_get(f->ledger.entry, "version")), 1);
  init_entry(&o, "{\"name\":\"x\",\"more\":1,\"meta\":{\"made by\":\"trammel\"}}");
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_integer_value(json_object_get(f->ledger.entry, "version")), 2);
  f->ledger.racing = true;
  init_entry(&o, ENTRY);
  assert_int_equal(apply(f, &o, &err), -EAGAIN);
  assert_int_equal(json_integer_value(json_object_get(f->ledger.entry, "more")), 1);
  assert_int_equal(engine_remove(f->engine, "owner", NULL), 0);
  assert_null(f->ledger.entry);
}

/* The id is known from nowhere but the listing then; what others made meanwhile stays. */
static void test_after_a_crash_it_is_found_again(void **state) {
  struct fixture *f = *state;
  struct object pair, entry;
  struct cleanup_summary summary;
  init_pair(&pair, OURS);
  init_entry(&entry, ENTRY);
  assert_int_equal(apply(f, &pair, NULL), 0);
  assert_int_equal(engine_apply(f->engine, "other", entry.list, 1, NULL), 0);
  add_pair(f, "{\"from\":\"c\",\"to\":\"b\",\"action\":\"foreign\"}");
  f->ledger.down = true;
  engine_destroy(f->engine);
  f->engine = NULL;
  assert_int_equal(journal_finish(f->journal), 2);
  f->journal = NULL;
  f->ledger.down = false;
  assert_int_equal(json_array_size(f->ledger.pairs), 2);
  json_decref(f->ledger.entry);
  f->ledger.entry = json_loads(FOREIGN_ENTRY, 0, NULL);
  assert_int_equal(journal_cleanup(f->state.state, false, NULL, NULL, &summary, NULL), 0);
  assert_int_equal(summary.failed, 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 1);
  assert_string_equal(action(f, 0), "foreign");
  assert_non_null(f->ledger.entry);
  assert_false(path_exists(f->state.state));
}

/* A creation that was journaled and never came to the mesh. */
static void test_after_a_crash_before_the_creation_nothing_is_removed(void **state) {
  struct fixture *f = *state;
  struct cleanup_summary summary;
  char look[128], place[128], identity[512];
  add_pair(f, FOREIGN);
  (void)snprintf(look, sizeof look, "%s/v1/pairs", http_server_url(f->ledger.server));
  (void)snprintf(place, sizeof place, "%s/v1/pairs/{id}", http_server_url(f->ledger.server));
  (void)snprintf(
      identity, sizeof identity,
      "{\"look\":\"%s\",\"marks\":{\"/meta/made by\":\"trammel\"},\"match\":{\"/from\":\"a\"},\"id\":\"/id\"}", look);
  const struct journal_object object = {
      .id = "thing", .delete_method = "DELETE", .delete_url = place, .identity = identity};
  assert_int_equal(journal_object_intended_as(f->journal, &object, NULL), 0);
  engine_destroy(f->engine);
  f->engine = NULL;
  assert_int_equal(journal_finish(f->journal), 1);
  f->journal = NULL;
  assert_int_equal(journal_cleanup(f->state.state, false, NULL, NULL, &summary, NULL), 0);
  assert_int_equal(summary.failed, 0);
  assert_int_equal(f->ledger.writes, 0);
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Whether a journal in the directory has the token in it. */
static bool is_written_down(const char *directory) {
  char command[4096];
  (void)snprintf(command, sizeof command, "grep -rq '%s' '%s'", TOKEN, directory);
  int status = system(command); /* NOLINT(cert-env33-c): of a test's own directory */
  assert_true(status == 0 || status == 256);
  return status == 0;
}

static void test_token_goes_with_every_request_and_into_no_journal(void **state) {
  struct fixture *f = *state;
  struct object o;
  struct cleanup_summary summary;
  char path[] = "/tmp/trammel-token-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(close(fd), 0);
  write_file(path, "\n " TOKEN "\n");
  f->ledger.closed = true;
  init_pair(&o, OURS);
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(apply(f, &o, &err), -EIO);
  assert_non_null(strstr(error_message(err), "403"));
  assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), 0);
  assert_int_equal(apply(f, &o, NULL), 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 1);
  assert_false(is_written_down(f->state.state));
  f->ledger.down = true;
  engine_destroy(f->engine);
  f->engine = NULL;
  assert_int_equal(journal_finish(f->journal), 1);
  f->journal = NULL;
  f->ledger.down = false;
  assert_int_equal(journal_cleanup(f->state.state, false, NULL, NULL, &summary, NULL), 0);
  assert_int_equal(summary.failed, 0);
  assert_int_equal(json_array_size(f->ledger.pairs), 0);
  assert_int_equal(unlink(path), 0);
}

static void test_tokens_that_cannot_be_sent(void **state) {
  struct fixture *f = *state;
  char path[] = "/tmp/trammel-token-XXXXXX";
  int fd = mkstemp(path);
  static const char *const unsound[] = {"", "\n", "two words", "two\nlines", "\x01"};
  static const char *const far[] = {"http://192.0.2.1:8500", "http://127.0.0.1.example:8500",
                                    "http://127.0.0.1@192.0.2.1", "http://[2001:db8::1]:8500"};
  assert_true(fd >= 0);
  assert_int_equal(close(fd), 0);
  for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
    write_file(path, unsound[i]);
    assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), -EINVAL);
  }
  write_file(path, TOKEN);
  for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
    assert_int_equal(engine_set_endpoint(f->engine, "control", far[i], NULL), 0);
    assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), -EACCES);
  }
  assert_int_equal(engine_set_endpoint(f->engine, "control", "https://192.0.2.1", NULL), 0);
  assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), 0);
  assert_int_equal(engine_set_endpoint(f->engine, "control", "http://[::1]:8500/x", NULL), 0);
  assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), 0);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(engine_set_endpoint_token(f->engine, "control", path, NULL), -ENOENT);
}

static void test_incomplete_identities_are_refused(void **state) {
  struct fixture *f = *state;
  struct object o;
  init_pair(&o, OURS);
  o.identity.n_marks = 0;
  assert_int_equal(apply(f, &o, NULL), -EINVAL);
  init_pair(&o, OURS);
  o.identity.n_match = 0;
  assert_int_equal(apply(f, &o, NULL), -EINVAL);
  init_pair(&o, OURS);
  o.mark.pointer = (char *)"meta";
  assert_int_equal(apply(f, &o, NULL), -EINVAL);
  init_entry(&o, ENTRY);
  o.http.read_path = (char *)"";
  assert_int_equal(apply(f, &o, NULL), -EINVAL);
  init_entry(&o, ENTRY);
  o.identity.version_parameter = (char *)"";
  assert_int_equal(apply(f, &o, NULL), -EINVAL);
  init_entry(&o, ENTRY);
  o.http.read_path = (char *)"/elsewhere/x"; /* which the adapter did not declare */
  assert_int_equal(apply(f, &o, NULL), -EACCES);
  assert_int_equal(f->ledger.writes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_listed_object_is_made_changed_read_and_removed),
      TEST(test_listed_object_without_an_update_is_made_anew),
      TEST(test_what_others_made_is_not_changed),
      TEST(test_what_others_put_in_its_place_stays),
      TEST(test_entries_are_written_over_the_version_that_was_seen),
      TEST(test_after_a_crash_it_is_found_again),
      TEST(test_after_a_crash_before_the_creation_nothing_is_removed),
      TEST(test_token_goes_with_every_request_and_into_no_journal),
      TEST(test_tokens_that_cannot_be_sent),
      TEST(test_incomplete_identities_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
