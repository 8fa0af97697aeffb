/* Programs that an adapter has started: only those that the operator gave a path, and what they are told of endpoints.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/engine/command.h"
#include "sdk/base/file.h"
#include "tests/support/command.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

struct fixture {
  PB(ProgramNeed) need;
  PB(ProgramNeed) * needs[1];
  PB(Permission) permission;
  PB(Permission) * permissions[1];
  PB(Endpoint) endpoint;
  PB(Endpoint) * endpoint_list[1];
  PB(DescribeResponse) description;
  struct programs programs;
  struct endpoints *endpoints;
  char *scratch;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  f->need = (PB(ProgramNeed))PB_INIT(PROGRAM_NEED);
  f->need.name = (char *)"proxy";
  f->need.purpose = (char *)"sidecars";
  f->needs[0] = &f->need;
  f->permission = (PB(Permission))PB_INIT(PERMISSION);
  f->permission.method = (char *)"GET";
  f->permission.path_prefix = (char *)"/";
  f->permissions[0] = &f->permission;
  f->endpoint = (PB(Endpoint))PB_INIT(ENDPOINT);
  f->endpoint.name = (char *)"control";
  f->endpoint.permissions = f->permissions;
  f->endpoint.n_permissions = 1;
  f->endpoint_list[0] = &f->endpoint;
  f->description = (PB(DescribeResponse))PB_INIT(DESCRIBE_RESPONSE);
  f->description.programs = f->needs;
  f->description.n_programs = 1;
  f->description.endpoints = f->endpoint_list;
  f->description.n_endpoints = 1;
  assert_int_equal(programs_init(&f->programs, &f->description, NULL), 0);
  assert_int_equal(endpoints_create(&f->description, NULL, &f->endpoints, NULL), 0);
  f->scratch = scratch_create();
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  programs_finish(&f->programs);
  endpoints_destroy(f->endpoints);
  scratch_remove(f->scratch);
  free(f);
  return 0;
}

static void test_only_what_the_operator_named_is_found(void **state) {
  struct fixture *f = *state;
  struct error *err = NULL;
  const char *path = "";
  assert_int_equal(programs_find(&f->programs, "proxy", &path, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "nobody said where it is"));
  error_free(err);
  assert_int_equal(programs_set(&f->programs, "sh", "/bin/sh", NULL), -ENOENT);
  assert_int_equal(programs_set(&f->programs, "proxy", "/nowhere/proxy", NULL), -ENOENT);
  assert_int_equal(programs_set(&f->programs, "proxy", "/tmp", NULL), -EACCES);
  assert_int_equal(programs_set(&f->programs, "proxy", "/etc/passwd", NULL), -EACCES);
  assert_int_equal(programs_set(&f->programs, "proxy", "/bin/../bin/true", NULL), 0);
  assert_int_equal(programs_find(&f->programs, "proxy", &path, NULL), 0);
  assert_non_null(strstr(path, "bin/true"));
  assert_null(strstr(path, ".."));
  /* What is not declared is looked for among Trammel's own programs. */
  assert_int_equal(programs_find(&f->programs, "sh", &path, NULL), 0);
  assert_null(path);
}

static int make(struct fixture *f, const char *url_variable, const char *token_variable, struct command *command,
                struct error **err) {
  PB(ProcessEndpoint) told = PB_INIT(PROCESS_ENDPOINT), *list[] = {&told};
  PB(Process) process = PB_INIT(PROCESS);
  told.endpoint = (char *)"control";
  told.url_variable = (char *)url_variable;
  told.token_file_variable = (char *)token_variable;
  process.program = (char *)"proxy";
  process.endpoints = list;
  process.n_endpoints = 1;
  return command_make(command, &process, &f->programs, f->endpoints, err);
}

static void test_endpoints_are_told_in_the_environment(void **state) {
  struct fixture *f = *state;
  _cleanup_free_ char *token = NULL, *expected = NULL;
  struct command command;
  assert_true(asprintf(&token, "%s/token", f->scratch) > 0);
  assert_int_equal(file_replace(token, 0600, "secret\n", 7, NULL), 0);
  assert_int_equal(programs_set(&f->programs, "proxy", "/bin/true", NULL), 0);
  assert_int_equal(make(f, "MESH_ADDR", "", &command, NULL), -ENOENT); /* no address yet */
  command_finish(&command);
  assert_int_equal(endpoints_set(f->endpoints, "control", "http://127.0.0.1:8500/", true, NULL), 0);
  assert_int_equal(make(f, "MESH_ADDR", "MESH_TOKEN_FILE", &command, NULL), 0);
  assert_int_equal(command.variable_count, 1); /* no token yet */
  assert_string_equal(command.process.variables[0], "MESH_ADDR=http://127.0.0.1:8500");
  command_finish(&command);
  assert_int_equal(endpoints_set_token(f->endpoints, "control", token, NULL), 0);
  assert_int_equal(make(f, "MESH_ADDR", "MESH_TOKEN_FILE", &command, NULL), 0);
  assert_true(asprintf(&expected, "MESH_TOKEN_FILE=%s", token) > 0);
  assert_int_equal(command.variable_count, 2);
  assert_string_equal(command.process.variables[1], expected);
  assert_null(command.process.variables[2]);
  command_finish(&command);
}

static void test_no_other_variable_can_be_set(void **state) {
  static const char *const names[] = {"LD_PRELOAD_FILE", "PATH", "HOME", "A=B_URL", "low_url", "_URL", "TRAMMEL_RUN"};
  struct fixture *f = *state;
  assert_int_equal(programs_set(&f->programs, "proxy", "/bin/true", NULL), 0);
  assert_int_equal(endpoints_set(f->endpoints, "control", "http://127.0.0.1:8500", true, NULL), 0);
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    struct command command;
    struct error *err = NULL;
    assert_int_equal(make(f, names[i], "", &command, &err), -EPROTO);
    assert_non_null(strstr(error_message(err), "is no variable"));
    error_free(err);
    command_finish(&command);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_only_what_the_operator_named_is_found, setup, teardown),
      cmocka_unit_test_setup_teardown(test_endpoints_are_told_in_the_environment, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_other_variable_can_be_set, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
