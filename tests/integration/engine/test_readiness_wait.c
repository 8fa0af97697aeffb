/* Waiting for a mesh to take objects, on a server that does not always answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/readiness.h"
#include "sdk/base/clock.h"
#include "tests/integration/kube/kube_fixture.h"

#define ROUTES "/apis/example.org/v1/namespaces/demo/routes/"

static const char resources[] =
    "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"example.org/v1\",\"resources\":[{\"name\":"
    "\"routes\",\"singularName\":\"route\",\"namespaced\":true,\"kind\":\"Route\",\"verbs\":[\"get\",\"list\"]}]}";
static const char refused[] =
    "{\"kind\":\"Route\",\"apiVersion\":\"example.org/v1\",\"metadata\":{\"name\":\"refused\",\"namespace\":\"demo\"},"
    "\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":\"False\",\"reason\":\"NoParent\",\"message\":"
    "\"because\"}]}}";
static const char taken[] =
    "{\"kind\":\"Route\",\"apiVersion\":\"example.org/v1\",\"metadata\":{\"name\":\"taken\",\"namespace\":\"demo\"},"
    "\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"}]}}";
static const char gone[] = "{\"kind\":\"Status\",\"code\":404,\"reason\":\"NotFound\",\"message\":\"routes "
                           "\\\"gone\\\" not found\",\"details\":"
                           "{\"name\":\"gone\"}}";

/* Says once that a route is refused, and does not answer for it any more. One of each test's own, and not on its stack:
 * the order between the test and the server's thread goes through TLS, which ThreadSanitizer does not see into. */
struct mesh {
  atomic_uint asked; /* for the refused one */
  bool hangs;        /* it gives no answer, rather than a failure */
};

static void answer(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct mesh *mesh = ctx;
  const char *name = strncmp(request->path, ROUTES, strlen(ROUTES)) == 0 ? request->path + strlen(ROUTES) : NULL;

  if (!name)
    fake_reply(connection, strcmp(request->path, "/apis/example.org/v1") == 0 ? 200 : 404, NULL, resources);
  else if (strcmp(name, "taken") == 0)
    fake_reply(connection, 200, NULL, taken);
  else if (strcmp(name, "gone") == 0)
    fake_reply(connection, 404, NULL, gone);
  else if (atomic_fetch_add(&mesh->asked, 1) == 0)
    fake_reply(connection, 200, NULL, refused);
  else if (mesh->hangs)
    fake_hang(connection);
  else
    fake_reply(connection, 500, NULL, "{\"message\":\"out of order\"}");
}

struct told {
  char text[2048];
};

static void tell(void *ctx, const Trammel__Adapter__V1__NativeObject *object, enum readiness readiness, const char *why,
                 const json_t *now) {
  struct told *told = ctx;
  size_t length = strlen(told->text);

  (void)snprintf(told->text + length, sizeof(told->text) - length, "%s%s %s: %s\n", object->kubernetes->name,
                 readiness == READINESS_REFUSED ? " refused" : " silent", now ? "seen" : "unseen", why);
}

#define NAMES_MAX 4

/* Waits for routes of these names; what was told. */
static int wait_for(struct kube_fixture *f, struct mesh *mesh, const char *const *names, size_t count, int64_t wait_ms,
                    struct told *told) {
  static char version[] = "example.org/v1", kind[] = "Route", ns[] = "demo", accepted[] = "Accepted";
  char *conditions[] = {accepted};
  Trammel__Adapter__V1__KubernetesObject routes[NAMES_MAX];
  Trammel__Adapter__V1__NativeObject objects[NAMES_MAX], *list[NAMES_MAX];
  _cleanup_error_ struct error *err = NULL;
  struct cluster *cluster = NULL;
  char path[4096];

  assert_true(count <= NAMES_MAX);
  for (size_t i = 0; i < count; i++) {
    trammel__adapter__v1__kubernetes_object__init(&routes[i]);
    trammel__adapter__v1__native_object__init(&objects[i]);
    routes[i].api_version = version;
    routes[i].kind = kind;
    routes[i].namespace_ = ns;
    routes[i].name = (char *)names[i];
    routes[i].ready_conditions = conditions;
    routes[i].n_ready_conditions = 1;
    objects[i].kubernetes = &routes[i];
    list[i] = &objects[i];
  }
  fixture_serve(f, answer, mesh, NULL, NULL, NULL);
  (void)snprintf(path, sizeof(path), "%s/kubeconfig", f->directory);
  assert_int_equal(cluster_open(&(struct cluster_options){.kubeconfig = path}, &cluster, NULL), 0);
  const struct readiness_wait wait = {.cluster = cluster,
                                      .objects = list,
                                      .count = count,
                                      .deadline_ns = clock_in_ns(wait_ms * NS_PER_MS),
                                      .timeout_ns = 30 * NS_PER_SECOND,
                                      .told = tell,
                                      .ctx = told};
  int r = readiness_wait(&wait, &err);
  cluster_close(cluster);
  if (r < 0)
    print_message("%s\n", error_message(err));
  return r;
}

static void assert_told(const struct told *told, const char *text) {
  if (!strstr(told->text, text))
    fail_msg("\"%s\" is not in: %s", text, told->text);
}

static void a_read_that_fails_takes_no_verdict_back(void **state) {
  static struct mesh mesh = {0};
  struct told told = {0};

  assert_int_equal(wait_for(*state, &mesh, (const char *const[]){"refused", "taken"}, 2, 5000, &told), 0);
  assert_true(atomic_load(&mesh.asked) > 1);
  assert_told(&told, "refused refused seen: its condition Accepted is False (NoParent): because; since then it could "
                     "not be read: ");
  assert_told(&told, "500: out of order");
  assert_null(strstr(told.text, "taken"));
}

static void the_deadline_ends_a_read_too(void **state) {
  static struct mesh mesh = {.hangs = true};
  struct told told = {0};
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(wait_for(*state, &mesh, (const char *const[]){"refused"}, 1, 1000, &told), 0);
  assert_true(clock_monotonic_ns() - start_ns < 15 * NS_PER_SECOND); /* a read alone may take 30 s */
  assert_told(&told, "refused refused seen: ");
}

static void what_is_gone_is_not_waited_for(void **state) {
  static struct mesh mesh = {0};
  struct told told = {0};
  int64_t start_ns = clock_monotonic_ns();

  assert_int_equal(wait_for(*state, &mesh, (const char *const[]){"gone", "taken"}, 2, 120000, &told), 0);
  assert_true(clock_monotonic_ns() - start_ns < 60 * NS_PER_SECOND);
  assert_told(&told, "gone silent unseen: it could not be read: ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_read_that_fails_takes_no_verdict_back),
      cmocka_unit_test(the_deadline_ends_a_read_too),
      cmocka_unit_test(what_is_gone_is_not_waited_for),
  };
  return cmocka_run_group_tests_name("waiting for a mesh", tests, kube_fixture_setup, kube_fixture_teardown);
}
