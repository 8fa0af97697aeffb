/* What an API server answers to a request that was sent as it is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/transport/kube/refusal.h"

#define FORBIDDEN "{\"kind\":\"Status\",\"message\":\"x is forbidden: User y cannot z resource w\",\"code\":403}"

static void assert_tells(const char *method, const char *path, unsigned status, int code, const char *wanted) {
  static char body[] = FORBIDDEN;
  const struct http_response response = {.status = status, .body = body, .body_length = sizeof(body) - 1};
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(kube_refusal_read(method, path, &response, &err), code);
  if (!strstr(error_message(err), wanted))
    fail_msg("\"%s\" is not in \"%s\"", wanted, error_message(err));
}

static void the_rule_that_is_missing_is_told(void **state) {
  (void)state;
  assert_tells("GET", "/apis/apps/v1/namespaces/shop/deployments?labelSelector=app%3Dx", 403, -EACCES,
               "a Role in namespace shop with the rule {apiGroups: [\"apps\"], resources: [\"deployments\"], verbs: "
               "[\"list\"]}");
  assert_tells(
      "GET", "/api/v1/namespaces/shop/configmaps/c", 403, -EACCES,
      "get configmaps shop/c: x is forbidden: User y cannot z resource w; it needs a Role in namespace shop with "
      "the rule {apiGroups: [\"\"], resources: [\"configmaps\"], verbs: [\"get\"]}");
  assert_tells("GET", "/api/v1/namespaces/shop", 403, -EACCES,
               "a ClusterRole with the rule {apiGroups: [\"\"], resources: [\"namespaces\"], verbs: [\"get\"]}");
  assert_tells("GET", "/api/v1/nodes", 403, -EACCES, "resources: [\"nodes\"], verbs: [\"list\"]");
  assert_tells("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/status", 403, -EACCES,
               "resources: [\"deployments/status\"], verbs: [\"patch\"]");
  assert_tells("DELETE", "/apis/apps/v1/namespaces/shop/deployments/web", 403, -EACCES, "verbs: [\"delete\"]");
  assert_tells("POST", "/apis/apps/v1/namespaces/shop/deployments", 403, -EACCES, "verbs: [\"create\"]");
}

/* Discovery, proxies and what is no path of a resource. */
static void other_paths_are_told_as_they_are(void **state) {
  static const char *const paths[] = {
      "/version", "/apis/apps", "/api/v1",     "/",
      "",         "//",         "/apis//v1/x", "/api/v1/namespaces/shop/pods/web/proxy/a/b/c/d"};
  (void)state;
  for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
    assert_tells("GET", paths[i], 403, -EACCES, paths[i]);
}

static void a_success_is_no_error(void **state) {
  (void)state;
  assert_tells("GET", "/api/v1/nodes", 200, 0, "");
  assert_tells("GET", "/api/v1/nodes", 401, -EPERM, "credentials");
  assert_tells("GET", "/api/v1/nodes", 500, -EIO, "list nodes: the server answered 500");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_rule_that_is_missing_is_told),
      cmocka_unit_test(other_paths_are_told_as_they_are),
      cmocka_unit_test(a_success_is_no_error),
  };
  return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
