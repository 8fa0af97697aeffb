/* trammel cleanup: removes what crashed runs left behind. */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/engine/journal.h"
#include "host/store/results.h"

struct arguments {
  bool json;
  bool dry_run;
  bool results; /* of interrupted runs: all that are kept */
};

enum { KEY_RESULTS = 0x700 };

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;

  switch (key) {
  case 'n':
    arguments->dry_run = true;
    return 0;
  case KEY_RESULTS:
    arguments->results = true;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "cleanup takes no arguments, but got '%s'", argument);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"dry-run", 'n', NULL, 0, "Only say what would be removed", 0},
    {"results", KEY_RESULTS, NULL, 0,
     "Also remove the kept results of interrupted runs, which then cannot be gone on with", 0},
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};
const struct argp cmd_cleanup_argp = {
    .options = options,
    .parser = parse,
    .doc = "Ends the processes and removes the objects that crashed runs left behind, and then their directories. Runs "
           "that are still going on are left alone, and so are the results of the latest interrupted runs.\v"
           "Exits with 1 when something could not be removed; it is kept in the run's journal, and cleanup can be "
           "run again.",
};

static void print_line(void *ctx, const char *line) {
  (void)ctx;
  puts(line);
}

static void collect_line(void *ctx, const char *line) {
  (void)json_array_append_new(ctx, json_string(line));
}

struct told {
  void (*line)(void *ctx, const char *line);
  void *ctx;
  bool dry_run;
  unsigned count;
};

static void tell_results(void *ctx, const char *id) {
  struct told *told = ctx;
  char line[160];

  (void)snprintf(line, sizeof(line), "run %s: %s its results", id, told->dry_run ? "would remove" : "removed");
  told->line(told->ctx, line);
  told->count++;
}

static void print_summary(const struct cleanup_summary *summary, bool dry_run, unsigned results) {
  if (summary->runs == 0) {
    if (results == 0)
      puts("nothing to clean up");
  } else {
    printf("%s %u %s, %u %s, %u %s", dry_run ? "would clean up" : "cleaned up", summary->runs,
           summary->runs == 1 ? "run" : "runs", summary->processes, summary->processes == 1 ? "process" : "processes",
           summary->objects, summary->objects == 1 ? "object" : "objects");
    if (summary->failed > 0)
      printf("; %u could not be removed", summary->failed);
    putchar('\n');
  }
  if (summary->busy > 0)
    printf("%u %s still going on\n", summary->busy, summary->busy == 1 ? "run is" : "runs are");
}

static int print_json(const struct cleanup_summary *summary, bool dry_run, unsigned results, json_t *lines) {
  json_t *value =
      json_pack("{s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:O}", "dryRun", dry_run, "runs", (int)summary->runs, "running",
                (int)summary->busy, "processes", (int)summary->processes, "objects", (int)summary->objects, "failed",
                (int)summary->failed, "results", (int)results, "actions", lines);

  if (!value || json_dumpf(value, stdout, JSON_INDENT(2)) < 0) {
    fputs("trammel: no memory\n", stderr);
    json_decref(value);
    return EXIT_INTERNAL;
  }
  putchar('\n');
  json_decref(value);
  return EXIT_ALL_PASSED;
}

int cmd_cleanup(int argc, char **argv) {
  struct arguments arguments = {0};
  struct cleanup_summary summary = {0};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *state = NULL;

  command_parse(&cmd_cleanup_argp, argc, argv, &arguments);
  bool json = arguments.json;
  json_t *lines = json_array();
  int code = EXIT_ALL_PASSED;
  struct told told = {.line = json ? collect_line : print_line, .ctx = lines, .dry_run = arguments.dry_run};
  if (state_directory(&state, &err) < 0)
    code = EXIT_USAGE;
  else if (results_prune(state, arguments.results, arguments.dry_run, tell_results, &told, &err) < 0 ||
           journal_cleanup(state, arguments.dry_run, told.line, lines, &summary, &err) < 0)
    code = EXIT_COULD_NOT_TEST;
  if (err) {
    fprintf(stderr, "trammel: %s\n", error_message(err));
  } else if (json) {
    code = print_json(&summary, arguments.dry_run, told.count, lines);
  } else {
    print_summary(&summary, arguments.dry_run, told.count);
  }
  json_decref(lines);
  return code == EXIT_ALL_PASSED && summary.failed > 0 ? EXIT_SOMETHING_FAILED : code;
}
