/* trammel diff: what trammel apply would change on a cluster. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/changes.h"
#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/translating.h"
#include "host/engine/content.h"
#include "host/kit/line_diff.h"
#include "sdk/base/document.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
  (void)argument;
  if (key != ARGP_KEY_INIT)
    return ARGP_ERR_UNKNOWN;
  state->child_inputs[0] = state->input;
  return 0;
}

static const struct argp_child children[] = {{&translating_argp, 0, NULL, 0}, {0}};
const struct argp cmd_diff_argp = {
    .parser = parse,
    .children = children,
    .doc = "Shows what `trammel apply` would change on the cluster of the kubeconfig: the difference of each object as "
           "it is and as the cluster says it would be, without what the cluster itself keeps about it.\v"
           "The cluster checks the objects as if they were applied, which takes the right to apply them, and keeps "
           "nothing. What would be pruned is shown as removed.\n\n"
           "Exits 0 when there is no difference, 1 when there is one, 2 when the input cannot be read or has errors or "
           "the mesh cannot do something (unless --allow-unsupported is given), 3 when the adapter or the cluster gave "
           "no answer, or something would be refused.",
};

struct comparison {
  size_t differences;
  bool failed; /* memory ran out, or an object cannot be written */
};

/* "" for an object that is not there. */
static bool text_of(const json_t *object, struct strbuf *text) {
  json_auto_t *content = content_of(object);
  if (!object)
    return true;
  return content && yaml_write(content, text) == 0 && !strbuf_failed(text);
}

static void print_head(const char *mark, const struct rollout_step *step, const json_t *object, const char *where) {
  (void)fputs(mark, stdout);
  changes_print_place(&step->place, stdout);
  printf(object ? " (%s)\n" : " (not %s)\n", where);
}

static void print_difference(struct comparison *comparison, const struct rollout_step *step) {
  _cleanup_strbuf_ struct strbuf before = STRBUF_INIT, after = STRBUF_INIT, lines = STRBUF_INIT;
  bool written = text_of(step->before, &before) && text_of(step->after, &after);
  if (written)
    line_diff(&lines, strbuf_text(&before), strbuf_text(&after));
  if (!written || strbuf_failed(&lines)) {
    comparison->failed = true;
    return;
  }
  print_head("--- ", step, step->before, "on the cluster");
  print_head("+++ ", step, step->after, "in the translation");
  (void)fputs(strbuf_text(&lines), stdout);
  comparison->differences++;
}

static void tell(void *ctx, const struct rollout_step *step) {
  switch (step->outcome) {
  case ROLLOUT_CREATED:
  case ROLLOUT_CHANGED:
  case ROLLOUT_REMOVED:
    print_difference(ctx, step);
    break;
  case ROLLOUT_KEPT:
  case ROLLOUT_REFUSED:
  case ROLLOUT_FAILED:
    fprintf(stderr, "trammel: %s: ", rollout_outcome_name(step->outcome));
    changes_print_place(&step->place, stderr);
    fprintf(stderr, ": %s\n", step->why);
    break;
  default:
    break;
  }
}

static int exit_code_of(int r, const struct rollout_summary *summary, const struct comparison *comparison) {
  enum exit_code code = changes_exit_code(r, summary);
  if (code != EXIT_ALL_PASSED)
    return code == EXIT_INTERNAL ? EXIT_INTERNAL : EXIT_COULD_NOT_TEST;
  return comparison->differences > 0 ? EXIT_SOMETHING_FAILED : EXIT_ALL_PASSED;
}

static int compare(const struct translating *translating, struct error **err) {
  struct comparison comparison = {0};
  const struct rollout rollout = {.cluster = translating->cluster,
                                  .description = translating->entry->description,
                                  .translation = translating->response,
                                  .set = &translating->input.set,
                                  .namespaces = translating->deny_by_default.items,
                                  .namespace_count = translating->deny_by_default.count,
                                  .dry_run = true,
                                  .cancel = interrupt_flag(),
                                  .told = tell,
                                  .ctx = &comparison};
  struct rollout_summary summary;
  int r = rollout_check(&rollout, err);
  if (r < 0)
    return translating_exit_code(r);
  interrupt_catch();
  r = rollout_apply(&rollout, &summary, err);
  if (comparison.failed)
    (void)error_set(err, ENOMEM, "out of memory for a difference");
  else if (fflush(stdout) != 0 || ferror(stdout))
    (void)error_set(err, ENOSPC, "cannot write the result");
  else
    return exit_code_of(r, &summary, &comparison);
  return EXIT_INTERNAL;
}

int cmd_diff(int argc, char **argv) {
  struct translating translating = {.done = "compared", .does = "compares", .needs_cluster = true};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_diff_argp, argc, argv, &translating);
  logging_start(false);
  int code = translating_run(&translating, &err);
  if (code == EXIT_ALL_PASSED)
    code = compare(&translating, &err);
  else if (code == EXIT_SOMETHING_FAILED) /* which would be taken for a difference */
    code = EXIT_USAGE;
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  translating_finish(&translating);
  return code;
}
