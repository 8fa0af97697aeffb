/* trammel watch on a real API server, which has the definitions of SMI and of a real mesh: what follows what, and what
 * survives which end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/clock.h"
#include "tests/cluster/watched.h"

#define MESH_DEFINITIONS "istio-1.30"
#define SMI_DEFINITIONS "smi"

static char *definitions[2]; /* folders */

static void objects_follow_their_resources(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  put_group(f, "g", "/orders");
  wait_for_path(f, "/orders");
  assert_int_equal(count_policies(f), 1);
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 1);
  remove_at(f, TARGETS, "u");
  wait_for_count(f, 0);
  struct command_result result = stop(f);
  assert_non_null(strstr(strbuf_text(&result.out), "created    AuthorizationPolicy"));
  assert_non_null(strstr(strbuf_text(&result.out), "changed    AuthorizationPolicy"));
  assert_non_null(strstr(strbuf_text(&result.out), "removed    AuthorizationPolicy"));
  command_result_finish(&result);
}

/* A target for workloads that come later is nothing until they are there. */
static void objects_follow_who_is_there(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  remove_at(f, "/apis/apps/v1/namespaces/%s/deployments", "api");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_event(f, "NotTranslated", "t");
  assert_int_equal(count_policies(f), 0);
  put_text(f, workloads);
  wait_for_path(f, "/items");
  stop_quietly(f);
}

static void what_others_do_to_objects_is_undone(void **state) {
  struct fixture *f = *state;
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  json_auto_t *policy = only_policy(f);
  remove_at(f, POLICIES, name_of(policy));
  wait_for_count(f, 1);
  wait_for_path(f, "/items");
  /* A merge patch owns nothing that an apply would have to force. */
  _cleanup_free_ char *path = path_of(f, POLICIES, name_of(policy));
  json_auto_t *annotation = json_pack("{s:{s:{s:n}}}", "metadata", "annotations", "trammel.dev/hash");
  struct api_answer answer = ask("PATCH", path, "application/merge-patch+json", annotation);
  assert_int_equal(answer.status, 200);
  api_answer_finish(&answer);
  int64_t deadline_ns = clock_in_ns(TIMEOUT_S * NS_PER_SECOND);
  for (bool back = false; !back;) {
    json_auto_t *now = only_policy(f);
    back = json_object_get(json_object_get(json_object_get(now, "metadata"), "annotations"), "trammel.dev/hash");
    assert_true(clock_monotonic_ns() < deadline_ns);
  }
  stop_quietly(f);
}

#define MANY 40

/* Killed in the middle; while none runs, some resources go, one changes, one comes. */
static void a_killed_watch_is_gone_on_with(void **state) {
  struct fixture *f = *state;
  char name[16];
  put_group(f, "g", "/items");
  for (unsigned i = 0; i < MANY; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    put_target(f, name, "HTTPRouteGroup", "g");
  }
  start(f);
  wait_for_path(f, "/items"); /* the first one is there, and others are not */
  kill_running(&f->watch, true);
  f->running = false;
  for (unsigned i = 0; i < MANY / 2; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    remove_at(f, TARGETS, name);
  }
  put_group(f, "other", "/late");
  put_target(f, "t30", "HTTPRouteGroup", "other");
  put_target(f, "late", "HTTPRouteGroup", "other");
  start(f);
  wait_for_count(f, MANY / 2 + 1);
  wait_for_path(f, "/late");
  stop_quietly(f);
  /* With everything as it should be, another start changes nothing. */
  start(f);
  put_group(f, "other", "/later");
  wait_for_path(f, "/later");
  struct command_result result = stop(f);
  size_t lines = 0;
  for (const char *line = strbuf_text(&result.out); (line = strstr(line, "AuthorizationPolicy")); line++)
    lines++;
  assert_in_range(lines, 1, 4);
  command_result_finish(&result);
  for (unsigned i = MANY / 2; i < MANY; i++) {
    (void)snprintf(name, sizeof(name), "t%u", i);
    remove_at(f, TARGETS, name);
  }
  remove_at(f, TARGETS, "late");
  start(f); /* what went while none ran */
  wait_for_count(f, 0);
  stop_quietly(f);
}

/* Deletion of what came from `trammel apply` is not the watch's business. */
static void what_apply_made_stays(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *path = path_of(f, POLICIES, "applied?fieldManager=trammel/istio&force=true");
  json_auto_t *body = json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:{s:s}}, s:{}}", "apiVersion",
                                "security.istio.io/v1", "kind", "AuthorizationPolicy", "metadata", "name", "applied",
                                "namespace", f->ns, "labels", "app.kubernetes.io/managed-by", "trammel", "annotations",
                                "trammel.dev/sources", "TrafficTarget/x/y", "spec");
  struct api_answer answer = ask("PATCH", path, "application/apply-patch+yaml", body);
  assert_int_equal(answer.status, 201);
  api_answer_finish(&answer);
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  remove_at(f, TARGETS, "t");
  wait_for_count(f, 1);
  stop_quietly(f);
}

static void another_takes_over_from_a_killed_leader(void **state) {
  struct fixture *f = *state;
  static const char *const none[] = {NULL};
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  f->other = start_words(none);
  f->other_running = true;
  kill_running(&f->watch, false);
  f->running = false;
  put_group(f, "g", "/taken-over");
  wait_for_path(f, "/taken-over");
  f->watch = f->other;
  f->other_running = false;
  f->running = true;
  struct command_result result = stop(f);
  assert_non_null(strstr(strbuf_text(&result.errors), "works, and this one stands by"));
  assert_non_null(strstr(strbuf_text(&result.errors), "this one works now"));
  command_result_finish(&result);
}

static void a_restarted_api_server_is_followed_on(void **state) {
  struct fixture *f = *state;
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* not ours to restart */
  start(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  wait_for_path(f, "/items");
  api_server_restart(server);
  put_group(f, "g", "/after");
  wait_for_path(f, "/after");
  assert_int_equal(count_policies(f), 1);
  stop_quietly(f);
}

struct translated {
  const struct fixture *f;
  const char *text;
};

static bool is_translated_for_osm(void *ctx) {
  const struct translated *wanted = ctx;
  return says(wanted->f, GROUPS, wanted->text);
}

/* Open Service Mesh is told by resources of SMI what resources of SMI say: these are not translated again. */
static void what_was_made_of_smi_is_not_translated_again(void **state) {
  struct fixture *f = *state;
  static const char *const none[] = {NULL};
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  f->watch = start_to("osm", none);
  f->running = true;
  struct translated first = {.f = f, .text = "(?:/items)"}, second = {.f = f, .text = "(?:/changed)"};
  wait_until(is_translated_for_osm, &first, TIMEOUT_S, "it is translated");
  put_group(f, "g", "/changed");
  wait_until(is_translated_for_osm, &second, TIMEOUT_S, "the change is translated");
  put_group(f, "g", "/again");
  second.text = "(?:/again)";
  wait_until(is_translated_for_osm, &second, TIMEOUT_S, "the next change is translated");
  assert_int_equal(count_at(f, TARGETS), 2);
  assert_int_equal(count_at(f, GROUPS), 2);
  stop_quietly(f);
}

/* An API server that was started anew has nothing of what was before: it answers 410 to a watch that stood still for as
 * long. What came, changed and went meanwhile is found by listing again. */
static void what_went_on_while_a_watch_stood_still_is_listed(void **state) {
  struct fixture *f = *state;
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* not ours to restart */
  unsigned port = start_with_metrics(f);
  put_group(f, "g", "/items");
  put_target(f, "t", "HTTPRouteGroup", "g");
  put_target(f, "u", "HTTPRouteGroup", "g");
  wait_for_count(f, 2);
  wait_for_sample(port, "trammel_watch_ready", 1);
  double before = sample(port, "trammel_watch_relists_total");
  assert_int_equal(kill(f->watch.pid, SIGSTOP), 0);
  remove_at(f, TARGETS, "t");
  remove_at(f, TARGETS, "u");
  put_group(f, "g", "/changed");
  put_target(f, "v", "HTTPRouteGroup", "g");
  api_server_restart(server);
  assert_int_equal(kill(f->watch.pid, SIGCONT), 0);
  wait_for_path(f, "/changed");
  wait_for_count(f, 1);
  wait_for_sample(port, "trammel_watch_relists_total", before + 1);
  assert_true(sample(port, "trammel_watch_corrections_total") == 0);
  stop_quietly(f);
}

static int install(void **state) {
  (void)state;
  return crds_install(server, definitions[0]) > 0 && crds_install(server, definitions[1]) > 0 ? 0 : -1;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(objects_follow_their_resources),
      TEST(objects_follow_who_is_there),
      TEST(what_others_do_to_objects_is_undone),
      TEST(a_killed_watch_is_gone_on_with),
      TEST(what_is_wrong_is_told_once),
      TEST(a_foreign_object_is_left_alone_and_told),
      TEST(what_apply_made_stays),
      TEST(another_takes_over_from_a_killed_leader),
      TEST(a_restarted_api_server_is_followed_on),
      TEST(metrics_count_what_is_done),
      TEST(while_a_denial_is_refused_nothing_is_opened),
      TEST(what_others_add_to_an_object_is_undone),
      TEST(what_others_change_in_an_object_is_told),
      TEST(what_was_made_of_smi_is_not_translated_again),
      TEST(what_went_on_while_a_watch_stood_still_is_listed),
  };
  definitions[0] = crds_directory(MESH_DEFINITIONS);
  definitions[1] = crds_directory(SMI_DEFINITIONS);
  if (!definitions[0] || !definitions[1]) {
    printf("skipped: the definitions " MESH_DEFINITIONS " and " SMI_DEFINITIONS
           " are not there: they are looked for in "
           "crds/ of ../shared or $TRAMMEL_SHARED_DIR\n");
    return 77;
  }
  server = api_server_start();
  int failed = server ? cmocka_run_group_tests_name("watch", tests, install, NULL) : 77;
  api_server_stop(server);
  free(definitions[0]);
  free(definitions[1]);
  return failed;
}
