/* Which names a new adapter may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "host/adapter/elf_file.h"
#include "host/kit/project.h"

static void names_that_the_load_gate_takes(void **state) {
  (void)state;
  static const char *const good[] = {"m", "mymesh", "my-mesh-2", "abcdefghijklmnopqrstuvwxyz0123456789abc"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    assert_int_equal(project_check_name(good[i], NULL), 0);
    assert_true(name_valid(good[i]));
    assert_true(strlen(good[i]) < sizeof((trammel_note *)NULL)->id);
  }
}

static void names_that_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",         "My",
      "-mesh",    "mesh-",
      "2mesh",    "my_mesh",
      "my mesh",  "../mesh",
      "mesh/x",   "m\xc3\xa4sh",
      "my\nmesh", "@NAME@",
      "test",     "all",
      "install",  "abcdefghijklmnopqrstuvwxyz0123456789abcd", /* one more than the ELF note has room for */
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct error *err = NULL;
    assert_int_equal(project_check_name(bad[i], &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "name"));
    error_free(err);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_that_the_load_gate_takes),
      cmocka_unit_test(names_that_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
