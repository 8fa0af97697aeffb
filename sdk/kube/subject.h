/* Who the sources and destinations of TrafficTargets are on Kubernetes: ServiceAccounts. */
#ifndef TRAMMEL_SDK_KUBE_SUBJECT_H
#define TRAMMEL_SDK_KUBE_SUBJECT_H

#include "sdk/adapter/coverage.h"
#include "sdk/kube/directory.h"

struct kube_identity {
  const char *ns;
  const char *name; /* of the ServiceAccount */
};

struct kube_identities {
  struct kube_identity *items; /* of kube_sources_resolve and kube_destinations_resolve: sorted, each once */
  size_t count, capacity;
};

/* Adds one; marks the call without memory. */
void kube_identities_add(struct call *call, struct kube_identities *identities, const char *ns, const char *name);

/* Sorts them, and keeps each once. */
void kube_identities_sort(struct kube_identities *identities);

/* How subjects are told apart, and the adapter's codes for those that cannot be. */
struct kube_subjects {
  const struct kube_directory *directory;
  const char *trust_domain;  /* of SPIFFE ids: spiffe://<trust domain>/ns/<namespace>/sa/<ServiceAccount> */
  const char *code_dangling; /* a binding that is not there */
  const char *code_identity; /* a subject that cannot be told by its ServiceAccount */
};

/* Adds the identities of `subject`, which is at `pointer` of the target. An IdentityBinding stands for ServiceAccounts
 * of its own namespace. What cannot be told exactly is left out, never widened, and covered. */
void kube_subject_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                          const struct smi_traffic_target *target, const struct smi_subject *subject,
                          const char *pointer, struct kube_identities *identities);

/* The same for all sources of a target, and its destination. Sorted. */
void kube_sources_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                          const struct smi_traffic_target *target, struct kube_identities *ret_identities);
void kube_destinations_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                               const struct smi_traffic_target *target, struct kube_identities *ret_identities);

#endif
