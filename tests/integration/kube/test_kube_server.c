/* The Kubernetes client against a real API server: the one that TRAMMEL_TEST_KUBECONFIG names, or one of tests/testbed
 * that ends with this program. Each run has a namespace of its own. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/watch.h"
#include "sdk/base/clock.h"
#include "tests/support/command.h"

#define MANY 300
#define SKIPPED 77

static const struct kube_resource namespaces = {.version = "v1", .kind = "Namespace", .plural = "namespaces"};
static const struct kube_resource config_maps = {
    .version = "v1", .kind = "ConfigMap", .plural = "configmaps", .namespaced = true};

struct fixture {
  const char *kubeconfig;
  struct kube_client *client;
  char space[64];
};

static struct kube_client *client_as(const char *kubeconfig, const char *user) {
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;
  struct kube_client *client = NULL;

  if (kube_config_load(&(struct kube_config_options){.kubeconfig = kubeconfig}, &config, &err) < 0)
    fail_msg("%s", error_message(err));
  if (user)
    config->impersonate_user = strdup(user);
  if (kube_client_create(config, &(struct kube_client_options){.rate = -1}, &client, &err) < 0)
    fail_msg("%s", error_message(err));
  return client;
}

static void need(int r, const struct error *err) {
  if (r < 0)
    fail_msg("%s", error_message(err));
}

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  _cleanup_error_ struct error *err = NULL;

  assert_non_null(f);
  f->kubeconfig = getenv("TRAMMEL_TEST_KUBECONFIG");
  f->client = client_as(f->kubeconfig, NULL);
  (void)snprintf(f->space, sizeof(f->space), "kube-client-%llx", (unsigned long long)clock_realtime_ns());
  json_t *object =
      json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", f->space);
  need(kube_create(f->client, &(struct kube_ref){.resource = &namespaces, .name = f->space}, object, NULL, NULL, &err),
       err);
  json_decref(object);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;

  (void)kube_delete(f->client, &(struct kube_ref){.resource = &namespaces, .name = f->space}, NULL, NULL, NULL);
  kube_client_destroy(f->client);
  free(f);
  return 0;
}

static struct kube_ref ref_of(const struct fixture *f, const char *name) {
  return (struct kube_ref){.resource = &config_maps, .namespace_ = f->space, .name = name};
}

static json_t *config_map_of(const char *name, const char *key, const char *value) {
  return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", "name",
                   name, "labels", "of", "kube-client", "data", key, value);
}

static int apply(struct fixture *f, const char *name, const char *manager, const char *key, const char *value,
                 struct kube_failure *failure, json_t **ret_object, struct error **err) {
  const struct kube_ref ref = ref_of(f, name);
  json_t *object = config_map_of(name, key, value);
  int r = kube_apply(f->client, &ref, object, &(struct kube_apply_options){.field_manager = manager},
                     &(struct kube_call){.failure = failure}, ret_object, err);

  json_decref(object);
  return r;
}

static const char *data_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(json_object_get(object, "data"), key));
}

static void test_apply_changes_only_what_it_owns(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "owned");
  _cleanup_error_ struct error *err = NULL;
  json_t *object = NULL;

  need(apply(f, "owned", "first", "a", "1", NULL, NULL, &err), err);
  need(apply(f, "owned", "second", "b", "2", NULL, NULL, &err), err);
  need(apply(f, "owned", "first", "c", "3", NULL, NULL, &err), err);
  need(kube_get(f->client, &ref, NULL, &object, &err), err);
  assert_null(data_of(object, "a")); /* no longer said by its only owner */
  assert_string_equal(data_of(object, "b"), "2");
  assert_string_equal(data_of(object, "c"), "3");
  json_decref(object);
}

static void test_a_conflict_names_field_and_manager(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct kube_failure failure = {0};

  need(apply(f, "fought-over", "first", "a", "1", NULL, NULL, &err), err);
  assert_int_equal(apply(f, "fought-over", "second", "a", "2", &failure, NULL, &err), -EBUSY);
  assert_int_equal(failure.status, 409);
  assert_int_equal(failure.conflict_count, 1);
  assert_string_equal(failure.conflicts[0].manager, "first");
  assert_string_equal(failure.conflicts[0].field, ".data.a");
  assert_non_null(strstr(error_message(err), ".data.a of \"first\""));
  kube_failure_finish(&failure);
}

static void test_a_dry_run_changes_nothing(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "dry");
  _cleanup_error_ struct error *err = NULL;
  json_t *object = config_map_of("dry", "a", "1");
  json_t *answer = NULL;

  need(kube_apply(f->client, &ref, object, &(struct kube_apply_options){.field_manager = "m", .dry_run = true}, NULL,
                  &answer, &err),
       err);
  assert_string_equal(data_of(answer, "a"), "1");
  json_decref(answer);
  json_decref(object);
  assert_int_equal(kube_get(f->client, &ref, NULL, &answer, &err), -ENOENT);
}

static void test_what_the_server_finds_wrong(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "Not_A_Name");
  const struct kube_ref elsewhere = {.resource = &config_maps, .namespace_ = "no-such-namespace", .name = "x"};
  _cleanup_error_ struct error *err = NULL;
  json_t *object = config_map_of("Not_A_Name", "a", "1");

  assert_int_equal(
      kube_apply(f->client, &ref, object, &(struct kube_apply_options){.field_manager = "m"}, NULL, NULL, &err),
      -EINVAL);
  assert_non_null(strstr(error_message(err), "apply configmaps "));
  json_decref(object);
  object = config_map_of("x", "a", "1");
  assert_int_equal(
      kube_apply(f->client, &elsewhere, object, &(struct kube_apply_options){.field_manager = "m"}, NULL, NULL, &err),
      -ENOENT);
  assert_non_null(strstr(error_message(err), "namespaces \"no-such-namespace\" not found"));
  json_decref(object);
}

static void test_create_update_and_delete_with_preconditions(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "made");
  _cleanup_error_ struct error *err = NULL;
  json_t *object = config_map_of("made", "a", "1");
  json_t *made = NULL;

  need(kube_create(f->client, &ref, object, NULL, &made, &err), err);
  assert_int_equal(kube_create(f->client, &ref, object, NULL, NULL, &err), -EEXIST);
  need(kube_update(f->client, &ref, made, NULL, NULL, &err), err); /* the same: no new version */
  json_object_set_new(json_object_get(made, "data"), "a", json_string("2"));
  need(kube_update(f->client, &ref, made, NULL, NULL, &err), err);
  json_object_set_new(json_object_get(made, "data"), "a", json_string("3"));
  assert_int_equal(kube_update(f->client, &ref, made, NULL, NULL, &err), -ESTALE);
  const struct kube_delete_options other = {.uid = "00000000-0000-0000-0000-000000000000"};
  const struct kube_delete_options old = {.uid = kube_object_uid(made), .resource_version = kube_object_version(made)};
  const struct kube_delete_options right = {.uid = kube_object_uid(made)};
  assert_int_equal(kube_delete(f->client, &ref, &other, NULL, &err), -ESTALE);
  assert_int_equal(kube_delete(f->client, &ref, &old, NULL, &err), -ESTALE);
  need(kube_delete(f->client, &ref, &right, NULL, &err), err);
  assert_int_equal(kube_delete(f->client, &ref, &right, NULL, &err), -ENOENT);
  json_decref(made);
  json_decref(object);
}

struct worker {
  pthread_t thread;
  struct fixture *f;
  unsigned first;
  unsigned good;
};

static void *apply_many(void *ctx) {
  struct worker *worker = ctx;
  char name[32];

  for (unsigned i = worker->first; i < MANY; i += 4) {
    (void)snprintf(name, sizeof(name), "many-%03u", i);
    worker->good += apply(worker->f, name, "many", "a", "1", NULL, NULL, NULL) == 0;
  }
  return NULL;
}

static void test_many_are_applied_by_threads_and_listed_in_pages(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *version = NULL;
  const struct kube_list_options options = {.page = 70, .field_selector = "metadata.name!=other"};
  const struct kube_ref ref = ref_of(f, NULL);
  struct worker workers[4] = {0};
  json_t *items = NULL;
  size_t found = 0;

  for (unsigned i = 0; i < 4; i++) {
    workers[i] = (struct worker){.f = f, .first = i};
    assert_int_equal(pthread_create(&workers[i].thread, NULL, apply_many, &workers[i]), 0);
  }
  for (unsigned i = 0; i < 4; i++) {
    assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(workers[i].good, MANY / 4);
  }
  need(kube_list(f->client, &ref, &options, NULL, &items, &version, &err), err);
  for (size_t i = 0; i < json_array_size(items); i++)
    found += strncmp(kube_object_name(json_array_get(items, i)), "many-", 5) == 0;
  assert_int_equal(found, MANY);
  assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "kind")), "ConfigMap");
  assert_true(strlen(version) > 0);
  json_decref(items);
}

/* Follows one object on a thread. */
struct follower {
  pthread_t thread;
  struct fixture *f;
  char *version;
  atomic_bool cancel;
  atomic_uint added, modified, deleted, interruptions, relisted;
  atomic_int value; /* of its data.a, as last seen */
  int result;
};

static void note_value(struct follower *follower, const json_t *object) {
  const char *value = data_of(object, "a");

  if (strcmp(kube_object_name(object), "followed") == 0)
    atomic_store(&follower->value, value ? atoi(value) : 0);
}

static int follow(enum kube_event event, json_t *object, void *ctx, struct error **err) {
  struct follower *follower = ctx;

  (void)err;
  if (event == KUBE_EVENT_BOOKMARK)
    return 0;
  note_value(follower, object);
  atomic_fetch_add(event == KUBE_EVENT_ADDED      ? &follower->added
                   : event == KUBE_EVENT_MODIFIED ? &follower->modified
                                                  : &follower->deleted,
                   1);
  return 0;
}

static void count_interruption(const struct error *reason, void *ctx) {
  struct follower *follower = ctx;

  (void)reason;
  atomic_fetch_add(&follower->interruptions, 1);
}

/* Where the watch goes on from. */
static void list_all(struct follower *follower) {
  const struct kube_ref ref = ref_of(follower->f, NULL);
  _cleanup_error_ struct error *err = NULL;
  json_t *items = NULL;

  free(take(follower->version));
  need(kube_list(follower->f->client, &ref, NULL, NULL, &items, &follower->version, &err), err);
  for (size_t i = 0; i < json_array_size(items); i++)
    note_value(follower, json_array_get(items, i));
  json_decref(items);
}

static void *run_follower(void *ctx) {
  struct follower *follower = ctx;
  const struct kube_watch_visitor visitor = {.event = follow, .interrupted = count_interruption, .ctx = follower};
  const struct kube_ref ref = ref_of(follower->f, "followed");

  for (;;) {
    const struct kube_watch_options options = {.resource_version = follower->version, .failures_max = 1000};
    follower->result = kube_watch(follower->f->client, &ref, &options, &visitor,
                                  &(struct kube_call){.cancel = &follower->cancel}, NULL);
    if (follower->result != -ESTALE)
      return NULL;
    list_all(follower);
    atomic_fetch_add(&follower->relisted, 1);
  }
}

static void follower_start(struct follower *follower, struct fixture *f) {
  *follower = (struct follower){.f = f};
  list_all(follower);
  assert_int_equal(pthread_create(&follower->thread, NULL, run_follower, follower), 0);
}

static void follower_stop(struct follower *follower) {
  atomic_store(&follower->cancel, true);
  assert_int_equal(pthread_join(follower->thread, NULL), 0);
  assert_int_equal(follower->result, -ECANCELED);
  free(follower->version);
}

static bool has_one_of_each(void *ctx) {
  struct follower *follower = ctx;

  return atomic_load(&follower->added) == 1 && atomic_load(&follower->modified) == 1 &&
         atomic_load(&follower->deleted) == 1;
}

static void test_a_watch_sees_each_change(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "followed");
  _cleanup_error_ struct error *err = NULL;
  struct follower follower;

  follower_start(&follower, f);
  need(apply(f, "not-followed", "m", "a", "1", NULL, NULL, &err), err);
  need(apply(f, "followed", "m", "a", "1", NULL, NULL, &err), err);
  need(apply(f, "followed", "m", "a", "2", NULL, NULL, &err), err);
  need(kube_delete(f->client, &ref, NULL, NULL, &err), err);
  wait_until(has_one_of_each, &follower, 30, "the events of one object");
  follower_stop(&follower);
}

static void test_kinds_are_discovered(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct kube_resource resource;
  struct kube_versions versions;
  char **groups = NULL;

  need(kube_discover(f->client, "v1", "ConfigMap", NULL, &resource, &err), err);
  assert_string_equal(resource.plural, "configmaps");
  assert_true(resource.namespaced && (resource.verbs & KUBE_VERB_PATCH));
  need(kube_discover(f->client, "rbac.authorization.k8s.io/v1", "ClusterRole", NULL, &resource, &err), err);
  assert_false(resource.namespaced);
  need(kube_discover_versions(f->client, "apps", NULL, &versions, &err), err);
  assert_string_equal(versions.names[0], "v1");
  need(kube_discover_groups(f->client, NULL, &groups, &err), err);
  for (char **group = groups; *group; group++) {
    struct kube_resource *kinds = NULL;
    size_t count = 0;
    char version[KUBE_GROUP_MAX + KUBE_LABEL_MAX + 2];
    need(kube_discover_versions(f->client, *group, NULL, &versions, &err), err);
    (void)snprintf(version, sizeof(version), "%s%s%s", *group, **group ? "/" : "", versions.names[0]);
    need(kube_discover_kinds(f->client, version, NULL, &kinds, &count, &err), err);
    assert_true(count > 0);
    free(kinds);
  }
  kube_groups_free(groups);
  assert_int_equal(kube_discover(f->client, "apps/v0", "Deployment", NULL, &resource, &err), -ENOTSUP);
  assert_non_null(strstr(error_message(err), "of this group it has: v1"));
  assert_int_equal(kube_discover(f->client, "nobody.example/v1", "Thing", NULL, &resource, &err), -ENOTSUP);
}

static void test_what_is_not_served(void **state) {
  struct fixture *f = *state;
  static const struct kube_resource things = {
      .group = "nobody.example", .version = "v1", .kind = "Thing", .plural = "things", .namespaced = true};
  static const struct kube_resource odd = {.version = "v1", .kind = "Thing", .plural = "things", .namespaced = true};
  const struct kube_ref refs[] = {{&things, f->space, "x", NULL}, {&odd, f->space, "x", NULL}};

  for (size_t i = 0; i < 2; i++) {
    _cleanup_error_ struct error *err = NULL;
    json_t *object = NULL;
    assert_int_equal(kube_get(f->client, &refs[i], NULL, &object, &err), -ENOTSUP);
    assert_non_null(strstr(error_message(err), "does not serve"));
  }
}

/* With the rule that the message names, what was denied works. */
static void grant(struct fixture *f, const char *verbs) {
  static const struct kube_resource roles = {
      .group = "rbac.authorization.k8s.io", .version = "v1", .kind = "Role", .plural = "roles", .namespaced = true};
  static const struct kube_resource bindings = {.group = "rbac.authorization.k8s.io",
                                                .version = "v1",
                                                .kind = "RoleBinding",
                                                .plural = "rolebindings",
                                                .namespaced = true};
  _cleanup_error_ struct error *err = NULL;
  char text[1024];

  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":\"r\"},"
                 "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"verbs\":[%s]}]}",
                 verbs);
  json_t *role = json_loads(text, 0, NULL);
  json_t *binding = json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "apiVersion",
                              "rbac.authorization.k8s.io/v1", "kind", "RoleBinding", "metadata", "name", "b", "roleRef",
                              "apiGroup", "rbac.authorization.k8s.io", "kind", "Role", "name", "r", "subjects",
                              "apiGroup", "rbac.authorization.k8s.io", "kind", "User", "name", "somebody");
  const struct kube_apply_options options = {.field_manager = "grant"};
  need(kube_apply(f->client, &(struct kube_ref){&roles, f->space, "r", NULL}, role, &options, NULL, NULL, &err), err);
  need(kube_apply(f->client, &(struct kube_ref){&bindings, f->space, "b", NULL}, binding, &options, NULL, NULL, &err),
       err);
  json_decref(role);
  json_decref(binding);
}

static bool may_apply(void *ctx) {
  return apply(ctx, "allowed", "m", "a", "1", NULL, NULL, NULL) == 0;
}

static void test_the_rule_that_a_denial_names_is_enough(void **state) {
  struct fixture *f = *state;
  struct fixture somebody = *f;
  _cleanup_error_ struct error *err = NULL;

  somebody.client = client_as(f->kubeconfig, "somebody");
  assert_int_equal(apply(&somebody, "allowed", "m", "a", "1", NULL, NULL, &err), -EACCES);
  const char *rule = strstr(error_message(err), "verbs: [");
  if (!strstr(error_message(err), "apiGroups: [\"\"], resources: [\"configmaps\"]") || !rule)
    fail_msg("%s", error_message(err));
  char verbs[128];
  (void)snprintf(verbs, sizeof(verbs), "%.*s", (int)strcspn(rule + 8, "]"), rule + 8);
  grant(f, verbs);
  wait_until(may_apply, &somebody, 30, "the role to be in force");
  kube_client_destroy(somebody.client);
}

static void test_credentials_that_are_not_known(void **state) {
  struct fixture *f = *state;
  const struct kube_ref ref = ref_of(f, "x");
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;
  struct kube_client *client = NULL;
  json_t *object = NULL;

  need(kube_config_load(&(struct kube_config_options){.kubeconfig = f->kubeconfig}, &config, &err), err);
  free(config->token);
  free(config->certificate);
  free(config->key);
  config->certificate = config->key = NULL;
  config->token = strdup("a-token-nobody-knows");
  need(kube_client_create(config, NULL, &client, &err), err);
  assert_int_equal(kube_get(client, &ref, NULL, &object, &err), -EPERM);
  assert_null(strstr(error_message(err), "nobody-knows"));
  kube_client_destroy(client);
}

static const char *testbed(void) {
  static char script[4096];
  const char *source = getenv("TRAMMEL_SOURCE_DIR");

  (void)snprintf(script, sizeof(script), "%s/tests/testbed/kubernetes.sh", source ? source : ".");
  return script;
}

/* The folder of an instance of tests/testbed, which can be told to restart its API server; NULL for other servers. */
static bool restart_server(struct fixture *f) {
  char directory[4096], control[4200];
  struct stat status;
  struct command_result result;

  (void)snprintf(directory, sizeof(directory), "%s", f->kubeconfig);
  char *slash = strrchr(directory, '/');
  if (!slash)
    return false;
  *slash = '\0';
  (void)snprintf(control, sizeof(control), "%s/control", directory);
  if (stat(control, &status) < 0 || !S_ISFIFO(status.st_mode) || access(testbed(), X_OK) < 0)
    return false;
  command_run((const char *const[]){testbed(), "api", "restart", directory, NULL}, NULL, 170, &result);
  if (result.exit_code != 0)
    fail_msg("restart: %s", strbuf_text(&result.errors));
  command_result_finish(&result);
  return true;
}

static void *apply_for_a_while(void *ctx) {
  struct follower *follower = ctx;
  const struct kube_call call = {.deadline_ns = clock_in_ns(170 * NS_PER_SECOND)};
  const struct kube_ref ref = ref_of(follower->f, "through-restart");
  unsigned i = 0;

  while (!atomic_load(&follower->cancel)) {
    char value[32];
    (void)snprintf(value, sizeof(value), "%u", i++);
    json_t *object = config_map_of("through-restart", "a", value);
    follower->result = kube_apply(follower->f->client, &ref, object, &(struct kube_apply_options){.field_manager = "m"},
                                  &call, NULL, NULL);
    json_decref(object);
    if (follower->result < 0)
      break;
  }
  return NULL;
}

static bool has_first(void *ctx) {
  return atomic_load(&((struct follower *)ctx)->added) == 1;
}

static bool has_second(void *ctx) {
  return atomic_load(&((struct follower *)ctx)->value) == 2;
}

/* A server knows nothing of what was before it started. */
static void check_stale(struct follower *follower) {
  const struct kube_ref ref = ref_of(follower->f, NULL);
  const struct kube_watch_visitor visitor = {.event = follow, .ctx = follower};
  const struct kube_call call = {.deadline_ns = clock_in_ns(60 * NS_PER_SECOND)};
  _cleanup_error_ struct error *err = NULL;

  assert_int_equal(kube_watch(follower->f->client, &ref, &(struct kube_watch_options){.resource_version = "1"},
                              &visitor, &call, &err),
                   -ESTALE);
  assert_non_null(strstr(error_message(err), "list again"));
}

static void test_a_restart_of_the_server_is_gone_through(void **state) {
  struct fixture *f = *state;
  _cleanup_error_ struct error *err = NULL;
  struct fixture own = *f;
  struct follower watcher;
  struct follower writer = {.f = &own};

  /* What a restart takes, a client's own tries must outlast. */
  struct kube_config *config = NULL;
  need(kube_config_load(&(struct kube_config_options){.kubeconfig = f->kubeconfig}, &config, &err), err);
  need(kube_client_create(config, &(struct kube_client_options){.tries = 1000}, &own.client, &err), err);
  follower_start(&watcher, &own);
  need(apply(f, "followed", "m", "a", "1", NULL, NULL, &err), err);
  wait_until(has_first, &watcher, 30, "the first event");
  assert_int_equal(pthread_create(&writer.thread, NULL, apply_for_a_while, &writer), 0);
  bool restarted = restart_server(f);
  atomic_store(&writer.cancel, true);
  assert_int_equal(pthread_join(writer.thread, NULL), 0);
  if (restarted) {
    assert_int_equal(writer.result, 0);
    need(apply(&own, "followed", "m", "a", "2", NULL, NULL, &err), err);
    wait_until(has_second, &watcher, 60, "an event after the restart");
    assert_true(atomic_load(&watcher.interruptions) > 0);
    check_stale(&watcher);
  }
  follower_stop(&watcher);
  kube_client_destroy(own.client);
  if (!restarted) {
    print_message("this server cannot be restarted from here: not one of tests/testbed\n");
    skip();
  }
}

/* Sets TRAMMEL_TEST_KUBECONFIG. False, after the reason was told, when there is no server and none can be started. */
static bool find_server(void) {
  struct command_result result;
  char parent[32];

  if (getenv("TRAMMEL_TEST_KUBECONFIG"))
    return true;
  if (access(testbed(), X_OK) < 0) {
    (void)puts("skipped: TRAMMEL_TEST_KUBECONFIG names no kubeconfig of a server for tests");
    return false;
  }
  (void)snprintf(parent, sizeof(parent), "%d", (int)getpid());
  command_run((const char *const[]){testbed(), "api", "start", "--parent", parent, NULL}, NULL, 170, &result);
  int code = result.exit_code;
  (void)fputs(strbuf_text(&result.errors), stdout);
  char *path = strbuf_steal(&result.out);
  command_result_finish(&result);
  if (code != 0 && code != SKIPPED)
    exit(1);
  path[strcspn(path, "\n")] = '\0';
  (void)setenv("TRAMMEL_TEST_KUBECONFIG", path, 1);
  free(path);
  return code == 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apply_changes_only_what_it_owns),
      cmocka_unit_test(test_a_conflict_names_field_and_manager),
      cmocka_unit_test(test_a_dry_run_changes_nothing),
      cmocka_unit_test(test_what_the_server_finds_wrong),
      cmocka_unit_test(test_create_update_and_delete_with_preconditions),
      cmocka_unit_test(test_many_are_applied_by_threads_and_listed_in_pages),
      cmocka_unit_test(test_a_watch_sees_each_change),
      cmocka_unit_test(test_kinds_are_discovered),
      cmocka_unit_test(test_what_is_not_served),
      cmocka_unit_test(test_the_rule_that_a_denial_names_is_enough),
      cmocka_unit_test(test_credentials_that_are_not_known),
      cmocka_unit_test(test_a_restart_of_the_server_is_gone_through),
  };

  if (!find_server())
    return SKIPPED;
  (void)signal(SIGPIPE, SIG_IGN);
  return cmocka_run_group_tests(tests, setup, teardown);
}
