#include "host/cli/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MAX_S 86400

int64_t duration_parse(const struct argp_state *state, const char *name, const char *text, bool zero) {
  static const struct {
    const char *unit;
    double seconds;
  } units[] = {{"ms", 1e-3}, {"s", 1}, {"", 1}, {"m", 60}, {"h", 3600}};
  char *end = NULL;
  errno = 0;
  double value = strtod(text, &end);
  bool good = end != text && errno == 0 && (zero ? value >= 0 : value > 0);
  for (size_t i = 0; good && i < sizeof(units) / sizeof(*units); i++)
    if (strcmp(end, units[i].unit) == 0 && value * units[i].seconds <= DURATION_MAX_S)
      return (int64_t)(value * units[i].seconds * 1e9);
  argp_error(state, "%s wants a duration %s at most 24h, such as 500ms, 2s or 1m, not '%s'", name,
             zero ? "of" : "above 0 and", text);
  return 0;
}
