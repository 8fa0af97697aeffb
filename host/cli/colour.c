#include "host/cli/colour.h"

#include <stdlib.h>
#include <string.h>

#include "host/cli/command.h"

const char *colour_when(const struct argp_state *state, const char *text) {
  static const char *const when[] = {"auto", "always", "never", NULL};
  return when[command_format(state, text, when)];
}

bool colour_wanted(const char *when, bool terminal) {
  if (when && strcmp(when, "auto") != 0)
    return strcmp(when, "always") == 0;
  const char *term = getenv("TERM");
  const char *none = getenv("NO_COLOR");
  return terminal && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}
