/* The engine's objects on a real API server: whose they are, what happens when others get in the way, and what a crash
 * leaves. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/engine/owner.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"
#include "tests/integration/engine/state_fixture.h"
#include "tests/support/api_server.h"

#define MANAGER "trammel/test"
#define OBJECTS_MAX 256

static struct api_server *server;

struct fixture {
  struct state_fixture state;
  struct journal *journal;
  struct mesh mesh;
  struct owner owner;
  char ns[32]; /* of its own for each test */
  native_object *objects[OBJECTS_MAX];
  size_t count;
};

static void send(const char *method, const char *path, const char *content_type, const json_t *body, long status) {
  struct api_answer answer;

  api_server_send(server,
                  &(struct api_request){.method = method, .path = path, .content_type = content_type, .body = body},
                  &answer);
  if (answer.status != status)
    fail_msg("%s %s: %ld, %s", method, path, answer.status, api_answer_message(&answer));
  api_answer_finish(&answer);
}

/* The ConfigMap as it is; NULL when there is none. */
static json_t *config_map(const struct fixture *f, const char *name) {
  struct api_answer answer;
  char path[200];

  (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/%s", f->ns, name);
  api_server_send(server, &(struct api_request){.method = "GET", .path = path}, &answer);
  assert_true(answer.status == 200 || answer.status == 404);
  json_t *object = answer.status == 200 ? json_incref(answer.body) : NULL;
  api_answer_finish(&answer);
  return object;
}

static bool is_there(const struct fixture *f, const char *name) {
  json_auto_t *object = config_map(f, name);

  return object;
}

static void open_mesh(struct fixture *f, const char *kubeconfig) {
  struct error *err = NULL;

  cluster_close(f->mesh.cluster);
  f->mesh.cluster = NULL;
  if (cluster_open(&(struct cluster_options){.kubeconfig = kubeconfig}, &f->mesh.cluster, &err) < 0)
    fail_msg("%s", error_message(err));
}

/* What an adapter of these tests says of itself. */
static const Trammel__Adapter__V1__DescribeResponse *description(void) {
  static Trammel__Adapter__V1__DescribeResponse described = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  static Trammel__Adapter__V1__KubernetesKind kinds[4], *list[4];
  static char *const names[][2] = {
      {"v1", "ConfigMap"}, {"absent.example.com/v1", "Thing"}, {"v1", "Thing"}, {"apps/v99", "Deployment"}};

  for (size_t i = 0; i < 4; i++) {
    kinds[i] = (Trammel__Adapter__V1__KubernetesKind)TRAMMEL__ADAPTER__V1__KUBERNETES_KIND__INIT;
    kinds[i].api_version = names[i][0];
    kinds[i].kind = names[i][1];
    list[i] = &kinds[i];
  }
  described.n_kubernetes_kinds = 4;
  described.kubernetes_kinds = list;
  return &described;
}

static int setup(void **state) {
  static unsigned number;
  struct fixture *f = calloc(1, sizeof(*f));

  assert_non_null(f);
  state_fixture_init(&f->state);
  assert_int_equal(journal_create(f->state.state, &f->journal, NULL), 0);
  f->mesh = (struct mesh){.description = description(), .journal = f->journal, .manager = MANAGER};
  open_mesh(f, api_server_kubeconfig(server));
  (void)snprintf(f->ns, sizeof(f->ns), "engine-%u-%d", ++number, (int)getpid());
  json_auto_t *ns =
      json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", f->ns);
  send("POST", "/api/v1/namespaces", NULL, ns, 201);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  for (size_t i = 0; i < f->count; i++)
    object_free(f->objects[i]);
  owner_finish(&f->owner);
  cluster_close(f->mesh.cluster);
  (void)journal_finish(f->journal);
  state_fixture_finish(&f->state);
  free(f);
  return 0;
}

static void add(struct fixture *f, const char *api_version, const char *kind, const char *name, const char *value,
                unsigned wave) {
  Trammel__Adapter__V1__KubernetesObject place = TRAMMEL__ADAPTER__V1__KUBERNETES_OBJECT__INIT;
  native_object object = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__INIT;
  json_auto_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", api_version, "kind", kind,
                                "metadata", "name", name, "namespace", f->ns, "data", "key", value);
  char *text = json_dumps(body, JSON_COMPACT);

  place.api_version = (char *)(uintptr_t)api_version;
  place.kind = (char *)(uintptr_t)kind;
  place.namespace_ = f->ns;
  place.name = (char *)(uintptr_t)name;
  object.id = (char *)(uintptr_t)name;
  object.transport_case = TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES;
  object.kubernetes = &place;
  object.body = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
  object.wave = wave;
  assert_true(f->count < OBJECTS_MAX);
  f->objects[f->count] = object_copy(&object);
  assert_non_null(f->objects[f->count++]);
  free(text);
}

static void add_map(struct fixture *f, const char *name, const char *value) {
  add(f, "v1", "ConfigMap", name, value, 0);
}

static void clear(struct fixture *f) {
  while (f->count > 0)
    object_free(f->objects[--f->count]);
}

static int apply(struct fixture *f, struct error **err) {
  return owner_apply(&f->owner, &f->mesh, f->objects, f->count, err);
}

static void must_apply(struct fixture *f) {
  struct error *err = NULL;

  if (apply(f, &err) < 0)
    fail_msg("%s", error_message(err));
}

/* That applying fails with `error`, and says each of the texts; ends with NULL. */
static void must_refuse(struct fixture *f, int error, ...) {
  _cleanup_error_ struct error *err = NULL;
  va_list texts;

  assert_int_equal(apply(f, &err), -error);
  va_start(texts, error);
  for (const char *text; (text = va_arg(texts, const char *));)
    if (!strstr(error_message(err), text))
      fail_msg("\"%s\" does not say \"%s\"", error_message(err), text);
  va_end(texts);
}

static void must_remove(struct fixture *f) {
  struct error *err = NULL;

  if (owner_remove(&f->owner, &f->mesh, &err) < 0)
    fail_msg("%s", error_message(err));
}

static const char *value_of(const json_t *object) {
  return json_string_value(json_object_get(json_object_get(object, "data"), "key"));
}

static void objects_are_made_changed_pruned_and_removed(void **state) {
  struct fixture *f = *state;

  add_map(f, "a", "1");
  add_map(f, "b", "1");
  must_apply(f);
  json_auto_t *made = config_map(f, "a");
  const json_t *managers = json_object_get(json_object_get(made, "metadata"), "managedFields");
  assert_true(cluster_owns(made));
  assert_string_equal(json_string_value(json_object_get(json_array_get(managers, 0), "manager")), MANAGER);
  clear(f);
  add_map(f, "a", "2");
  must_apply(f);
  json_auto_t *changed = config_map(f, "a");
  assert_string_equal(value_of(changed), "2");
  assert_false(is_there(f, "b"));
  json_auto_t *values = json_array();
  assert_int_equal(owner_read(&f->owner, &f->mesh, values, NULL), 0);
  assert_int_equal(json_array_size(values), 1);
  must_remove(f);
  assert_false(is_there(f, "a"));
  must_remove(f); /* again: nothing to do */
}

static json_t *map_of(const struct fixture *f, const char *name, bool ours) {
  json_t *map = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
                          "name", name, "namespace", f->ns, "data", "key", "theirs");

  if (ours)
    assert_int_equal(json_object_set_new(json_object_get(map, "metadata"), "labels",
                                         json_pack("{s:s}", KUBE_MANAGED_LABEL, KUBE_MANAGED_VALUE)),
                     0);
  return map;
}

static void create(const struct fixture *f, const char *name, bool ours) {
  json_auto_t *map = map_of(f, name, ours);
  char path[200];

  (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", f->ns);
  send("POST", path, NULL, map, 201);
}

static void what_others_made_is_not_adopted(void **state) {
  struct fixture *f = *state;

  create(f, "b", false);
  add_map(f, "a", "1");
  add_map(f, "b", "1");
  must_refuse(f, EEXIST, "object b", f->ns, KUBE_MANAGED_LABEL, NULL);
  json_auto_t *theirs = config_map(f, "b");
  assert_string_equal(value_of(theirs), "theirs");
  must_remove(f);
  assert_false(is_there(f, "a"));
  assert_true(is_there(f, "b"));
  assert_int_equal(journal_finish(f->journal), 0);
  f->journal = NULL;
}

static void what_lost_our_label_is_not_removed(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  char path[200];

  add_map(f, "a", "1");
  must_apply(f);
  (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/a", f->ns);
  json_auto_t *patch = json_pack("{s:{s:{s:n}}}", "metadata", "labels", KUBE_MANAGED_LABEL);
  send("PATCH", path, "application/merge-patch+json", patch, 200);
  assert_int_equal(owner_remove(&f->owner, &f->mesh, &err), -EPERM);
  assert_non_null(strstr(error_message(err), "not Trammel's"));
  assert_true(is_there(f, "a"));
}

static void a_conflict_names_field_and_manager(void **state) {
  struct fixture *f = *state;
  char path[256];

  (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/a?fieldManager=somebody", f->ns);
  json_auto_t *map = map_of(f, "a", true);
  send("PATCH", path, "application/apply-patch+yaml", map, 201);
  add_map(f, "a", "ours");
  must_refuse(f, EBUSY, "somebody", "data.key", NULL);
  json_auto_t *there = config_map(f, "a");
  assert_string_equal(value_of(there), "theirs");
}

static void a_kind_that_is_not_served_is_named(void **state) {
  struct fixture *f = *state;

  add(f, "absent.example.com/v1", "Thing", "a", "1", 0);
  must_refuse(f, ENOTSUP, "absent.example.com", NULL);
  clear(f);
  add(f, "v1", "Thing", "a", "1", 0);
  must_refuse(f, ENOTSUP, "Thing", NULL);
  clear(f);
  add(f, "apps/v99", "Deployment", "a", "1", 0);
  must_refuse(f, ENOTSUP, "v99", NULL);
}

static void a_kind_that_the_adapter_did_not_declare_is_refused(void **state) {
  struct fixture *f = *state;

  add_map(f, "a", "1");
  add(f, "v1", "Secret", "b", "1", 0);
  must_refuse(f, EACCES, "Secret", NULL);
  assert_false(is_there(f, "a")); /* all are looked at before the first is made */
}

static void a_denial_names_the_rule_to_add(void **state) {
  struct fixture *f = *state;

  if (!api_server_kubeconfig_nobody(server))
    skip();
  open_mesh(f, api_server_kubeconfig_nobody(server));
  add_map(f, "a", "1");
  must_refuse(f, EACCES, "get", "configmaps", f->ns, "resources", NULL);
}

static void an_object_without_a_cluster_says_what_to_give(void **state) {
  struct fixture *f = *state;

  cluster_close(f->mesh.cluster);
  f->mesh.cluster = NULL;
  add_map(f, "a", "1");
  must_refuse(f, ENOENT, "--kubeconfig", NULL);
}

static void *restart(void *unused) {
  (void)unused;
  api_server_restart(server);
  return NULL;
}

static void objects_arrive_while_the_server_restarts(void **state) {
  struct fixture *f = *state;
  char name[16];
  pthread_t thread;

  for (unsigned i = 0; i < 200; i++) {
    (void)snprintf(name, sizeof(name), "map-%u", i);
    add_map(f, name, "1");
  }
  if (!api_server_kubeconfig_nobody(server))
    skip(); /* a server that was there before is not ours to restart */
  assert_int_equal(pthread_create(&thread, NULL, restart, NULL), 0);
  must_apply(f);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(is_there(f, "map-0"));
  assert_true(is_there(f, "map-199"));
  must_remove(f);
  assert_false(is_there(f, "map-0"));
}

/* In a process of its own, which then is gone without a word. */
static void crash_after_applying(struct fixture *f) {
  pid_t pid = fork();

  assert_true(pid >= 0);
  if (pid == 0) {
    struct journal *journal = NULL;
    open_mesh(f, api_server_kubeconfig(server)); /* connections and threads are not inherited */
    if (journal_create(f->state.state, &journal, NULL) < 0)
      _exit(2);
    f->mesh.journal = journal;
    _exit(apply(f, NULL) < 0 ? 1 : 0);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

static struct cleanup_summary clean(struct fixture *f) {
  struct cleanup_summary summary = {0};
  struct error *err = NULL;

  if (journal_cleanup(f->state.state, false, NULL, NULL, &summary, &err) < 0)
    fail_msg("%s", error_message(err));
  return summary;
}

static void a_crash_leaves_nothing_that_cleanup_cannot_remove(void **state) {
  struct fixture *f = *state;

  cluster_close(f->mesh.cluster);
  f->mesh.cluster = NULL;
  create(f, "theirs", false);
  add_map(f, "a", "1");
  add_map(f, "b", "1");
  crash_after_applying(f);
  assert_true(is_there(f, "a"));
  struct cleanup_summary summary = clean(f);
  assert_int_equal(summary.objects, 2);
  assert_int_equal(summary.failed, 0);
  assert_false(is_there(f, "a"));
  assert_false(is_there(f, "b"));
  assert_true(is_there(f, "theirs"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(objects_are_made_changed_pruned_and_removed, setup, teardown),
      cmocka_unit_test_setup_teardown(what_others_made_is_not_adopted, setup, teardown),
      cmocka_unit_test_setup_teardown(what_lost_our_label_is_not_removed, setup, teardown),
      cmocka_unit_test_setup_teardown(a_conflict_names_field_and_manager, setup, teardown),
      cmocka_unit_test_setup_teardown(a_kind_that_is_not_served_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(a_kind_that_the_adapter_did_not_declare_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(a_denial_names_the_rule_to_add, setup, teardown),
      cmocka_unit_test_setup_teardown(an_object_without_a_cluster_says_what_to_give, setup, teardown),
      cmocka_unit_test_setup_teardown(objects_arrive_while_the_server_restarts, setup, teardown),
      cmocka_unit_test_setup_teardown(a_crash_leaves_nothing_that_cleanup_cannot_remove, setup, teardown),
  };
  server = api_server_start();
  if (!server)
    return 77;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  api_server_stop(server);
  return failed;
}
