/* trammel conformance list: the cases and what they prove. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/suite_options.h"
#include "host/report/requirement_page.h"
#include "sdk/base/strbuf.h"

struct arguments {
  struct suite_options suite;
  int format;
};

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN };
static const char *const formats[] = {"text", "json", "markdown", NULL};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text, json, or markdown for a page of requirements", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
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
    .doc = "Lists the cases of the suite: what each proves, and in how many combinations of versions it runs (with -o "
           "json, in which). -o markdown lists the requirements instead, each with its cases.",
};

/* The jobs of one case stand together in a plan; `*i` goes past them. The labels of their columns are appended to
 * `columns`. */
static const struct test_case *next_case(const struct plan *plan, size_t *i, json_t *columns) {
  const struct test_case *test = plan->jobs[*i].test;
  for (; *i < plan->count && plan->jobs[*i].test == test; ++*i)
    (void)json_array_append_new(columns, json_string(plan->jobs[*i].column.label));
  return test;
}

/* Takes `columns`. */
static json_t *case_to_json(const struct test_case *test, json_t *columns) {
  json_t *requirements = json_array();
  for (size_t i = 0; i < test->requirement_count; i++)
    (void)json_array_append_new(requirements, json_string(test->requirements[i]));
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", test->id, "title", test->title, "group",
                   smi_group_name(test->group), "level", test->level == CASE_REQUIRED ? "required" : "informative",
                   "topology", test->topology->name, "requirements", requirements, "columns", columns);
}

static int print_json(const struct plan *plan) {
  json_auto_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < plan->count && !failed;) {
    json_t *columns = json_array();
    const struct test_case *test = next_case(plan, &i, columns);
    failed = json_array_append_new(list, case_to_json(test, columns));
  }
  if (failed || json_dumpf(list, stdout, JSON_INDENT(2)) < 0)
    return EXIT_INTERNAL;
  (void)putchar('\n');
  return EXIT_ALL_PASSED;
}

static void print_case(const struct test_case *test, size_t columns) {
  _cleanup_strbuf_ struct strbuf requirements = STRBUF_INIT;
  for (size_t i = 0; i < test->requirement_count; i++)
    strbuf_printf(&requirements, "%s%s", i ? "," : "", test->requirements[i]);
  printf("%-52s %-16s %2zu %-8s  %s%s\n", test->id, strbuf_text(&requirements), columns,
         columns == 1 ? "version" : "versions", test->title, test->level == CASE_INFORMATIVE ? " (informative)" : "");
}

static int print_text(const struct plan *plan) {
  for (size_t i = 0; i < plan->count;) {
    json_auto_t *columns = json_array();
    const struct test_case *test = next_case(plan, &i, columns);
    print_case(test, json_array_size(columns));
  }
  return EXIT_ALL_PASSED;
}

static int print_plan(const struct plan *plan, int format) {
  if (format == FORMAT_TEXT)
    return print_text(plan);
  if (format == FORMAT_JSON)
    return print_json(plan);
  return requirement_page(plan, stdout) < 0 ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}

static int list_cases(const struct arguments *arguments, struct error **err) {
  struct suite *suite = NULL;
  struct plan plan = {0};
  struct selection selection = suite_options_selection(&arguments->suite);
  int r = suite_options_load(&arguments->suite, &suite, err);
  if (r == 0)
    r = plan_create(suite, &selection, 0, &plan, err);
  if (r == 0 && plan.count == 0)
    r = error_set(err, ENOENT, "no case is selected; `trammel conformance list` shows them");
  int code = r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  if (r == 0)
    code = print_plan(&plan, arguments->format);
  plan_finish(&plan);
  suite_destroy(suite);
  return code;
}

int cmd_conformance_list(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_conformance_list_argp, argc, argv, &arguments);
  int code = list_cases(&arguments, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  suite_options_finish(&arguments.suite);
  return code;
}
