/* TrafficTargets: an AuthorizationPolicy for each ServiceAccount that is a destination, or each group of its pods. */
#ifndef TRAMMEL_PLUGINS_ISTIO_TARGET_H
#define TRAMMEL_PLUGINS_ISTIO_TARGET_H

#include "plugins/istio/filter.h"

/* After the default denial, and after what narrows policies down. */
#define POLICY_WAVE 2u

struct destination {
  const struct kube_account *account;
  struct kube_ports ports;
  struct grant grant;
  struct native_object *filter; /* NULL: the policy says it all */
};

/* One target on its way. */
struct target {
  const struct smi_traffic_target *smi;
  struct coverage_list coverage;
  struct coverage_list subject_coverage; /* stated after the rules' */
  struct kube_rules rules;
  struct istio_match *matches; /* as many as rules.matches */
  struct kube_identities sources;
  struct destination *destinations;
  size_t destination_count, destination_capacity;
  bool coarse; /* its policies admit more than it means */
};

/* Decides on all of a target. */
void target_read(const struct kube_subjects *subjects, const struct istio_options *options,
                 const struct smi_traffic_target *smi, struct target *ret_target);

/* Makes the filters of accounts for which a target is coarse, and gives them to the destinations. */
void targets_filter(struct call *call, const struct istio_options *options, struct target *targets, size_t count,
                    struct translation *translation);

/* Makes the policies, and states the coverage. */
void target_emit(const struct target *target, const struct istio_options *options, struct translation *translation);

#endif
