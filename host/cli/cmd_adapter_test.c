/* trammel adapter test: what an adapter makes of resources, against what was recorded. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/adapter_options.h"
#include "host/cli/cmds.h"
#include "host/cli/list.h"
#include "host/cli/logging.h"
#include "host/kit/recordings.h"
#include "sdk/base/utf8.h"

struct arguments {
  const char *adapter;
  struct list directories;
  struct registry_options registry;
  bool update;
  bool json;
};
enum { KEY_UPDATE = 0x100 };

static const struct argp_option option_table[] = {
    {"update", KEY_UPDATE, 0, 0, "write the recordings that differ or are absent; read the difference afterwards", 0},
    {"output", 'o', "FORMAT", 0, "text or json", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->registry;
    return 0;
  case KEY_UPDATE:
    arguments->update = true;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->adapter)
      return -list_add(&arguments->directories, argument);
    arguments->adapter = argument;
    return 0;
  case ARGP_KEY_END:
    if (arguments->directories.count == 0)
      argp_error(state, "which adapter, and which folder of tests? `trammel adapter test build/mymesh.so tests`");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&placement_options_argp, 0, NULL, 0}, {0}};

const struct argp cmd_adapter_test_argp = {
    .options = option_table,
    .children = children,
    .parser = parse,
    .args_doc = "ADAPTER.so DIR...",
    .doc = "Translates each NAME.yaml of the folders, which holds resources of SMI, and compares the result with "
           "NAME.json beside it. setup.yaml in a folder says what is translated for. Ends with 1 when something "
           "differs. A translation may take 30 seconds.",
};

/* What came of all folders so far. */
struct outcome {
  json_t *list; /* NULL: text is printed as it comes */
  unsigned passed, failed, written;
};

static void count(struct outcome *outcome, enum recording_verdict verdict) {
  outcome->passed += verdict == RECORDING_PASSED;
  outcome->written += verdict == RECORDING_WRITTEN;
  outcome->failed += verdict != RECORDING_PASSED && verdict != RECORDING_WRITTEN;
}

/* What adapters and files hold must not steer a terminal. */
static void print_safe(const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), "\n");
  (void)fputs(strbuf_text(&safe), stdout);
}

static void print_recording(const struct recording *recording) {
  static const char *const words[] = {
      [RECORDING_PASSED] = "ok      ", [RECORDING_DIFFERS] = "DIFFERS ", [RECORDING_ABSENT] = "ABSENT  ",
      [RECORDING_BROKEN] = "BROKEN  ", [RECORDING_WRITTEN] = "written ",
  };
  (void)fputs(words[recording->verdict], stdout);
  print_safe(recording->path);
  (void)putchar('\n');
  print_safe(recording->text);
  if (recording->verdict == RECORDING_ABSENT)
    (void)fputs("nothing is recorded for it yet; --update writes what comes out of it\n", stdout);
}

static json_t *safe_string(const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strlen(text), "\n");
  return strbuf_failed(&safe) ? NULL : json_string(strbuf_text(&safe));
}

static void report(struct outcome *outcome, const struct recordings *recordings) {
  for (size_t i = 0; i < recordings->count; i++) {
    const struct recording *recording = &recordings->items[i];
    count(outcome, recording->verdict);
    if (outcome->list)
      (void)json_array_append_new(outcome->list, json_pack("{s:o, s:s, s:o}", "file", safe_string(recording->path),
                                                           "verdict", recording_verdict_name(recording->verdict),
                                                           "text", safe_string(recording->text)));
    else
      print_recording(recording);
  }
}

static int run_directory(const struct adapter_entry *entry, const char *directory, bool update, struct outcome *outcome,
                         struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct recordings recordings = {0};
  int r = diagnostics ? recordings_run(entry, directory, update, diagnostics, &recordings, err)
                      : error_set(err, ENOMEM, "out of memory");
  diagnostics_print(diagnostics, stderr);
  if (r == 0)
    report(outcome, &recordings);
  recordings_finish(&recordings);
  return r;
}

static int finish(struct outcome *outcome) {
  if (outcome->list)
    (void)json_dumpf(outcome->list, stdout, JSON_INDENT(2));
  else
    (void)printf("%u passed, %u failed, %u written", outcome->passed, outcome->failed, outcome->written);
  (void)putchar('\n');
  if (fflush(stdout) < 0 || ferror(stdout)) {
    (void)fprintf(stderr, "trammel: cannot write the output: %s\n", strerror(errno));
    return EXIT_INTERNAL;
  }
  return outcome->failed ? EXIT_SOMETHING_FAILED : EXIT_ALL_PASSED;
}

/* The exit code. */
static int run(const struct arguments *arguments, struct outcome *outcome, struct error **err) {
  struct registry *registry = NULL;
  int r = registry_scan_file(arguments->adapter, &arguments->registry, &registry, err);
  for (size_t i = 0; r == 0 && i < arguments->directories.count; i++)
    r = run_directory(registry_at(registry, 0), arguments->directories.items[i], arguments->update, outcome, err);
  registry_destroy(registry);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  return finish(outcome);
}

int cmd_adapter_test(int argc, char **argv) {
  struct arguments arguments = {0};
  command_parse(&cmd_adapter_test_argp, argc, argv, &arguments);
  logging_start(true); /* whoever runs it wrote the adapter */
  struct outcome outcome = {.list = arguments.json ? json_array() : NULL};
  _cleanup_error_ struct error *err = NULL;
  int code = run(&arguments, &outcome, &err);
  if (err)
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
  json_decref(outcome.list);
  list_finish(&arguments.directories);
  return code;
}
