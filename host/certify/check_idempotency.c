/* Objects applied by the host's engine, to a mesh's API that keeps what it is sent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/store_server.h"
#include "host/certify/translation.h"
#include "host/engine/engine.h"

/* Cases that are applied: every so many. Each object is written to the disk before it is made. */
#define EVERY 9

#define PB(name) Trammel__Adapter__V1__##name

/* An engine with its journal: what a run of the host has. */
struct host_run {
  struct adapter_entry entry;
  struct journal *journal;
  struct engine *engine;
};

struct applying {
  struct sitting *sitting;
  struct store_server *server;
  struct guest *guest;
  struct host_run first, second;
  unsigned applied;
};

static void finish_run(struct host_run *run) {
  engine_destroy(run->engine);
  (void)journal_finish(run->journal);
}

static int start_run(const struct applying *applying, struct host_run *run, struct error **err) {
  const struct subject *subject = applying->sitting->subject;
  const PB(DescribeResponse) *d = subject->entry.description;
  json_auto_t *config = json_loads(subject->config, 0, NULL);
  run->entry = subject->entry;
  run->entry.confined = true;
  int r = journal_create(subject->scratch, &run->journal, err);
  if (r == 0)
    r = engine_create(&run->entry, config, run->journal, NULL, NULL, &run->engine, err);
  for (size_t i = 0; r == 0 && i < d->n_endpoints; i++) {
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", store_server_port(applying->server),
                   d->endpoints[i]->name);
    r = engine_set_endpoint(run->engine, d->endpoints[i]->name, url, err);
  }
  return r;
}

static bool over_http(const PB(TranslateResponse) * response) {
  for (size_t i = 0; i < response->n_objects; i++)
    if (response->objects[i]->transport_case != TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP ||
        response->objects[i]->http->identity) /* the API here keeps what it is sent, under the path it is sent to */
      return false;
  return response->n_objects > 0;
}

static bool apply(const struct applying *applying, const struct host_run *run, const char *name,
                  const PB(TranslateResponse) * response, struct strbuf *ret_state) {
  _cleanup_error_ struct error *err = NULL;
  if (engine_apply(run->engine, name, response->objects, response->n_objects, &err) < 0) {
    sitting_fail(applying->sitting, "%s: the objects cannot be applied: %s", name, error_message(err));
    return false;
  }
  store_server_append(applying->server, ret_state);
  return true;
}

static void read_back(const struct applying *applying, const char *name) {
  _cleanup_error_ struct error *err = NULL;
  json_t *objects = NULL;
  size_t i;
  const json_t *object;
  if (engine_read(applying->second.engine, name, &objects, &err) < 0) {
    sitting_fail(applying->sitting, "%s: the objects cannot be read back: %s", name, error_message(err));
    return;
  }
  json_array_foreach(objects, i, object) {
    if (json_is_null(json_object_get(object, "body")))
      sitting_fail(applying->sitting, "%s: object %s is not found at its read_path %s, after it was made", name,
                   json_string_value(json_object_get(object, "id")),
                   json_string_value(json_object_get(object, "path")));
  }
  json_decref(objects);
}

static void take_away(const struct applying *applying, const char *name) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_strbuf_ struct strbuf left = STRBUF_INIT;
  if (engine_remove(applying->second.engine, name, &err) < 0)
    sitting_fail(applying->sitting, "%s: the objects cannot be removed: %s", name, error_message(err));
  store_server_first(applying->server, &left);
  if (left.length)
    sitting_fail(applying->sitting,
                 "%s: %s is left after all objects were removed: delete_path does not lead to what was made", name,
                 strbuf_text(&left));
  (void)engine_remove(applying->first.engine, name, NULL); /* it is gone, which that engine cannot know */
}

/* `again` is what the adapter says when it is asked a second time, as it is each time that something changes. */
static void apply_case(struct applying *applying, const char *name, const PB(TranslateResponse) * response,
                       const PB(TranslateResponse) * again) {
  struct sitting *sitting = applying->sitting;
  _cleanup_strbuf_ struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT, anew = STRBUF_INIT;
  if (!apply(applying, &applying->first, name, response, &once))
    return;
  if (store_server_count(applying->server) != response->n_objects)
    sitting_fail(sitting, "%s: of %zu objects, %zu are there once they are applied: each needs a path of its own", name,
                 response->n_objects, store_server_count(applying->server));
  unsigned changes = store_server_changes(applying->server);
  if (!apply(applying, &applying->first, name, again, &twice))
    return;
  if (store_server_changes(applying->server) != changes)
    sitting_fail(sitting, "%s: translated and applied again, with nothing changed, requests are sent once more", name);
  if (!apply(applying, &applying->second, name, again, &anew))
    return;
  if (strcmp(strbuf_text(&once), strbuf_text(&anew)) != 0)
    sitting_fail(sitting,
                 "%s: applied again after a restart of the host, there is more or other than before: objects are made "
                 "with a method that replaces, such as PUT",
                 name);
  read_back(applying, name);
  take_away(applying, name);
  applying->applied++;
}

/* What the API server would not take twice. */
static void judge_kubernetes(struct sitting *sitting, const char *name, const PB(TranslateResponse) * response) {
  static const char *const of_the_server[] = {"generateName", "resourceVersion", "uid", "creationTimestamp"};
  for (size_t i = 0; i < response->n_objects; i++) {
    const PB(NativeObject) *object = response->objects[i];
    json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
    for (size_t k = 0; k < ARRAY_COUNT(of_the_server); k++)
      if (json_object_get(json_object_get(body, "metadata"), of_the_server[k]))
        sitting_fail(sitting, "%s: object %s has metadata.%s, so that it cannot be applied twice", name, object->id,
                     of_the_server[k]);
  }
}

static void try_item(struct applying *applying, const struct corpus_item *item, unsigned *kubernetes) {
  struct sitting *sitting = applying->sitting;
  _cleanup_answer_ struct guest_answer answer = {0}, second = {0};
  translation_ask(applying->guest, item->name, item->request, &answer);
  translation_ask(applying->guest, item->name, item->request, &second);
  if (answer.result < 0 || second.result < 0)
    return;
  _cleanup_(translation_free_p) PB(TranslateResponse) *response = translation_decode(sitting, item->name, &answer);
  _cleanup_(translation_free_p) PB(TranslateResponse) *again = translation_decode(sitting, item->name, &second);
  if (response && again && over_http(response)) {
    apply_case(applying, item->name, response, again);
  } else if (response && response->n_objects) {
    judge_kubernetes(sitting, item->name, response);
    ++*kubernetes;
  }
}

static void try_corpus(struct applying *applying) {
  struct sitting *sitting = applying->sitting;
  _cleanup_corpus_ struct corpus corpus = {0};
  unsigned kubernetes = 0;
  if (translation_cases(sitting, &corpus) < 0)
    return;
  for (size_t i = 0; i < corpus.count && !sitting_failed(sitting); i += EVERY)
    try_item(applying, &corpus.items[i], &kubernetes);
  if (applying->applied == 0 && kubernetes == 0)
    sitting_skip(sitting, "no case that was tried leads to an object");
  sitting_fact(sitting, "applied", applying->applied);
  sitting_fact(sitting, "notApplied", kubernetes);
}

void check_idempotency(struct sitting *sitting) {
  struct applying applying = {.sitting = sitting};
  _cleanup_error_ struct error *err = NULL;
  if (!sitting_requires(sitting, "Translate"))
    return;
  int r = store_server_start(&applying.server, &err);
  if (r == 0)
    r = start_run(&applying, &applying.first, &err);
  if (r == 0)
    r = start_run(&applying, &applying.second, &err);
  if (r < 0)
    sitting_fail(sitting, "what applies objects could not be started: %s", error_message(err));
  applying.guest = r < 0 ? NULL : guest_create(sitting, sitting->subject->config, NULL);
  if (applying.guest)
    try_corpus(&applying);
  guest_destroy(applying.guest);
  finish_run(&applying.first);
  finish_run(&applying.second);
  store_server_stop(applying.server);
  sitting_done(sitting);
}
