/* Whether the adapter can express a case at all: asked before workloads are placed for it, which costs more. */
#ifndef TRAMMEL_HOST_CONFORMANCE_FORECAST_H
#define TRAMMEL_HOST_CONFORMANCE_FORECAST_H

#include "host/conformance/plan.h"
#include "host/conformance/result.h"
#include "host/engine/engine.h"

/* Translates what the first step puts in force, under the names that the case has for namespaces, and applies nothing.
 * -ENOTSUP with the adapter's reason when it cannot express that, with the resources in `result`, or serves no metrics
 * where the case is about them; other errors as trial_policy_translate(). */
int forecast(struct engine *engine, const struct job *job, const char *name, struct arena *arena,
             struct case_result *result, struct error **err);

#endif
