#include "host/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"

void command_parse(const struct argp *argp, int argc, char **argv, void *input) {
  argp_err_exit_status = EXIT_USAGE;
  error_t r = argp_parse(argp, argc, argv, 0, NULL, input);
  if (r != 0) {
    fprintf(stderr, "%s: %s\n", argv[0], strerror(r));
    exit(EXIT_INTERNAL);
  }
}

int command_format(const struct argp_state *state, const char *text, const char *const *formats) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  for (int i = 0; formats[i]; i++) {
    if (strcmp(text, formats[i]) == 0)
      return i;
    strbuf_printf(&known, "%s%s", i ? ", " : "", formats[i]);
  }
  argp_error(state, "unknown value '%s'; known: %s", text, strbuf_text(&known));
  return -1;
}

bool command_wants_json(const struct argp_state *state, const char *text) {
  static const char *const formats[] = {"text", "json", NULL};
  return command_format(state, text, formats) == 1;
}
