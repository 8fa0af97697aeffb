#include "plugins/osm/order.h"

#include <stdlib.h>
#include <string.h>

/* A route of a grant. */
struct use {
  const struct route *route;
  const struct grant *grant;
  size_t rule; /* SIZE_MAX: all, the route is that of TCPRoutes alone */
};

/* Uses with the same content, which are one route for OSM. */
struct merged {
  const struct use *uses;
  size_t use_count;
  const struct kube_identity **callers; /* sorted, each once */
  size_t caller_count;
  bool order_matters;
};

static int by_destination(const void *a, const void *b) {
  const struct use *x = a, *y = b;
  if (x->grant->account != y->grant->account)
    return x->grant->account < y->grant->account ? -1 : 1;
  return strcmp(x->route->key, y->route->key);
}

static int by_caller(const void *a, const void *b) {
  const struct kube_identity *x = *(const struct kube_identity *const *)a, *y = *(const struct kube_identity *const *)b;
  int order = strcmp(x->ns, y->ns);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static bool merge(struct call *call, const struct use *uses, size_t count, struct merged *ret_merged) {
  size_t most = 0, made = 0, kept = 0;
  for (size_t i = 0; i < count; i++)
    most += uses[i].grant->target->sources.count;
  const struct kube_identity **callers = arena_array(call_arena(call), most, sizeof *callers);
  if (!callers)
    return false;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < uses[i].grant->target->sources.count; j++)
      callers[made++] = &uses[i].grant->target->sources.items[j];
  if (made > 1)
    qsort(callers, made, sizeof *callers, by_caller);
  for (size_t i = 0; i < made; i++)
    if (kept == 0 || by_caller(&callers[i], &callers[kept - 1]) != 0)
      callers[kept++] = callers[i];
  *ret_merged = (struct merged){.uses = uses, .use_count = count, .callers = callers, .caller_count = kept};
  return true;
}

/* Whether all callers of `a` are callers of `b`. */
static bool is_within(const struct merged *a, const struct merged *b) {
  size_t j = 0;
  for (size_t i = 0; i < a->caller_count; i++) {
    while (j < b->caller_count && by_caller(&b->callers[j], &a->callers[i]) < 0)
      j++;
    if (j == b->caller_count || by_caller(&b->callers[j], &a->callers[i]) != 0)
      return false;
  }
  return true;
}

static void compare_each(struct merged *routes, size_t count) {
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; !routes[i].order_matters && j < count; j++)
      routes[i].order_matters =
          i != j && routes_overlap(routes[i].uses->route, routes[j].uses->route) && !is_within(&routes[i], &routes[j]);
}

/* Without a look at what they match. */
static void compare_callers(struct merged *routes, size_t count) {
  bool alike = true;
  for (size_t i = 1; alike && i < count; i++)
    alike = is_within(&routes[i], &routes[0]) && is_within(&routes[0], &routes[i]);
  for (size_t i = 0; i < count; i++)
    routes[i].order_matters = !alike;
}

static void mark(struct target *targets, const struct merged *merged) {
  for (size_t i = 0; i < merged->use_count; i++) {
    struct target *target = &targets[merged->uses[i].grant->target - targets];
    for (size_t rule = 0; rule < target->smi->rule_count; rule++)
      if (merged->uses[i].rule == rule || merged->uses[i].rule == SIZE_MAX)
        target->order_matters[rule] = true;
  }
}

/* The routes of one destination. */
static bool judge(struct call *call, struct target *targets, const struct use *uses, size_t count) {
  struct merged *routes = arena_array(call_arena(call), count, sizeof *routes);
  size_t made = 0;
  for (size_t start = 0, end; routes && start < count; start = end) {
    for (end = start + 1; end < count && strcmp(uses[start].route->key, uses[end].route->key) == 0;)
      end++;
    if (!merge(call, uses + start, end - start, &routes[made++]))
      return false;
  }
  if (!routes)
    return false;
  if (made <= ROUTES_COMPARED_MAX)
    compare_each(routes, made);
  else
    compare_callers(routes, made);
  for (size_t i = 0; i < made; i++)
    if (routes[i].order_matters)
      mark(targets, &routes[i]);
  return true;
}

static size_t collect(const struct grant *grant, struct use *uses) {
  size_t count, made = 0;
  const struct route *routes = grant_routes(grant, &count);
  for (size_t i = 0; grant->ports.count && i < count; i++)
    if (routes[i].key)
      uses[made++] =
          (struct use){&routes[i], grant, grant->target->tcp_only ? SIZE_MAX : grant->target->rules.matches[i].rule};
  return made;
}

static bool order(struct call *call, struct target *targets, struct grant **grants, size_t count) {
  size_t most = 0, made = 0;
  for (size_t i = 0; i < count; i++) {
    size_t routes;
    (void)grant_routes(grants[i], &routes);
    most += routes;
  }
  struct use *uses = arena_array(call_arena(call), most, sizeof *uses);
  for (size_t i = 0; uses && i < count; i++)
    made += collect(grants[i], uses + made);
  if (uses && made)
    qsort(uses, made, sizeof *uses, by_destination);
  for (size_t start = 0, end; uses && start < made; start = end) {
    for (end = start + 1; end < made && uses[end].grant->account == uses[start].grant->account;)
      end++;
    if (!judge(call, targets, uses + start, end - start))
      return false;
  }
  return uses != NULL;
}

bool grants_order(struct call *call, struct target *targets, struct grant **grants, size_t count) {
  if (order(call, targets, grants, count))
    return true;
  call_out_of_memory(call);
  return false;
}
