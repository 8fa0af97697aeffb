/* Judges checks by counters, as the suite `baseline` does. For judge.c and trial.c. */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_COUNTED_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_COUNTED_H

#include "host/conformance/judge.h"

/* How long a state judged by counters may take to come true, if --converge does not say more: the earlier suite waits
 * as long before each of its checks. */
#define COUNTED_SETTLE_NS (5 * INT64_C(1000000000))

/* True when all checks of a step are judged by counters. Such a state is judged as soon as it held once: the earlier
 * suite asks once, so that a longer look would make it stronger than it was. */
bool counted_step(const struct step *step);

/* Empties the counters of every server that the check is about, makes the calls one after another, and compares. As
 * judge_check(). */
int judge_counted(struct prober *prober, const struct check *check, struct arena *arena, struct verdict *verdict,
                  struct error **err);

/* As judge_glance() and judge_control(), from the client's view alone. */
int judge_counted_glance(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                         struct error **err);
int judge_counted_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                          struct error **err);

/* "of 50 times GET /echo from app-a to app:9091, app-b counts 50", in `arena`. */
const char *counted_expected(struct arena *arena, const struct check *check);

#endif
