/* trammel conformance list: the cases and what they prove. */
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/suite_options.h"
#include "sdk/base/strbuf.h"

struct arguments {
  struct suite_options suite;
  int format;
};
enum { FORMAT_TEXT, FORMAT_JSON };

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text or json", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"text", "json", NULL};
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->suite;
    return 0;
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "unexpected argument '%s'; use --filter to select cases", argument);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&suite_options_argp, 0, NULL, 0}, {0}};
const struct argp cmd_conformance_list_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc = "Lists the cases of the suite: what each proves and in which versions it can run.",
};

static json_t *case_to_json(const struct test_case *test) {
  json_t *requirements = json_array();
  for (size_t i = 0; i < test->requirement_count; i++)
    json_array_append_new(requirements, json_string(test->requirements[i]));
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id", test->id, "title", test->title, "group",
                   smi_group_name(test->group), "level", test->level == CASE_REQUIRED ? "required" : "informative",
                   "topology", test->topology->name, "requirements", requirements);
}

static void print_case(const struct test_case *test) {
  _cleanup_strbuf_ struct strbuf requirements = STRBUF_INIT;
  for (size_t i = 0; i < test->requirement_count; i++)
    strbuf_printf(&requirements, "%s%s", i ? "," : "", test->requirements[i]);
  printf("%-52s %-16s %s%s\n", test->id, strbuf_text(&requirements), test->title,
         test->level == CASE_INFORMATIVE ? " (informative)" : "");
}

int cmd_conformance_list(int argc, char **argv) {
  struct arguments arguments = {0};
  command_parse(&cmd_conformance_list_argp, argc, argv, &arguments);
  struct suite *suite = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (suite_options_load(&arguments.suite, &suite, &err) < 0) {
    fprintf(stderr, "trammel: %s\n", error_message(err));
    suite_options_finish(&arguments.suite);
    return EXIT_USAGE;
  }
  struct selection selection = suite_options_selection(&arguments.suite);
  struct plan plan = {0};
  int r = plan_create(suite, &selection, 0, &plan, &err);
  json_t *list = json_array();
  const struct test_case *last = NULL;
  for (size_t i = 0; i < plan.count; i++) {
    if (plan.jobs[i].test == last)
      continue;
    last = plan.jobs[i].test;
    if (arguments.format == FORMAT_JSON)
      json_array_append_new(list, case_to_json(last));
    else
      print_case(last);
  }
  if (arguments.format == FORMAT_JSON) {
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
  }
  json_decref(list);
  plan_finish(&plan);
  suite_destroy(suite);
  suite_options_finish(&arguments.suite);
  if (r < 0)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  return r < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}
