#include "plugins/consul/directory.h"

#include <stdlib.h>
#include <string.h>

static void name_add(struct call *call, struct name_uses *uses, const char *name, const char *ns) {
  if (arena_reserve(call_arena(call), (void **)&uses->items, &uses->capacity, uses->count, sizeof *uses->items) < 0)
    call_out_of_memory(call);
  else
    uses->items[uses->count++] = (struct name_use){name, ns};
}

static int by_name(const void *a, const void *b) {
  const struct name_use *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order != 0 ? order : strcmp(x->ns, y->ns);
}

static void names_sort(struct name_uses *uses) {
  size_t kept = 0;
  if (uses->count == 0)
    return;
  qsort(uses->items, uses->count, sizeof *uses->items, by_name);
  for (size_t i = 0; i < uses->count; i++)
    if (i == 0 || by_name(&uses->items[i], &uses->items[kept - 1]) != 0)
      uses->items[kept++] = uses->items[i];
  uses->count = kept;
}

static size_t first_use(const struct name_uses *uses, const char *name) {
  size_t low = 0, high = uses->count;
  const struct name_use first = {name, ""};
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (by_name(&uses->items[middle], &first) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool is_used(const struct name_uses *uses, const char *name) {
  size_t at = first_use(uses, name);
  return at < uses->count && strcmp(uses->items[at].name, name) == 0;
}

/* Another namespace that uses the name, or NULL. */
static const char *other_namespace(const struct name_uses *uses, const char *name, const char *ns) {
  size_t at = first_use(uses, name);
  for (; at < uses->count && strcmp(uses->items[at].name, name) == 0; at++)
    if (strcmp(uses->items[at].ns, ns) != 0)
      return uses->items[at].ns;
  return NULL;
}

static void add_subject(struct directory *d, const struct smi_subject *subject) {
  if (subject->kind == SMI_SERVICE_ACCOUNT)
    name_add(d->call, &d->account_names, subject->name, subject->ns);
}

static void collect_names(struct directory *d) {
  const struct translate_request *request = d->request;
  for (size_t i = 0; i < request->inventory.workload_count; i++)
    name_add(d->call, &d->account_names, request->inventory.workloads[i].service_account,
             request->inventory.workloads[i].ns);
  for (size_t i = 0; i < request->smi.target_count; i++) {
    const struct smi_traffic_target *target = &request->smi.targets[i];
    add_subject(d, &target->destination);
    for (size_t j = 0; j < target->source_count; j++)
      add_subject(d, &target->sources[j]);
  }
  for (size_t i = 0; i < request->smi.binding_count; i++)
    if (request->smi.bindings[i].service_account)
      name_add(d->call, &d->account_names, request->smi.bindings[i].service_account, request->smi.bindings[i].meta.ns);
  for (size_t i = 0; i < request->inventory.service_count; i++)
    name_add(d->call, &d->service_names, request->inventory.services[i].name, request->inventory.services[i].ns);
  for (size_t i = 0; i < request->smi.split_count; i++) {
    const struct smi_traffic_split *split = &request->smi.splits[i];
    name_add(d->call, &d->service_names, split->service, split->meta.ns);
    for (size_t j = 0; j < split->backend_count; j++)
      name_add(d->call, &d->service_names, split->backends[j].service, split->meta.ns);
  }
  names_sort(&d->account_names);
  names_sort(&d->service_names);
}

bool directory_init(struct directory *directory, struct call *call, const struct consul_config *config,
                    const struct translate_request *request) {
  *directory = (struct directory){.call = call, .config = config, .request = request};
  collect_names(directory);
  return kube_directory_init(call, request, &directory->kube);
}

/* A name of Kubernetes: above all not "*", which is every service. */
static bool is_plain(const char *name) {
  return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

static struct verdict unsupported(const char *code, const char *reason, const char *remedy) {
  return (struct verdict){COVERAGE_UNSUPPORTED, code, reason ? reason : "out of memory", remedy};
}

static struct verdict judge_name(const struct directory *d, const struct name_uses *uses, const char *what,
                                 const char *ns, const char *name) {
  struct arena *arena = call_arena(d->call);
  if (!is_plain(name))
    return unsupported(CODE_IDENTITY, arena_printf(arena, "%.100s is no name of a service", name), NULL);
  const char *other = d->config->namespaces || d->config->qualified ? NULL : other_namespace(uses, name, ns);
  if (other)
    return unsupported(CODE_SHARED_NAME,
                       arena_printf(arena,
                                    "there is a %s %s in namespace %s, too, and without namespaces in Consul both are "
                                    "one service",
                                    what, name, other),
                       "give them names of their own, or set the option namespaces with Consul Enterprise");
  return VERDICT_EXACT;
}

/* Of the Services that select the workload: whether one has its account's name, or there is none at all. */
static bool is_named_after(const struct directory *d, const struct inventory_workload *workload,
                           const char **ret_other) {
  size_t count;
  const struct kube_service_of *services = kube_services_of(&d->kube, workload, &count);
  for (size_t i = 0; i < count; i++)
    if (strcmp(services[i].service->name, workload->service_account) == 0)
      return true;
  if (count)
    *ret_other = services[0].service->name;
  return count == 0;
}

/* How many of the account's workloads are the service of its name; `*ret_other` is what another one is. */
static size_t named_after(const struct directory *d, const struct kube_account *account, const char **ret_other) {
  size_t named = 0;
  *ret_other = NULL;
  for (size_t i = 0; i < account->workload_count; i++)
    named += is_named_after(d, account->workloads[i], ret_other);
  return named;
}

/* A workload of the Service with the account's name that runs as another; NULL: none. */
static const char *impostor(const struct directory *d, const struct kube_identity *account) {
  const struct inventory_service *service = inventory_service(&d->request->inventory, account->ns, account->name);
  for (size_t i = 0; service && i < service->workload_count; i++) {
    const struct inventory_workload *w = inventory_workload(&d->request->inventory, service->ns, service->workloads[i]);
    if (w && strcmp(w->service_account, account->name) != 0)
      return w->name;
  }
  return NULL;
}

struct verdict directory_judge_account(const struct directory *d, const struct kube_identity *account) {
  static const char remedy[] = "name the ServiceAccount after its service: Consul's identity is the name of a service";
  struct arena *arena = call_arena(d->call);
  struct verdict verdict = judge_name(d, &d->account_names, "ServiceAccount", account->ns, account->name);
  if (verdict.level != COVERAGE_EXACT || d->config->qualified) /* which is the account's, whatever selects it */
    return verdict;
  const struct kube_account *known = kube_account_find(&d->kube.accounts, account->ns, account->name);
  const char *other = NULL;
  size_t named = known ? named_after(d, known, &other) : 0;
  if (other && named == 0)
    return unsupported(
        CODE_IDENTITY,
        arena_printf(arena, "the workloads of ServiceAccount %s are the service %s in Consul", account->name, other),
        remedy);
  const char *workload = d->config->acls ? NULL : impostor(d, account);
  if (workload)
    return unsupported(CODE_IDENTITY,
                       arena_printf(arena,
                                    "workload %s of Service %s runs as another ServiceAccount, and without ACLs it has "
                                    "the same identity",
                                    workload, account->name),
                       remedy);
  if (other)
    return (struct verdict){COVERAGE_APPROXIMATED, CODE_IDENTITY,
                            arena_printf(arena,
                                         "workloads of ServiceAccount %s are the service %s in Consul, so that this "
                                         "is not for them",
                                         account->name, other),
                            remedy};
  return VERDICT_EXACT;
}

const char *directory_port_name(const struct directory *directory, const char *account, uint16_t port) {
  const char *name = arena_printf(call_arena(directory->call), directory->config->qualified ? "%s_%u" : "%s-%u",
                                  account, (unsigned)port);
  if (!name)
    call_out_of_memory(directory->call);
  return name;
}

struct verdict directory_judge_port_name(const struct directory *directory, const struct kube_identity *named) {
  if (directory->config->qualified ||
      (!is_used(&directory->account_names, named->name) && !is_used(&directory->service_names, named->name)))
    return VERDICT_EXACT;
  return unsupported(CODE_IDENTITY,
                     arena_printf(call_arena(directory->call),
                                  "the name %s, which stands for one port, is also that of a Service or ServiceAccount",
                                  named->name),
                     "rename that");
}

struct verdict directory_judge_service(const struct directory *directory, const char *ns, const char *name) {
  return judge_name(directory, &directory->service_names, "Service", ns, name);
}

struct verdict directory_judge_registration(const struct directory *d, const struct inventory_service *service) {
  for (size_t i = 0; d->config->acls && i < service->workload_count; i++) {
    const struct inventory_workload *w = inventory_workload(&d->request->inventory, service->ns, service->workloads[i]);
    if (w && strcmp(w->service_account, service->name) != 0)
      return unsupported(CODE_IDENTITY,
                         arena_printf(call_arena(d->call),
                                      "with ACLs, workload %s cannot be of the service %s: its ServiceAccount is %s",
                                      w->name, service->name, w->service_account),
                         "name the ServiceAccount after its service");
    size_t ports = 0;
    for (size_t j = 0; w && d->config->each_port && j < w->port_count; j++)
      ports += w->ports[j].protocol != PORT_UDP;
    if (ports > 1)
      return unsupported(CODE_PORT,
                         arena_printf(call_arena(d->call), "each port of %s is a service of its own", service->name),
                         "split services with one port");
  }
  return VERDICT_EXACT;
}
