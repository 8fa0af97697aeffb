/* Values from outside against the schemas of the adapter. */
#include "sdk/adapter/internal.h"
#include "sdk/base/diagnostic.h"
#include "sdk/base/schema.h"

static void report(struct call *call, const struct diagnostics *diagnostics) {
  for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
    const struct diagnostic *d = diagnostics_at(diagnostics, i);
    call_diagnose(call,
                  &(struct finding){.severity = (uint32_t)d->severity,
                                    .code = d->code,
                                    .pointer = d->pointer,
                                    .detail = d->detail,
                                    .remedy = d->remedy},
                  "%s", d->summary);
  }
}

int call_validate(struct call *call, const json_t *schema, json_t *value) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!diagnostics)
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (schema_validate(schema, value, NULL, diagnostics) < 0) {
    report(call, diagnostics);
    return TRAMMEL_INVALID_ARGUMENT;
  }
  return schema_fill_defaults(schema, value) == 0 ? TRAMMEL_OK : TRAMMEL_RESOURCE_EXHAUSTED;
}
