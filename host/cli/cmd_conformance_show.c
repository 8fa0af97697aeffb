/* trammel conformance show: one case, for people who want to know what a verdict means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/suite_options.h"
#include "host/conformance/judge_counted.h"
#include "host/conformance/metrics_text.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/convert.h"

struct arguments {
  struct suite_options suite;
  const char *id;
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->suite;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->id)
      argp_error(state, "one case at a time");
    arguments->id = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "which case? `trammel conformance list` shows them");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&suite_options_argp, 0, NULL, 0}, {0}};
const struct argp cmd_conformance_show_argp = {
    .parser = parse,
    .children = children,
    .args_doc = "CASE",
    .doc = "Shows a case: why it is there, what it applies, what must then hold, and in which versions it runs.",
};

static const char *alias_itself(void *ctx, const char *alias) {
  (void)ctx;
  return alias;
}

static int print_resources(const struct test_case *test, struct arena *arena, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct smi_set set;
  json_t *resources = NULL;
  struct smi_target_versions hub = {0};
  int r = case_resources(test, arena, alias_itself, NULL, &set, diagnostics, err);
  if (r == 0 && smi_convert(&set, &hub, diagnostics, &resources) < 0)
    r = error_set(err, EINVAL, "the resources of %s do not convert", test->id);
  if (r == 0)
    r = case_resources_as_written(test, arena, alias_itself, NULL, resources, err);
  size_t i;
  json_t *resource;
  json_array_foreach(resources, i, resource) {
    strbuf_puts(&text, "---\n");
    yaml_write(resource, &text);
  }
  fputs(strbuf_text(&text), stdout);
  json_decref(resources);
  return r;
}

static void print_names(const char *what, const struct resource_name *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    printf("  %s %s/%s\n", what, smi_kind_name(names[i].kind), names[i].name);
}

static const char *outcome_wanted(enum check_kind kind) {
  switch (kind) {
  case CHECK_DENIED:
    return "is denied";
  case CHECK_UNBROKEN:
    return "goes through all the time while the step is carried out";
  case CHECK_CUT:
    return "goes through until it is denied, and never again";
  case CHECK_REFUSED:
    return "is refused";
  case CHECK_REPORTED:
    return "is told about";
  case CHECK_ALLOWED:
  case CHECK_SPLIT:
  case CHECK_METRICS:
  case CHECK_COUNTED:
    break;
  }
  return "goes through";
}

static void print_check(const struct check *check, struct arena *arena) {
  if (check->kind == CHECK_METRICS) {
    const char *expected = metrics_expected(arena, check);
    printf("  %s  %s\n", check->requirement, expected ? expected : "");
    return;
  }
  if (check->kind == CHECK_COUNTED) {
    const char *counted = counted_expected(arena, check);
    printf("  %s  %s\n", check->requirement, counted ? counted : "");
    return;
  }
  const char *what = check_describe(arena, check);
  printf("  %s  %s ", check->requirement, what ? what : "");
  if (check->kind != CHECK_SPLIT) {
    fputs(outcome_wanted(check->kind), stdout);
    if (check->repeat > 1)
      printf(", %u times", check->repeat);
    putchar('\n');
    return;
  }
  fputs("is split", stdout);
  for (size_t i = 0; i < check->share_count; i++)
    printf("%s %s:%u", i ? "," : "", check->shares[i].workload, check->shares[i].weight);
  printf(", %llu times%s\n", (unsigned long long)check_request_count(check),
         check->shares_judged ? "" : " (only who gets anything is judged)");
}

static int print_versions(const struct suite *suite, const struct test_case *test, struct error **err) {
  const char *const only[] = {test->id, NULL};
  struct selection selection = {.cases = only};
  struct plan plan;
  int r = plan_create(suite, &selection, 0, &plan, err);
  if (r < 0)
    return r;
  puts("\nRuns in:");
  for (size_t i = 0; i < plan.count; i++)
    if (plan.jobs[i].test == test)
      printf("  %s\n", plan.jobs[i].column.label);
  plan_finish(&plan);
  return 0;
}

static int print_case(const struct suite *suite, const struct test_case *test, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  if (!arena)
    return error_set(err, ENOMEM, "no memory");
  printf("%s\n%s\n\n%s\n", test->id, test->title, test->why);
  puts("\nProves:");
  for (size_t i = 0; i < test->requirement_count; i++) {
    const struct requirement *requirement = requirement_find(test->requirements[i]);
    printf("  %s  %s\n", requirement->id, requirement->summary);
  }
  printf("\nTopology: %s%s\n\n", test->topology->name, test->level == CASE_INFORMATIVE ? "; informative" : "");
  if (test->written_in.alpha > 0)
    printf("Resources (%s/v1alpha%u as written, the rest in hub form):\n", smi_group_name(test->written_in.group),
           test->written_in.alpha);
  else
    puts(test->resources->count > 0 ? "Resources (hub form):" : "Resources: none");
  int r = print_resources(test, arena, err);
  for (size_t i = 0; r == 0 && i < test->step_count; i++) {
    printf("\nStep %zu:\n", i + 1);
    print_names("delete", test->steps[i].delete, test->steps[i].delete_count);
    print_names("apply", test->steps[i].apply, test->steps[i].apply_count);
    for (size_t k = 0; k < test->steps[i].check_count; k++)
      print_check(&test->steps[i].checks[k], arena);
  }
  return r < 0 ? r : print_versions(suite, test, err);
}

int cmd_conformance_show(int argc, char **argv) {
  struct arguments arguments = {0};
  command_parse(&cmd_conformance_show_argp, argc, argv, &arguments);
  struct suite *suite = NULL;
  _cleanup_error_ struct error *err = NULL;
  int r = suite_options_load(&arguments.suite, &suite, &err);
  if (r == 0) {
    const struct test_case *test = suite_find(suite, arguments.id);
    r = test ? print_case(suite, test, &err)
             : error_set(&err, ENOENT, "no case '%s'; `trammel conformance list` shows them", arguments.id);
  }
  if (r < 0)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  suite_destroy(suite);
  suite_options_finish(&arguments.suite);
  return r < 0 ? EXIT_USAGE : EXIT_ALL_PASSED;
}
