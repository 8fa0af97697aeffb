#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/watch/table.h"

#define MANY 5000

struct thing {
  char *key;
  char text[16];
};

static void things_are_found_while_others_come_and_go(void **state) {
  static struct thing things[MANY];
  struct table table = {0};
  (void)state;
  assert_null(table_get(&table, "0"));
  for (unsigned i = 0; i < MANY; i++) {
    (void)snprintf(things[i].text, sizeof(things[i].text), "%u", i);
    things[i].key = things[i].text;
    assert_int_equal(table_put(&table, &things[i]), 0);
  }
  for (unsigned i = 0; i < MANY; i += 3)
    table_remove(&table, &things[i]);
  assert_int_equal(table.count, MANY - (MANY + 2) / 3);
  for (unsigned i = 0; i < MANY; i++)
    assert_ptr_equal(table_get(&table, things[i].key), i % 3 == 0 ? NULL : &things[i]);
  for (unsigned i = 0; i < MANY; i += 3)
    assert_int_equal(table_put(&table, &things[i]), 0);
  for (unsigned i = 0; i < MANY; i++)
    assert_ptr_equal(table_get(&table, things[i].key), &things[i]);
  table_finish(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(things_are_found_while_others_come_and_go)};
  return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
