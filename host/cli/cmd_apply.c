/* trammel apply and trammel delete: SMI resources on a cluster, in its mesh's own API. */
#include <errno.h>
#include <stdio.h>

#include "host/cli/changes.h"
#include "host/cli/cmds.h"
#include "host/cli/duration.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/translating.h"
#include "sdk/base/clock.h"

struct arguments {
  struct translating translating;
  bool dry_run;
  bool json;
  int64_t wait_ns;
};

enum { KEY_DRY_RUN = 0x700, KEY_WAIT };

#define WAIT_DEFAULT_NS (30 * NS_PER_SECOND)

static const struct argp_option apply_table[] = {
    {"wait", KEY_WAIT, "DURATION", 0,
     "how long to wait until the mesh says that it has taken the objects, where its API has a way to (default: 30s; 0: "
     "not at all)",
     0},
    {0},
};

static const struct argp_option option_table[] = {
    {"dry-run", KEY_DRY_RUN, 0, 0, "only say what would be done; the cluster checks it and keeps nothing", 0},
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->translating;
    return 0;
  case KEY_DRY_RUN:
    arguments->dry_run = true;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_apply(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = arguments;
    return 0;
  case KEY_WAIT:
    arguments->wait_ns = duration_parse(state, "--wait", argument, true);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&translating_argp, 0, NULL, 0}, {0}};
static const struct argp shared_argp = {.options = option_table, .parser = parse, .children = children};
static const struct argp_child apply_children[] = {{&shared_argp, 0, NULL, 0}, {0}};
const struct argp cmd_apply_argp = {
    .options = apply_table,
    .parser = parse_apply,
    .children = apply_children,
    .doc =
        "Translates SMI resources as `trammel translate` does, and puts the objects on the cluster of the "
        "kubeconfig. Then prunes what is there, came from these resources alone, and is not in the translation any "
        "more.\v"
        "Objects are applied in order, as the field manager trammel/ADAPTER. Nothing is forced: what others own is "
        "left as it is, and told. Where the mesh's API says of "
        "an object whether it was taken, that is waited for before anything is pruned. When the files have neither "
        "workloads nor services, these come from the "
        "cluster.\n\n"
        "Exits 0 when all is there, 1 when the mesh cannot do something (nothing is applied then, unless "
        "--allow-unsupported is given) or an object was refused by the cluster or the mesh, 2 when the input cannot be "
        "read or has errors, 3 "
        "when the adapter, the cluster or the mesh gave no answer or did not allow it, or the command was interrupted.",
};
const struct argp cmd_delete_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc = "Removes what SMI resources have on the cluster of the kubeconfig: the objects that came from these "
           "resources alone, and those of the translation that are for a namespace as a whole.\v"
           "Removed is only what is Trammel's and is still what was looked at. Give the options that it was applied "
           "with, --deny-by-default among them.\n\n"
           "Exits 0 when nothing of it is left, 1 when an object was refused, 2 when the input cannot be read or has "
           "errors, 3 when the adapter or the cluster gave no answer or did not allow it, or the command was "
           "interrupted.",
};

/* What a command does with a rollout that can be carried out. */
typedef int (*work)(const struct rollout *, struct rollout_summary *, struct error **);

static int roll_out(struct arguments *arguments, work carry_out, struct changes *changes, struct error **err) {
  const struct translating *translating = &arguments->translating;
  const struct rollout rollout = {.cluster = translating->cluster,
                                  .description = translating->entry->description,
                                  .translation = translating->response,
                                  .set = &translating->input.set,
                                  .namespaces = translating->deny_by_default.items,
                                  .namespace_count = translating->deny_by_default.count,
                                  .dry_run = arguments->dry_run,
                                  .wait_ns = arguments->wait_ns,
                                  .cancel = interrupt_flag(),
                                  .told = changes_tell,
                                  .ctx = changes};
  struct rollout_summary summary;
  _cleanup_error_ struct error *wrong = NULL;
  int r = rollout_check(&rollout, err);
  if (r < 0)
    return translating_exit_code(r);
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a line as soon as it is done, also into a pipe */
  interrupt_catch();
  r = carry_out(&rollout, &summary, err);
  if (r == -ECANCELED)
    error_free(take(*err));
  if (changes_finish(changes, &summary, &wrong) < 0) {
    (void)error_set(err, ENOSPC, "%s", error_message(wrong));
    return EXIT_INTERNAL;
  }
  changes_explain(r, &summary);
  return (int)changes_exit_code(r, &summary);
}

static int run(struct arguments *arguments, const struct argp *argp, work carry_out, const char *removed, int argc,
               char **argv) {
  struct translating *translating = &arguments->translating;
  struct changes changes = {.removed = removed};
  _cleanup_error_ struct error *err = NULL;
  command_parse(argp, argc, argv, arguments);
  logging_start(false);
  changes.dry_run = arguments->dry_run;
  changes.json = arguments->json;
  int code = translating_run(translating, &err);
  if (code == EXIT_ALL_PASSED) {
    changes.adapter = translating->entry->id;
    code = roll_out(arguments, carry_out, &changes, &err);
  }
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  translating_finish(translating);
  return code;
}

int cmd_apply(int argc, char **argv) {
  struct arguments arguments = {.translating = {.done = "applied", .does = "applies", .needs_cluster = true},
                                .wait_ns = WAIT_DEFAULT_NS};
  return run(&arguments, &cmd_apply_argp, rollout_apply, "pruned", argc, argv);
}

/* What the mesh cannot do is not there, so it is in the way of nothing. */
int cmd_delete(int argc, char **argv) {
  struct arguments arguments = {
      .translating = {.done = "removed", .does = "removes", .needs_cluster = true, .allow_unsupported = true}};
  return run(&arguments, &cmd_delete_argp, rollout_remove, "removed", argc, argv);
}
