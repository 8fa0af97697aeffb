/* What a watch tells, and what it does about what others do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "host/watch/contest.h"
#include "tests/cluster/watched.h"

#define REFUSED "trammel_watch_objects_total{outcome=\"refused\"}"
#define REMOVED "trammel_watch_objects_total{outcome=\"removed\"}"

/* The policy that denies to all of the namespace: of the two that there are. A new reference. */
static json_t *denial_of(const struct fixture *f) {
  json_auto_t *items = items_of(f, POLICIES);
  assert_int_equal(json_array_size(items), 2);
  const json_t *first = json_array_get(items, 0), *second = json_array_get(items, 1);
  return json_deep_copy(json_object_size(json_object_get(first, "spec")) > 0 ? second : first);
}

void what_is_wrong_is_told_once(void **state) {
  struct fixture *f = *state;
  put_target(f, "dangling", "HTTPRouteGroup", "nowhere");
  start(f);
  wait_for_event(f, "NotTranslated", "dangling");
  assert_int_equal(count_policies(f), 0);
  stop_quietly(f);
  put_target(f, "another", "HTTPRouteGroup", "nowhere");
  start(f);
  wait_for_event(f, "NotTranslated", "another");
  assert_int_equal(count_events(f, "NotTranslated", "dangling"), 1);
  put_group(f, "nowhere", "/found");
  wait_for_path(f, "/found");
  stop_quietly(f);
}

/* A target that has another name now is as good as it was under the old one, until its policy is there again. */
void a_foreign_object_is_left_alone_and_told(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 0);
  json_auto_t *foreign = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "security.istio.io/v1", "kind",
                                   "AuthorizationPolicy", "metadata", "name", name_of(policy), "namespace", f->ns,
                                   "spec", "action", "DENY");
  put(foreign);
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_event(f, "NotApplied", "t");
  json_auto_t *there = only_policy(f);
  assert_string_equal(json_string_value(json_object_get(json_object_get(there, "spec"), "action")), "DENY");
  remove_at(f, TARGETS, "t");
  put_target(f, "old", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  remove_at(f, TARGETS, "old");
  put_group(f, "other", "/late");
  put_target(f, "u", "HTTPRouteGroup", "other");
  wait_for_path(f, "/late");
  assert_true(allows(f, "/items"));
  remove_at(f, POLICIES, name_of(policy));
  wait_for_count(f, 2); /* it is tried again, and then the old one goes */
  assert_true(allows(f, "/items"));
  stop_quietly(f);
}

static double count_translations(unsigned port) {
  return sample(port, "trammel_watch_translations_total{of=\"all\"}") +
         sample(port, "trammel_watch_translations_total{of=\"part\"}");
}

void metrics_count_what_is_done(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf health = STRBUF_INIT, readiness = STRBUF_INIT, nothing = STRBUF_INIT;
  unsigned port = start_with_metrics(f);
  wait_for_sample(port, "trammel_watch_ready", 1);
  wait_for_sample(port, "trammel_watch_leader", 1);
  assert_true(sample(port, "trammel_watch_info{adapter=\"istio\"}") == 1);
  assert_int_equal(scrape(port, "/healthz", &health), 200);
  assert_string_equal(strbuf_text(&health), "ok\n");
  assert_int_equal(scrape(port, "/readyz", &readiness), 200);
  assert_int_equal(scrape(port, "/nothing", &nothing), 404);
  double resources = sample(port, "trammel_watch_resources");
  double wanted = sample(port, "trammel_watch_objects_wanted");
  double created = sample(port, "trammel_watch_objects_total{outcome=\"created\"}");
  double count = sample(port, "trammel_watch_apply_seconds_count");
  double events = sample(port, "trammel_watch_events_total");
  double translations = count_translations(port);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  put_target(f, "dangling", "HTTPRouteGroup", "nowhere");
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"created\"}", created + 1);
  wait_for_sample(port, "trammel_watch_resources", resources + 3);
  wait_for_sample(port, "trammel_watch_objects_wanted", wanted + 1);
  wait_for_sample(port, "trammel_watch_events_total", events + 1);
  assert_true(sample(port, "trammel_watch_apply_seconds_count") >= count + 1);
  assert_true(sample(port, "trammel_watch_apply_seconds_bucket{le=\"+Inf\"}") >= count + 1);
  assert_true(count_translations(port) > translations);
  assert_true(sample(port, "trammel_watch_corrections_total") == 0);
  stop_quietly(f);
}

/* What denies was replaced by another's, and cannot be applied. What a target that went allowed stays, since Istio
 * admits everybody to a workload that no policy is for; and what another one would allow does not come. */
void while_a_denial_is_refused_nothing_is_opened(void **state) {
  struct fixture *f = *state;
  const char *const more[] = {"--deny-by-default", f->ns, "--metrics", "0", NULL};
  put_group(f, "g", "/items");
  put_group(f, "other", "/late");
  put_target(f, "t", "HTTPRouteGroup", "g");
  start_denying(f);
  wait_for_path(f, "/items");
  stop_quietly(f);
  json_auto_t *denial = denial_of(f);
  remove_at(f, POLICIES, name_of(denial));
  json_auto_t *foreign = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "security.istio.io/v1", "kind",
                                   "AuthorizationPolicy", "metadata", "name", name_of(denial), "namespace", f->ns,
                                   "spec", "action", "DENY"); /* without rules: it denies nothing */
  put(foreign);
  put_target(f, "u", "HTTPRouteGroup", "other");
  remove_at(f, TARGETS, "t");
  f->watch = start_words(more);
  f->running = true;
  unsigned port = read_port(&f->watch);
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"refused\"}", 2); /* other things had their turn */
  wait_for_sample(port, "trammel_watch_objects_pending", 3);
  assert_true(allows(f, "/items"));
  assert_false(allows(f, "/late"));
  assert_int_equal(count_policies(f), 2);
  remove_at(f, POLICIES, name_of(denial));
  wait_for_sample(port, "trammel_watch_objects_total{outcome=\"removed\"}", 1);
  assert_true(allows(f, "/late"));
  assert_false(allows(f, "/items"));
  assert_int_equal(count_policies(f), 2);
  stop_quietly(f);
}

static void merge(const struct fixture *f, const char *name, json_t *patch) {
  _cleanup_free_ char *path = path_of(f, POLICIES, name);
  struct api_answer answer = ask("PATCH", path, "application/merge-patch+json", patch);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  json_decref(patch);
}

/* A policy that others have put something into, and a text that may not be in it. */
struct untouched {
  const struct fixture *f;
  const char *name, *text;
};

static bool is_untouched(void *ctx) {
  const struct untouched *wanted = ctx;
  _cleanup_free_ char *path = path_of(wanted->f, POLICIES, wanted->name);
  struct api_answer answer = ask("GET", path, NULL, NULL);
  assert_int_equal(answer.status, 200);
  json_t *metadata = json_object_get(answer.body, "metadata");
  (void)json_object_del(metadata, "managedFields");
  _cleanup_free_ char *text = json_dumps(answer.body, JSON_COMPACT);
  bool gone = !strstr(text, wanted->text);
  api_answer_finish(&answer);
  return gone;
}

static void wait_untouched(const struct fixture *f, const char *name, const char *text) {
  struct untouched wanted = {.f = f, .name = name, .text = text};
  wait_until(is_untouched, &wanted, TIMEOUT_S, "what others have added is gone");
}

/* A rule that admits everybody, in what denies: nothing that is applied takes it away, nor is there a conflict. It is
 * undone a few times, and left when it comes back each time. */
void what_others_add_to_an_object_is_undone(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
  const char *const more[] = {"--deny-by-default", f->ns, "--metrics", "0", NULL};
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  f->watch = start_words(more);
  f->running = true;
  unsigned port = read_port(&f->watch);
  wait_for_count(f, 2);
  json_auto_t *denial = denial_of(f), *items = items_of(f, POLICIES);
  size_t other = strcmp(name_of(json_array_get(items, 0)), name_of(denial)) == 0 ? 1 : 0;
  const json_t *target = json_array_get(items, other);
  merge(f, name_of(target), json_pack("{s:{s:{s:s}}}", "spec", "provider", "name", "theirs"));
  wait_untouched(f, name_of(target), "theirs");
  merge(f, name_of(target), json_pack("{s:{s:{s:s}}}", "metadata", "annotations", "istio.io/dry-run", "true"));
  wait_untouched(f, name_of(target), "dry-run");
  json_auto_t *rules = json_deep_copy(json_object_get(json_object_get(target, "spec"), "rules"));
  assert_int_equal(json_array_append_new(rules, json_pack("{s:[{s:{s:[s]}}]}", "to", "operation", "paths", "/theirs")),
                   0);
  merge(f, name_of(target), json_pack("{s:{s:O}}", "spec", "rules", rules));
  wait_untouched(f, name_of(target), "/theirs");
  put_group(f, "g", "/changed"); /* what was taken back is ours to change */
  wait_for_path(f, "/changed");
  for (unsigned i = 0; i < CONTEST_ROUNDS; i++) {
    merge(f, name_of(denial), json_pack("{s:{s:[{}]}}", "spec", "rules"));
    wait_untouched(f, name_of(denial), "rules");
  }
  wait_for_sample(port, "trammel_watch_undone_total", 3 + CONTEST_ROUNDS);
  merge(f, name_of(denial), json_pack("{s:{s:[{}]}}", "spec", "rules"));
  wait_for_event(f, "Contested", name_of(denial));
  wait_for_sample(port, "trammel_watch_objects_contested", 1);
  read_until(f->watch.out, "so it is left", &said);
  assert_non_null(strstr(strbuf_text(&said), "undone: spec.rules of \""));
  remove_at(f, TARGETS, "t"); /* while others open what denies, it stays */
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 3);
  wait_for_sample(port, REFUSED, sample(port, REFUSED) + 1); /* removals had their turn by then */
  assert_int_equal(count_policies(f), 3);
  double removed = sample(port, REMOVED);  /* elsewhere */
  remove_at(f, POLICIES, name_of(denial)); /* as the message says */
  wait_for_sample(port, REMOVED, removed + 1);
  json_auto_t *anew = denial_of(f);
  assert_string_equal(name_of(anew), name_of(denial));
  stop_quietly(f);
}

/* Without a fault of anybody's the others' changes stand. */
void what_others_change_in_an_object_is_told(void **state) {
  struct fixture *f = *state;
  _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  start(f);
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  merge(f, name_of(policy),
        json_pack("{s:{s:[], s:{s:s}}}", "spec", "rules", "provider", "name", "theirs")); /* and something added */
  read_until(f->watch.out, "owned by other managers", &said);
  wait_for_event(f, "NotApplied", "t");
  json_auto_t *there = only_policy(f);
  const json_t *spec = json_object_get(there, "spec");
  assert_int_equal(json_array_size(json_object_get(spec, "rules")), 0);
  assert_non_null(json_object_get(spec, "provider"));
  stop_quietly(f);
}
