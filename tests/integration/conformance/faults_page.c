/* Measures which faults of the reference mesh are caught by which suite and writes docs/conformance/faults.md.
 * Usage: faults_page [smi | baseline] [--all | FAULT...]: runs both suites, or the one, against all faults, or these;
 * without faults, against those that the page has no section about. What it does not measure stays as the page has it.
 * TRAMMEL_SOURCE_DIR and TRAMMEL_BUILD_DIR say where the tree and the build are. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/reference/faults.h"
#include "tests/integration/conformance/fault_page.h"
#include "tests/integration/conformance/fault_run.h"

/* So many runs of smi say which cases catch a fault. Where they do not all say the same, chance is in it, and more runs
 * say in which cases: one that they have missed fails too seldom to fail in all runs of a comparison. */
#define SMI_RUNS 3
#define SMI_CHANCE_RUNS 10

/* Splits are judged by chance in the suite baseline: so many runs say how often. A fault that it catches for certain
 * needs fewer; each of those takes several seconds. */
#define BASELINE_RUNS 20
#define BASELINE_CERTAIN_RUNS 10

#define FAULT(enumerator, name, requirement, what) name,
static const char *const faults[] = {REFERENCE_FAULTS(FAULT)};
#define FAULT_COUNT (sizeof(faults) / sizeof(*faults))

/* Both are in order, and `list` stays so. */
static void insert_new(json_t *list, const json_t *items) {
  size_t place = 0;
  size_t i;
  json_t *item;
  json_array_foreach(items, i, item) {
    while (place < json_array_size(list) &&
           strcmp(json_string_value(json_array_get(list, place)), json_string_value(item)) < 0)
      place++;
    if (!json_equal(json_array_get(list, place), item))
      json_array_insert(list, place, item);
  }
}

static void print_broken(const char *fault, const json_t *report) {
  char *broken = json_dumps(json_object_get(report, "brokenRequirements"), JSON_COMPACT);
  fprintf(stderr, "%-28s breaks %s, %d not judged\n", fault, broken ? broken : "?",
          (int)json_integer_value(json_object_get(json_object_get(report, "totals"), "error")));
  free(broken);
}

/* The cases that failed in each run, and those that failed in some. */
static void measure_smi(const char *fault, json_t *row) {
  json_t *always = NULL;
  json_t *seen = json_array();
  int runs = SMI_RUNS;
  for (int run = 0; run < runs; run++) {
    json_t *report = fault_run("smi", fault, NULL);
    json_t *failed = fault_run_cases(report);
    if (run == 0)
      print_broken(fault, report);
    else if (!json_equal(failed, seen))
      runs = SMI_CHANCE_RUNS;
    insert_new(seen, failed);
    json_t *still = always ? fault_cases_part(always, failed, true) : json_incref(failed);
    json_decref(always);
    always = still;
    json_decref(failed);
    json_decref(report);
  }
  json_object_set_new(row, "sometimes", fault_cases_part(seen, always, false));
  json_object_set_new(row, "always", always);
  json_decref(seen);
}

static void measure_baseline(const char *fault, json_t *row) {
  json_t *cases = json_array();
  int caught = 0;
  int certain = 0;
  int runs = 0;
  while (runs < BASELINE_RUNS && (certain < BASELINE_CERTAIN_RUNS || certain < runs)) {
    json_t *report = fault_run("baseline", fault, NULL);
    json_t *failed = fault_run_cases(report);
    caught += fault_run_caught(report);
    certain += fault_run_caught(report) && fault_run_certain(report);
    runs++;
    insert_new(cases, failed);
    json_decref(failed);
    json_decref(report);
  }
  json_object_set_new(row, "caught", json_integer(caught));
  json_object_set_new(row, "runs", json_integer(runs));
  json_object_set_new(row, "baseline", cases);
}

struct arguments {
  const char *suite; /* NULL: both */
  char **faults;
  int fault_count;
};

static bool is_wanted(const char *fault, json_t *page, const struct arguments *arguments) {
  if (arguments->fault_count == 0)
    return json_object_get(page, fault) == NULL;
  for (int i = 0; i < arguments->fault_count; i++)
    if (strcmp(arguments->faults[i], "--all") == 0 || strcmp(arguments->faults[i], fault) == 0)
      return true;
  return false;
}

static bool is_known(const char *argument) {
  for (size_t i = 0; i < FAULT_COUNT; i++)
    if (strcmp(faults[i], argument) == 0)
      return true;
  return strcmp(argument, "--all") == 0;
}

static bool parse(int argc, char **argv, struct arguments *arguments) {
  bool suite = argc > 1 && (strcmp(argv[1], "smi") == 0 || strcmp(argv[1], "baseline") == 0);
  int first = suite ? 2 : 1;
  *arguments = (struct arguments){suite ? argv[1] : NULL, argv + first, argc - first};
  for (int i = first; i < argc; i++)
    if (!is_known(argv[i])) {
      fprintf(stderr, "faults_page: there is no fault %s\n", argv[i]);
      return false;
    }
  return true;
}

static bool measures(const struct arguments *arguments, const char *suite) {
  return !arguments->suite || strcmp(arguments->suite, suite) == 0;
}

/* What the page says of a fault, with what is measured now. */
static void measure(const char *fault, const struct arguments *arguments, json_t *page) {
  json_t *row = json_object_get(page, fault);
  if (!row)
    json_object_set_new(page, fault, row = json_object());
  if (measures(arguments, "smi"))
    measure_smi(fault, row);
  if (measures(arguments, "baseline"))
    measure_baseline(fault, row);
  fprintf(stderr, "%-28s smi %2zu, baseline %d of %d runs\n", fault, json_array_size(json_object_get(row, "always")),
          (int)json_integer_value(json_object_get(row, "caught")),
          (int)json_integer_value(json_object_get(row, "runs")));
}

/* Each row is on disk as soon as it is measured: measuring all takes long. */
static int write_page(json_t *page, const char *path) {
  char temporary[4096];
  (void)snprintf(temporary, sizeof(temporary), "%s.new", path);
  FILE *out = fopen(temporary, "we");
  if (!out)
    return -1;
  int r = fault_page_write(page, out);
  (void)fclose(out);
  return r == 0 ? rename(temporary, path) : r;
}

int main(int argc, char **argv) {
  struct arguments arguments;
  if (!parse(argc, argv, &arguments))
    return 2;
  char *path = fault_page_path();
  json_t *page = fault_page_read(path);
  for (size_t i = 0; i < FAULT_COUNT; i++) {
    if (!is_wanted(faults[i], page, &arguments))
      continue;
    measure(faults[i], &arguments, page);
    (void)write_page(page, path);
  }
  int r = write_page(page, path);
  if (r != 0)
    perror(path);
  json_decref(page);
  free(path);
  return r == 0 ? 0 : 1;
}
