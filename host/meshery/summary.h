/* What a conformance run found (docs/schema/conformance-report.json), in the words of Meshery's family. */
#ifndef TRAMMEL_HOST_MESHERY_SUMMARY_H
#define TRAMMEL_HOST_MESHERY_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"
#include "smi_conformance/conformance.pb-c.h"

/* One case in one version of its API. Texts are borrowed from the report. */
struct verdict {
  const char *smi_spec; /* "traffic-access", "traffic-specs", "traffic-split" or "traffic-metrics" */
  const char *version;  /* "v1alpha4" */
  const char *id, *title;
  const char *reason; /* of one that did not pass; "" when it did */
  const char *code;   /* "failed", "not-judged" or "skipped"; "" when it passed */
  double seconds;
  SmiConformance__Capability capability; /* NONE: skipped; HALF: a part was translated approximately, or not at all */
};

struct summary {
  json_t *report;
  const char *mesh_version; /* borrowed; "" when it is not known */
  struct verdict *verdicts; /* without informative ones, which judge nothing */
  size_t count;
  size_t passed;
  size_t judged; /* without those that were skipped */
};

bool verdict_passed(const struct verdict *verdict);

/* -EINVAL for what is no report. */
int summary_read(const char *data, size_t length, struct summary *ret_summary, struct error **err);
void summary_finish(struct summary *summary);

/* Of those judged; 0 when none was. */
double summary_percent(const struct summary *summary);

#endif
