/* Verdicts on checks: allowed and denied are proofs, splits are statistics (docs/cases.md, docs/statistics.md). */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_H

#include "host/conformance/probe.h"
#include "host/conformance/result.h"

/* Judges a check once, with fresh nonces and, for a split, as many calls as its error rates need. Texts and evidence of
 * `*ret_result` live in `arena`, but evidence is a new JSON reference the caller drops. */
int judge_check(struct prober *prober, const struct check *check, struct arena *arena, struct check_result *ret_result,
                struct error **err);

/* A glance while waiting for convergence: does the check hold as far as a few calls can tell? For a split that nothing
 * strays. */
int judge_glance(struct prober *prober, const struct check *check, bool *ret_holds, struct error **err);

/* The control run: without policy, does the check's call go through to what is behind its target? When not, `*ret_seen`
 * (in `arena`) says what happened instead. */
int judge_control(struct prober *prober, const struct check *check, struct arena *arena, const char **ret_seen,
                  struct error **err);

/* "GET /metrics from client to server:8080", in `arena`. */
const char *check_describe(struct arena *arena, const struct check *check);

#endif
