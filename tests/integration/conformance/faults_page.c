/* Measures which faults of the reference mesh are caught by which suite and writes docs/conformance/faults.md.
 * Usage: faults_page [--all | FAULT...]: runs both suites against all faults, or these; without arguments, against
 * those that the page has no section about. What it does not measure stays as the page has it. TRAMMEL_SOURCE_DIR and
 * TRAMMEL_BUILD_DIR say where the tree and the build are. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/reference/faults.h"
#include "tests/integration/conformance/fault_page.h"
#include "tests/integration/conformance/fault_run.h"

/* A case of smi that fails in each of these is taken to fail in each run. After the first one only the cases that have
 * failed so far run. */
#define SMI_RUNS 3

/* Splits are judged by chance in the suite baseline: so many runs say how often. A fault that it catches for certain
 * needs fewer; each of those takes several seconds. */
#define BASELINE_RUNS 20
#define BASELINE_CERTAIN_RUNS 10

#define FAULT(enumerator, name, requirement, what) name,
static const char *const faults[] = {REFERENCE_FAULTS(FAULT)};
#define FAULT_COUNT (sizeof(faults) / sizeof(*faults))

static bool has(const json_t *list, const json_t *text) {
  size_t i;
  const json_t *item;
  json_array_foreach(list, i, item) {
    if (json_equal(item, text))
      return true;
  }
  return false;
}

static void append_new(json_t *list, const json_t *items) {
  size_t i;
  json_t *item;
  json_array_foreach(items, i, item) {
    if (!has(list, item))
      json_array_append(list, item);
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
  json_t *sometimes = json_array();
  for (int run = 0; run < SMI_RUNS && (!always || json_array_size(always) > 0); run++) {
    json_t *report = fault_run("smi", fault, always);
    if (!always)
      print_broken(fault, report);
    json_t *failed = fault_run_cases(report);
    size_t i;
    json_t *id;
    json_array_foreach(always, i, id) {
      if (!has(failed, id))
        json_array_append(sometimes, id);
    }
    json_decref(always);
    always = failed;
    json_decref(report);
  }
  json_object_set_new(row, "always", always);
  json_object_set_new(row, "sometimes", sometimes);
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
    append_new(cases, failed);
    json_decref(failed);
    json_decref(report);
  }
  json_object_set_new(row, "caught", json_integer(caught));
  json_object_set_new(row, "runs", json_integer(runs));
  json_object_set_new(row, "baseline", cases);
}

static bool is_wanted(const char *fault, json_t *page, int argc, char **argv) {
  if (argc < 2)
    return json_object_get(page, fault) == NULL;
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--all") == 0 || strcmp(argv[i], fault) == 0)
      return true;
  return false;
}

static bool is_known(const char *argument) {
  for (size_t i = 0; i < FAULT_COUNT; i++)
    if (strcmp(faults[i], argument) == 0)
      return true;
  return strcmp(argument, "--all") == 0;
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
  for (int i = 1; i < argc; i++)
    if (!is_known(argv[i])) {
      fprintf(stderr, "faults_page: there is no fault %s\n", argv[i]);
      return 2;
    }
  char *path = fault_page_path();
  json_t *page = fault_page_read(path);
  for (size_t i = 0; i < FAULT_COUNT; i++) {
    if (!is_wanted(faults[i], page, argc, argv))
      continue;
    json_t *row = json_object();
    measure_smi(faults[i], row);
    measure_baseline(faults[i], row);
    fprintf(stderr, "%-28s smi %2zu, baseline %d of %d runs\n", faults[i],
            json_array_size(json_object_get(row, "always")), (int)json_integer_value(json_object_get(row, "caught")),
            (int)json_integer_value(json_object_get(row, "runs")));
    json_object_set_new(page, faults[i], row);
    (void)write_page(page, path);
  }
  int r = write_page(page, path);
  if (r != 0)
    perror(path);
  json_decref(page);
  free(path);
  return r == 0 ? 0 : 1;
}
