/* The embedded suite as a whole: that it is sound, what it covers and what it costs; and suites from folders. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/conformance/statistics.h"
#include "host/conformance/suite.h"
#include "plugins/reference/faults.h"
#include "sdk/base/error.h"
#include "sdk/smi/convert.h"
#include "sdk/smi/lint.h"

/* A run sends about 10,000 requests a second through the reference mesh; its verdicts get less than twelve. */
#define REQUESTS_MAX 115000

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct suite *load(const char *const *directories) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  struct suite *suite = NULL;
  int r = suite_load("smi", directories, diagnostics, &suite, &err);
  diagnostics_print(diagnostics, stderr);
  if (r < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(diagnostics_count(diagnostics), 0);
  return suite;
}

static int load_embedded(void **state) {
  *state = load(NULL);
  return 0;
}

static int unload(void **state) {
  suite_destroy(*state);
  return 0;
}

static const char *alias_itself(void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

static void test_cases_are_sorted_and_found(void **state) {
  const struct suite *suite = *state;
  assert_true(suite_count(suite) >= 50);
  for (size_t i = 0; i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    assert_ptr_equal(suite_find(suite, test->id), test);
    if (i > 0)
      assert_true(strcmp(suite_at(suite, i - 1)->id, test->id) < 0);
  }
  assert_null(suite_find(suite, "access/http/no-such-case"));
  assert_null(suite_at(suite, suite_count(suite)));
}

static void test_a_case_is_where_its_id_says(void **state) {
  const struct suite *suite = *state;
  for (size_t i = 0; i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    char path[256];
    (void)snprintf(path, sizeof(path), "host/conformance/suites/smi/%s.yaml", test->id);
    assert_string_equal(test->file, path);
  }
}

/* What is to be told must be there to tell. */
static bool is_about_a_mistake(const struct test_case *test) {
  for (size_t i = 0; i < test->step_count; i++)
    for (size_t k = 0; k < test->steps[i].check_count; k++)
      if (test->steps[i].checks[k].kind == CHECK_REPORTED)
        return true;
  return false;
}

/* States of one resource are never in force together. */
static bool has_states(const struct test_case *test) {
  for (size_t i = 0; i < test->resources->count; i++)
    if (strstr(node_get(node_get(test->resources->items[i], "metadata"), "name")->text, "--"))
      return true;
  return false;
}

/* A case that says nothing about a mesh that works would be noise: its resources must be right. */
static void test_resources_are_sound(void **state) {
  const struct suite *suite = *state;
  for (size_t i = 0; i < suite_count(suite); i++) {
    if (has_states(suite_at(suite, i)))
      continue;
    _cleanup_arena_ struct arena *arena = arena_create(0);
    _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
    struct smi_set set;
    assert_int_equal(case_resources(suite_at(suite, i), arena, alias_itself, NULL, &set, diagnostics, NULL), 0);
    int r = smi_lint(&set, diagnostics);
    int expected = is_about_a_mistake(suite_at(suite, i)) ? -EINVAL : 0;
    if (r != expected)
      diagnostics_print(diagnostics, stderr);
    assert_int_equal(r, expected);
  }
}

/* Versions that cannot say what a case says, as "case column": what is missing from a report and why must be known. */
static const char *const not_expressible[] = {
    /* TCPRoute has no ports before specs v1alpha4 */
    "access/http/port-and-route-intersect access/v1alpha1 specs/v1alpha1",
    "access/http/port-and-route-intersect access/v1alpha1 specs/v1alpha2",
    "access/http/port-and-route-intersect access/v1alpha2 specs/v1alpha3",
    "access/http/ports-are-those-of-the-service access/v1alpha1 specs/v1alpha1",
    "access/http/ports-are-those-of-the-service access/v1alpha1 specs/v1alpha2",
    "access/http/ports-are-those-of-the-service access/v1alpha2 specs/v1alpha3",
    "access/tcp/ports-are-no-range access/v1alpha1 specs/v1alpha1",
    "access/tcp/ports-are-no-range access/v1alpha1 specs/v1alpha2",
    "access/tcp/ports-are-no-range access/v1alpha2 specs/v1alpha3",
    "access/tcp/ports-of-the-route access/v1alpha1 specs/v1alpha1",
    "access/tcp/ports-of-the-route access/v1alpha1 specs/v1alpha2",
    "access/tcp/ports-of-the-route access/v1alpha2 specs/v1alpha3",
    "access/tcp/several-ports-of-the-route access/v1alpha1 specs/v1alpha1",
    "access/tcp/several-ports-of-the-route access/v1alpha1 specs/v1alpha2",
    "access/tcp/several-ports-of-the-route access/v1alpha2 specs/v1alpha3",
    /* HTTPRouteGroup has no headers in specs v1alpha1 */
    "specs/http/header-name-without-case access/v1alpha1 specs/v1alpha1",
    "specs/http/header-value-matches-in-full access/v1alpha1 specs/v1alpha1",
    "specs/http/headers-alone access/v1alpha1 specs/v1alpha1",
    "specs/http/headers-must-all-match access/v1alpha1 specs/v1alpha1",
    "specs/http/h2c-path-method-and-headers access/v1alpha1 specs/v1alpha1",
    "specs/http/path-method-and-headers access/v1alpha1 specs/v1alpha1",
};

static bool is_not_expressible(const struct test_case *test, const struct case_column *column) {
  char name[256];
  (void)snprintf(name, sizeof(name), "%s %s", test->id, column->label);
  for (size_t i = 0; i < COUNT(not_expressible); i++)
    if (strcmp(not_expressible[i], name) == 0)
      return true;
  return false;
}

/* True when the column expresses the case. */
static bool convert(const struct test_case *test, const struct case_column *column) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct smi_target_versions versions = {.access = column->access, .specs = column->specs, .split = column->split};
  struct smi_set set;
  json_t *resources = NULL;
  assert_int_equal(case_resources(test, arena, alias_itself, NULL, &set, diagnostics, NULL), 0);
  int r = smi_convert(&set, &versions, diagnostics, &resources);
  json_decref(resources);
  assert_true(r == 0 || r == -ENOTSUP);
  return r == 0;
}

static void test_columns_convert_or_are_known_not_to(void **state) {
  const struct suite *suite = *state;
  size_t refused = 0;
  for (size_t i = 0; i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    _cleanup_free_ struct case_column *columns = NULL;
    size_t count = 0;
    size_t expressed = 0;
    assert_int_equal(case_columns(test, &columns, &count), 0);
    for (size_t k = 0; k < count; k++) {
      bool converts = convert(test, &columns[k]);
      if (converts == is_not_expressible(test, &columns[k]))
        fail_msg("%s in %s: %s", test->id, columns[k].label, converts ? "converts" : "does not convert");
      expressed += converts;
      refused += !converts;
    }
    assert_true(expressed > 0);
  }
  assert_int_equal(refused, COUNT(not_expressible));
}

/* The one resource of `kind`, as the only column of the case puts it in force. Borrowed from `*ret_resources`. */
static const json_t *resource_in_force(const struct test_case *test, const char *kind, json_t **ret_resources) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_free_ struct case_column *columns = NULL;
  size_t count = 0;
  struct smi_set set;
  assert_int_equal(case_columns(test, &columns, &count), 0);
  assert_true(count >= 1);
  struct smi_target_versions versions = {
      .access = columns[0].access, .specs = columns[0].specs, .split = columns[0].split};
  assert_int_equal(case_resources(test, arena, alias_itself, NULL, &set, NULL, NULL), 0);
  assert_int_equal(smi_convert(&set, &versions, NULL, ret_resources), 0);
  assert_int_equal(case_resources_as_written(test, arena, alias_itself, NULL, *ret_resources, NULL), 0);
  const json_t *found = NULL;
  for (size_t i = 0; i < json_array_size(*ret_resources); i++) {
    const json_t *resource = json_array_get(*ret_resources, i);
    if (strcmp(json_string_value(json_object_get(resource, "kind")), kind) != 0)
      continue;
    assert_null(found);
    found = resource;
  }
  assert_non_null(found);
  return found;
}

static const json_t *member(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!value)
    fail_msg("there is no \"%s\"", key);
  return value;
}

/* Quantities must reach the mesh's reader as quantities: converted ones are all thousandths. */
static void test_quantities_stay_as_written(void **state) {
  json_t *resources = NULL;
  const json_t *split =
      resource_in_force(suite_find(*state, "split/http/weights-are-quantities"), "TrafficSplit", &resources);
  const json_t *backends = member(member(split, "spec"), "backends");
  assert_string_equal(json_string_value(member(split, "apiVersion")), "split.smi-spec.io/v1alpha1");
  assert_string_equal(json_string_value(member(member(split, "metadata"), "namespace")), "main");
  assert_string_equal(json_string_value(member(json_array_get(backends, 0), "weight")), "32");
  assert_string_equal(json_string_value(member(json_array_get(backends, 1), "weight")), "1000m");
  json_decref(resources);
}

/* What is of another group than written_in is converted to the column's version. */
static void test_other_groups_are_converted(void **state) {
  json_t *resources = NULL;
  const struct test_case *test = suite_find(*state, "access/http/port-limits-v1alpha1");
  const json_t *target = resource_in_force(test, "TrafficTarget", &resources);
  assert_int_equal(json_array_size(resources), 2);
  assert_string_equal(json_string_value(member(target, "apiVersion")), "access.smi-spec.io/v1alpha1");
  assert_int_equal(json_integer_value(member(member(target, "destination"), "port")), 8080);
  json_decref(resources);
  const json_t *routes = resource_in_force(test, "HTTPRouteGroup", &resources);
  assert_string_equal(json_string_value(member(routes, "apiVersion")), "specs.smi-spec.io/v1alpha1");
  json_decref(resources);
}

static void test_the_hub_form_stays_converted(void **state) {
  json_t *resources = NULL;
  const json_t *split = resource_in_force(suite_find(*state, "split/http/weight-zero"), "TrafficSplit", &resources);
  assert_string_equal(json_string_value(member(split, "apiVersion")), "split.smi-spec.io/v1alpha1");
  json_decref(resources);
}

/* What SMI leaves open is reported with how it is read. */
static void test_informative_cases_name_their_reading(void **state) {
  const struct suite *suite = *state;
  for (size_t i = 0; i < suite_count(suite); i++)
    if (suite_at(suite, i)->level == CASE_INFORMATIVE && suite_at(suite, i)->interpretation_count == 0)
      fail_msg("%s is informative and names no reading of docs/smi.md", suite_at(suite, i)->id);
}

/* Cases whose denial is judged by enough requests to find a leak: one for each way to enforce. */
static void test_each_way_to_deny_has_power(void **state) {
  static const char *const cases[] = {"access/http/enforced-at-the-server", "access/http/no-target-is-denied",
                                      "access/http/unlisted-route", "access/http/unlisted-source"};
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct step *step = &suite_find(*state, cases[i])->steps[0];
    uint64_t most = 0;
    for (size_t k = 0; k < step->check_count; k++)
      if (step->checks[k].kind == CHECK_DENIED && check_request_count(&step->checks[k]) > most)
        most = check_request_count(&step->checks[k]);
    assert_int_equal(most, leak_sample_size(SPLIT_LEAK, SPLIT_POWER));
  }
}

static uint64_t case_requests(const struct test_case *test) {
  uint64_t sum = 0;
  for (size_t i = 0; i < test->step_count; i++)
    for (size_t k = 0; k < test->steps[i].check_count; k++)
      sum += check_request_count(&test->steps[i].checks[k]);
  return sum;
}

static void test_the_suite_stays_within_its_budget(void **state) {
  const struct suite *suite = *state;
  uint64_t sum = 0;
  for (size_t i = 0; i < suite_count(suite); i++) {
    _cleanup_free_ struct case_column *columns = NULL;
    size_t count = 0;
    assert_int_equal(case_columns(suite_at(suite, i), &columns, &count), 0);
    for (size_t k = 0; k < count; k++)
      if (!is_not_expressible(suite_at(suite, i), &columns[k]))
        sum += case_requests(suite_at(suite, i));
  }
  print_message("%llu requests\n", (unsigned long long)sum);
  assert_in_range(sum, 1, REQUESTS_MAX);
}

static bool has_case(const struct suite *suite, const char *requirement) {
  for (size_t i = 0; i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    for (size_t k = 0; k < test->requirement_count; k++)
      if (strcmp(test->requirements[k], requirement) == 0)
        return true;
  }
  return false;
}

static void test_each_requirement_has_a_case(void **state) {
  for (size_t i = 0; i < requirement_count(); i++)
    if (!has_case(*state, requirement_at(i)->id))
      fail_msg("%s has no case", requirement_at(i)->id);
}

/* Whoever reads a report sees where Trammel decided what SMI leaves open. */
static void test_each_interpretation_has_a_case(void **state) {
  const struct suite *suite = *state;
  for (int number = 1; number <= interpretation_last(); number++) {
    bool found = false;
    for (size_t i = 0; i < suite_count(suite); i++)
      for (size_t k = 0; k < suite_at(suite, i)->interpretation_count; k++)
        found = found || suite_at(suite, i)->interpretations[k] == number;
    if (!found)
      fail_msg("interpretation %d has no case", number);
  }
}

static void test_requirements_are_unique_and_found(void **state) {
  (void)state;
  for (size_t i = 0; i < requirement_count(); i++) {
    const struct requirement *requirement = requirement_at(i);
    assert_ptr_equal(requirement_find(requirement->id), requirement);
    assert_true(strlen(requirement->summary) > 0);
  }
  assert_null(requirement_find("ACC-00"));
  assert_null(requirement_at(requirement_count()));
}

/* A run against a faulty mesh must name the fault's requirement, so a case has to be about it. */
static void test_each_fault_has_a_case(void **state) {
#define FAULT(enumerator, name, requirement, text) {name, requirement},
  static const char *const faults[][2] = {REFERENCE_FAULTS(FAULT)};
#undef FAULT
  for (size_t i = 0; i < COUNT(faults); i++)
    if (!has_case(*state, faults[i][1]))
      fail_msg("the fault %s has no case about %s", faults[i][0], faults[i][1]);
}

static void test_an_unknown_suite(void **state) {
  struct suite *suite = NULL;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  assert_int_equal(suite_load("nonesuch", NULL, NULL, &suite, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "nonesuch"));
  assert_null(suite);
}

/* ---- the suite to compare with */

static void test_the_baseline_is_the_earlier_suite(void **state) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct suite *suite = NULL;
  unsigned checks = 0;
  uint64_t requests = 0;
  (void)state;
  assert_true(suite_is_embedded("baseline"));
  assert_int_equal(suite_load("baseline", NULL, diagnostics, &suite, NULL), 0);
  assert_int_equal(diagnostics_count(diagnostics), 0);
  assert_string_equal(suite_name(suite), "baseline");
  assert_int_equal(suite_count(suite), 3);
  for (size_t i = 0; i < suite_count(suite); i++) {
    const struct test_case *test = suite_at(suite, i);
    _cleanup_free_ struct case_column *columns = NULL;
    size_t count = 0;
    assert_int_equal(case_columns(test, &columns, &count), 0);
    assert_int_equal(count, 1); /* one version only */
    requests += case_requests(test);
    for (size_t s = 0; s < test->step_count; s++)
      for (size_t k = 0; k < test->steps[s].check_count; k++, checks++)
        assert_int_equal(test->steps[s].checks[k].kind, CHECK_COUNTED); /* nothing stronger */
  }
  assert_int_equal(checks, 12);
  assert_int_equal(requests, 7 + 5 * 50);
  suite_destroy(suite);
}

/* ---- folders */

struct folder {
  char path[64];
};

static struct folder folder_create(void) {
  struct folder folder = {.path = "/tmp/trammel-suite-XXXXXX"};
  assert_non_null(mkdtemp(folder.path));
  return folder;
}

static void folder_remove(const char *path) {
  DIR *directory = opendir(path);
  assert_non_null(directory);
  for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
    char child[512];
    struct stat status;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    (void)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
    assert_int_equal(lstat(child, &status), 0);
    if (S_ISDIR(status.st_mode))
      folder_remove(child);
    else
      assert_int_equal(unlink(child), 0);
  }
  assert_int_equal(closedir(directory), 0);
  assert_int_equal(rmdir(path), 0);
}

static void folder_write(const struct folder *folder, const char *name, const char *text) {
  char path[256];
  (void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* A valid case on `topology` with the id and title given. */
static const char *overlay_case(const char *id, const char *title, const char *topology, char *text, size_t size) {
  (void)snprintf(text, size,
                 "id: %s\ntitle: %s\nrequirements: [SPL-04]\nwhy: Test.\ntopology: %s\ndeny_by_default: []\n"
                 "resources:\n"
                 "  - apiVersion: split.smi-spec.io/v1alpha4\n"
                 "    kind: TrafficSplit\n"
                 "    metadata: {name: split, namespace: \"${main}\"}\n"
                 "    spec: {service: root, backends: [{service: root, weight: 1}]}\n"
                 "steps:\n"
                 "  - checks:\n"
                 "      - {from: client, to: root, port: 8080, http: {}, expect: allowed}\n",
                 id, title, topology);
  return text;
}

static void test_a_folder_adds_and_replaces(void **state) {
  struct folder folder = folder_create();
  char text[2048];
  char nested[128];
  (void)snprintf(nested, sizeof(nested), "%s/nested", folder.path);
  assert_int_equal(mkdir(nested, 0700), 0);
  folder_write(&folder, "weight-zero.yaml",
               overlay_case("split/http/weight-zero", "Replaced", "split", text, sizeof(text)));
  folder_write(&folder, "nested/mine.yaml", overlay_case("split/http/mine", "Mine", "tiny", text, sizeof(text)));
  folder_write(&folder, "nested/topologies.yaml",
               "tiny:\n"
               "  workloads: [{name: client}, {name: server, ports: [{port: 8080}]}]\n"
               "  services: [{name: root, workloads: [server], ports: [{port: 8080}]}]\n");
  folder_write(&folder, "notes.txt", "not a case");
  folder_write(&folder, ".hidden.yaml", "not a case");
  struct suite *suite = load((const char *const[]){folder.path, NULL});
  folder_remove(folder.path);
  assert_int_equal(suite_count(suite), suite_count(*state) + 1);
  assert_string_equal(suite_find(suite, "split/http/weight-zero")->title, "Replaced");
  assert_string_equal(suite_find(suite, "split/http/mine")->topology->name, "tiny");
  assert_string_equal(suite_name(suite), "smi");
  suite_destroy(suite);
}

static void assert_folder_error(const struct folder *folder, const char *code) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *err = NULL;
  struct suite *suite = NULL;
  int r = suite_load("smi", (const char *const[]){folder->path, NULL}, diagnostics, &suite, &err);
  folder_remove(folder->path);
  assert_int_equal(r, -EINVAL);
  assert_int_equal(diagnostics_count(diagnostics), 1);
  const struct diagnostic *diagnostic = diagnostics_at(diagnostics, 0);
  assert_string_equal(diagnostic->code, code);
  assert_non_null(strstr(diagnostic->position.file, folder->path));
}

static void test_a_folder_with_a_case_twice(void **state) {
  struct folder folder = folder_create();
  char text[2048];
  (void)state;
  folder_write(&folder, "a.yaml", overlay_case("split/http/mine", "A", "split", text, sizeof(text)));
  folder_write(&folder, "b.yaml", overlay_case("split/http/mine", "B", "split", text, sizeof(text)));
  assert_folder_error(&folder, "CASE-0005");
}

static void test_a_folder_with_a_broken_topology(void **state) {
  struct folder folder = folder_create();
  (void)state;
  folder_write(&folder, "topologies.yaml", "tiny: {workloads: []}\n");
  assert_folder_error(&folder, "TOPO-0002");
}

static void test_a_folder_with_two_cases_in_a_file(void **state) {
  struct folder folder = folder_create();
  (void)state;
  folder_write(&folder, "a.yaml", "id: a\n---\nid: b\n");
  assert_folder_error(&folder, "CASE-0022");
}

static void test_a_folder_with_no_yaml_in_a_file(void **state) {
  struct folder folder = folder_create();
  (void)state;
  folder_write(&folder, "a.yaml", "title: one: two\n");
  assert_folder_error(&folder, "DOC-0005");
}

static void test_a_folder_that_is_not_there(void **state) {
  struct suite *suite = NULL;
  _cleanup_error_ struct error *err = NULL;
  (void)state;
  assert_int_equal(suite_load("smi", (const char *const[]){"/nonexistent/suite", NULL}, NULL, &suite, &err), -ENOENT);
  assert_non_null(strstr(error_message(err), "/nonexistent/suite"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases_are_sorted_and_found),
      cmocka_unit_test(test_a_case_is_where_its_id_says),
      cmocka_unit_test(test_resources_are_sound),
      cmocka_unit_test(test_columns_convert_or_are_known_not_to),
      cmocka_unit_test(test_quantities_stay_as_written),
      cmocka_unit_test(test_other_groups_are_converted),
      cmocka_unit_test(test_the_hub_form_stays_converted),
      cmocka_unit_test(test_informative_cases_name_their_reading),
      cmocka_unit_test(test_each_way_to_deny_has_power),
      cmocka_unit_test(test_the_suite_stays_within_its_budget),
      cmocka_unit_test(test_each_requirement_has_a_case),
      cmocka_unit_test(test_each_interpretation_has_a_case),
      cmocka_unit_test(test_requirements_are_unique_and_found),
      cmocka_unit_test(test_each_fault_has_a_case),
      cmocka_unit_test(test_an_unknown_suite),
      cmocka_unit_test(test_the_baseline_is_the_earlier_suite),
      cmocka_unit_test(test_a_folder_adds_and_replaces),
      cmocka_unit_test(test_a_folder_with_a_case_twice),
      cmocka_unit_test(test_a_folder_with_a_broken_topology),
      cmocka_unit_test(test_a_folder_with_two_cases_in_a_file),
      cmocka_unit_test(test_a_folder_with_no_yaml_in_a_file),
      cmocka_unit_test(test_a_folder_that_is_not_there),
  };
  return cmocka_run_group_tests(tests, load_embedded, unload);
}
