#include "tests/integration/conformance/fault_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/reference/faults.h"
#include "tests/integration/conformance/fault_run.h"

#define PAGE "docs/conformance/faults.md"
#define RUNS_AT_MOST 5 /* of a comparison */

#define AGAIN "; tests/docs/generate.sh measures it again (CONTRIBUTING.md)"

struct fault {
  const char *name;
  const char *requirement;
  const char *what;
};

#define FAULT(enumerator, name, requirement, what) {name, requirement, what},
static const struct fault faults[] = {REFERENCE_FAULTS(FAULT)};
#define FAULT_COUNT (sizeof(faults) / sizeof(*faults))

char *fault_page_path(void) {
  char *path = NULL;
  if (asprintf(&path, "%s/" PAGE, getenv("TRAMMEL_SOURCE_DIR")) < 0)
    fail_msg("no memory");
  return path;
}

/* ---- reading: what is between backquotes */

static json_t *quoted(const char *text) {
  json_t *list = json_array();
  for (const char *begin; (begin = strchr(text, '`'));) {
    const char *end = strchr(begin + 1, '`');
    if (!end)
      break;
    json_array_append_new(list, json_stringn(begin + 1, (size_t)(end - begin - 1)));
    text = end + 1;
  }
  return list;
}

static const char *after(const char *line, const char *start) {
  size_t length = strlen(start);
  return strncmp(line, start, length) == 0 ? line + length : NULL;
}

static bool is_fault(const char *name) {
  for (size_t i = 0; i < FAULT_COUNT; i++)
    if (strcmp(faults[i].name, name) == 0)
      return true;
  return false;
}

static json_t *empty_row(void) {
  return json_pack("{s:[], s:[], s:i, s:i, s:[]}", "always", "sometimes", "caught", 0, "runs", 0, "baseline");
}

/* A line of a fault's section. */
static void read_line(json_t *row, const char *line) {
  const char *rest;
  int caught = 0;
  int runs = 0;
  if ((rest = after(line, "- `smi`, in each run:"))) {
    json_object_set_new(row, "always", quoted(rest));
  } else if ((rest = after(line, "- `smi`, in some runs:"))) {
    json_object_set_new(row, "sometimes", quoted(rest));
  } else if ((rest = after(line, "- `baseline`, in ")) && sscanf(rest, "%d of %d runs", &caught, &runs) == 2) {
    json_object_set_new(row, "caught", json_integer(caught));
    json_object_set_new(row, "runs", json_integer(runs));
    json_object_set_new(row, "baseline", quoted(rest));
  }
}

json_t *fault_page_read(const char *path) {
  json_t *page = json_object();
  json_t *row = NULL;
  char *line = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "re");
  for (ssize_t length; file && (length = getline(&line, &size, file)) > 0;) {
    line[length - (line[length - 1] == '\n')] = '\0';
    const char *name = after(line, "### ");
    if (name && !is_fault(name))
      row = NULL; /* it was taken away */
    else if (name)
      json_object_set_new(page, name, row = empty_row());
    else if (row)
      read_line(row, line);
  }
  free(line);
  if (file)
    (void)fclose(file);
  return page;
}

/* ---- writing */

static void put_names(FILE *out, const json_t *names) {
  size_t i;
  const json_t *name;
  json_array_foreach(names, i, name) fprintf(out, "%s `%s`", i ? "," : "", json_string_value(name));
  (void)fputc('\n', out);
}

static void put_baseline_cell(FILE *out, const json_t *row) {
  json_int_t caught = json_integer_value(json_object_get(row, "caught"));
  json_int_t runs = json_integer_value(json_object_get(row, "runs"));
  if (caught > 0 && caught < runs)
    fprintf(out, "by chance, in %d of %d runs |\n", (int)caught, (int)runs);
  else
    fprintf(out, "%s |\n", caught ? "yes" : "**no**");
}

static void put_table(FILE *out, const json_t *page) {
  fputs("| fault | what it does | must break | `smi`: cases | `baseline` |\n|---|---|---|---|---|\n", out);
  for (size_t i = 0; i < FAULT_COUNT; i++) {
    const json_t *row = json_object_get(page, faults[i].name);
    if (!row)
      continue;
    fprintf(out, "| `%s` | %s | %s | %zu | ", faults[i].name, faults[i].what, faults[i].requirement,
            json_array_size(json_object_get(row, "always")));
    put_baseline_cell(out, row);
  }
}

static void put_rates(FILE *out, const json_t *page) {
  size_t count = json_object_size(page);
  size_t smi = 0;
  size_t certain = 0;
  size_t chance = 0;
  for (size_t i = 0; i < FAULT_COUNT; i++) {
    const json_t *row = json_object_get(page, faults[i].name);
    json_int_t caught = json_integer_value(json_object_get(row, "caught"));
    smi += json_array_size(json_object_get(row, "always")) > 0;
    certain += caught > 0 && caught == json_integer_value(json_object_get(row, "runs"));
    chance += caught > 0 && caught < json_integer_value(json_object_get(row, "runs"));
  }
  fprintf(out,
          "\n## Detection rates\n\n"
          "| suite | caught in each run | caught by chance | missed | rate |\n|---|---|---|---|---|\n"
          "| `smi` | %zu of %zu | 0 | %zu | %.0f%% |\n"
          "| `baseline` | %zu of %zu | %zu | %zu | %.0f%% |\n",
          smi, count, count - smi, 100.0 * (double)smi / (double)count, certain, count, chance,
          count - certain - chance, 100.0 * (double)certain / (double)count);
  fputs("\nThe rate is of faults caught in each run. `smi` must, in addition, report the named requirement as broken, "
        "and "
        "no other\nthan those that follow from the fault; `baseline` only has to fail anywhere.\n",
        out);
}

static void put_section(FILE *out, const struct fault *fault, const json_t *row) {
  const json_t *sometimes = json_object_get(row, "sometimes");
  fprintf(out, "\n### %s\n\n- `smi`, in each run:", fault->name);
  put_names(out, json_object_get(row, "always"));
  if (json_array_size(sometimes) > 0) {
    fputs("- `smi`, in some runs:", out);
    put_names(out, sometimes);
  }
  fprintf(out, "- `baseline`, in %d of %d runs%s", (int)json_integer_value(json_object_get(row, "caught")),
          (int)json_integer_value(json_object_get(row, "runs")),
          json_array_size(json_object_get(row, "baseline")) > 0 ? ":" : "");
  put_names(out, json_object_get(row, "baseline"));
}

int fault_page_write(json_t *page, FILE *out) {
  fputs(
      "# Faults, and who catches them\n\n"
      "The reference mesh can be told to be wrong in the ways below, one at a time. Both suites have run against each "
      "of them: `smi`,\nand `baseline`, which judges as the known earlier suite did "
      "([../baseline.md](../baseline.md)). "
      "This page is what these runs gave;\n`tests/docs/generate.sh` makes it, and two tests run everything once more "
      "and compare.\n\n",
      out);
  put_table(out, page);
  if (json_object_size(page) < FAULT_COUNT)
    fprintf(out, "\n**Not all are measured:** %zu of %zu faults have a row here.\n", json_object_size(page),
            (size_t)FAULT_COUNT);
  put_rates(out, page);
  fputs("\n## Cases that catch a fault\n\n"
        "Informative cases are among them: what they catch is reported as another reading of SMI, and fails no mesh.\n",
        out);
  for (size_t i = 0; i < FAULT_COUNT; i++)
    if (json_object_get(page, faults[i].name))
      put_section(out, &faults[i], json_object_get(page, faults[i].name));
  return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- comparing */

/* The row, a new reference. */
static json_t *row_of(const char *fault) {
  char *path = fault_page_path();
  json_t *page = fault_page_read(path);
  json_t *row = json_incref(json_object_get(page, fault));
  json_decref(page);
  free(path);
  if (!row)
    fail_msg(PAGE " has no section about the fault %s" AGAIN, fault);
  return row;
}

/* Which of `cases` fail in one more run of nothing else; or, with `fail` false, which pass. A new reference. */
static json_t *run_again(const char *fault, const json_t *cases, bool fail) {
  json_t *report = fault_run("smi", fault, cases);
  json_t *failed = fault_run_cases(report);
  json_t *passed = fault_cases_part(cases, failed, false);
  json_decref(fail ? passed : failed);
  json_decref(report);
  return fail ? failed : passed;
}

/* What of `cases` goes on to fail, or to pass, in as many runs as a comparison has. Takes `cases`. */
static json_t *confirmed(const char *fault, json_t *cases, bool fail) {
  for (int run = 1; run < RUNS_AT_MOST && json_array_size(cases) > 0; run++) {
    json_t *rest = run_again(fault, cases, fail);
    json_decref(cases);
    cases = rest;
  }
  return cases;
}

void assert_page_says_smi(const char *fault, const json_t *report) {
  json_t *row = row_of(fault);
  json_t *always = json_object_get(row, "always");
  json_t *cases = fault_run_cases(report);
  json_t *missed = confirmed(fault, fault_cases_part(always, cases, false), false);
  json_t *others = fault_cases_part(cases, always, false);
  json_t *unknown = confirmed(fault, fault_cases_part(others, json_object_get(row, "sometimes"), false), true);
  json_decref(others);
  json_decref(cases);
  if (json_array_size(missed) > 0)
    fail_msg(PAGE ": %s is not caught by %s" AGAIN, fault, json_string_value(json_array_get(missed, 0)));
  if (json_array_size(unknown) > 0)
    fail_msg(PAGE " does not say that %s is caught by %s" AGAIN, fault, json_string_value(json_array_get(unknown, 0)));
  json_decref(missed);
  json_decref(unknown);
  json_decref(row);
}

void assert_page_says_baseline(const char *fault, const json_t *report) {
  json_t *row = row_of(fault);
  json_int_t caught = json_integer_value(json_object_get(row, "caught"));
  json_int_t runs = json_integer_value(json_object_get(row, "runs"));
  bool by_chance = caught > 0 && caught < runs;
  bool agrees = by_chance || fault_run_caught(report) == (caught > 0);
  for (int run = 1; run < RUNS_AT_MOST && !agrees; run++) {
    json_t *again = fault_run("baseline", fault, NULL);
    agrees = fault_run_caught(again) == (caught > 0);
    json_decref(again);
  }
  json_decref(row);
  if (!agrees || runs == 0)
    fail_msg(PAGE " says that the suite baseline %s %s" AGAIN, caught > 0 ? "catches" : "does not catch", fault);
}
