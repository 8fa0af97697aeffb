#include "host/cli/comparing.h"

#include <stdlib.h>
#include <string.h>

#include "host/cli/command.h"

enum { KEY_BY = 0xb00, KEY_TOLERANCE };

static const struct argp_option option_table[] = {
    {"by", KEY_BY, "QUANTILE", 0, "p50, p75, p90, p99 (the default) or p99.9: what the verdict is of", 5},
    {"tolerance", KEY_TOLERANCE, "PERCENT", 0, "how much slower B may be (default: 0)", 5},
    {0},
};

static double parse_tolerance(const struct argp_state *state, const char *text) {
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || (*end && strcmp(end, "%") != 0) || !(value >= 0 && value <= 1000))
    argp_error(state, "--tolerance wants 0 to 1000 percent, not '%s'", text);
  return value / 100;
}

static size_t parse_by(const struct argp_state *state, const char *text) {
  int by = load_comparison_by(text);
  if (by < 0)
    argp_error(state, "--by wants p50, p75, p90, p99 or p99.9, not '%s'", text);
  return by < 0 ? 0 : (size_t)by;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct comparing *comparing = state->input;
  switch (key) {
  case KEY_BY:
    comparing->by = parse_by(state, argument);
    comparing->first = "--by";
    return 0;
  case KEY_TOLERANCE:
    comparing->tolerance = parse_tolerance(state, argument);
    comparing->first = "--tolerance";
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp comparing_argp = {.options = option_table, .parser = parse};

double comparing_tolerance(const struct comparing *comparing) {
  return comparing->tolerance < 0 ? 0 : comparing->tolerance;
}

int comparing_exit_code(const struct load_comparison *comparison) {
  if (comparison->verdict == LOAD_VERDICT_UNTOLD)
    return EXIT_COULD_NOT_TEST;
  return comparison->verdict == LOAD_VERDICT_SLOWER ? EXIT_SOMETHING_FAILED : EXIT_ALL_PASSED;
}
