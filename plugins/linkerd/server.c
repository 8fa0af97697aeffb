#include "plugins/linkerd/server.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS (8 * sizeof(source_word))

bool server_has_probes(const struct linkerd_options *options) {
  return json_array_size(options->probe_paths) > 0 && json_array_size(options->probe_networks) > 0;
}

static int by_identity(const void *a, const void *b) {
  const struct kube_identity *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static bool number_sources(struct server *server) {
  size_t count = 0, kept = 0;
  for (size_t i = 0; i < server->grant_count; i++)
    count += server->grants[i].target->sources.count;
  struct kube_identity *items = arena_array(call_arena(server->call), count, sizeof *items);
  if (!items)
    return false;
  count = 0;
  for (size_t i = 0; i < server->grant_count; i++) {
    const struct kube_identities *sources = &server->grants[i].target->sources;
    for (size_t j = 0; j < sources->count; j++)
      items[count++] = sources->items[j];
  }
  if (count > 1)
    qsort(items, count, sizeof *items, by_identity);
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || by_identity(&items[i], &items[kept - 1]) != 0)
      items[kept++] = items[i];
  server->sources = (struct kube_identities){.items = items, .count = kept};
  server->probe_source = kept;
  server->cells = (struct cells){.arena = call_arena(server->call), .words = kept / WORD_BITS + 1};
  return true;
}

static void put_source(source_word *set, size_t number) {
  set[number / WORD_BITS] |= (source_word)1 << (number % WORD_BITS);
}

static void put_sources(const struct server *server, const struct kube_identities *sources, source_word *set) {
  for (size_t i = 0; i < sources->count; i++) {
    const struct kube_identity *found =
        bsearch(&sources->items[i], server->sources.items, server->sources.count, sizeof *found, by_identity);
    if (found)
      put_source(set, (size_t)(found - server->sources.items));
  }
}

/* Which cell of which grant's match: cells of many grants are often the same, and sets of sources are for those that
 * are not. */
struct claim {
  struct cell cell;
  const struct server_grant *grant;
  struct target_match *match; /* NULL: of connections, or of a probe */
};

struct claims {
  struct arena *arena;
  struct claim *items;
  size_t count, capacity;
};

static bool claim(struct claims *claims, const struct claim *item) {
  if (arena_reserve(claims->arena, (void **)&claims->items, &claims->capacity, claims->count, sizeof *claims->items) <
      0)
    return false;
  claims->items[claims->count++] = *item;
  return true;
}

static bool claim_match(struct claims *claims, const struct server_grant *grant, struct target_match *match) {
  struct claim item = {.grant = grant, .match = match};
  item.cell =
      (struct cell){.path = match->http.path, .headers = match->http.headers, .header_count = match->http.header_count};
  if (match->http.method_count == 0)
    return claim(claims, &item);
  for (size_t i = 0; i < match->http.method_count; i++) {
    item.cell.method = match->http.methods[i];
    if (!claim(claims, &item))
      return false;
  }
  return true;
}

static bool claim_matches(const struct server *server, struct claims *claims) {
  for (size_t i = 0; i < server->grant_count; i++) {
    struct target *target = server->grants[i].target;
    for (size_t j = 0; j < target->rules.match_count; j++)
      if (target->rules.matches[j].level == COVERAGE_EXACT &&
          !claim_match(claims, &server->grants[i], &target->matches[j]))
        return false;
  }
  return true;
}

/* Once there is a route, what no route matches is not found, whoever may connect: they get one for everything. And the
 * routes for probes that Linkerd makes by itself are gone. */
static bool claim_rest(const struct server *server, struct claims *claims) {
  const struct cell everything = {.path = {PATH_ANY, ""}};
  for (size_t i = 0; i < server->grant_count; i++)
    if (server->grants[i].target->anything &&
        !claim(claims, &(struct claim){.cell = everything, .grant = &server->grants[i]}))
      return false;
  for (size_t i = 0; server_has_probes(server->options) && i < json_array_size(server->options->probe_paths); i++) {
    const char *path = json_string_value(json_array_get(server->options->probe_paths, i));
    const struct cell probe = {.path = {PATH_EXACT, path}, .method = "GET"};
    if (!claim(claims, &(struct claim){.cell = probe}))
      return false;
  }
  return true;
}

static int by_cell(const void *a, const void *b) {
  const struct claim *x = a, *y = b;
  int order = cell_compare(&x->cell, &y->cell);
  return order != 0 ? order : (x->grant > y->grant) - (x->grant < y->grant);
}

/* Sorted claims as cells, each once, with the sources of all who claim it. */
static bool unite_claims(const struct server *server, const struct claims *claims, struct cells *cells) {
  for (size_t i = 0; i < claims->count; i++) {
    const struct claim *item = &claims->items[i];
    if (i == 0 || cell_compare(&item->cell, &claims->items[i - 1].cell) != 0)
      if (!cells_add(cells, &item->cell))
        return false;
    source_word *set = cells->items[cells->count - 1].sources;
    if (item->grant)
      put_sources(server, &item->grant->target->sources, set);
    else
      put_source(set, server->probe_source);
  }
  return true;
}

static void count_left_out(const struct claims *claims, const bool *left_out) {
  size_t cell = 0;
  for (size_t i = 0; i < claims->count; i++) {
    cell += i > 0 && cell_compare(&claims->items[i].cell, &claims->items[i - 1].cell) != 0;
    if (claims->items[i].match) {
      claims->items[i].match->wanted++;
      claims->items[i].match->left_out += left_out[cell];
    }
  }
}

static bool read_routes(struct server *server) {
  struct claims claims = {.arena = call_arena(server->call)};
  if (!claim_matches(server, &claims))
    return false;
  if (claims.count == 0)
    return true;
  if (!claim_rest(server, &claims))
    return false;
  qsort(claims.items, claims.count, sizeof *claims.items, by_cell);
  struct cells wanted = server->cells;
  if (!unite_claims(server, &claims, &wanted))
    return false;
  bool *left_out = arena_array(claims.arena, wanted.count, sizeof *left_out);
  if (!left_out || !overlap_resolve(&wanted, &server->cells, left_out))
    return false;
  count_left_out(&claims, left_out);
  return true;
}

static bool is_tcp(const struct kube_account *account, uint16_t port) {
  bool tcp = false;
  for (size_t i = 0; i < account->workload_count; i++)
    for (size_t j = 0; j < account->workloads[i]->port_count; j++) {
      const struct inventory_port *p = &account->workloads[i]->ports[j];
      if (p->port != port || p->protocol == PORT_UDP)
        continue;
      if (p->protocol == PORT_HTTP)
        return false;
      tcp = true;
    }
  return tcp;
}

bool server_read(struct call *call, const struct linkerd_options *options, const struct server_grant *grants,
                 size_t count, struct server *ret_server) {
  struct server server = {
      .call = call, .options = options, .account = grants[0].account, .port = grants[0].port, .grants = grants};
  for (size_t i = 0; i < count && grants[i].target; i++) /* those without one are the last */
    server.grant_count++;
  if (!number_sources(&server))
    return false;
  server.connections = arena_array(call_arena(call), server.cells.words, sizeof *server.connections);
  if (!server.connections)
    return false;
  for (size_t i = 0; i < server.grant_count; i++)
    if (grants[i].target->anything)
      put_sources(&server, &grants[i].target->sources, server.connections);
  if (!read_routes(&server))
    return false;
  server.opaque = server.cells.count == 0 && is_tcp(server.account, server.port);
  *ret_server = server;
  return true;
}
