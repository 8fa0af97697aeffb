#include "plugins/consul/named_subject.h"

#include <string.h>

/* Of one subject of one target. */
struct resolution {
  const struct directory *directory;
  const struct smi_traffic_target *target;
  const struct smi_identity_binding *binding;
  const char *pointer;
  struct coverage_list *coverage;
  struct kube_identities *identities;
};

static void leave_out(struct resolution *r, const char *code, const char *reason, const char *remedy) {
  verdict_cover(r->coverage, &r->target->meta,
                (struct verdict){COVERAGE_UNSUPPORTED, code, reason ? reason : "out of memory", remedy}, "%s",
                r->pointer);
}

static void add(struct resolution *r, const char *ns, const char *name) {
  const struct kube_identity account = {ns, name};
  struct verdict verdict = directory_judge_account(r->directory, &account);
  if (verdict.level != COVERAGE_EXACT)
    verdict_cover(r->coverage, &r->target->meta, verdict, "%s", r->pointer);
  if (verdict.level != COVERAGE_UNSUPPORTED)
    kube_identities_add(r->directory->call, r->identities, ns, name);
}

static bool selects(const struct resolution *r, const struct inventory_workload *workload) {
  return workload_has_labels(workload, r->binding->pod_labels, r->binding->pod_label_count);
}

/* How many of the account's workloads are selected. */
static size_t selected(const struct resolution *r, const struct kube_account *account) {
  size_t count = 0;
  for (size_t i = 0; i < account->workload_count; i++)
    count += selects(r, account->workloads[i]);
  return count;
}

/* Granting an account grants it to all its workloads: all must be selected. */
static void resolve_pod_labels(struct resolution *r) {
  struct arena *arena = call_arena(r->directory->call);
  size_t account_count;
  const struct kube_account *accounts =
      kube_accounts_in(&r->directory->kube.accounts, r->binding->meta.ns, &account_count);
  size_t found = 0;
  for (size_t i = 0; i < account_count; i++) {
    const struct kube_account *account = &accounts[i];
    size_t count = selected(r, account);
    found += count;
    if (count == account->workload_count)
      add(r, account->ns, account->name);
    else if (count > 0)
      leave_out(r, CODE_IDENTITY,
                arena_printf(arena, "IdentityBinding %s selects only some workloads of ServiceAccount %s",
                             r->binding->meta.name, account->name),
                "give the selected workloads a ServiceAccount of their own");
  }
  if (found == 0)
    leave_out(r, CODE_IDENTITY,
              arena_printf(arena, "IdentityBinding %s selects no workload that is there now", r->binding->meta.name),
              "translate again when its workloads exist");
  else
    verdict_cover(
        r->coverage, &r->target->meta,
        (struct verdict){COVERAGE_APPROXIMATED, CODE_IDENTITY,
                         "podLabelSelector stands for the ServiceAccounts of the workloads that are there now",
                         "translate again when workloads come or go"},
        "%s", r->pointer);
}

static void resolve_binding(struct resolution *r, const struct smi_subject *subject) {
  struct arena *arena = call_arena(r->directory->call);
  const struct smi_identity_binding *binding = kube_binding(&r->directory->kube, subject->ns, subject->name);
  r->binding = binding;
  if (!binding) {
    leave_out(r, CODE_DANGLING, arena_printf(arena, "there is no IdentityBinding %s/%s", subject->ns, subject->name),
              "create it, or name a ServiceAccount");
    return;
  }
  if (binding->pod_label_count && binding->service_account) {
    leave_out(r, CODE_IDENTITY,
              arena_printf(arena,
                           "IdentityBinding %s has both podLabelSelector and serviceAccount, which the draft forbids",
                           binding->meta.name),
              "make two bindings of it");
    return;
  }
  if (binding->service_account)
    add(r, binding->meta.ns, binding->service_account);
  for (size_t i = 0; i < binding->spiffe_id_count; i++)
    leave_out(r, CODE_IDENTITY,
              arena_printf(
                  arena,
                  "%.200s: Consul's identities are of services, spiffe://…/svc/NAME, and intentions name the service",
                  binding->spiffe_ids[i]),
              "name the ServiceAccount");
  if (binding->pod_label_count)
    resolve_pod_labels(r);
}

void named_subject_resolve(const struct directory *directory, const struct smi_traffic_target *target,
                           const struct smi_subject *subject, const char *pointer, struct coverage_list *coverage,
                           struct kube_identities *identities) {
  struct resolution r = {
      .directory = directory, .target = target, .pointer = pointer, .coverage = coverage, .identities = identities};
  if (subject->kind == SMI_SERVICE_ACCOUNT)
    add(&r, subject->ns, subject->name);
  else
    resolve_binding(&r, subject);
}
