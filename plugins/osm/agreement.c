#include "plugins/osm/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"

/* One caller of one grant. */
struct claim {
  const struct kube_account *destination;
  const struct kube_identity *source;
  size_t order; /* of the grant */
  struct grant *grant;
  const char *routes; /* all of them in one text */
};

static int compare(const void *a, const void *b) {
  const struct claim *x = a, *y = b;
  if (x->destination != y->destination)
    return x->destination < y->destination ? -1 : 1;
  int order = strcmp(x->source->ns, y->source->ns);
  if (order == 0)
    order = strcmp(x->source->name, y->source->name);
  if (order != 0)
    return order;
  return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_caller(const struct claim *a, const struct claim *b) {
  return a->destination == b->destination && strcmp(a->source->ns, b->source->ns) == 0 &&
         strcmp(a->source->name, b->source->name) == 0;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The routes of a grant in one text, the same for the same routes in any order. NULL without memory. */
static const char *routes_text(struct call *call, const struct grant *grant) {
  size_t count, made = 0;
  const struct route *routes = grant_routes(grant, &count);
  const char **keys = arena_array(call_arena(call), count, sizeof *keys);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; keys && i < count; i++)
    if (routes[i].key)
      keys[made++] = routes[i].key;
  if (made > 1)
    qsort(keys, made, sizeof *keys, by_text);
  for (size_t i = 0; i < made; i++)
    if (i == 0 || strcmp(keys[i], keys[i - 1]) != 0)
      strbuf_printf(&text, "%s\n", keys[i]);
  return keys && !strbuf_failed(&text) ? arena_strdup(call_arena(call), strbuf_text(&text)) : NULL;
}

static bool same_ports(const struct port_set *a, const struct port_set *b) {
  return a->count == b->count && (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof *a->items) == 0);
}

static bool contains(const struct port_set *set, uint16_t port) {
  for (size_t i = 0; i < set->count; i++)
    if (set->items[i] == port)
      return true;
  return false;
}

static void refuse(struct grant *grant) {
  size_t kept = 0;
  for (size_t i = 0; grant->target->tcp_only && i < grant->ports.count; i++)
    if (!contains(&grant->http, grant->ports.items[i]))
      grant->ports.items[kept++] = grant->ports.items[i];
  grant->ports.count = kept;
  grant->http.count = 0;
  grant->refused = true;
}

/* Claims of one caller. Grants without ports of HTTP allow no routes anywhere. */
static void judge(struct claim *claims, size_t count) {
  const struct claim *first = NULL;
  bool one_set_of_ports = true, one_set_of_routes = true;
  for (size_t i = 0; i < count; i++) {
    struct grant *grant = claims[i].grant;
    if (grant->http.count == 0)
      continue;
    if (!first) {
      first = &claims[i];
      continue;
    }
    const bool ports = one_set_of_ports && same_ports(&first->grant->http, &grant->http);
    const bool routes = one_set_of_routes && strcmp(first->routes, claims[i].routes) == 0;
    if (!ports && !routes) {
      refuse(grant);
      continue;
    }
    one_set_of_ports = ports;
    one_set_of_routes = routes;
  }
}

bool grants_agree(struct call *call, struct grant **grants, size_t count) {
  size_t most = 0, made = 0;
  for (size_t i = 0; i < count; i++)
    most += grants[i]->target->sources.count;
  struct claim *claims = arena_array(call_arena(call), most, sizeof *claims);
  for (size_t i = 0; claims && i < count; i++) {
    const char *routes = routes_text(call, grants[i]);
    if (!routes) {
      claims = NULL;
      break;
    }
    for (size_t j = 0; j < grants[i]->target->sources.count; j++)
      claims[made++] = (struct claim){grants[i]->account, &grants[i]->target->sources.items[j], i, grants[i], routes};
  }
  if (!claims) {
    call_out_of_memory(call);
    return false;
  }
  if (made)
    qsort(claims, made, sizeof *claims, compare);
  for (size_t start = 0, end; start < made; start = end) {
    for (end = start + 1; end < made && same_caller(&claims[start], &claims[end]);)
      end++;
    judge(claims + start, end - start);
  }
  return true;
}
