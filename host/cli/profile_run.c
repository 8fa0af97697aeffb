#include "host/cli/profile_run.h"

#include <errno.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/kept_load.h"
#include "host/cli/load_outputs.h"
#include "host/perf/outcome.h"
#include "host/perf/smp.h"

/* "." for "shop.yaml" and "-". */
static char *directory_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

int profile_input_read(const char *what, struct profile_input *ret_input) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_free_ char *path = NULL, *directory = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct profile_input input = {0};
  int r = kept_load_path(what, &path, &err);
  if (r == 0 && (!diagnostics || !(directory = directory_of(path))))
    r = error_set(&err, ENOMEM, "no memory for a profile");
  if (r == 0)
    r = profile_read(path, diagnostics, &input.profile, &err);
  if (r == 0)
    r = profile_targets(input.profile, directory, input.targets, &err);
  if (diagnostics)
    diagnostics_print(diagnostics, stderr);
  if (r == 0) {
    *ret_input = input;
    return 0;
  }
  fprintf(stderr, "trammel: %s\n", error_message(err));
  profile_destroy(input.profile);
  return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
}

void profile_input_finish(struct profile_input *input) {
  for (size_t i = 0; i < PROFILE_TARGETS_MAX; i++)
    target_destroy(input->targets[i]);
  profile_destroy(input->profile);
  *input = (struct profile_input){0};
}

static int exit_code(const struct outcome *outcome) {
  switch (outcome_verdict(outcome)) {
  case OBJECTIVE_MET:
    return EXIT_ALL_PASSED;
  case OBJECTIVE_MISSED:
    return EXIT_SOMETHING_FAILED;
  case OBJECTIVE_UNTOLD:
    break;
  }
  return EXIT_COULD_NOT_TEST;
}

static int write_outcome(int format, const void *what, bool colour, FILE *out) {
  const struct outcome *outcome = what;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  (void)colour;
  if (format == LOAD_FORMAT_TEXT)
    return outcome_text(outcome, out);
  if (format == LOAD_FORMAT_JSON)
    return load_outputs_print_json(outcome_json(outcome), out);
  const struct load_report whole = outcome_report(outcome, &text);
  if (format == LOAD_FORMAT_SMP)
    return load_outputs_print_json(smp_result_json(&whole, outcome->profile), out);
  return load_outputs_print((enum load_format)format, &whole, 1, out);
}

static int run(const struct profile_input *input, struct outputs *outputs, bool keep, struct error **err) {
  struct outcome outcome = {0};
  if (outputs_open(outputs, err) < 0 || (keep && kept_load_prepare(err) < 0))
    return EXIT_USAGE;
  interrupt_catch();
  int r = outcome_run(input->profile, input->targets, interrupt_flag(), &outcome, err);
  if (r < 0)
    return r == -EINVAL ? EXIT_USAGE : EXIT_INTERNAL;
  int code = exit_code(&outcome);
  if (keep && kept_load_keep(outcome_json(&outcome), err) < 0)
    code = EXIT_INTERNAL;
  if (outputs_write(outputs, write_outcome, &outcome, false, *err ? NULL : err) < 0)
    code = EXIT_INTERNAL;
  outcome_finish(&outcome);
  return code;
}

int profile_run(const char *what, struct outputs *outputs, bool keep, struct error **err) {
  struct profile_input input = {0};
  int code = profile_input_read(what, &input);
  if (code == EXIT_ALL_PASSED)
    code = run(&input, outputs, keep, err);
  profile_input_finish(&input);
  return code;
}
