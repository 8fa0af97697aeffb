#include "sdk/kube/account.h"

#include <stdlib.h>
#include <string.h>

typedef const struct inventory_workload *workload;

/* Of a revision or of one pod, not of what runs as the account. */
static const char *const volatile_labels[] = {"pod-template-hash",
                                              "controller-revision-hash",
                                              "pod-template-generation",
                                              "statefulset.kubernetes.io/pod-name",
                                              "apps.kubernetes.io/pod-index",
                                              "batch.kubernetes.io/job-completion-index"};

bool kube_label_is_volatile(const char *name) {
  for (size_t i = 0; i < sizeof volatile_labels / sizeof *volatile_labels; i++)
    if (strcmp(name, volatile_labels[i]) == 0)
      return true;
  return false;
}

static int by_account(const void *a, const void *b) {
  const struct inventory_workload *x = *(const workload *)a, *y = *(const workload *)b;
  int order = strcmp(x->ns, y->ns);
  if (order == 0)
    order = strcmp(x->service_account, y->service_account);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static bool same_account(const struct inventory_workload *a, const struct inventory_workload *b) {
  return strcmp(a->ns, b->ns) == 0 && strcmp(a->service_account, b->service_account) == 0;
}

/* A label of a namespace: who has it is counted, so that a label which only one account's workloads have is known
 * without looking at all the others. */
struct use {
  const char *ns;
  const struct smi_label *label;
};

static int compare_use(const void *a, const void *b) {
  const struct use *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  if (order == 0)
    order = strcmp(x->label->name, y->label->name);
  return order != 0 ? order : strcmp(x->label->value, y->label->value);
}

struct uses {
  struct use *items; /* sorted */
  size_t count;
};

static bool uses_init(struct arena *arena, const struct inventory *inventory, struct uses *ret_uses) {
  size_t count = 0;
  for (size_t i = 0; i < inventory->workload_count; i++)
    count += inventory->workloads[i].label_count;
  struct use *items = arena_array(arena, count, sizeof *items);
  if (!items)
    return false;
  count = 0;
  for (size_t i = 0; i < inventory->workload_count; i++)
    for (size_t j = 0; j < inventory->workloads[i].label_count; j++)
      items[count++] = (struct use){inventory->workloads[i].ns, &inventory->workloads[i].labels[j]};
  qsort(items, count, sizeof *items, compare_use);
  *ret_uses = (struct uses){items, count};
  return true;
}

/* The first use that is not below `wanted`; with `after`, that is above it. */
static size_t uses_bound(const struct uses *uses, const struct use *wanted, bool after) {
  size_t low = 0, high = uses->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare_use(&uses->items[middle], wanted);
    if (order < 0 || (after && order == 0))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static size_t uses_of(const struct uses *uses, const char *ns, const struct smi_label *label) {
  const struct use wanted = {ns, label};
  return uses_bound(uses, &wanted, true) - uses_bound(uses, &wanted, false);
}

static int by_label_name(const void *a, const void *b) {
  return strcmp(((const struct smi_label *)a)->name, ((const struct smi_label *)b)->name);
}

/* Labels that all of the account's workloads have. */
static bool find_selector(struct arena *arena, struct kube_account *account) {
  const struct inventory_workload *first = account->workloads[0];
  struct smi_label *labels = arena_array(arena, first->label_count, sizeof *labels);
  size_t count = 0;
  if (!labels)
    return false;
  for (size_t i = 0; i < first->label_count; i++) {
    bool common = !kube_label_is_volatile(first->labels[i].name);
    for (size_t j = 1; common && j < account->workload_count; j++)
      common = workload_has_labels(account->workloads[j], &first->labels[i], 1);
    if (common)
      labels[count++] = first->labels[i];
  }
  qsort(labels, count, sizeof *labels, by_label_name);
  account->selector = labels;
  account->selector_count = count;
  return true;
}

static size_t count_lasting(const struct inventory_workload *from) {
  size_t count = 0;
  for (size_t i = 0; i < from->label_count; i++)
    count += !kube_label_is_volatile(from->labels[i].name);
  return count;
}

/* Of a workload with all labels of the account's selector. A part's workloads have these and no others. */
static bool belongs_to(const struct kube_account *account, const struct inventory_workload *selected) {
  return strcmp(selected->service_account, account->name) == 0 &&
         (!account->is_part || count_lasting(selected) == account->selector_count);
}

/* A workload of the namespace with all labels of the selector that is not one of the account's, or of the part's:
 * `same_ns` are the namespace's workloads. */
static workload find_intruder(const struct kube_account *account, const workload *same_ns, size_t count,
                              const struct uses *uses) {
  for (size_t i = 0; i < account->selector_count; i++)
    if (uses_of(uses, account->ns, &account->selector[i]) == account->workload_count)
      return NULL;
  for (size_t i = 0; i < count; i++)
    if (workload_has_labels(same_ns[i], account->selector, account->selector_count) && !belongs_to(account, same_ns[i]))
      return same_ns[i];
  return NULL;
}

static void judge(struct kube_account *account, const workload *same_ns, size_t count, const struct uses *uses) {
  if (account->selector_count == 0)
    return; /* an empty selector is the whole namespace */
  account->intruder = find_intruder(account, same_ns, count, uses);
  account->selectable = !account->intruder;
}

/* A workload, and a text that is the same for those with the same labels. */
struct labelled {
  workload workload;
  const char *labels;
};

static int by_labels(const void *a, const void *b) {
  const struct labelled *x = a, *y = b;
  int order = strcmp(x->labels, y->labels);
  return order != 0 ? order : strcmp(x->workload->name, y->workload->name);
}

static const char *labels_text(struct arena *arena, workload of) {
  struct kube_account alone = {.workloads = &of, .workload_count = 1};
  const char *text = find_selector(arena, &alone) ? "" : NULL;
  for (size_t i = 0; text && i < alone.selector_count; i++)
    text = arena_printf(arena, "%s%s=%s,", text, alone.selector[i].name, alone.selector[i].value);
  return text;
}

static bool sort_by_labels(struct arena *arena, const struct kube_account *account, struct labelled **ret_sorted,
                           workload **ret_workloads) {
  struct labelled *sorted = arena_array(arena, account->workload_count, sizeof *sorted);
  workload *workloads = arena_array(arena, account->workload_count, sizeof *workloads);
  if (!sorted || !workloads)
    return false;
  for (size_t i = 0; i < account->workload_count; i++) {
    sorted[i] = (struct labelled){account->workloads[i], labels_text(arena, account->workloads[i])};
    if (!sorted[i].labels)
      return false;
  }
  qsort(sorted, account->workload_count, sizeof *sorted, by_labels);
  for (size_t i = 0; i < account->workload_count; i++)
    workloads[i] = sorted[i].workload;
  *ret_sorted = sorted;
  *ret_workloads = workloads;
  return true;
}

static bool divide(struct arena *arena, struct kube_account *account, const workload *same_ns, size_t count,
                   const struct uses *uses) {
  struct kube_account *parts = arena_array(arena, account->workload_count, sizeof *parts);
  struct labelled *sorted;
  workload *workloads;
  size_t made = 0;
  if (!parts || !sort_by_labels(arena, account, &sorted, &workloads))
    return false;
  for (size_t start = 0, end; start < account->workload_count; start = end) {
    for (end = start + 1; end < account->workload_count && strcmp(sorted[start].labels, sorted[end].labels) == 0;)
      end++;
    struct kube_account *part = &parts[made++];
    *part = (struct kube_account){.ns = account->ns,
                                  .name = account->name,
                                  .workloads = workloads + start,
                                  .workload_count = end - start,
                                  .is_part = true};
    if (!find_selector(arena, part))
      return false;
    judge(part, same_ns, count, uses);
  }
  account->parts = parts;
  account->part_count = made;
  return true;
}

static bool judge_selectors(struct arena *arena, struct kube_account *accounts, size_t count, const workload *sorted,
                            size_t sorted_count, const struct uses *uses) {
  size_t start = 0, end = 0; /* of the namespace's workloads */
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || strcmp(accounts[i].ns, accounts[i - 1].ns) != 0)
      for (start = end; end < sorted_count && strcmp(sorted[end]->ns, accounts[i].ns) == 0;)
        end++;
    judge(&accounts[i], sorted + start, end - start, uses);
    if (!accounts[i].selectable && !divide(arena, &accounts[i], sorted + start, end - start, uses))
      return false;
  }
  return true;
}

static bool group(struct arena *arena, const workload *sorted, size_t count, struct kube_account *accounts,
                  size_t *ret_count) {
  size_t made = 0;
  for (size_t start = 0, end; start < count; start = end) {
    for (end = start + 1; end < count && same_account(sorted[start], sorted[end]);)
      end++;
    accounts[made] = (struct kube_account){.ns = sorted[start]->ns,
                                           .name = sorted[start]->service_account,
                                           .workloads = sorted + start,
                                           .workload_count = end - start};
    if (!find_selector(arena, &accounts[made++]))
      return false;
  }
  *ret_count = made;
  return true;
}

bool kube_accounts_init(struct call *call, const struct inventory *inventory, struct kube_accounts *ret_accounts) {
  struct arena *arena = call_arena(call);
  const size_t count = inventory->workload_count;
  workload *sorted = arena_array(arena, count, sizeof *sorted);
  struct kube_account *accounts = arena_array(arena, count, sizeof *accounts);
  struct uses uses = {0};
  size_t made = 0;
  if (!sorted || !accounts || !uses_init(arena, inventory, &uses)) {
    call_out_of_memory(call);
    return false;
  }
  for (size_t i = 0; i < count; i++)
    sorted[i] = &inventory->workloads[i];
  qsort(sorted, count, sizeof *sorted, by_account);
  if (!group(arena, sorted, count, accounts, &made) || !judge_selectors(arena, accounts, made, sorted, count, &uses)) {
    call_out_of_memory(call);
    return false;
  }
  *ret_accounts = (struct kube_accounts){accounts, made};
  return true;
}

const struct kube_account *kube_account_find(const struct kube_accounts *accounts, const char *ns, const char *name) {
  size_t low = 0, high = accounts->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct kube_account *account = &accounts->items[middle];
    int order = strcmp(account->ns, ns);
    if (order == 0)
      order = strcmp(account->name, name);
    if (order == 0)
      return account;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const struct kube_account *kube_accounts_in(const struct kube_accounts *accounts, const char *ns, size_t *ret_count) {
  size_t low = 0, high = accounts->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(accounts->items[middle].ns, ns) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  size_t end = low;
  while (end < accounts->count && strcmp(accounts->items[end].ns, ns) == 0)
    end++;
  *ret_count = end - low;
  return accounts->items + low;
}

json_t *kube_account_labels(const struct kube_account *account) {
  json_t *labels = json_object();
  for (size_t i = 0; labels && i < account->selector_count; i++)
    if (json_object_set_new(labels, account->selector[i].name, json_string(account->selector[i].value)) < 0) {
      json_decref(labels);
      return NULL;
    }
  return labels;
}
