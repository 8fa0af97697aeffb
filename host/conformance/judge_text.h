/* What a verdict says: for people, and as evidence. Texts live in the arena; NULL without memory. */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_TEXT_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_TEXT_H

#include <jansson.h>

#include "host/conformance/probe.h"

/* Where the calls of a split went. */
struct split_count {
  unsigned calls;
  uint64_t *shares;    /* per share of the check */
  uint64_t elsewhere;  /* received by a workload that is none of them */
  uint64_t unanswered; /* without an answer that a backend with weight can be proven to have given */
  struct call_outcome first_unanswered;
  double p_value;
};

/* How call `shown` of a traced probe ended, and who received it. */
const char *call_seen(struct arena *arena, const struct prober *prober, const struct check *check,
                      const struct probe *probe, unsigned shown);
json_t *call_evidence(const struct prober *prober, const struct check *check, const struct probe *probe,
                      unsigned shown);

/* How a call ended, by its answer alone. */
const char *glance_seen(struct arena *arena, const struct check *check, const struct call_outcome *call);

const char *split_expected(struct arena *arena, const struct check *check);
const char *split_seen(struct arena *arena, const struct check *check, const struct split_count *count);
json_t *split_evidence(const struct check *check, const char *id, const struct split_count *count);

#endif
