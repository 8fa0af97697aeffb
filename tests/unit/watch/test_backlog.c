#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/watch/backlog.h"

#define T "TrafficTarget/ns/t"
#define U "TrafficTarget/ns/u"
#define GROUP "HTTPRouteGroup/ns/g"
#define NOW_NS 1000
#define LATER_NS INT64_MAX

struct fixture {
  struct backlog backlog;
  struct task deny, filter, allow, other;
};

static void join(struct fixture *f, struct task *task, unsigned wave, const char *sources) {
  assert_int_equal(backlog_join(&f->backlog, task, "ns"), 0);
  assert_int_equal(backlog_describe(task, wave, sources, false), 0);
}

/* As a mesh has them: the filter narrows what the policy allows. */
static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  backlog_init(&f->backlog);
  join(f, &f->deny, 0, "");
  join(f, &f->filter, 1, T "," GROUP);
  join(f, &f->allow, 2, GROUP "," T);
  join(f, &f->other, 1, U "," GROUP);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  backlog_leave(&f->backlog, &f->deny);
  backlog_leave(&f->backlog, &f->filter);
  backlog_leave(&f->backlog, &f->allow);
  backlog_leave(&f->backlog, &f->other);
  assert_int_equal(f->backlog.spaces.count, 0);
  backlog_finish(&f->backlog);
  free(f);
  return 0;
}

static struct task *find(struct fixture *f) {
  int64_t wake_ns = LATER_NS;
  return backlog_find(&f->backlog, NOW_NS, &wake_ns);
}

/* Begins what comes first, which is this one. */
static void begin(struct fixture *f, struct task *task) {
  assert_ptr_equal(find(f), task);
  backlog_begin(&f->backlog, task);
}

static void do_it(struct fixture *f, struct task *task) {
  begin(f, task);
  backlog_end(&f->backlog, task);
  backlog_forgive(task);
}

static void fail_at(struct fixture *f, struct task *task, bool there) {
  enum backlog_work work = task->work;
  begin(f, task);
  backlog_end(&f->backlog, task);
  (void)backlog_put_off(&f->backlog, task, work, there, false);
}

static void what_replaces_is_tried_before_what_is_replaced_goes(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->filter, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  begin(f, &f->other);
  assert_null(find(f)); /* while it is under way, too */
  backlog_end(&f->backlog, &f->other);
  do_it(f, &f->filter);
  assert_null(find(f));
}

/* Where nothing denies, a mesh admits everybody once the last object is gone that allows. */
static void while_what_denies_is_lacking_nothing_goes(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->deny, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  fail_at(f, &f->deny, false);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->deny, BACKLOG_NONE, false);
  do_it(f, &f->other);
  do_it(f, &f->allow);
}

/* One that is there, and cannot be changed, denies as it did. */
static void what_denies_and_is_outdated_keeps_nothing(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->deny, BACKLOG_APPLY, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  begin(f, &f->deny);
  assert_null(find(f)); /* it was not tried yet */
  backlog_end(&f->backlog, &f->deny);
  (void)backlog_put_off(&f->backlog, &f->deny, BACKLOG_APPLY, true, false);
  do_it(f, &f->other);
  do_it(f, &f->allow);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->deny, BACKLOG_APPLY, false); /* others have removed it */
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  assert_null(find(f));
}

/* One that others have changed may deny less than it should: what allows stays, and comes. */
static void what_denies_and_is_others_in_part_keeps_what_allows(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->deny, BACKLOG_APPLY, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  begin(f, &f->deny);
  backlog_end(&f->backlog, &f->deny);
  (void)backlog_put_off(&f->backlog, &f->deny, BACKLOG_APPLY, true, true);
  do_it(f, &f->other);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->deny, BACKLOG_NONE, false); /* they gave it up */
  do_it(f, &f->allow);
}

/* What another resource allows is neither kept nor held up. */
static void a_failure_is_of_its_resources_alone(void **state) {
  struct fixture *f = *state;
  assert_int_equal(backlog_describe(&f->other, 0, U "," GROUP, false), 0);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  fail_at(f, &f->other, false);
  do_it(f, &f->allow);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, false);
  do_it(f, &f->allow);
}

/* A target was changed, and another mesh object of it has another name now: callers that stay are not denied. */
static void what_replaces_is_not_held_up_by_others(void **state) {
  struct fixture *f = *state;
  struct task old = {0};
  join(f, &old, 2, T "," GROUP);
  assert_int_equal(backlog_describe(&f->other, 0, U "," GROUP, false), 0);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &old, BACKLOG_REMOVE, true);
  fail_at(f, &f->other, false);
  begin(f, &f->allow);
  assert_null(find(f));
  backlog_end(&f->backlog, &f->allow);
  do_it(f, &old);
  backlog_leave(&f->backlog, &old);
}

/* The same where one of its own cannot be applied: what it allowed stays until what replaces it was tried. */
static void what_is_replaced_stays_until_all_of_it_was_tried(void **state) {
  struct fixture *f = *state;
  struct task old = {0};
  join(f, &old, 2, T "," GROUP);
  backlog_put(&f->backlog, &f->filter, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &old, BACKLOG_REMOVE, true);
  fail_at(f, &f->filter, false);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->filter, BACKLOG_NONE, false);
  fail_at(f, &f->allow, false);
  do_it(f, &old);
  backlog_leave(&f->backlog, &old);
}

/* A renamed target is another one, and its policy may be the only one that its workload has. */
static void what_a_renamed_target_allowed_goes_after_what_it_allows_now(void **state) {
  struct fixture *f = *state;
  struct task failing = {0};
  join(f, &failing, 0, "TrafficTarget/ns/unrelated," GROUP);
  backlog_put(&f->backlog, &failing, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  fail_at(f, &failing, false);
  begin(f, &f->other);
  assert_null(find(f));
  backlog_end(&f->backlog, &f->other);
  do_it(f, &f->allow);
  backlog_leave(&f->backlog, &failing);
}

/* The policy as it is would allow more without the filter. */
static void what_an_object_as_it_is_may_count_on_stays(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, true);
  backlog_put(&f->backlog, &f->filter, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_REMOVE, true);
  fail_at(f, &f->allow, true);
  do_it(f, &f->other); /* of another resource, with the same routes */
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_NONE, false);
  do_it(f, &f->filter);
}

/* The same where it is held up, and not tried at all. */
static void what_an_object_that_is_held_up_may_count_on_stays(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->deny, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, true);
  backlog_put(&f->backlog, &f->filter, BACKLOG_REMOVE, true);
  fail_at(f, &f->deny, false);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->deny, BACKLOG_NONE, false);
  fail_at(f, &f->allow, true);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, false); /* others have removed it */
  do_it(f, &f->filter);
}

/* It is to come from u, and stands as it came from t. */
static void what_an_object_counted_on_before_stays_until_it_has_changed(void **state) {
  struct fixture *f = *state;
  assert_int_equal(backlog_describe(&f->allow, 2, U "," GROUP, true), 0);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, true);
  backlog_put(&f->backlog, &f->filter, BACKLOG_REMOVE, true);
  fail_at(f, &f->allow, true);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_NONE, false);
  assert_int_equal(backlog_describe(&f->allow, 2, "TrafficTarget/ns/v", true), 0); /* each change counts */
  assert_int_equal(backlog_describe(&f->allow, 2, "TrafficTarget/ns/w", true), 0);
  assert_int_equal(f->allow.earlier_count, 4);
  assert_int_equal(backlog_describe(&f->allow, 2, T, true), 0);
  assert_int_equal(backlog_describe(&f->allow, 2, U, true), 0);
  assert_int_equal(f->allow.earlier_count, 5);
  backlog_put(&f->backlog, &f->allow, BACKLOG_APPLY, true);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_NONE, false);
  backlog_settle(&f->allow);
  do_it(f, &f->filter);
}

static void a_removal_that_fails_keeps_what_is_below_it(void **state) {
  struct fixture *f = *state;
  backlog_put(&f->backlog, &f->deny, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->filter, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->other, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  fail_at(f, &f->allow, true);
  do_it(f, &f->other);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_NONE, false);
  do_it(f, &f->filter);
  do_it(f, &f->deny);
}

/* Its target has another name: until the policy is there under that, the old one is all that denies to others. */
static void what_is_renamed_stays_until_it_is_there_again(void **state) {
  struct fixture *f = *state;
  assert_int_equal(backlog_describe(&f->other, 2, U "," GROUP, false), 0);
  assert_int_equal(backlog_describe_content(&f->allow, "Policy/1"), 0);
  assert_int_equal(backlog_describe_content(&f->other, "Policy/1"), 0);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  fail_at(f, &f->other, false);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->other, BACKLOG_NONE, false);
  backlog_forgive(&f->other);
  do_it(f, &f->allow);
  /* What says something else is no replacement. */
  assert_int_equal(backlog_describe_content(&f->other, "Policy/2"), 0);
  backlog_put(&f->backlog, &f->other, BACKLOG_APPLY, false);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  fail_at(f, &f->other, false);
  do_it(f, &f->allow);
  assert_int_equal(backlog_describe_content(&f->other, ""), 0);
}

/* Whatever waves are known, as after a restart, what denies in a namespace goes last. */
static void what_is_for_the_namespace_goes_last(void **state) {
  struct fixture *f = *state;
  assert_int_equal(backlog_describe(&f->allow, 0, T, false), 0);
  assert_int_equal(backlog_describe(&f->filter, 0, T, false), 0);
  backlog_put(&f->backlog, &f->deny, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->allow, BACKLOG_REMOVE, true);
  backlog_put(&f->backlog, &f->filter, BACKLOG_APPLY, false);
  do_it(f, &f->filter);
  fail_at(f, &f->allow, true);
  assert_null(find(f));
  backlog_put(&f->backlog, &f->allow, BACKLOG_NONE, false);
  do_it(f, &f->deny);
}

static void what_failed_waits_longer_each_time(void **state) {
  struct fixture *f = *state;
  int64_t wake_ns = LATER_NS, before_ns = 0;
  for (unsigned i = 1; i < 12; i++) {
    assert_int_equal(backlog_put_off(&f->backlog, &f->deny, BACKLOG_APPLY, false, false), i);
    wake_ns = LATER_NS;
    assert_null(backlog_find(&f->backlog, NOW_NS, &wake_ns));
    assert_true(wake_ns > before_ns);
    before_ns = wake_ns;
  }
  assert_ptr_equal(backlog_find(&f->backlog, wake_ns, &wake_ns), &f->deny);
  backlog_put(&f->backlog, &f->deny, BACKLOG_NONE, false);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(what_replaces_is_tried_before_what_is_replaced_goes),
      TEST(while_what_denies_is_lacking_nothing_goes),
      TEST(what_denies_and_is_outdated_keeps_nothing),
      TEST(what_denies_and_is_others_in_part_keeps_what_allows),
      TEST(a_failure_is_of_its_resources_alone),
      TEST(what_replaces_is_not_held_up_by_others),
      TEST(what_is_replaced_stays_until_all_of_it_was_tried),
      TEST(what_a_renamed_target_allowed_goes_after_what_it_allows_now),
      TEST(what_an_object_as_it_is_may_count_on_stays),
      TEST(what_an_object_that_is_held_up_may_count_on_stays),
      TEST(what_an_object_counted_on_before_stays_until_it_has_changed),
      TEST(a_removal_that_fails_keeps_what_is_below_it),
      TEST(what_is_renamed_stays_until_it_is_there_again),
      TEST(what_is_for_the_namespace_goes_last),
      TEST(what_failed_waits_longer_each_time),
  };
  return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
