#include "plugins/reference/mesh/fault.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

static const struct {
  const char *name;
  const char *requirement;
  const char *what;
} faults[] = {
#define X(enumerator, name, requirement, what) {name, requirement, what},
    REFERENCE_FAULTS(X)
#undef X
};

const char *fault_name(enum fault fault) {
  return faults[fault].name;
}

int fault_set_add(struct fault_set *set, const char *name, struct error **err) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  for (uint32_t i = 0; i < FAULT_COUNT; i++) {
    if (strcmp(faults[i].name, name) == 0) {
      set->bits[i / 64] |= UINT64_C(1) << i % 64;
      return 0;
    }
    strbuf_printf(&known, "%s%s", i ? ", " : "", faults[i].name);
  }
  return error_set(err, EINVAL, "no fault is called \"%s\"; there are: %s", name, strbuf_text(&known));
}

/* The texts are this program's own and hold no character that JSON escapes. */
void fault_list(FILE *out, bool json) {
  if (json)
    fputs("[", out);
  for (size_t i = 0; i < FAULT_COUNT; i++) {
    if (json)
      fprintf(out, "%s\n  {\"name\": \"%s\", \"requirement\": \"%s\", \"description\": \"%s\"}", i ? "," : "",
              faults[i].name, faults[i].requirement, faults[i].what);
    else
      fprintf(out, "%s\t%s\t%s\n", faults[i].name, faults[i].requirement, faults[i].what);
  }
  if (json)
    fputs("\n]\n", out);
}
