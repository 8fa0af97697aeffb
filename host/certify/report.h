/* What all checks of an adapter came to: docs/schema/adapter-check.json. */
#ifndef TRAMMEL_HOST_CERTIFY_REPORT_H
#define TRAMMEL_HOST_CERTIFY_REPORT_H

#include <jansson.h>
#include <signal.h>
#include <stdint.h>

#include "host/certify/examine.h"
#include "host/certify/subject.h"
#include "sdk/base/strbuf.h"

/* One check. */
struct outcome {
  const struct certify_check *check;
  enum certify_verdict verdict;
  char *reason; /* heap; "" when there is none */
  struct finding findings[CERTIFY_PLACE_LAST];
  size_t finding_count;
};

struct certify_report {
  struct subject *subject;
  const char *name;    /* of the file, as it was given */
  const char *version; /* of Trammel */
  uint64_t seed;
  int64_t began_ns; /* CLOCK_REALTIME */
  struct outcome *outcomes;
  size_t count;
  unsigned totals[CERTIFY_VERDICT_LAST + 1]; /* by verdict */
};

struct certify_run {
  const volatile sig_atomic_t *interrupted;
  const char *const *only; /* ids of the checks to run, NULL-terminated; NULL: all */
  /* Before each check, and in which place; NULL: not told. */
  void (*progress)(void *ctx, const struct certify_check *check, enum certify_place place, size_t number);
  void *ctx;
};

/* Runs all checks. The report has subject, name, version and seed; all else is filled in. -EINTR; another error when a
 * check could not be run. */
int certify(struct certify_report *report, const struct certify_run *run, struct error **err);
void certify_report_finish(struct certify_report *report);

/* Whether everything that was checked is good enough. */
bool certify_report_good(const struct certify_report *report);

/* A new reference; NULL without memory. */
json_t *certify_report_json(const struct certify_report *report);
void certify_report_text(const struct certify_report *report, struct strbuf *out);

#endif
