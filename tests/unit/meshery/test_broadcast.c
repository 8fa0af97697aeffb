/* What is told to all who listen. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/meshery/broadcast.h"

#define LISTENERS 4
#define TOLD 5000

static const atomic_bool never = false;

static void tell(struct broadcast *broadcast, uint32_t number) {
  uint32_t *data = malloc(sizeof(number));
  assert_non_null(data);
  *data = number;
  broadcast_tell(broadcast, (uint8_t *)data, sizeof(number));
}

/* The number that comes next, with how many were lost before it. */
static uint32_t next(struct broadcast *broadcast, uint64_t *position, uint64_t *ret_lost) {
  uint8_t *data = NULL;
  uint32_t number = 0;
  size_t length = 0;
  assert_int_equal(broadcast_next(broadcast, position, &never, &data, &length, ret_lost), 1);
  assert_int_equal(length, sizeof(number));
  (void)memcpy(&number, data, sizeof(number));
  free(data);
  return number;
}

static void who_listens_hears_what_comes_from_then_on(void **state) {
  struct broadcast *broadcast = broadcast_create();
  uint64_t lost;
  (void)state;
  tell(broadcast, 1);
  uint64_t position = broadcast_position(broadcast);
  tell(broadcast, 2);
  tell(broadcast, 3);
  assert_int_equal(next(broadcast, &position, &lost), 2);
  assert_int_equal(next(broadcast, &position, &lost), 3);
  assert_int_equal(lost, 0);
  broadcast_destroy(broadcast);
}

static void the_oldest_is_lost_to_who_is_slow(void **state) {
  struct broadcast *broadcast = broadcast_create();
  uint64_t position = broadcast_position(broadcast);
  uint64_t lost;
  (void)state;
  for (uint32_t i = 0; i < BROADCAST_KEPT + 7; i++)
    tell(broadcast, i);
  assert_int_equal(next(broadcast, &position, &lost), 7);
  assert_int_equal(lost, 7);
  assert_int_equal(next(broadcast, &position, &lost), 8);
  assert_int_equal(lost, 0);
  broadcast_destroy(broadcast);
}

static void an_end_comes_after_what_was_told(void **state) {
  struct broadcast *broadcast = broadcast_create();
  const atomic_bool now = true;
  uint64_t position = broadcast_position(broadcast);
  uint64_t lost;
  uint8_t *data = NULL;
  size_t length = 0;
  (void)state;
  assert_int_equal(broadcast_next(broadcast, &position, &now, &data, &length, &lost), -ECANCELED);
  tell(broadcast, 1);
  broadcast_end(broadcast);
  assert_int_equal(next(broadcast, &position, &lost), 1);
  assert_int_equal(broadcast_next(broadcast, &position, &never, &data, &length, &lost), 0);
  broadcast_destroy(broadcast);
}

struct listener {
  struct broadcast *broadcast;
  uint64_t position, heard, lost;
};

/* Numbers come in order, each heard or counted as lost. */
static void *listen_to_the_end(void *context) {
  struct listener *listener = context;
  uint8_t *data = NULL;
  size_t length = 0;
  uint64_t lost = 0;
  while (broadcast_next(listener->broadcast, &listener->position, &never, &data, &length, &lost) > 0) {
    uint32_t number;
    (void)memcpy(&number, data, sizeof(number));
    free(data);
    listener->lost += lost;
    if (number != listener->heard + listener->lost)
      abort();
    listener->heard++;
  }
  return NULL;
}

static void many_listen_at_the_same_time(void **state) {
  struct broadcast *broadcast = broadcast_create();
  struct listener listeners[LISTENERS];
  pthread_t threads[LISTENERS];
  (void)state;
  for (size_t i = 0; i < LISTENERS; i++) {
    listeners[i] = (struct listener){.broadcast = broadcast};
    assert_int_equal(pthread_create(&threads[i], NULL, listen_to_the_end, &listeners[i]), 0);
  }
  for (uint32_t i = 0; i < TOLD; i++)
    tell(broadcast, i);
  broadcast_end(broadcast);
  for (size_t i = 0; i < LISTENERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(listeners[i].heard + listeners[i].lost, TOLD);
  }
  broadcast_destroy(broadcast);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_listens_hears_what_comes_from_then_on),
      cmocka_unit_test(the_oldest_is_lost_to_who_is_slow),
      cmocka_unit_test(an_end_comes_after_what_was_told),
      cmocka_unit_test(many_listen_at_the_same_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
