#include "plugins/consul/intention.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/consul/entry.h"
#include "plugins/consul/name.h"

bool intentions_init(struct intentions *intentions, const struct directory *directory) {
  *intentions = (struct intentions){.directory = directory, .kept = json_array()};
  return intentions->kept != NULL;
}

void intentions_finish(struct intentions *intentions) {
  json_decref(intentions->kept);
}

bool intentions_keep(struct intentions *intentions, json_t *criteria) {
  if (json_array_append_new(intentions->kept, criteria) == 0)
    return true;
  call_out_of_memory(intentions->directory->call);
  return false;
}

void intentions_grant(struct intentions *intentions, const struct grant *grant) {
  struct call *call = intentions->directory->call;
  if (arena_reserve(call_arena(call), (void **)&intentions->grants, &intentions->capacity, intentions->count,
                    sizeof *intentions->grants) < 0)
    call_out_of_memory(call);
  else
    intentions->grants[intentions->count++] = *grant;
}

static int compare_accounts(const struct kube_identity *a, const struct kube_identity *b) {
  int order = strcmp(a->ns, b->ns);
  return order != 0 ? order : strcmp(a->name, b->name);
}

static int compare_metas(const struct smi_meta *a, const struct smi_meta *b) {
  int order = strcmp(a->ns, b->ns);
  return order != 0 ? order : strcmp(a->name, b->name);
}

static int by_pair(const void *a, const void *b) {
  const struct grant *x = a, *y = b;
  int order = compare_accounts(&x->destination, &y->destination);
  if (order == 0)
    order = compare_accounts(&x->source, &y->source);
  return order != 0 ? order : compare_metas(x->target, y->target);
}

static int by_target(const void *a, const void *b) {
  const struct grant *x = a, *y = b;
  if (x->target_order != y->target_order)
    return x->target_order < y->target_order ? -1 : 1;
  return by_pair(a, b);
}

static int by_match(const void *a, const void *b) {
  const struct permission *x = a, *y = b;
  int order = compare_metas(x->group, y->group);
  return order != 0 ? order : (x->match > y->match) - (x->match < y->match);
}

/* The permissions of several grants for one pair, sorted, each once. NULL without memory. */
static struct permission *unite(struct call *call, const struct grant *grants, size_t count, size_t *ret_count) {
  size_t all = 0, kept = 0;
  for (size_t i = 0; i < count; i++)
    all += grants[i].permission_count;
  struct permission *permissions = arena_array(call_arena(call), all, sizeof *permissions);
  if (!permissions)
    return NULL;
  all = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < grants[i].permission_count; j++)
      permissions[all++] = grants[i].permissions[j];
  qsort(permissions, all, sizeof *permissions, by_match);
  for (size_t i = 0; i < all; i++)
    if (i == 0 || by_match(&permissions[i], &permissions[kept - 1]) != 0)
      permissions[kept++] = permissions[i];
  *ret_count = kept;
  return permissions;
}

static int by_text(const void *key, const void *item) {
  return strcmp(key, *(const char *const *)item);
}

static bool is_denied(const struct directory *d, const char *ns) {
  return d->request->deny_count &&
         bsearch(ns, d->request->deny_by_default, d->request->deny_count, sizeof *d->request->deny_by_default, by_text);
}

static int append_permission(json_t *list, const char *action, json_t *criteria) {
  return json_array_append_new(list, json_pack("{s:s, s:O}", "action", action, "http", criteria));
}

/* What no permission takes falls to the mesh's default policy, not to the intention of "*": so the last one denies,
 * where nothing else is sure to. */
static json_t *permissions_json(const struct directory *d, const struct grant *grants, size_t count) {
  size_t permission_count = 0;
  struct permission *permissions = unite(d->call, grants, count, &permission_count);
  json_t *list = permissions ? json_array() : NULL;
  int failed = list ? 0 : -1;
  for (size_t i = 0; !failed && i < permission_count; i++)
    failed = append_permission(list, "allow", permissions[i].criteria);
  if (!failed && is_denied(d, grants->destination.ns) && !d->config->denies_already) {
    json_t *everything = json_pack("{s:s}", "pathRegex", ".*");
    failed = append_permission(list, "deny", everything);
    json_decref(everything);
  }
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static json_t *source_json(const struct directory *d, const struct grant *grants, size_t count) {
  bool everything = false;
  for (size_t i = 0; i < count; i++)
    everything |= grants[i].permission_count == 0;
  json_t *source = json_pack("{s:s}", "name", service_name(d->call, d->config, grants->source.ns, grants->source.name));
  int failed = source ? 0 : -1;
  if (!failed && d->config->namespaces)
    failed = json_object_set_new(source, "namespace", json_string(grants->source.ns));
  if (!failed && everything)
    failed = json_object_set_new(source, "action", json_string("allow"));
  else if (!failed)
    failed = json_object_set_new(source, "permissions", permissions_json(d, grants, count));
  if (!failed)
    return source;
  json_decref(source);
  return NULL;
}

static size_t same_source(const struct grant *grants, size_t count) {
  size_t end = 1;
  while (end < count && compare_accounts(&grants[0].source, &grants[end].source) == 0)
    end++;
  return end;
}

static const struct smi_meta **targets_of(struct call *call, const struct grant *grants, size_t count,
                                          size_t *ret_count) {
  const struct smi_meta **targets = arena_array(call_arena(call), count, sizeof *targets);
  for (size_t i = 0; targets && i < count; i++)
    targets[i] = grants[i].target;
  *ret_count = targets ? count : 0;
  if (!targets)
    call_out_of_memory(call);
  return targets;
}

static int by_meta(const void *a, const void *b) {
  return compare_metas(*(const struct smi_meta *const *)a, *(const struct smi_meta *const *)b);
}

static size_t distinct(const struct smi_meta **targets, size_t count) {
  size_t kept = 0;
  if (count)
    qsort(targets, count, sizeof *targets, by_meta);
  for (size_t i = 0; i < count; i++)
    if (i == 0 || targets[i] != targets[kept - 1])
      targets[kept++] = targets[i];
  return kept;
}

/* All grants for one destination. */
static void emit_destination(const struct directory *d, struct grant *grants, size_t count,
                             struct translation *translation) {
  json_t *sources = json_array();
  int failed = sources ? 0 : -1;
  for (size_t first = 0, length; !failed && first < count; first += length) {
    length = same_source(&grants[first], count - first);
    failed = json_array_append_new(sources, source_json(d, &grants[first], length));
  }
  size_t target_count;
  const struct smi_meta **targets = targets_of(d->call, grants, count, &target_count);
  if (failed || !targets) {
    json_decref(sources);
    call_out_of_memory(d->call);
    return;
  }
  const struct entry entry = {.kind = ENTRY_INTENTIONS,
                              .ns = grants->destination.ns,
                              .service = grants->destination.name,
                              .sources = targets,
                              .source_count = distinct(targets, target_count)};
  struct native_object *object = entry_object(d->call, d->config, &entry, json_pack("{s:o}", "sources", sources));
  translation_add(translation, object);
  for (size_t i = 0; i < count; i++)
    grants[i].object = object;
}

/* Consul 1.8 has an intention for each pair. */
static void emit_pairs(const struct directory *d, struct grant *grants, size_t count, struct translation *translation) {
  for (size_t first = 0, length; first < count; first += length) {
    length = same_source(&grants[first], count - first);
    struct native_object *object = entry_old_intention(
        d->call, service_name(d->call, d->config, grants[first].source.ns, grants[first].source.name),
        service_name(d->call, d->config, grants->destination.ns, grants->destination.name), true);
    for (size_t i = first; i < first + length; i++) {
      native_source(object, grants[i].target);
      grants[i].object = object;
    }
    translation_add(translation, object);
  }
}

static void add_default_deny(const struct directory *d, const char *ns, struct translation *translation) {
  if (d->config->old) {
    translation_add(translation, entry_old_intention(d->call, "*", "*", false));
    return;
  }
  json_t *source = json_pack("{s:s, s:s}", "name", "*", "action", "deny");
  if (source && d->config->namespaces && json_object_set_new(source, "namespace", json_string("*")) < 0)
    call_out_of_memory(d->call);
  const struct entry entry = {.kind = ENTRY_INTENTIONS, .ns = ns, .service = "*"};
  translation_add(translation, entry_object(d->call, d->config, &entry, json_pack("{s:[o]}", "sources", source)));
}

/* Without namespaces, an intention from everybody to everybody is for the namespaces that were not asked for, too. */
static void tell_reach(const struct directory *d) {
  for (size_t i = 0; i < d->request->inventory.workload_count; i++) {
    const char *ns = d->request->inventory.workloads[i].ns;
    if (is_denied(d, ns))
      continue;
    call_diagnose(d->call,
                  &(struct finding){.severity = TRAMMEL_WARNING,
                                    .code = CODE_DENY_REACH,
                                    .remedy = "ask for all namespaces, or set the option namespaces with Consul "
                                              "Enterprise"},
                  "the default deny is for the whole mesh, so for namespace %s as well, which it was not asked for",
                  ns);
    return;
  }
}

static void deny_by_default(const struct directory *d, struct translation *translation) {
  const struct translate_request *request = d->request;
  if (d->config->denies_already || request->deny_count == 0)
    return;
  if (!d->config->namespaces) {
    add_default_deny(d, request->deny_by_default[0], translation);
    tell_reach(d);
    return;
  }
  for (size_t i = 0; i < request->deny_count; i++)
    if (i == 0 || strcmp(request->deny_by_default[i], request->deny_by_default[i - 1]) != 0)
      add_default_deny(d, request->deny_by_default[i], translation);
}

void intentions_emit(struct intentions *intentions, struct translation *translation) {
  struct grant *grants = intentions->grants;
  deny_by_default(intentions->directory, translation);
  if (intentions->count == 0)
    return;
  qsort(grants, intentions->count, sizeof *grants, by_pair);
  for (size_t first = 0, end; first < intentions->count; first = end) {
    for (end = first + 1;
         end < intentions->count && compare_accounts(&grants[first].destination, &grants[end].destination) == 0;)
      end++;
    if (intentions->directory->config->old)
      emit_pairs(intentions->directory, &grants[first], end - first, translation);
    else
      emit_destination(intentions->directory, &grants[first], end - first, translation);
  }
  qsort(grants, intentions->count, sizeof *grants, by_target);
}
