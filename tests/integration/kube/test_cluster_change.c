/* What becomes of an object that others have added to, against a server that answers by a script. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/cluster.h"
#include "tests/integration/kube/kube_fixture.h"

#define MANAGER "trammel-watch/test"
#define KINDS                                                                                                          \
  "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"policies\",\"kind\":\"Policy\",\"namespaced\":true,"       \
  "\"verbs\":[\"get\",\"patch\"]}]}"
/* With what somebody else owns of it, and its spec. */
#define POLICY(theirs, spec)                                                                                           \
  "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Policy\",\"metadata\":{\"name\":\"deny\",\"namespace\":\"demo\","     \
  "\"uid\":\"u1\",\"resourceVersion\":\"7\",\"labels\":{\"app.kubernetes.io/managed-by\":\"trammel\"},"                \
  "\"managedFields\":[{\"manager\":\"" MANAGER "\",\"operation\":\"Apply\"},{\"manager\":\"kubectl\",\"operation\":"   \
  "\"Update\",\"fieldsV1\":{\"f:spec\":" theirs "}}]},\"spec\":" spec "}"
#define ADDED                                                                                                          \
  POLICY("{\"f:rules\":{},\"f:provider\":{}}", "{\"rules\":[{\"to\":\"a\"},{\"to\":\"b\"}],\"provider\":\"theirs\"}")
#define TAKEN_BACK POLICY("{\"f:provider\":{}}", "{\"rules\":[{\"to\":\"a\"}],\"provider\":\"theirs\"}")
#define UNDONE POLICY("{}", "{\"rules\":[{\"to\":\"a\"}]}")
#define CHANGED POLICY("{\"f:rules\":{}}", "{\"rules\":[{\"to\":\"c\"}]}")
#define CONFLICT                                                                                                       \
  "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"details\":{\"causes\":[{\"reason\":\"FieldManagerConflict\","        \
  "\"message\":\"conflict with \\\"kubectl\\\"\",\"field\":\".spec.rules\"}]}}"
#define FORBIDDEN "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}"

struct answer {
  unsigned status;
  const char *body;
};

struct script {
  const char *there;
  struct answer apply, merge;
  unsigned forced, dry, applied, merged; /* requests */
};

static void play(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct script *script = ctx;
  struct answer answer = {200, script->there};

  if (strcmp(request->path, "/apis/example.com/v1") == 0) {
    answer.body = KINDS;
  } else if (strstr(request->content_type, "apply-patch")) {
    script->applied++;
    script->forced += strstr(request->path, "force=true") != NULL;
    script->dry += strstr(request->path, "dryRun=All") != NULL;
    answer = script->apply;
  } else if (strstr(request->content_type, "merge-patch")) {
    script->merged++;
    answer = script->merge;
  }
  fake_reply(connection, answer.status, NULL, answer.body);
}

/* One change by the script, from a new cluster; what is wanted has one rule. */
static int change(struct kube_fixture *f, struct script *script, const struct cluster_writer *writer,
                  struct cluster_changed *changed) {
  const struct cluster_place place = {.api_version = "example.com/v1", .kind = "Policy", .ns = "demo", .name = "deny"};
  json_auto_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:[{s:s}]}}", "apiVersion", "example.com/v1", "kind",
                                "Policy", "metadata", "namespace", "demo", "name", "deny", "spec", "rules", "to", "a");
  _cleanup_(cluster_close_p) struct cluster *cluster = NULL;
  char path[4096];

  fixture_serve(f, play, script, NULL, NULL, NULL);
  (void)snprintf(path, sizeof(path), "%s/kubeconfig", f->directory);
  assert_int_equal(cluster_open(&(struct cluster_options){.kubeconfig = path}, &cluster, NULL), 0);
  return cluster_change(cluster, &place, body, writer, NULL, changed, NULL);
}

static const struct cluster_writer undoing = {.view.manager = MANAGER, .undo = true};

static void additions_are_undone(void **state) {
  struct script script = {.there = ADDED, .apply = {200, TAKEN_BACK}, .merge = {200, UNDONE}};
  struct cluster_changed changed = {0};

  assert_int_equal(change(*state, &script, &undoing, &changed), 0);
  assert_int_equal(script.forced, 1);
  assert_int_equal(script.merged, 1);
  assert_true(changed.taken);
  assert_false(changed.additions);
  assert_non_null(strstr(changed.undone, "of \"kubectl\""));
  cluster_changed_finish(&changed);
}

/* The others may do it again all the same: it counts. */
static void half_of_an_undoing_is_told(void **state) {
  struct script script = {.there = ADDED, .apply = {200, TAKEN_BACK}, .merge = {403, FORBIDDEN}};
  struct cluster_changed changed = {0};

  assert_true(change(*state, &script, &undoing, &changed) < 0);
  assert_int_equal(script.forced, 1);
  assert_int_equal(script.merged, 1);
  assert_true(changed.taken);
  assert_non_null(changed.before);
  assert_null(changed.after);
  assert_non_null(strstr(changed.undone, "of \"kubectl\""));
  cluster_changed_finish(&changed);
}

static void nothing_undone_is_not_told_as_undone(void **state) {
  struct script script = {.there = ADDED, .apply = {403, FORBIDDEN}};
  struct cluster_changed changed = {0};

  assert_true(change(*state, &script, &undoing, &changed) < 0);
  assert_int_equal(script.forced, 1);
  assert_int_equal(script.merged, 0);
  assert_false(changed.taken);
  cluster_changed_finish(&changed);
}

static void a_dry_run_undoes_nothing(void **state) {
  const struct cluster_writer writer = {.view.manager = MANAGER, .undo = true, .dry_run = true};
  struct script script = {.there = ADDED, .apply = {200, TAKEN_BACK}, .merge = {200, UNDONE}};
  struct cluster_changed changed = {0};

  assert_int_equal(change(*state, &script, &writer, &changed), 0);
  assert_int_equal(script.applied, 1);
  assert_int_equal(script.dry, 1);
  assert_int_equal(script.merged, 0);
  assert_false(changed.taken);
  assert_non_null(strstr(changed.undone, "of \"kubectl\""));
  cluster_changed_finish(&changed);
}

/* Whatever the reason is, the server says the same. */
static void a_conflict_says_whether_others_have_only_added(void **state) {
  static const struct {
    const char *there;
    struct answer apply;
    bool additions;
  } cases[] = {{ADDED, {409, CONFLICT}, true}, {ADDED, {200, TAKEN_BACK}, true}, {CHANGED, {409, CONFLICT}, false}};
  const struct cluster_writer writer = {.view.manager = MANAGER};

  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct script script = {.there = cases[i].there, .apply = cases[i].apply};
    struct cluster_changed changed = {0};
    assert_int_equal(change(*state, &script, &writer, &changed), -EBUSY);
    assert_int_equal(script.forced, 0);
    assert_int_equal(script.merged, 0);
    assert_int_equal(changed.additions, cases[i].additions);
    assert_string_equal(kube_object_uid(changed.before), "u1");
    cluster_changed_finish(&changed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(additions_are_undone),
      cmocka_unit_test(half_of_an_undoing_is_told),
      cmocka_unit_test(nothing_undone_is_not_told_as_undone),
      cmocka_unit_test(a_dry_run_undoes_nothing),
      cmocka_unit_test(a_conflict_says_whether_others_have_only_added),
  };
  return cmocka_run_group_tests_name("cluster_change", tests, kube_fixture_setup, kube_fixture_teardown);
}
