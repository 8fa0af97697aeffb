#include "host/cli/duration.h"

#include "sdk/base/clock.h"
#include "sdk/base/duration.h"

#define DURATION_MAX_NS (86400 * NS_PER_SECOND)

int64_t duration_parse(const struct argp_state *state, const char *name, const char *text, bool zero) {
  int64_t ns = 0;
  if (duration_read(text, DURATION_MAX_NS, &ns) < 0 || (ns == 0 && !zero))
    argp_error(state, "%s wants a duration %s at most 24h, such as 500ms, 2s or 1m30s, not '%s'", name,
               zero ? "of" : "above 0 and", text);
  return ns;
}
