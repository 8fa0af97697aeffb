#include "plugins/istio/target.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/istio/codes.h"
#include "sdk/kube/object.h"

static void cover_destination(struct target *target, enum coverage_level level, const char *reason,
                              const char *remedy) {
  coverage_add(&target->subject_coverage,
               &(struct coverage){.resource = &target->smi->meta,
                                  .level = level,
                                  .code = CODE_SELECTOR,
                                  .reason = reason ? reason : "out of memory",
                                  .remedy = remedy},
               "/spec/destination");
}

/* `account` or a part of it cannot be selected. */
static void no_selector(struct target *target, const struct kube_account *account) {
  struct arena *arena = call_arena(target->coverage.call);
  const char *reason;
  if (account->intruder)
    reason = arena_printf(arena,
                          "the labels of workload %s, which runs as ServiceAccount %s/%s, select workload %s as well, "
                          "which runs as %s",
                          account->workloads[0]->name, account->ns, account->name, account->intruder->name,
                          account->intruder->service_account);
  else
    reason = arena_printf(arena, "workload %s, which runs as ServiceAccount %s/%s, has no label to select it by",
                          account->workloads[0]->name, account->ns, account->name);
  cover_destination(target, COVERAGE_UNSUPPORTED, reason, "give its pods a label of their own");
}

static void add_destination(struct target *target, const struct kube_account *account) {
  struct call *call = target->coverage.call;
  if (!account->selectable)
    no_selector(target, account);
  else if (arena_reserve(call_arena(call), (void **)&target->destinations, &target->destination_capacity,
                         target->destination_count, sizeof *target->destinations) < 0)
    call_out_of_memory(call);
  else
    target->destinations[target->destination_count++] = (struct destination){.account = account};
}

/* One destination, or one for each group of its pods where they have no labels of their own in common. */
static void find_destination(const struct kube_subjects *subjects, struct target *target,
                             const struct kube_identity *identity) {
  struct arena *arena = call_arena(target->coverage.call);
  const struct kube_account *account = kube_account_find(&subjects->directory->accounts, identity->ns, identity->name);
  if (!account) {
    cover_destination(target, COVERAGE_UNSUPPORTED,
                      arena_printf(arena,
                                   "no workload runs as ServiceAccount %s/%s, so there are no labels to select its "
                                   "pods by",
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

static void read_matches(struct target *target, const struct istio_options *options) {
  struct call *call = target->coverage.call;
  target->matches = arena_array(call_arena(call), target->rules.match_count, sizeof *target->matches);
  if (!target->matches) {
    call_out_of_memory(call);
    target->rules.match_count = 0;
    return;
  }
  for (size_t i = 0; i < target->rules.match_count; i++) {
    match_decide(&target->coverage, options, &target->rules.matches[i], &target->matches[i]);
    target->coarse |= target->matches[i].coarse && target->rules.matches[i].level != COVERAGE_UNSUPPORTED;
  }
}

static void read_grant(struct target *target, struct destination *destination) {
  struct kube_rules *rules = &target->rules;
  kube_rules_ports(rules, &rules->tcp, destination->account, &destination->ports);
  destination->grant = (struct grant){.sources = &target->sources,
                                      .matches = target->matches,
                                      .carried = rules->matches,
                                      .match_count = rules->match_count,
                                      .anything = rules->tcp.found && !rules->http_written,
                                      .ports = rules->tcp.limited ? &destination->ports : NULL};
}

/* Rules whose subjects are all left out are in force nowhere, and not because someone wrote it so. */
static bool subjects_are_lost(const struct target *target) {
  return target->destination_count == 0 || (target->sources.count == 0 && target->smi->source_count > 0);
}

void target_read(const struct kube_subjects *subjects, const struct istio_options *options,
                 const struct smi_traffic_target *smi, struct target *ret_target) {
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
                                      .no_udp = "Istio's proxies do not take UDP, which goes past them"};
  kube_rules_read(&target->rules);
  read_matches(target, options);
  for (size_t i = 0; i < target->destination_count; i++)
    read_grant(target, &target->destinations[i]);
  kube_rules_cover(&target->rules);
  if (subjects_are_lost(target)) {
    static const char reason[] = "no destination or no source of its target could be carried over";
    coverage_withdraw(&target->coverage, CODE_NOTHING_LEFT, reason);
    coverage_withdraw(&target->subject_coverage, CODE_NOTHING_LEFT, reason);
    target->destination_count = 0;
  }
}

/* ---- filters */

struct claim {
  struct target *target;
  struct destination *destination;
};

static int by_account(const void *a, const void *b) {
  const struct claim *x = a, *y = b;
  if (x->destination->account != y->destination->account)
    return x->destination->account < y->destination->account ? -1 : 1;
  return x->target < y->target ? -1 : x->target > y->target;
}

/* All claims of one account. Where none is coarse, the policies say it all. */
static void filter_account(struct call *call, const struct istio_options *options, const struct claim *claims,
                           size_t count, struct translation *translation) {
  bool coarse = false;
  struct filter_grant *grants = arena_array(call_arena(call), count, sizeof *grants);
  for (size_t i = 0; grants && i < count; i++) {
    coarse |= claims[i].target->coarse && !grant_is_empty(&claims[i].destination->grant);
    grants[i] = (struct filter_grant){claims[i].target->smi, &claims[i].destination->grant};
  }
  if (!grants)
    call_out_of_memory(call);
  if (!coarse)
    return;
  struct native_object *filter = filter_object(call, options, claims[0].destination->account, grants, count);
  translation_add(translation, filter);
  for (size_t i = 0; i < count; i++)
    claims[i].destination->filter = filter;
}

void targets_filter(struct call *call, const struct istio_options *options, struct target *targets, size_t count,
                    struct translation *translation) {
  size_t most = 0, made = 0;
  for (size_t i = 0; i < count; i++)
    most += targets[i].destination_count;
  struct claim *claims = arena_array(call_arena(call), most, sizeof *claims);
  if (!claims) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < targets[i].destination_count; j++)
      claims[made++] = (struct claim){&targets[i], &targets[i].destinations[j]};
  if (made)
    qsort(claims, made, sizeof *claims, by_account);
  for (size_t start = 0, end; start < made; start = end) {
    for (end = start + 1; end < made && claims[end].destination->account == claims[start].destination->account;)
      end++;
    filter_account(call, options, claims + start, end - start, translation);
  }
}

/* ---- policies */

/* Objects of one target. */
struct objects {
  const struct native_object **items;
  size_t count, capacity;
};

static void add_object(struct call *call, struct objects *objects, const struct native_object *object) {
  if (arena_reserve(call_arena(call), (void **)&objects->items, &objects->capacity, objects->count,
                    sizeof *objects->items) < 0)
    call_out_of_memory(call);
  else
    objects->items[objects->count++] = object;
}

/* `part` numbers the policies of one destination, which differ only in their rules. Takes `rules`; none are left out,
 * which allows nothing. */
static struct native_object *policy(const struct target *target, const struct istio_options *options,
                                    const struct kube_account *account, size_t part, json_t *rules) {
  struct call *call = target->coverage.call;
  const struct smi_meta *meta = &target->smi->meta;
  const char *key = arena_printf(call_arena(call), "TrafficTarget/%s/%s/%s/%s/%zu", meta->ns, meta->name, account->name,
                                 account_part_name(account), part);
  json_t *spec =
      json_pack("{s:{s:o}, s:s}", "selector", "matchLabels", kube_account_labels(account), "action", "ALLOW");
  bool failed = !spec || !key;
  if (json_array_size(rules))
    failed |= json_object_set(spec, "rules", rules) < 0;
  json_decref(rules);
  if (failed) {
    json_decref(spec);
    call_out_of_memory(call);
    return NULL;
  }
  return kube_object(call,
                     &(struct kube_object){.wave = POLICY_WAVE,
                                           .api_version = options->security_version,
                                           .kind = "AuthorizationPolicy",
                                           .ns = account->ns,
                                           .name = kube_name(call, meta->name, key),
                                           .sources = &meta,
                                           .source_count = 1},
                     json_pack("{s:o}", "spec", spec));
}

static json_t *slice(const json_t *rules, size_t start) {
  json_t *part = json_array();
  for (size_t i = start; part && i < json_array_size(rules) && i - start < POLICY_RULES_MAX; i++)
    if (json_array_append(part, json_array_get(rules, i)) < 0) {
      json_decref(part);
      return NULL;
    }
  return part;
}

static void emit_destination(const struct target *target, const struct istio_options *options,
                             const struct destination *destination, struct translation *translation,
                             struct objects *objects) {
  struct call *call = target->coverage.call;
  json_auto_t *rules = policy_rules(call, options, &destination->grant);
  if (!rules) {
    call_out_of_memory(call);
    return;
  }
  const size_t count = json_array_size(rules);
  for (size_t start = 0; start == 0 || start < count; start += POLICY_RULES_MAX) {
    json_t *part = slice(rules, start);
    if (!part) {
      call_out_of_memory(call);
      return;
    }
    struct native_object *object = policy(target, options, destination->account, start / POLICY_RULES_MAX, part);
    translation_add(translation, object);
    add_object(call, objects, object);
  }
  if (destination->filter)
    add_object(call, objects, destination->filter);
}

/* What was written to allow nothing is carried over as such; what lost all its rules on the way, or at this
 * destination, is not carried over. */
static bool has_substance(const struct target *target, const struct destination *destination) {
  const bool voids = target->rules.http_carried && !destination->grant.anything &&
                     !(destination->grant.ports && destination->grant.ports->count == 0);
  return !grant_is_empty(&destination->grant) || target->smi->rule_count == 0 || target->smi->source_count == 0 ||
         voids;
}

void target_emit(const struct target *target, const struct istio_options *options, struct translation *translation) {
  struct objects objects = {0};
  for (size_t i = 0; i < target->destination_count; i++)
    if (has_substance(target, &target->destinations[i]))
      emit_destination(target, options, &target->destinations[i], translation, &objects);
  coverage_state(&target->coverage, translation, objects.items, objects.count);
  coverage_state(&target->subject_coverage, translation, objects.items, objects.count);
}
