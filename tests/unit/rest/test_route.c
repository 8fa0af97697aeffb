/* Which function a path leads to, and that each is described. */
#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/rest/route.h"

extern const unsigned char openapi[];
extern const size_t openapi_length;

static void paths_lead_where_the_table_says(void **state) {
  char part[PATH_PART_MAX + 1];
  bool known;
  (void)state;
  assert_string_equal(route_find("GET", "/v1/runs", part, &known)->path, "/v1/runs");
  assert_string_equal(part, "");
  assert_string_equal(route_find("GET", "/v1/runs/r1", part, &known)->path, "/v1/runs/{id}");
  assert_string_equal(part, "r1");
  assert_string_equal(route_find("GET", "/v1/runs/r1/report", part, &known)->path, "/v1/runs/{id}/report");
  assert_string_equal(part, "r1");
}

static void what_is_not_there_is_not_found(void **state) {
  static const char *const paths[] = {
      "", "/", "/v1", "/v1/runs/", "/v1/runs/a/", "/v1/runs/a/b", "/v1/runs//report", "/v1/runs/a/report/x"};
  char part[PATH_PART_MAX + 1];
  char longer[PATH_PART_MAX + 32];
  bool known;
  (void)state;
  for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
    assert_null(route_find("GET", paths[i], part, &known));
    assert_false(known);
  }
  assert_null(route_find("DELETE", "/v1/runs", part, &known));
  assert_true(known);
  (void)snprintf(longer, sizeof(longer), "/v1/runs/%0*d", PATH_PART_MAX, 0);
  assert_non_null(route_find("GET", longer, part, &known));
  (void)snprintf(longer, sizeof(longer), "/v1/runs/%0*d", PATH_PART_MAX + 1, 0);
  assert_null(route_find("GET", longer, part, &known));
}

/* With the role that it wants. */
static void each_route_is_described(void **state) {
  json_auto_t *description = json_loadb((const char *)openapi, openapi_length, JSON_REJECT_DUPLICATES, NULL);
  const json_t *paths = json_object_get(description, "paths");
  size_t described = 0, served = 0;
  const char *key;
  json_t *methods;
  (void)state;
  assert_non_null(paths);
  json_object_foreach((json_t *)(uintptr_t)paths, key, methods) {
    described += json_object_size(methods);
  }
  for (const struct route *route = routes; route->path; route++, served++) {
    char method[8] = "";
    for (size_t i = 0; route->method[i]; i++)
      method[i] = (char)tolower((unsigned char)route->method[i]);
    const json_t *operation = json_object_get(json_object_get(paths, route->path), method);
    assert_non_null(operation);
    assert_string_equal(json_string_value(json_object_get(operation, "x-role")), role_name(route->role));
  }
  assert_int_equal(served, described);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_lead_where_the_table_says),
      cmocka_unit_test(what_is_not_there_is_not_found),
      cmocka_unit_test(each_route_is_described),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
