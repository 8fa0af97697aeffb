/* trammel conformance runs: the interrupted runs whose results are kept. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/engine/journal.h"
#include "host/store/results.h"

struct arguments {
  bool json;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;

  switch (key) {
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "runs takes no arguments, but got '%s'", argument);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};
const struct argp cmd_conformance_runs_argp = {
    .options = options,
    .parser = parse,
    .doc = "Lists the runs that were interrupted, the latest first: `trammel conformance run --resume ID` goes on with "
           "one. The latest 16 are kept, for 30 days; `trammel cleanup --results` removes them.",
};

static const char *state_of(const struct results_entry *entry) {
  return !entry->head ? "damaged" : entry->held ? "going on" : "interrupted";
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));

  return text ? text : "";
}

static void print_text(const struct results_entry *entries, size_t count) {
  if (count == 0)
    puts("no interrupted run is kept");
  for (size_t i = 0; i < count; i++) {
    const struct results_entry *entry = &entries[i];
    printf("%s  %-11s  %zu results, %lld cases  %s\n", entry->id, state_of(entry), entry->count,
           (long long)json_integer_value(json_object_get(entry->head, "planned")),
           text_of(json_object_get(entry->head, "report"), "command"));
  }
}

static json_t *entry_json(const struct results_entry *entry) {
  const json_t *report = json_object_get(entry->head, "report");

  return json_pack("{s:s, s:s, s:i, s:I, s:s, s:s}", "id", entry->id, "state", state_of(entry), "cases",
                   (int)entry->count, "planned", json_integer_value(json_object_get(entry->head, "planned")), "started",
                   text_of(report, "started"), "command", text_of(report, "command"));
}

static int print_json(const struct results_entry *entries, size_t count) {
  json_t *list = json_array();
  int r = 0;

  for (size_t i = 0; r == 0 && i < count; i++)
    r = json_array_append_new(list, entry_json(&entries[i]));
  if (r < 0 || !list || json_dumpf(list, stdout, JSON_INDENT(2)) < 0) {
    json_decref(list);
    fputs("trammel: no memory\n", stderr);
    return EXIT_INTERNAL;
  }
  putchar('\n');
  json_decref(list);
  return EXIT_ALL_PASSED;
}

int cmd_conformance_runs(int argc, char **argv) {
  struct arguments arguments = {0};
  struct results_entry *entries = NULL;
  size_t count = 0;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *state = NULL;
  int code = EXIT_ALL_PASSED;

  command_parse(&cmd_conformance_runs_argp, argc, argv, &arguments);
  if (state_directory(&state, &err) < 0)
    code = EXIT_USAGE;
  else if (results_list(state, &entries, &count, &err) < 0)
    code = EXIT_COULD_NOT_TEST;
  else if (arguments.json)
    code = print_json(entries, count);
  else
    print_text(entries, count);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  results_list_free(entries, count);
  return code;
}
