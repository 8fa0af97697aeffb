#include "plugins/reference/subject.h"

#include <stdio.h>
#include <string.h>

#include "plugins/reference/reference.h"

/* Of one subject of one target. */
struct resolution {
  struct coverage_list *coverage;
  const struct translate_request *request;
  const struct smi_traffic_target *target;
  const struct smi_identity_binding *binding;
  const char *pointer;
  struct accounts *accounts;
  bool approximated;
};

static void account_add(struct call *call, struct accounts *list, const char *ns, const char *name) {
  size_t at = 0;
  for (; at < list->count; at++) {
    int order = strcmp(list->items[at].ns, ns);
    if (order == 0)
      order = strcmp(list->items[at].name, name);
    if (order == 0)
      return;
    if (order > 0)
      break;
  }
  if (arena_reserve(call_arena(call), (void **)&list->items, &list->capacity, list->count, sizeof *list->items) < 0) {
    call_out_of_memory(call);
    return;
  }
  memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof *list->items);
  list->items[at] = (struct account){ns, name};
  list->count++;
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

/* spiffe://<trust domain>/ns/<namespace>/sa/<account>, with or without the scheme as the draft shows it. NULL: of
 * another form. */
static const char *spiffe_account(struct resolution *r, const char *id, const char *ns) {
  if (strncmp(id, "spiffe://", strlen("spiffe://")) == 0)
    id += strlen("spiffe://");
  struct call *call = r->coverage->call;
  const char *prefix = arena_printf(call_arena(call), "%s/ns/%s/sa/", reference_trust_domain(call), ns);
  if (!prefix || strncmp(id, prefix, strlen(prefix)) != 0)
    return NULL;
  const char *name = id + strlen(prefix);
  return *name && !strchr(name, '/') ? name : NULL;
}

static void resolve_spiffe_ids(struct resolution *r) {
  struct call *call = r->coverage->call;
  for (size_t i = 0; i < r->binding->spiffe_id_count; i++) {
    const char *id = r->binding->spiffe_ids[i];
    const char *name = spiffe_account(r, id, r->binding->meta.ns);
    if (name)
      account_add(call, r->accounts, r->binding->meta.ns, name);
    else
      unsupported(r, CODE_IDENTITY,
                  arena_printf(call_arena(call),
                               "IdentityBinding %s names %.200s, which is no identity of its namespace in this mesh",
                               r->binding->meta.name, id),
                  "use spiffe://<trust domain>/ns/<the binding's namespace>/sa/<ServiceAccount>");
  }
}

static bool selects(const struct resolution *r, const struct inventory_workload *workload) {
  return workload_has_labels(workload, r->binding->pod_labels, r->binding->pod_label_count);
}

/* Whether every workload of the namespace that holds the account is selected: else granting the account would widen. */
static bool account_is_covered(const struct resolution *r, const char *account) {
  for (size_t i = 0; i < r->request->inventory.workload_count; i++) {
    const struct inventory_workload *w = &r->request->inventory.workloads[i];
    if (strcmp(w->ns, r->binding->meta.ns) == 0 && strcmp(w->service_account, account) == 0 && !selects(r, w))
      return false;
  }
  return true;
}

static void resolve_pod_labels(struct resolution *r) {
  struct call *call = r->coverage->call;
  bool found = false;
  for (size_t i = 0; i < r->request->inventory.workload_count; i++) {
    const struct inventory_workload *w = &r->request->inventory.workloads[i];
    if (strcmp(w->ns, r->binding->meta.ns) != 0 || !selects(r, w))
      continue;
    found = true;
    if (!account_is_covered(r, w->service_account)) {
      unsupported(r, CODE_IDENTITY,
                  arena_printf(call_arena(call),
                               "IdentityBinding %s selects workload %s, but workloads that it does not select have the "
                               "same ServiceAccount %s",
                               r->binding->meta.name, w->name, w->service_account),
                  "give the selected workloads a ServiceAccount of their own");
      continue;
    }
    account_add(call, r->accounts, w->ns, w->service_account);
    r->approximated = true;
  }
  if (!found)
    unsupported(r, CODE_IDENTITY,
                arena_printf(call_arena(call), "IdentityBinding %s selects no workload that is there now",
                             r->binding->meta.name),
                "translate again when its workloads exist");
}

static const struct smi_identity_binding *find_binding(const struct smi_set *set, const char *ns, const char *name) {
  for (size_t i = 0; i < set->binding_count; i++)
    if (strcmp(set->bindings[i].meta.ns, ns) == 0 && strcmp(set->bindings[i].meta.name, name) == 0)
      return &set->bindings[i];
  return NULL;
}

static void resolve_binding(struct resolution *r, const struct smi_subject *subject) {
  struct call *call = r->coverage->call;
  r->binding = find_binding(&r->request->smi, subject->ns, subject->name);
  if (!r->binding) {
    unsupported(r, CODE_DANGLING,
                arena_printf(call_arena(call), "there is no IdentityBinding %s/%s", subject->ns, subject->name),
                "create it, or name a ServiceAccount");
    return;
  }
  if (r->binding->pod_label_count && r->binding->service_account) {
    unsupported(r, CODE_IDENTITY,
                arena_printf(call_arena(call),
                             "IdentityBinding %s has both podLabelSelector and serviceAccount, which the draft forbids",
                             r->binding->meta.name),
                "make two bindings of it");
    return;
  }
  size_t before = r->coverage->count;
  if (r->binding->service_account)
    account_add(call, r->accounts, r->binding->meta.ns, r->binding->service_account);
  resolve_spiffe_ids(r);
  if (r->binding->pod_label_count)
    resolve_pod_labels(r);
  if (r->coverage->count == before)
    coverage_add(r->coverage,
                 &(struct coverage){.resource = &r->target->meta,
                                    .level = r->approximated ? COVERAGE_APPROXIMATED : COVERAGE_EXACT,
                                    .code = CODE_IDENTITY,
                                    .reason = r->approximated
                                                  ? "podLabelSelector stands for the ServiceAccounts of the "
                                                    "workloads that are there now"
                                                  : NULL,
                                    .remedy = "translate again when workloads come or go"},
                 "%s", r->pointer);
}

void subject_resolve(struct coverage_list *coverage, const struct translate_request *request,
                     const struct smi_traffic_target *target, const struct smi_subject *subject, const char *pointer,
                     struct accounts *accounts) {
  if (subject->kind == SMI_SERVICE_ACCOUNT) {
    account_add(coverage->call, accounts, subject->ns, subject->name);
    return;
  }
  struct resolution resolution = {
      .coverage = coverage, .request = request, .target = target, .pointer = pointer, .accounts = accounts};
  resolve_binding(&resolution, subject);
}
