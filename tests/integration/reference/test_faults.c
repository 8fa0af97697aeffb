/* The faults in the mesh itself, without a suite and an adapter: a fixed list of checks, of which each fault changes
 * exactly the ones named here. What every fault does to a conformance run is tests/integration/conformance's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

enum { SERVER = 1, CLIENT = 2, OTHER = 3, V1 = 11, V2 = 12, V3 = 13 };
enum { TO_SERVER, TO_ROOT, TO_MATCHED };
enum { SPLIT_REQUESTS = 2000 };

enum check {
  LISTED_REQUEST,     /* allowed */
  OTHER_METHOD,       /* denied */
  OTHER_PATH,         /* denied */
  DEEPER_PATH,        /* allowed */
  OTHER_SOURCE,       /* denied */
  SECOND_PERMISSION,  /* allowed */
  OTHER_HEADER,       /* denied */
  OTHER_TCP_PORT,     /* denied */
  PLAIN_DIRECT,       /* denied */
  DELETED_PERMISSION, /* denied */
  SHARE_BY_WEIGHT,
  NOTHING_FOR_ZERO,
  UNMATCHED_AT_ROOT,
  MATCHED_AT_BACKEND,
  CHECKS
};

#define BIT(check) (1u << (check))

struct expectation {
  const char *fault;
  unsigned changed;
};

static const struct expectation expectations[] = {
    {NULL, 0},
    {"allow-by-default", BIT(OTHER_METHOD) | BIT(OTHER_PATH) | BIT(OTHER_SOURCE) | BIT(OTHER_HEADER) |
                             BIT(OTHER_TCP_PORT) | BIT(PLAIN_DIRECT) | BIT(DELETED_PERMISSION)},
    {"ignore-source", BIT(OTHER_SOURCE)},
    {"ignore-method", BIT(OTHER_METHOD)},
    {"ignore-path", BIT(OTHER_PATH) | BIT(DELETED_PERMISSION) | BIT(UNMATCHED_AT_ROOT)},
    {"ignore-headers", BIT(OTHER_HEADER)},
    {"exact-only-path", BIT(DEEPER_PATH)},
    {"first-target-only", BIT(SECOND_PERMISSION)},
    /* its TCP rule then holds for the HTTP port, too */
    {"ports-ignored",
     BIT(OTHER_METHOD) | BIT(OTHER_PATH) | BIT(OTHER_HEADER) | BIT(OTHER_TCP_PORT) | BIT(DELETED_PERMISSION)},
    {"client-side-only", BIT(PLAIN_DIRECT)},
    {"allow-kept-after-delete", BIT(DELETED_PERMISSION)},
    {"split-equal", BIT(SHARE_BY_WEIGHT)},
    {"split-leak-zero", BIT(NOTHING_FOR_ZERO)},
    {"unmatched-dropped", BIT(UNMATCHED_AT_ROOT)},
    /* what is counted changes nothing of what passes; test_refmesh_metrics tells these apart */
    {"metrics-off-by-one", 0},
    {"metrics-success-inverted", 0},
    {"metrics-latency-unit", 0},
    {"metrics-one-pod-only", 0},
    {"metrics-edges-swapped", 0},
    {"metrics-selector-ignored", 0},
    {"metrics-split-total", 0},
    {"metrics-list-missing", 0},
};

static struct server *server, *v1, *v2, *v3;

static int setup(void **state) {
  (void)state;
  server = server_start("server", SERVER);
  v1 = server_start("v1", V1);
  v2 = server_start("v2", V2);
  v3 = server_start("v3", V3);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  server_stop(server);
  server_stop(v1);
  server_stop(v2);
  server_stop(v3);
  return 0;
}

static void permit(const char *name, const char *rules) {
  char path[64];
  snprintf(path, sizeof path, "permissions/main/%s", name);
  declare(path,
          "{\"destination\":{\"namespace\":\"main\",\"serviceAccount\":\"server\"},"
          "\"sources\":[{\"namespace\":\"main\",\"serviceAccount\":\"client\"}],\"rules\":%s}",
          rules);
}

/* The split services are in a namespace of their own, where no policy is. */
static void declare_splits(void) {
  static const char *const names[] = {"v1", "v2", "v3"};
  for (int i = 0; i < 3; i++) {
    declare_workload("open", names[i], V1 + i, NULL);
    declare_service("open", names[i], names[i]);
  }
  declare_service("open", "root", "v1");
  declare_service("open", "matched", "v1");
  declare("splits/open/weights", "{\"service\":\"root\",\"backends\":[{\"service\":\"v1\",\"weight\":1},"
                                 "{\"service\":\"v2\",\"weight\":3},{\"service\":\"v3\",\"weight\":0}]}");
  declare("splits/open/matched", "{\"service\":\"matched\",\"backends\":[{\"service\":\"v2\",\"weight\":1}],"
                                 "\"matches\":[{\"path\":\"/new\"}]}");
}

static void declare_everything(void) {
  static const char *const services[] = {"main/server", "open/root", "open/matched", NULL};
  declare_workload("main", "server", SERVER, NULL);
  declare_workload("main", "client", CLIENT, services);
  declare_workload("main", "other", OTHER, services);
  declare_service("main", "server", "server");
  declare_splits();
  declare("enforcement/main", "{\"mode\":\"deny\"}");
  permit("a", "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/metrics\",\"methods\":[\"GET\"]}]}]");
  permit("b", "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/api\",\"methods\":[\"PUT\"],"
              "\"headers\":[{\"name\":\"x-env\",\"regex\":\"prod\"}]}]}]");
  permit("c", "[{\"protocol\":\"tcp\",\"ports\":[7171]}]");
  permit("d", "[{\"protocol\":\"http\",\"http\":[{\"path\":\"/temporary\",\"methods\":[\"GET\"]}]}]");
  undeclare("permissions/main/d");
}

static bool allowed(int host, const char *method, const char *path, const char *fields) {
  unsigned before = server_requests(server);
  int status = status_of(address_of('o', host), 20000 + TO_SERVER, method, path, fields);
  assert_true(status == 200 || status == 403);
  assert_int_equal(server_requests(server) - before, status == 200);
  return status == 200;
}

static bool arrives_at(struct server *backend, int service, const char *path) {
  unsigned before = server_requests(backend);
  return status_of(address_of('o', CLIENT), 20000 + service, "GET", path, "") == 200 &&
         server_requests(backend) == before + 1;
}

/* A quarter of 2000: the standard deviation is 19.4, the bounds are 6 of it away. */
static unsigned check_split(void) {
  unsigned before_v1 = server_requests(v1), before_v3 = server_requests(v3);
  struct reader reader = dial_reader(address_of('o', CLIENT), 20000 + TO_ROOT);
  for (int i = 0; i < SPLIT_REQUESTS; i++) {
    struct answer answer = ask(&reader, "GET", "/", "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
  }
  reader_close(&reader);
  unsigned share = server_requests(v1) - before_v1, leaked = server_requests(v3) - before_v3, passed = 0;
  if (share > 384 && share < 616)
    passed |= BIT(SHARE_BY_WEIGHT);
  if (leaked == 0)
    passed |= BIT(NOTHING_FOR_ZERO);
  return passed;
}

static unsigned run_checks(void) {
  bool passed[CHECKS] = {
      [LISTED_REQUEST] = allowed(CLIENT, "GET", "/metrics", ""),
      [OTHER_METHOD] = !allowed(CLIENT, "POST", "/metrics", ""),
      [OTHER_PATH] = !allowed(CLIENT, "GET", "/secret", ""),
      [DEEPER_PATH] = allowed(CLIENT, "GET", "/metrics/deep", ""),
      [OTHER_SOURCE] = !allowed(OTHER, "GET", "/metrics", ""),
      [SECOND_PERMISSION] = allowed(CLIENT, "PUT", "/api", "x-env: prod\r\n"),
      [OTHER_HEADER] = !allowed(CLIENT, "PUT", "/api", "x-env: dev\r\n"),
      [OTHER_TCP_PORT] = !line_passes(address_of('o', CLIENT), 21000 + TO_SERVER),
      [PLAIN_DIRECT] = status_of(address_of('i', SERVER), HTTP_PORT, "GET", "/metrics", "") == 403,
      [DELETED_PERMISSION] = !allowed(CLIENT, "GET", "/temporary", ""),
      [UNMATCHED_AT_ROOT] = arrives_at(v1, TO_MATCHED, "/old"),
      [MATCHED_AT_BACKEND] = arrives_at(v2, TO_MATCHED, "/new"),
  };
  unsigned bits = check_split();
  for (unsigned i = 0; i < CHECKS; i++)
    bits |= passed[i] ? BIT(i) : 0;
  return bits;
}

static void test_faults(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
    const struct expectation *expected = &expectations[i];
    struct mesh_process mesh;
    mesh_start(&mesh, (const char *const[]){expected->fault, NULL});
    declare_everything();
    unsigned changed = ~run_checks() & (BIT(CHECKS) - 1);
    mesh_stop(&mesh);
    if (changed != expected->changed)
      fail_msg("%s: checks %#x changed, expected %#x", expected->fault ? expected->fault : "no fault", changed,
               expected->changed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_faults),
  };
  return cmocka_run_group_tests_name("refmesh_faults", tests, setup, teardown);
}
