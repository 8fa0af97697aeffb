/* Verdicts on checks about a resource: one that is not valid is refused, a misconfiguration is told. */
#ifndef TRAMMEL_HOST_CONFORMANCE_JUDGE_RESOURCE_H
#define TRAMMEL_HOST_CONFORMANCE_JUDGE_RESOURCE_H

#include "host/conformance/judge.h"
#include "host/conformance/trial_policy.h"

/* Judges a check that makes no calls (check_calls()), by the policy that is in force. Texts live in `arena`. */
int judge_resource(const struct trial_policy *policy, const struct check *check, struct arena *arena,
                   struct verdict *ret_verdict, struct error **err);

#endif
