#include "host/cli/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

uint64_t number_parse(const struct argp_state *state, const char *name, const char *text, uint64_t least,
                      uint64_t most) {
  char *end = NULL;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || *text < '0' || *text > '9' || *end || value < least || value > most)
    argp_error(state, "%s wants a number from %" PRIu64 " to %" PRIu64 ", not '%s'", name, least, most, text);
  return value;
}
