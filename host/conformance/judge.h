/* Verdicts on checks: allowed and denied are proofs, splits are statistics (docs/cases.md, docs/statistics.md). */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_H

#include "host/conformance/probe.h"
#include "host/conformance/result.h"

/* A check's verdict, and the calls it rests on. */
struct verdict {
  struct check_result result;
  struct probe probe;
};

/* Judges a check once, with fresh nonces and as many calls as its error rates need. `settled` is false when the
 * expected state never held: then a split is judged by a few calls, because it has failed anyway. Texts of
 * `*ret_verdict` live in `arena`; it is finished with verdict_finish(). */
int judge_check(struct prober *prober, const struct check *check, bool settled, struct arena *arena,
                struct verdict *ret_verdict, struct error **err);

/* Looks once more whether a call that was judged as denied has been delivered after all; then the verdict no longer
 * holds. */
int judge_again(struct prober *prober, struct verdict *verdict, struct arena *arena, struct error **err);

/* Frees the calls, and drops the evidence unless it was taken out of the result. */
void verdict_finish(struct verdict *verdict);

/* A glance while waiting for convergence: does the check hold as far as a few answers can tell? The servers' records
 * are not asked. When not,
 * `*ret_seen` (in `arena`) says what was seen; else it is NULL. */
int judge_glance(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                 struct error **err);

/* The control run: without policy, does the check's call go through to what is behind its target, and, for a split, a
 * call to each backend with a share? `*ret_seen` as above. */
int judge_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                  struct error **err);

/* Whether a call was received by something of `targets` and nothing else, and answered by what received it. */
bool call_is_delivered(const struct check *check, const struct call_outcome *call, const struct arrival *arrival,
                       uint64_t targets);
/* Whether the client saw a refusal that counts as a denial, given that no server has a record of the call. */
bool call_is_refusal(const struct check *check, const struct call_outcome *call);

/* "GET /metrics from client to server:8080", in `arena`. */
const char *check_describe(struct arena *arena, const struct check *check);

#endif
