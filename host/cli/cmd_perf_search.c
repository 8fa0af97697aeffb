/* trammel perf search: the highest rate at which the objectives of a profile are met. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/interrupt.h"
#include "host/cli/packages.h"
#include "host/cli/profile_run.h"
#include "host/perf/outcome.h"
#include "host/perf/search.h"

struct arguments {
  const char *profile;
  double from, least, most; /* 0: not given */
  double precision;
  bool json;
};

enum { KEY_FROM = 256, KEY_LEAST, KEY_MOST, KEY_PRECISION };

static const struct argp_option option_table[] = {
    {"from", KEY_FROM, "N", 0, "the rate to begin with (default: the profile's)", 0},
    {"least", KEY_LEAST, "N", 0, "try none below (default: a thousandth of where it begins)", 0},
    {"most", KEY_MOST, "N", 0, "try none above (default: 10000000)", 0},
    {"precision", KEY_PRECISION, "PERCENT", 0,
     "end when the lowest rate that is too high is at most this much above the highest one that is not (default: 5)",
     0},
    {"output", 'o', "FORMAT", 0, "text (a line for each step), or json", 0},
    {0},
};

static double parse_number(const struct argp_state *state, const char *name, const char *text, double least,
                           double most) {
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || (*end && strcmp(end, "%") != 0) || !(value >= least && value <= most))
    argp_error(state, "%s wants a number from %g to %g, not '%s'", name, least, most, text);
  return value;
}

static double parse_rate(const struct argp_state *state, const char *name, const char *text) {
  return parse_number(state, name, text, SCHEDULE_RATE_MIN, SCHEDULE_RATE_MAX);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_FROM:
    arguments->from = parse_rate(state, "--from", argument);
    return 0;
  case KEY_LEAST:
    arguments->least = parse_rate(state, "--least", argument);
    return 0;
  case KEY_MOST:
    arguments->most = parse_rate(state, "--most", argument);
    return 0;
  case KEY_PRECISION:
    arguments->precision = parse_number(state, "--precision", argument, 100 * SEARCH_PRECISION_MIN, 100) / 100;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->profile)
      argp_error(state, "one profile at a time: '%s' is another one", argument);
    arguments->profile = argument;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->profile)
      argp_error(state, "which profile? A file, - for standard input, or one that is saved");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_perf_search_argp = {
    .options = option_table,
    .parser = parse,
    .args_doc = "PROFILE",
    .doc = "Looks for the highest rate at which the objectives of a profile are met: runs it at one rate after the "
           "other, twice as high until they are missed, then between the two.\v"
           "A step is missed when an objective is, or when the target is too slow for the rate (`late`). One that "
           "can't be told ends the search.\n\n"
           "Exits 0 with a rate, 1 when the objectives are met at none that was tried, 2 for usage, 3 when it can't be "
           "told, or was interrupted.",
};

/* ---- a step */

enum step { STEP_MET, STEP_MISSED, STEP_UNTOLD };

/* What a slow generator adds can make an objective missed, which is untold then, and never met. Requests that were sent
 * too late may be its fault, or the target's. */
static enum step judge(const struct outcome *outcome) {
  unsigned doubts = outcome->whole.doubts;
  if (doubts & (LOAD_DOUBT_EMPTY | LOAD_DOUBT_CUT))
    return STEP_UNTOLD;
  bool slow = doubts & (LOAD_DOUBT_LAG | LOAD_DOUBT_BUSY), late = doubts & LOAD_DOUBT_LATE;
  enum step step = late && !slow ? STEP_MISSED : STEP_MET;
  if (late && slow)
    step = STEP_UNTOLD;
  for (size_t i = 0; i < outcome->profile->objective_count; i++) {
    if (outcome->findings[i].verdict == OBJECTIVE_MISSED)
      return STEP_MISSED;
    if (outcome->findings[i].verdict == OBJECTIVE_UNTOLD)
      step = STEP_UNTOLD;
  }
  return step;
}

static const char *step_name(enum step step) {
  static const char *const names[] = {"met", "missed", "untold"};
  return names[step];
}

static void print_step(const struct outcome *outcome, unsigned number, double rate, enum step step) {
  printf("  %2u  %12.1f/s  %-6s ", number, rate, step_name(step));
  for (size_t i = 0; i < outcome->profile->objective_count; i++) {
    const struct objective *objective = &outcome->profile->objectives[i];
    _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
    if (outcome->findings[i].measured)
      objective_value_text(objective, outcome->findings[i].value, &value);
    printf(" %s: %s", objective->text, value.length > 0 ? strbuf_text(&value) : "n/a");
  }
  for (unsigned doubt = 1; doubt <= LOAD_DOUBT_LAST; doubt <<= 1)
    if (outcome->whole.doubts & doubt)
      printf(" [%s]", load_doubt_name(doubt));
  putchar('\n');
  (void)fflush(stdout);
}

static json_t *step_json(const struct outcome *outcome, double rate, enum step step) {
  return json_pack("{s:f, s:s, s:f, s:o, s:o}", "rate", rate, "verdict", step_name(step), "achievedRate",
                   outcome->whole.achieved_rate, "doubts", outcome_doubts_json(outcome), "objectives",
                   outcome_objectives_json(outcome));
}

/* ---- the search */

struct looking {
  const struct arguments *arguments;
  struct profile_input *input;
  struct search search;
  json_t *steps;
  bool untold; /* the last step was */
};

static int try_rate(struct looking *looking, double rate, struct error **err) {
  struct outcome outcome = {0};
  int r = profile_set_rate(looking->input->profile, rate, err);
  if (r == 0)
    r = outcome_run(looking->input->profile, looking->input->targets, interrupt_flag(), &outcome, err);
  if (r != 0)
    return r;
  enum step step = judge(&outcome);
  looking->untold = step == STEP_UNTOLD;
  if (looking->untold)
    looking->search.steps++;
  else
    search_tell(&looking->search, rate, step == STEP_MET);
  if (looking->arguments->json)
    (void)json_array_append_new(looking->steps, step_json(&outcome, rate, step));
  else
    print_step(&outcome, looking->search.steps, rate, step);
  outcome_finish(&outcome);
  return 0;
}

static void print_end(const struct looking *looking) {
  const struct search *search = &looking->search;
  if (looking->untold)
    printf("\nCAN'T BE TOLD: the last step tells nothing of the target\n");
  else if (search->good == 0)
    printf("\nNONE: the objectives are missed at %.1f requests per second, too\n", search->bad);
  if (search->good > 0)
    printf("\n%.1f requests per second meet the objectives", search->good);
  if (search->good > 0 && search->bad > 0)
    printf(", %.1f (%.1f%% more) do not", search->bad, 100 * (search->bad / search->good - 1));
  if (search->good > 0)
    putchar('\n');
}

static int print(struct looking *looking) {
  const struct search *search = &looking->search;
  if (!looking->arguments->json) {
    print_end(looking);
    return packages_flush();
  }
  return packages_print_json(json_pack("{s:s, s:s, s:s, s:s, s:f, s:o*, s:o*, s:O}", "format", "trammel.perf-search/v1",
                                       "trammel", TRAMMEL_VERSION, "profile", looking->input->profile->name, "verdict",
                                       looking->untold    ? "untold"
                                       : search->good > 0 ? "found"
                                                          : "none",
                                       "precision", search->precision, "met",
                                       search->good > 0 ? json_real(search->good) : NULL, "missed",
                                       search->bad > 0 ? json_real(search->bad) : NULL, "steps", looking->steps));
}

static int check(const struct profile *profile, const struct search *search, struct error **err) {
  enum schedule_kind kind = profile->whole.schedule.kind;
  if (kind != SCHEDULE_CONSTANT && kind != SCHEDULE_POISSON)
    return error_set(err, EINVAL, "a search is of a profile whose schedule is constant or poisson, not %s",
                     schedule_kind_name(kind));
  if (profile->objective_count == 0)
    return error_set(err, EINVAL, "a search is for the objectives of a profile, and this one has none");
  if (!(search->least <= search->from && search->from <= search->most))
    return error_set(err, EINVAL, "it begins with %g requests per second, which is not from %g to %g", search->from,
                     search->least, search->most);
  return 0;
}

/* The lowest rate of which each target's part is still one. */
static double least_of(const struct profile *profile) {
  double whole = profile->whole.schedule.rate, smallest = whole;
  for (size_t i = 0; i < profile->load_count; i++)
    smallest = fmin(smallest, profile->loads[i].options.schedule.rate);
  return SCHEDULE_RATE_MIN * (1 + 1e-6) * whole / smallest; /* beyond what rates lose by rounding */
}

/* What stands in the way of a step is no reason to lose those before it. */
static int end_with_error(struct looking *looking, int r) {
  if (looking->search.steps > 0) {
    looking->untold = true;
    (void)print(looking);
  }
  return r == -EINVAL ? EXIT_USAGE : EXIT_INTERNAL;
}

static int look(struct looking *looking, struct error **err) {
  const struct arguments *arguments = looking->arguments;
  const struct profile *profile = looking->input->profile;
  struct search *search = &looking->search;
  *search = (struct search){.from = arguments->from > 0 ? arguments->from : profile->whole.schedule.rate,
                            .most = arguments->most > 0 ? arguments->most : SCHEDULE_RATE_MAX,
                            .precision = arguments->precision};
  search->least = fmax(arguments->least > 0 ? arguments->least : search->from / 1000, least_of(profile));
  int r = check(profile, search, err);
  if (r == 0)
    interrupt_catch();
  for (double rate; r == 0 && !looking->untold && (rate = search_next(search)) > 0;)
    r = try_rate(looking, rate, err);
  if (r < 0)
    return end_with_error(looking, r);
  int code = print(looking);
  if (code != EXIT_ALL_PASSED)
    return code;
  return looking->untold ? EXIT_COULD_NOT_TEST : search->good > 0 ? EXIT_ALL_PASSED : EXIT_SOMETHING_FAILED;
}

int cmd_perf_search(int argc, char **argv) {
  struct arguments arguments = {.precision = 0.05};
  struct profile_input input = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_search_argp, argc, argv, &arguments);
  struct looking looking = {.arguments = &arguments, .input = &input, .steps = json_array()};
  int code = looking.steps ? profile_input_read(arguments.profile, &input) : EXIT_INTERNAL;
  if (code == EXIT_ALL_PASSED)
    code = look(&looking, &err);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  json_decref(looking.steps);
  profile_input_finish(&input);
  return code;
}
