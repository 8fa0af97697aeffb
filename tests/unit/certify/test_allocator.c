/* With a library that takes its memory from malloc(), as those of an adapter do: jansson. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/certify/allocator.h"

static int setup(void **state) {
  (void)state;
  return allocator_take_over() > 0 ? 0 : -1;
}

/* How many allocations one object takes. */
static uint64_t count_allocations(void) {
  allocator_arm(UINT64_MAX, false);
  json_t *value = json_pack("{s:[i, i], s:s}", "list", 1, 2, "text", "a text");
  uint64_t count = allocator_disarm();
  assert_non_null(value);
  json_decref(value);
  return count;
}

static void each_allocation_can_fail(void **state) {
  (void)state;
  uint64_t count = count_allocations();
  assert_true(count > 3);
  for (uint64_t nth = 0; nth < count; nth++) {
    allocator_arm(nth, true);
    json_t *value = json_pack("{s:[i, i], s:s}", "list", 1, 2, "text", "a text");
    uint64_t asked = allocator_disarm();
    assert_null(value);
    assert_true(asked > nth);
  }
  assert_int_equal(count_allocations(), count); /* and works again */
}

static void after_a_single_failure_there_is_memory_again(void **state) {
  (void)state;
  allocator_arm(0, false);
  json_t *first = json_object(), *second = json_object();
  (void)allocator_disarm();
  assert_null(first);
  assert_non_null(second);
  json_decref(second);
}

/* Another thread, that makes something when it is told to. */
struct other {
  sem_t go, done;
  json_t *made;
};

static void *make_object(void *arg) {
  struct other *other = arg;
  (void)sem_wait(&other->go);
  other->made = json_object();
  (void)sem_post(&other->done);
  return NULL;
}

static void other_threads_and_the_program_itself_are_left_alone(void **state) {
  (void)state;
  struct other other = {0};
  pthread_t thread;
  assert_int_equal(sem_init(&other.go, 0, 0), 0);
  assert_int_equal(sem_init(&other.done, 0, 0), 0);
  assert_int_equal(pthread_create(&thread, NULL, make_object, &other), 0);
  allocator_arm(0, true);
  (void)sem_post(&other.go);
  (void)sem_wait(&other.done);
  void *own = malloc(16);
  (void)allocator_disarm();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_non_null(other.made);
  assert_non_null(own);
  json_decref(other.made);
  free(own);
  (void)sem_destroy(&other.go);
  (void)sem_destroy(&other.done);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_allocation_can_fail),
      cmocka_unit_test(after_a_single_failure_there_is_memory_again),
      cmocka_unit_test(other_threads_and_the_program_itself_are_left_alone),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
