#include "plugins/linkerd/target.h"

#include <string.h>

#include "plugins/linkerd/codes.h"
#include "sdk/kube/object.h"

static void uncovered(struct target *target, const char *code, const char *reason, const char *remedy) {
  coverage_add(&target->subject_coverage,
               &(struct coverage){.resource = &target->smi->meta,
                                  .level = COVERAGE_UNSUPPORTED,
                                  .code = code,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = remedy},
               "/spec/destination");
}

/* `account` or a part of it cannot be selected. */
static void no_selector(struct target *target, const struct kube_account *account) {
  struct arena *arena = call_arena(target->coverage.call);
  if (account->intruder)
    uncovered(target, CODE_SELECTOR,
              arena_printf(arena,
                           "a Server for workload %s, which runs as ServiceAccount %s/%s, would select workload %s as "
                           "well, which runs as %s",
                           account->workloads[0]->name, account->ns, account->name, account->intruder->name,
                           account->intruder->service_account),
              "give its pods a label of their own");
  else
    uncovered(target, CODE_SELECTOR,
              arena_printf(arena, "workload %s, which runs as ServiceAccount %s/%s, has no label to select it by",
                           account->workloads[0]->name, account->ns, account->name),
              "give its pods a label of their own");
}

static bool takes(const struct inventory_port *port, bool http_only) {
  return port->protocol == PORT_HTTP || (port->protocol == PORT_TCP && !http_only);
}

static bool add_port(struct arena *arena, uint16_t **ports, size_t *count, size_t *capacity, uint16_t port) {
  for (size_t i = 0; i < *count; i++)
    if ((*ports)[i] == port)
      return true;
  if (arena_reserve(arena, (void **)ports, capacity, *count, sizeof **ports) < 0)
    return false;
  (*ports)[(*count)++] = port;
  return true;
}

/* A Server is for one port: all ports are all that the inventory has. */
static void all_ports(struct target *target, struct target_destination *destination) {
  struct call *call = target->coverage.call;
  const struct kube_account *account = destination->account;
  uint16_t *ports = NULL;
  size_t count = 0, capacity = 0;
  for (size_t i = 0; i < account->workload_count; i++)
    for (size_t j = 0; j < account->workloads[i]->port_count; j++) {
      const struct inventory_port *port = &account->workloads[i]->ports[j];
      if (takes(port, target->rules.http_written) && !add_port(call_arena(call), &ports, &count, &capacity, port->port))
        call_out_of_memory(call);
    }
  destination->ports = ports;
  destination->port_count = count;
  destination->guessed = true;
  if (count == 0)
    uncovered(target, CODE_NO_PORT,
              arena_printf(call_arena(call),
                           "the inventory has no %s port of ServiceAccount %s/%s to make a Server for",
                           target->rules.http_written ? "HTTP" : "TCP", account->ns, account->name),
              "give the containers' ports, or name ports in a TCPRoute");
}

static void read_ports(struct target *target, struct target_destination *destination) {
  struct kube_ports ports;
  struct kube_rules *rules = &target->rules;
  kube_rules_ports(rules, &rules->tcp, destination->account, &ports);
  if (!rules->tcp.limited) {
    if (rules->http_written || rules->tcp.found)
      all_ports(target, destination);
    return;
  }
  destination->ports = ports.items;
  destination->port_count = ports.count;
}

static void add_destination(struct target *target, const struct kube_account *account) {
  struct call *call = target->coverage.call;
  if (!account->selectable)
    no_selector(target, account);
  else if (arena_reserve(call_arena(call), (void **)&target->destinations, &target->destination_capacity,
                         target->destination_count, sizeof *target->destinations) < 0)
    call_out_of_memory(call);
  else
    target->destinations[target->destination_count++] = (struct target_destination){.account = account};
}

/* One destination, or one for each group of its pods where they have no labels of their own in common. */
static void find_destination(const struct kube_subjects *subjects, struct target *target,
                             const struct kube_identity *identity) {
  const struct kube_account *account = kube_account_find(&subjects->directory->accounts, identity->ns, identity->name);
  if (!account) {
    uncovered(target, CODE_SELECTOR,
              arena_printf(call_arena(target->coverage.call),
                           "no workload runs as ServiceAccount %s/%s: a Server needs labels to select its pods by",
                           identity->ns, identity->name),
              "translate again when its workloads exist");
    return;
  }
  for (size_t i = 0; i < account->part_count; i++)
    add_destination(target, &account->parts[i]);
  if (account->part_count == 0)
    add_destination(target, account);
}

static void find_destinations(const struct kube_subjects *subjects, struct target *target) {
  struct kube_identities identities;
  kube_destinations_resolve(subjects, &target->subject_coverage, target->smi, &identities);
  for (size_t i = 0; i < identities.count; i++)
    find_destination(subjects, target, &identities.items[i]);
}

static void cover_match(struct target *target, struct kube_match *match, const struct coverage *coverage) {
  struct coverage item = *coverage;
  item.resource = &match->group->meta;
  match->level = item.level;
  coverage_add(&target->coverage, &item, "/spec/matches/%zu", match->index);
}

static void read_matches(struct target *target) {
  struct call *call = target->coverage.call;
  target->matches = arena_array(call_arena(call), target->rules.match_count, sizeof *target->matches);
  if (!target->matches) {
    call_out_of_memory(call);
    target->rules.match_count = 0;
    return;
  }
  for (size_t i = 0; i < target->rules.match_count; i++) {
    struct kube_match *match = &target->rules.matches[i];
    struct coverage why;
    match->level = http_match_read(call, &match->group->matches[match->index], &target->matches[i].http, &why);
    if (match->level != COVERAGE_EXACT)
      cover_match(target, match, &why);
  }
}

void target_read(const struct kube_subjects *subjects, const struct smi_traffic_target *smi,
                 struct target *ret_target) {
  struct call *call = subjects->directory->call;
  struct target *target = ret_target;
  *target = (struct target){.smi = smi, .coverage.call = call, .subject_coverage.call = call};
  find_destinations(subjects, target);
  kube_sources_resolve(subjects, &target->subject_coverage, smi, &target->sources);
  target->rules = (struct kube_rules){.directory = subjects->directory,
                                      .target = smi,
                                      .coverage = &target->coverage,
                                      .code_dangling = CODE_DANGLING,
                                      .code_nothing_left = CODE_NOTHING_LEFT,
                                      .code_port_shared = CODE_PORT_SHARED,
                                      .code_udp = CODE_UDP,
                                      .no_udp = "Linkerd's proxies do not take UDP, which goes past them"};
  kube_rules_read(&target->rules);
  read_matches(target);
  for (size_t i = 0; i < target->destination_count; i++)
    read_ports(target, &target->destinations[i]);
  target->anything = target->rules.tcp.found && !target->rules.http_written;
  /* Rules whose subjects are all left out are in force nowhere, and not because someone wrote it so. */
  target->lost = target->destination_count == 0 || (target->sources.count == 0 && smi->source_count > 0);
}

void target_add_object(struct target *target, const struct native_object *object) {
  if (object && target->object_count > 0 && target->objects[target->object_count - 1] == object)
    return;
  if (!object || arena_reserve(call_arena(target->coverage.call), (void **)&target->objects, &target->object_capacity,
                               target->object_count, sizeof *target->objects) < 0)
    call_out_of_memory(target->coverage.call);
  else
    target->objects[target->object_count++] = object;
}

static struct coverage judge(const struct target_match *match) {
  static const char remedy[] = "give matches that overlap the same sources, or paths that are plain prefixes, or "
                               "different methods";
  if (match->left_out == 0)
    return (struct coverage){.level = COVERAGE_EXACT};
  return (struct coverage){.level = match->left_out < match->wanted ? COVERAGE_APPROXIMATED : COVERAGE_UNSUPPORTED,
                           .code = CODE_OVERLAP,
                           .reason =
                               "other sources are allowed requests that may be the same, and Linkerd lets the best "
                               "route alone decide: no route can be written for what they share",
                           .remedy = remedy};
}

void target_cover(struct target *target, struct translation *translation) {
  for (size_t i = 0; i < target->rules.match_count; i++)
    if (target->rules.matches[i].level == COVERAGE_EXACT) {
      struct coverage coverage = judge(&target->matches[i]);
      cover_match(target, &target->rules.matches[i], &coverage);
    }
  kube_rules_cover(&target->rules);
  if (target->lost) {
    static const char reason[] = "no destination or no source of its target could be carried over";
    coverage_withdraw(&target->coverage, CODE_NOTHING_LEFT, reason);
    coverage_withdraw(&target->subject_coverage, CODE_NOTHING_LEFT, reason);
  }
  coverage_state(&target->coverage, translation, target->objects, target->object_count);
  coverage_state(&target->subject_coverage, translation, target->objects, target->object_count);
}
