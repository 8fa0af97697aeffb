#include "sdk/kube/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one subject of one target. */
struct resolution {
  const struct kube_subjects *subjects;
  struct coverage_list *coverage;
  const struct smi_traffic_target *target;
  const struct smi_identity_binding *binding;
  const char *pointer;
  struct kube_identities *identities;
  bool approximated;
};

void kube_identities_add(struct call *call, struct kube_identities *list, const char *ns, const char *name) {
  if (arena_reserve(call_arena(call), (void **)&list->items, &list->capacity, list->count, sizeof *list->items) < 0)
    call_out_of_memory(call);
  else
    list->items[list->count++] = (struct kube_identity){ns, name};
}

static int compare(const void *a, const void *b) {
  const struct kube_identity *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  return order != 0 ? order : strcmp(x->name, y->name);
}

void kube_identities_sort(struct kube_identities *list) {
  size_t kept = 0;
  if (list->count > 1)
    qsort(list->items, list->count, sizeof *list->items, compare);
  for (size_t i = 0; i < list->count; i++)
    if (kept == 0 || compare(&list->items[i], &list->items[kept - 1]) != 0)
      list->items[kept++] = list->items[i];
  list->count = kept;
}

static void unsupported(struct resolution *r, const char *code, const char *reason, const char *remedy) {
  coverage_add(r->coverage,
               &(struct coverage){.resource = &r->target->meta,
                                  .level = COVERAGE_UNSUPPORTED,
                                  .code = code,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = remedy},
               "%s", r->pointer);
}

/* With or without the scheme, as the draft shows it. NULL: of another form. */
static const char *spiffe_account(const struct resolution *r, const char *id) {
  static const char scheme[] = "spiffe://";
  if (strncmp(id, scheme, sizeof scheme - 1) == 0)
    id += sizeof scheme - 1;
  const char *prefix =
      arena_printf(call_arena(r->coverage->call), "%s/ns/%s/sa/", r->subjects->trust_domain, r->binding->meta.ns);
  if (!prefix || strncmp(id, prefix, strlen(prefix)) != 0)
    return NULL;
  const char *name = id + strlen(prefix);
  return *name && !strpbrk(name, "/*") ? name : NULL;
}

static void resolve_spiffe_ids(struct resolution *r) {
  struct call *call = r->coverage->call;
  for (size_t i = 0; i < r->binding->spiffe_id_count; i++) {
    const char *id = r->binding->spiffe_ids[i];
    const char *name = spiffe_account(r, id);
    if (name)
      kube_identities_add(call, r->identities, r->binding->meta.ns, name);
    else
      unsupported(r, r->subjects->code_identity,
                  arena_printf(call_arena(call),
                               "IdentityBinding %s names %.200s, which is no identity of its namespace in this mesh",
                               r->binding->meta.name, id),
                  "use spiffe://<trust domain>/ns/<the binding's namespace>/sa/<ServiceAccount>");
  }
}

/* How many of the account's workloads the binding selects, and the first of them. */
static size_t count_selected(const struct resolution *r, const struct kube_account *account,
                             const struct inventory_workload **ret_first) {
  size_t selected = 0;
  for (size_t i = 0; i < account->workload_count; i++)
    if (workload_has_labels(account->workloads[i], r->binding->pod_labels, r->binding->pod_label_count))
      if (selected++ == 0)
        *ret_first = account->workloads[i];
  return selected;
}

/* Only when every workload that holds the account is selected: else granting the account would widen. */
static bool resolve_account(struct resolution *r, const struct kube_account *account) {
  struct call *call = r->coverage->call;
  const struct inventory_workload *first = NULL;
  size_t selected = count_selected(r, account, &first);
  if (selected == 0)
    return false;
  if (selected == account->workload_count) {
    kube_identities_add(call, r->identities, account->ns, account->name);
    r->approximated = true;
    return true;
  }
  unsupported(r, r->subjects->code_identity,
              arena_printf(call_arena(call),
                           "IdentityBinding %s selects workload %s, but workloads that it does not select have the "
                           "same ServiceAccount %s",
                           r->binding->meta.name, first->name, account->name),
              "give the selected workloads a ServiceAccount of their own");
  return true;
}

static void resolve_pod_labels(struct resolution *r) {
  struct call *call = r->coverage->call;
  size_t count;
  const struct kube_account *accounts =
      kube_accounts_in(&r->subjects->directory->accounts, r->binding->meta.ns, &count);
  bool found = false;
  for (size_t i = 0; i < count; i++)
    found |= resolve_account(r, &accounts[i]);
  if (!found)
    unsupported(r, r->subjects->code_identity,
                arena_printf(call_arena(call), "IdentityBinding %s selects no workload that is there now",
                             r->binding->meta.name),
                "translate again when its workloads exist");
}

static void resolve_schemes(struct resolution *r) {
  struct call *call = r->coverage->call;
  const size_t before = r->coverage->count;
  if (r->binding->service_account)
    kube_identities_add(call, r->identities, r->binding->meta.ns, r->binding->service_account);
  resolve_spiffe_ids(r);
  if (r->binding->pod_label_count)
    resolve_pod_labels(r);
  if (r->coverage->count > before)
    return;
  struct coverage item = {.resource = &r->target->meta, .level = COVERAGE_EXACT};
  if (r->approximated)
    item = (struct coverage){.resource = &r->target->meta,
                             .level = COVERAGE_APPROXIMATED,
                             .code = r->subjects->code_identity,
                             .reason = "podLabelSelector stands for the ServiceAccounts of the workloads that are "
                                       "there now",
                             .remedy = "translate again when workloads come or go"};
  coverage_add(r->coverage, &item, "%s", r->pointer);
}

static void resolve_binding(struct resolution *r, const struct smi_subject *subject) {
  struct arena *arena = call_arena(r->coverage->call);
  r->binding = kube_binding(r->subjects->directory, subject->ns, subject->name);
  if (!r->binding)
    unsupported(r, r->subjects->code_dangling,
                arena_printf(arena, "there is no IdentityBinding %s/%s", subject->ns, subject->name),
                "create it, or name a ServiceAccount");
  else if (r->binding->pod_label_count && r->binding->service_account)
    unsupported(r, r->subjects->code_identity,
                arena_printf(arena,
                             "IdentityBinding %s has both podLabelSelector and serviceAccount, which the draft forbids",
                             r->binding->meta.name),
                "make two bindings of it");
  else
    resolve_schemes(r);
}

void kube_subject_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                          const struct smi_traffic_target *target, const struct smi_subject *subject,
                          const char *pointer, struct kube_identities *identities) {
  struct resolution resolution = {
      .subjects = subjects, .coverage = coverage, .target = target, .pointer = pointer, .identities = identities};
  if (subject->kind == SMI_SERVICE_ACCOUNT)
    kube_identities_add(coverage->call, identities, subject->ns, subject->name);
  else
    resolve_binding(&resolution, subject);
}

void kube_sources_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                          const struct smi_traffic_target *target, struct kube_identities *ret_identities) {
  struct kube_identities identities = {0};
  for (size_t i = 0; i < target->source_count; i++) {
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/spec/sources/%zu", i);
    kube_subject_resolve(subjects, coverage, target, &target->sources[i], pointer, &identities);
  }
  kube_identities_sort(&identities);
  *ret_identities = identities;
}

void kube_destinations_resolve(const struct kube_subjects *subjects, struct coverage_list *coverage,
                               const struct smi_traffic_target *target, struct kube_identities *ret_identities) {
  struct kube_identities identities = {0};
  kube_subject_resolve(subjects, coverage, target, &target->destination, "/spec/destination", &identities);
  kube_identities_sort(&identities);
  *ret_identities = identities;
}
