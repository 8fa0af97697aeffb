#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/watch/cells.h"

static void take_in(struct mirror *mirror, enum feed_event event, const char *kind, const char *name,
                    const char *text) {
  struct message message = {.event = event};
  char key[100];
  (void)snprintf(key, sizeof(key), "%s/ns/%s", kind, name);
  message.key = strdup(key);
  message.text = text ? strdup(text) : NULL;
  message.api_version = strdup("v");
  assert_int_equal(mirror_take(mirror, &message, NULL), 0);
  free(message.key);
  free(message.text);
  free(message.api_version);
}

static void put_target(struct mirror *mirror, const char *name, const char *account, const char *group) {
  char text[500];
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"ns\"},\"spec\":{\"destination\":{\"kind\":\"ServiceAccount\",\"name\":\"%s\"},"
                 "\"sources\":[{\"kind\":\"ServiceAccount\",\"name\":\"web\"}],\"rules\":[{\"kind\":\"HTTPRouteGroup\","
                 "\"name\":\"%s\"}]}}",
                 name, account, group);
  take_in(mirror, FEED_OBJECT, "TrafficTarget", name, text);
}

static void put_group(struct mirror *mirror, const char *name, const char *path) {
  char text[500];
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"specs.smi-spec.io/v1alpha4\",\"kind\":\"HTTPRouteGroup\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"ns\"},\"spec\":{\"matches\":[{\"name\":\"m\",\"pathRegex\":\"%s\"}]}}",
                 name, path);
  take_in(mirror, FEED_OBJECT, "HTTPRouteGroup", name, text);
}

static void put_split(struct mirror *mirror, const char *name, const char *root, const char *backend) {
  char text[500];
  (void)snprintf(text, sizeof(text),
                 "{\"apiVersion\":\"split.smi-spec.io/v1alpha4\",\"kind\":\"TrafficSplit\",\"metadata\":{\"name\":"
                 "\"%s\",\"namespace\":\"ns\"},\"spec\":{\"service\":\"%s\",\"backends\":[{\"service\":\"%s\","
                 "\"weight\":1}]}}",
                 name, root, backend);
  take_in(mirror, FEED_OBJECT, "TrafficSplit", name, text);
}

/* The members, by their names, sorted by kind and name. */
static void assert_cells(const struct mirror *mirror, const struct cell_edges *edges, const char *expected) {
  struct cells cells;
  char text[500] = "";
  assert_int_equal(cells_find(mirror, edges, &cells), 0);
  for (size_t i = 0; i < cells.count; i++)
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                   strrchr(cells.members[i]->key, '/') + 1);
  assert_string_equal(text, expected);
  cells_finish(&cells);
}

static void fill(struct mirror *mirror) {
  mirror->of_smi = true;
  put_group(mirror, "g1", "/1");
  put_group(mirror, "g2", "/2");
  put_group(mirror, "shared", "/3");
  put_target(mirror, "t1", "a", "g1");
  put_target(mirror, "t2", "a", "shared");
  put_target(mirror, "t3", "b", "g2");
  put_target(mirror, "t4", "c", "shared");
  put_split(mirror, "s1", "svc-a", "svc-a2");
  put_split(mirror, "s2", "svc-c", "svc-c2");
  mirror_settle(mirror);
}

static const struct cell_edges *edges(void) {
  static struct cell_edge items[2];
  static const struct cell_edges all = {.items = items, .count = 2};
  items[0] = (struct cell_edge){links_service("ns", "svc-a2"), links_account("ns", "a")};
  items[1] = (struct cell_edge){links_service("ns", "svc-c"), links_account("ns", "c")};
  return &all;
}

static void a_change_concerns_its_cell_and_what_that_refers_to(void **state) {
  struct mirror mirror = {0};
  (void)state;
  fill(&mirror);
  assert_cells(&mirror, edges(), "");
  put_target(&mirror, "t1", "a", "g2");
  assert_cells(&mirror, edges(), "g1 g2 shared s1 t1 t2");
  mirror_settle(&mirror);
  put_split(&mirror, "s1", "svc-a", "svc-a3");
  assert_cells(&mirror, edges(), "g2 shared s1 t1 t2");
  mirror_finish(&mirror);
}

static void a_change_of_what_is_referred_to_concerns_all_who_refer_to_it(void **state) {
  struct mirror mirror = {0};
  (void)state;
  fill(&mirror);
  put_group(&mirror, "shared", "/changed");
  assert_cells(&mirror, edges(), "g1 shared s1 s2 t1 t2 t4");
  mirror_finish(&mirror);
}

/* Of one that moves to another destination, both are concerned; of one that is gone, where it was. */
static void what_was_counts_as_what_is(void **state) {
  struct mirror mirror = {0};
  (void)state;
  fill(&mirror);
  put_target(&mirror, "t3", "c", "g2");
  assert_cells(&mirror, edges(), "g2 shared s2 t3 t4");
  mirror_settle(&mirror);
  take_in(&mirror, FEED_GONE, "TrafficTarget", "t4", NULL);
  assert_cells(&mirror, edges(), "g2 shared s2 t3 t4");
  mirror_settle(&mirror);
  assert_cells(&mirror, edges(), "");
  mirror_finish(&mirror);
}

/* A list is all there is of its feed: what is not in it is gone. */
static void what_a_list_lacks_is_gone(void **state) {
  struct mirror mirror = {0};
  struct message begins = {.event = FEED_BEGINS}, listed = {.event = FEED_LISTED};
  (void)state;
  fill(&mirror);
  assert_int_equal(mirror_take(&mirror, &begins, NULL), 0);
  put_group(&mirror, "g1", "/1");
  assert_int_equal(mirror.dirty_count, 0); /* it is what it was */
  assert_int_equal(mirror_take(&mirror, &listed, NULL), 0);
  assert_int_equal(mirror.dirty_count, 8);
  mirror_settle(&mirror);
  assert_int_equal(mirror.entries.count, 1);
  mirror_finish(&mirror);
}

static void what_cannot_be_read_does_not_count(void **state) {
  struct mirror mirror = {0};
  (void)state;
  fill(&mirror);
  take_in(&mirror, FEED_OBJECT, "TrafficTarget", "t1",
          "{\"apiVersion\":\"access.smi-spec.io/v1alpha3\",\"kind\":\"TrafficTarget\",\"metadata\":{\"name\":\"t1\"},"
          "\"spec\":7}");
  const struct mirrored *target = table_get(&mirror.entries, "TrafficTarget/ns/t1");
  assert_false(entry_counts(target));
  assert_non_null(target->invalid);
  assert_cells(&mirror, edges(), "g1 shared s1 t1 t2");
  mirror_finish(&mirror);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_change_concerns_its_cell_and_what_that_refers_to),
      cmocka_unit_test(a_change_of_what_is_referred_to_concerns_all_who_refer_to_it),
      cmocka_unit_test(what_was_counts_as_what_is),
      cmocka_unit_test(what_a_list_lacks_is_gone),
      cmocka_unit_test(what_cannot_be_read_does_not_count),
  };
  return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
