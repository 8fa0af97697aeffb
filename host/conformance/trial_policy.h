/* The SMI resources of a case while it runs: in its column's version, and what of them is in force on the mesh. */
#ifndef TRAMMEL_HOST_CONFORMANCE_TRIAL_POLICY_H
#define TRAMMEL_HOST_CONFORMANCE_TRIAL_POLICY_H

#include "host/conformance/plan.h"
#include "host/conformance/result.h"
#include "host/lab/lab.h"

struct trial_policy;

/* What resources are for. All is borrowed for as long as the policy lives. */
struct policy_ground {
  const char *(*namespace_of)(const void *ctx, const char *alias); /* the real name of one; NULL: there is none */
  const void *ctx;
  const Trammel__Adapter__V1__Inventory *inventory;
};

/* Reads the case's resources for `ground`, writes them in the column's version and reads that back, as a user's files
 * would be. `name` is unique in the run. Nothing is applied yet. */
int trial_policy_create(struct engine *engine, const struct policy_ground *ground, const struct job *job,
                        const char *name, struct arena *arena, struct trial_policy **ret_policy, struct error **err);
void trial_policy_destroy(struct trial_policy *policy);

/* Takes away and applies what the step says: translates what is then in force and makes the mesh have exactly that.
 * -ENOTSUP with the adapter's reason when it cannot express it. */
int trial_policy_step(struct trial_policy *policy, const struct step *step, struct error **err);

/* The same without applying it: whether the adapter can express it. */
int trial_policy_translate(struct trial_policy *policy, const struct step *step, struct error **err);

/* Whether an invalid resource of the case is refused together with what is in force: by whoever reads SMI, or by the
 * adapter. `*ret_refusal` says by whom and why, in the case's arena; NULL: nobody refuses it. */
int trial_policy_refusal(const struct trial_policy *policy, const struct resource_name *name, const char **ret_refusal,
                         struct error **err);

/* What the adapter said of a resource when it was applied last; borrowed until the next step. NULL: nothing. */
const char *trial_policy_report(const struct trial_policy *policy, const struct resource_name *name);

/* Takes everything away. */
int trial_policy_remove(struct trial_policy *policy, struct error **err);

/* The owner that the mesh's objects are applied under. */
const char *trial_policy_owner(const struct trial_policy *policy);

/* Hands resources and coverage over to the result. */
void trial_policy_result(struct trial_policy *policy, struct case_result *result);

#endif
