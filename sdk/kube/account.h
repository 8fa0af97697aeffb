/* ServiceAccounts as the pods that run as them, and the labels by which a selector finds exactly those pods. */
#ifndef TRAMMEL_SDK_KUBE_ACCOUNT_H
#define TRAMMEL_SDK_KUBE_ACCOUNT_H

#include "sdk/adapter/call.h"
#include "sdk/adapter/inventory.h"

struct kube_account {
  const char *ns;
  const char *name;
  const struct inventory_workload *const *workloads; /* that run as it, by name */
  size_t workload_count;
  /* Labels that all its workloads have, without those that change with a rollout; sorted by name. They select no
   * workload of the namespace but these when `selectable`. */
  const struct smi_label *selector;
  size_t selector_count;
  bool selectable;
  const struct inventory_workload *intruder; /* that the labels select, too; NULL when selectable, or without labels */
  /* An account that is not selectable as a whole, in groups of workloads that have the same labels: each with a
   * selector of its own, which need not be selectable either. None when the account is selectable, or is itself such a
   * part. */
  const struct kube_account *parts;
  size_t part_count;
  bool is_part;
};

struct kube_accounts {
  const struct kube_account *items; /* by namespace and name */
  size_t count;
};

/* Every account of the inventory that a workload runs as, in the call's memory; borrows the inventory. False, and the
 * call marked, without memory. */
bool kube_accounts_init(struct call *call, const struct inventory *inventory, struct kube_accounts *ret_accounts);

/* NULL when no workload runs as it. */
const struct kube_account *kube_account_find(const struct kube_accounts *accounts, const char *ns, const char *name);

/* The accounts of one namespace, by name. */
const struct kube_account *kube_accounts_in(const struct kube_accounts *accounts, const char *ns, size_t *ret_count);

/* Whether the label is of a revision or of one pod, such as pod-template-hash: nothing to select pods by for long. */
bool kube_label_is_volatile(const char *name);

/* {"app": "api", …}: for matchLabels. A new reference; NULL without memory. */
json_t *kube_account_labels(const struct kube_account *account);

#endif
