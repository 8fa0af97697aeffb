/* Blocks of loopback addresses: exclusive, and without two workloads at one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/lab/block.h"
#include "host/lab/lab.h"

static void test_blocks_are_exclusive(void **state) {
  struct block blocks[8];

  (void)state;
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(block_take(&blocks[i], NULL), 0);
    assert_in_range(blocks[i].n, 64, 250);
    for (size_t k = 0; k < i; k++)
      assert_int_not_equal(blocks[i].n, blocks[k].n);
  }
  for (size_t i = 0; i < 8; i++)
    block_release(&blocks[i]);
  block_release(&blocks[0]);
}

static int compare(const void *a, const void *b) {
  return strcmp(a, b);
}

static void test_addresses_are_distinct(void **state) {
  enum { COUNT = LAB_SLOTS_MAX * LAB_WORKLOADS_MAX * 4 + 1 };
  const struct block block = {.lock = -1, .n = 77};
  char(*all)[ADDRESS_SIZE] = calloc(COUNT, ADDRESS_SIZE);
  size_t count = 0;

  (void)state;
  assert_non_null(all);
  block_mesh_address(&block, all[count++]);
  for (unsigned slot = 0; slot < LAB_SLOTS_MAX; slot++)
    for (unsigned workload = 0; workload < LAB_WORKLOADS_MAX; workload++)
      for (unsigned kind = ADDRESS_CONTROL; kind <= ADDRESS_OUTBOUND; kind++)
        block_address(&block, slot, workload, (enum address_kind)kind, all[count++]);
  assert_int_equal(count, COUNT);
  qsort(all, count, ADDRESS_SIZE, compare);
  for (size_t i = 0; i < count; i++) {
    assert_memory_equal(all[i], "127.77.", 7);
    if (i > 0)
      assert_string_not_equal(all[i - 1], all[i]);
  }
  free(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_are_exclusive),
      cmocka_unit_test(test_addresses_are_distinct),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
