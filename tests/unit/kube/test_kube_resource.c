/* Paths, apiVersions, and how messages call objects. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/client_internal.h"
#include "host/transport/kube/resource.h"

static const struct kube_resource pods = {.version = "v1", .kind = "Pod", .plural = "pods", .namespaced = true};
static const struct kube_resource roles = {
    .group = "rbac.authorization.k8s.io", .version = "v1", .kind = "ClusterRole", .plural = "clusterroles"};

static void expect(const struct kube_ref *ref, const char *path, const char *described) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT, what = STRBUF_INIT;

  assert_int_equal(kube_path_append(&out, ref, NULL), 0);
  assert_string_equal(strbuf_text(&out), path);
  kube_ref_describe(&what, ref);
  assert_string_equal(strbuf_text(&what), described);
}

static void test_paths(void **state) {
  (void)state;
  expect(&(struct kube_ref){&pods, NULL, NULL, NULL}, "/api/v1/pods", "pods");
  expect(&(struct kube_ref){&pods, "a", NULL, NULL}, "/api/v1/namespaces/a/pods", "pods in namespace a");
  expect(&(struct kube_ref){&pods, "a", "b", "log"}, "/api/v1/namespaces/a/pods/b/log", "pods/log a/b");
  expect(&(struct kube_ref){&roles, NULL, "system:a b", NULL},
         "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%20b",
         "clusterroles.rbac.authorization.k8s.io system:a b");
}

static void test_what_has_no_path(void **state) {
  const struct kube_ref bad[] = {{&pods, NULL, "b", NULL},  {&pods, "a", "", NULL},    {&pods, "a", "..", NULL},
                                 {&pods, "a", "b/c", NULL}, {&pods, "a/b", "c", NULL}, {&pods, "a", "b%2f", NULL},
                                 {&roles, "a", "b", NULL},  {&pods, "a", NULL, "log"}, {&pods, "a", "b", "x/y"}};

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    assert_int_equal(kube_path_append(&out, &bad[i], NULL), -EINVAL);
  }
}

static void test_api_versions(void **state) {
  static const char *const bad[] = {"", "/v1", "apps/", "a/b/c"};
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  struct kube_resource resource;

  (void)state;
  assert_int_equal(kube_api_version_split("v1", &resource, NULL), 0);
  assert_string_equal(resource.group, "");
  assert_string_equal(resource.version, "v1");
  assert_int_equal(kube_api_version_split("apps/v1", &resource, NULL), 0);
  assert_string_equal(resource.group, "apps");
  kube_api_version_append(&out, &resource);
  assert_string_equal(strbuf_text(&out), "apps/v1");
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(kube_api_version_split(bad[i], &resource, NULL), -EINVAL);
}

static void test_long_names_are_refused(void **state) {
  char version[KUBE_GROUP_MAX + KUBE_LABEL_MAX + 8];
  struct kube_resource resource;

  (void)state;
  memset(version, 'a', sizeof(version));
  version[KUBE_GROUP_MAX] = '/';
  version[KUBE_GROUP_MAX + 1 + KUBE_LABEL_MAX] = '\0';
  assert_int_equal(kube_api_version_split(version, &resource, NULL), 0);
  assert_int_equal(strlen(resource.group), KUBE_GROUP_MAX);
  assert_int_equal(strlen(resource.version), KUBE_LABEL_MAX);
  version[KUBE_GROUP_MAX + 1 + KUBE_LABEL_MAX] = 'a';
  version[KUBE_GROUP_MAX + 2 + KUBE_LABEL_MAX] = '\0';
  assert_int_equal(kube_api_version_split(version, &resource, NULL), -EINVAL);
}

static void test_queries(void **state) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  (void)state;
  strbuf_puts(&path, "/x");
  kube_query_append(&path, "a", "1&2=3 \xc3\xa4");
  kube_query_append(&path, "b", NULL);
  kube_query_append(&path, "c", "");
  assert_string_equal(strbuf_text(&path), "/x?a=1%262%3D3%20%C3%A4&c=");
}

static void test_backoff_grows_to_its_limit(void **state) {
  (void)state;
  for (unsigned i = 0; i < 100; i++) {
    assert_in_range(kube_backoff_ns(1), KUBE_BACKOFF_FIRST_NS / 2, KUBE_BACKOFF_FIRST_NS);
    assert_in_range(kube_backoff_ns(4), KUBE_BACKOFF_FIRST_NS * 4, KUBE_BACKOFF_FIRST_NS * 8);
    assert_in_range(kube_backoff_ns(1000), KUBE_BACKOFF_MOST_NS / 2, KUBE_BACKOFF_MOST_NS);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),        cmocka_unit_test(test_what_has_no_path),
      cmocka_unit_test(test_api_versions), cmocka_unit_test(test_long_names_are_refused),
      cmocka_unit_test(test_queries),      cmocka_unit_test(test_backoff_grows_to_its_limit),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
