#include "plugins/linkerd/server.h"

#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"

/* A Server denies what no policy allows, so it comes before them and goes after them. */
#define SERVER_WAVE 0u
#define AUTHENTICATION_WAVE 1u
#define POLICY_WAVE 2u
#define ROUTE_WAVE 3u

#define POLICY_GROUP "policy.linkerd.io"
#define AUTHORIZATION_VERSION POLICY_GROUP "/v1alpha1"

/* Bounds of the CRD httproutes.policy.linkerd.io; Gateway API takes as many in all. */
#define RULES_MAX 16u
#define RULE_MATCHES_MAX 8u

#define WORD_BITS (8 * sizeof(source_word))

/* The objects of one server on their way. */
struct emission {
  const struct server *server;
  struct translation *translation;
  const char *base, *object_name;    /* "api-8080", and the name of the Server */
  const source_word **authenticated; /* sets that have an object already */
  size_t authenticated_count, authenticated_capacity;
};

static bool has_source(const source_word *set, size_t number) {
  return set[number / WORD_BITS] >> (number % WORD_BITS) & 1;
}

static bool has_identities(const struct server *server, const source_word *set) {
  for (size_t i = 0; i < server->sources.count; i++)
    if (has_source(set, i))
      return true;
  return false;
}

static bool takes_part(const struct server *server, const struct target *target, const source_word *set) {
  for (size_t i = 0; i < target->sources.count; i++) {
    size_t low = 0, high = server->sources.count;
    while (low < high) {
      size_t middle = low + (high - low) / 2;
      const struct kube_identity *item = &server->sources.items[middle];
      int order = strcmp(item->ns, target->sources.items[i].ns);
      if (order == 0)
        order = strcmp(item->name, target->sources.items[i].name);
      if (order == 0)
        return has_source(set, middle);
      if (order < 0)
        low = middle + 1;
      else
        high = middle;
    }
  }
  return false;
}

/* Adds an object for the targets whose sources are in the set; for all of them without a set. */
static void add_object(struct emission *e, uint32_t wave, const char *api_version, const char *kind, const char *name,
                       const source_word *set, json_t *spec) {
  const struct server *server = e->server;
  struct arena *arena = call_arena(server->call);
  const struct smi_meta **sources = arena_array(arena, server->grant_count, sizeof *sources);
  struct target **targets = arena_array(arena, server->grant_count, sizeof *targets);
  size_t count = 0;
  for (size_t i = 0; sources && targets && i < server->grant_count; i++) {
    struct target *target = server->grants[i].target;
    if (set && !takes_part(server, target, set))
      continue;
    targets[count] = target;
    sources[count++] = &target->smi->meta;
  }
  const struct kube_object object = {.wave = wave,
                                     .api_version = api_version,
                                     .kind = kind,
                                     .ns = server->account->ns,
                                     .name = name,
                                     .sources = sources,
                                     .source_count = count};
  struct native_object *native = kube_object(server->call, &object, json_pack("{s:o}", "spec", spec));
  if (!sources || !targets)
    call_out_of_memory(server->call);
  if (native)
    translation_add(e->translation, native);
  for (size_t i = 0; native && i < count; i++)
    target_add_object(targets[i], native);
}

/* What tells the parts of an account apart. */
static const char *part_text(const struct kube_account *account) {
  return account->is_part ? account->workloads[0]->name : "";
}

static const char *name_of(const struct emission *e, const char *kind, const char *rest) {
  const struct server *server = e->server;
  const char *key = arena_printf(call_arena(server->call), "%s/%s/%s/%u/%s%s", kind, server->account->ns,
                                 server->account->name, server->port, rest, part_text(server->account));
  if (!key)
    call_out_of_memory(server->call);
  return kube_name(server->call, e->base, key ? key : "");
}

/* Stays the same when other sets come and go. "": out of memory. */
static const char *set_text(const struct server *server, const source_word *set) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  for (size_t i = 0; i < server->sources.count; i++)
    if (has_source(set, i))
      strbuf_printf(&text, "%s/%s,", server->sources.items[i].ns, server->sources.items[i].name);
  if (has_source(set, server->probe_source))
    strbuf_puts(&text, "probes");
  const char *copy = strbuf_failed(&text) ? NULL : arena_strdup(call_arena(server->call), strbuf_text(&text));
  if (!copy)
    call_out_of_memory(server->call);
  return copy ? copy : "";
}

/* ---- who */

static json_t *identity_json(const struct linkerd_options *options, const struct kube_identity *identity) {
  if (options->identity_names)
    return json_sprintf("%s.%s.serviceaccount.identity.%s.%s", identity->name, identity->ns, options->control_namespace,
                        options->trust_domain);
  return json_pack("{s:s, s:s, s:s}", "kind", "ServiceAccount", "name", identity->name, "namespace", identity->ns);
}

static json_t *identities_json(const struct server *server, const source_word *set) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < server->sources.count; i++)
    if (has_source(set, i) &&
        json_array_append_new(list, identity_json(server->options, &server->sources.items[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return json_pack("{s:o}", server->options->identity_names ? "identities" : "identityRefs", list);
}

/* The name of the object for a set, made when it is not there yet. All sources are in one: those that a policy requires
 * are required all together. */
static const char *authentication(struct emission *e, const source_word *set, const char *text) {
  const char *name = name_of(e, "MeshTLSAuthentication", text);
  for (size_t i = 0; i < e->authenticated_count; i++)
    if (sources_same(e->authenticated[i], set, e->server->cells.words))
      return name;
  if (arena_reserve(call_arena(e->server->call), (void **)&e->authenticated, &e->authenticated_capacity,
                    e->authenticated_count, sizeof *e->authenticated) < 0)
    call_out_of_memory(e->server->call);
  else
    e->authenticated[e->authenticated_count++] = set;
  add_object(e, AUTHENTICATION_WAVE, AUTHORIZATION_VERSION, "MeshTLSAuthentication", name, set,
             identities_json(e->server, set));
  return name;
}

static const char *probe_networks_name(struct call *call, const char *ns) {
  const char *key = arena_printf(call_arena(call), "NetworkAuthentication/%s", ns);
  return kube_name(call, "probes", key ? key : "");
}

struct native_object *server_probe_networks(struct call *call, const struct linkerd_options *options, const char *ns) {
  json_t *networks = json_array();
  for (size_t i = 0; networks && i < json_array_size(options->probe_networks); i++)
    if (json_array_append_new(networks, json_pack("{s:O}", "cidr", json_array_get(options->probe_networks, i))) < 0)
      call_out_of_memory(call);
  return kube_object(call,
                     &(struct kube_object){.wave = AUTHENTICATION_WAVE,
                                           .api_version = AUTHORIZATION_VERSION,
                                           .kind = "NetworkAuthentication",
                                           .ns = ns,
                                           .name = probe_networks_name(call, ns)},
                     json_pack("{s:{s:o}}", "spec", "networks", networks));
}

/* ---- what for */

static void policy(struct emission *e, const char *group, const char *kind, const char *target,
                   const char *authentication_kind, const char *authentication_name, const source_word *set) {
  const char *rest = arena_printf(call_arena(e->server->call), "%s/%s/%s", kind, target, authentication_kind);
  json_t *spec = json_pack("{s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s}]}", "targetRef", "group", group, "kind", kind,
                           "name", target, "requiredAuthenticationRefs", "group", POLICY_GROUP, "kind",
                           authentication_kind, "name", authentication_name);
  add_object(e, POLICY_WAVE, AUTHORIZATION_VERSION, "AuthorizationPolicy",
             name_of(e, "AuthorizationPolicy", rest ? rest : ""), set, spec);
}

static json_t *match_json(const struct cell *cell) {
  return http_match_json(cell->regex, cell->method, cell->headers, cell->header_count);
}

/* The rules of one HTTPRoute: the cells from `*at` on that have this set, as many as one takes; `*at` is where the next
 * goes on. */
static json_t *rules_json(const struct server *server, const source_word *set, size_t *at) {
  json_t *rules = json_array();
  json_t *matches = NULL; /* of the last rule, borrowed */
  bool failed = rules == NULL;
  for (; !failed && *at < server->cells.count; (*at)++) {
    const struct cell *cell = &server->cells.items[*at];
    if (!sources_same(cell->sources, set, server->cells.words))
      continue;
    if (!matches || json_array_size(matches) == RULE_MATCHES_MAX) {
      if (json_array_size(rules) == RULES_MAX)
        break;
      matches = json_array();
      failed |= json_array_append_new(rules, json_pack("{s:o}", "matches", matches)) < 0;
    }
    if (!failed)
      failed |= json_array_append_new(matches, match_json(cell)) < 0;
  }
  if (!failed)
    return rules;
  json_decref(rules);
  return NULL;
}

static json_t *route_spec(const struct emission *e, json_t *rules) {
  return json_pack("{s:[{s:s, s:s, s:s}], s:o}", "parentRefs", "group", POLICY_GROUP, "kind", "Server", "name",
                   e->object_name, "rules", rules);
}

/* All routes for one set of sources, of which `first` is the first cell. */
static void emit_routes(struct emission *e, size_t first) {
  const struct server *server = e->server;
  const source_word *set = server->cells.items[first].sources;
  const char *text = set_text(server, set);
  const bool identities = has_identities(server, set);
  const char *who = identities ? authentication(e, set, text) : NULL;
  unsigned part = 0;
  for (size_t at = first; at < server->cells.count;) {
    json_t *rules = rules_json(server, set, &at);
    if (!rules)
      call_out_of_memory(server->call);
    if (json_array_size(rules) == 0) { /* also of none */
      json_decref(rules);
      return;
    }
    const char *rest = arena_printf(call_arena(server->call), "%u/%s", part++, text);
    const char *name = name_of(e, "HTTPRoute", rest ? rest : "");
    add_object(e, ROUTE_WAVE, server->options->route_version, "HTTPRoute", name, set, route_spec(e, rules));
    if (identities)
      policy(e, server->options->route_group, "HTTPRoute", name, "MeshTLSAuthentication", who, set);
    if (has_source(set, server->probe_source))
      policy(e, server->options->route_group, "HTTPRoute", name, "NetworkAuthentication",
             probe_networks_name(server->call, server->account->ns), set);
  }
}

static bool is_first_of_set(const struct server *server, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (sources_same(server->cells.items[i].sources, server->cells.items[index].sources, server->cells.words))
      return false;
  return true;
}

static json_t *server_spec(const struct linkerd_options *options, json_t *pod_selector, uint16_t port, bool opaque) {
  json_t *spec = json_pack("{s:o, s:i, s:s}", "podSelector", pod_selector, "port", port, "proxyProtocol",
                           opaque ? "opaque" : "unknown");
  if (options->access_policy && json_object_set_new(spec, "accessPolicy", json_string("deny")) < 0) {
    json_decref(spec);
    return NULL;
  }
  return spec;
}

/* The value of the first label, by name, that is selected by. */
static const char *selected_by(const json_t *pod_selector) {
  const char *first = NULL, *name;
  const json_t *labels = json_object_get(pod_selector, "matchLabels");
  json_t *value;
  json_object_foreach((json_t *)labels, name, value) {
    if (!first || strcmp(name, first) < 0)
      first = name;
  }
  const char *text = first ? json_string_value(json_object_get(labels, first)) : NULL;
  return text && *text ? text : "pods";
}

/* By what it selects and nothing else: Linkerd refuses a second Server with the same selector and port, so one that had
 * another name could not come before the first one has gone. */
static const char *server_name(struct call *call, const char *ns, const json_t *pod_selector, uint16_t port) {
  struct arena *arena = call_arena(call);
  const char *selector = call_json_text(call, pod_selector);
  const char *base = arena_printf(arena, "%s-%u", selected_by(pod_selector), port);
  const char *key = arena_printf(arena, "Server/%s/%u/%s", ns, port, selector ? selector : "");
  if (!selector || !base || !key)
    call_out_of_memory(call);
  return kube_name(call, base ? base : "", key ? key : "");
}

struct native_object *server_object(struct call *call, const struct linkerd_options *options, const char *ns,
                                    json_t *pod_selector, uint16_t port, bool opaque) {
  const char *name = server_name(call, ns, pod_selector, port);
  return kube_object(
      call,
      &(struct kube_object){
          .wave = SERVER_WAVE, .api_version = options->server_version, .kind = "Server", .ns = ns, .name = name},
      json_pack("{s:o}", "spec", server_spec(options, pod_selector, port, opaque)));
}

void server_emit(const struct server *server, struct translation *translation) {
  struct emission e = {.server = server, .translation = translation};
  e.base = arena_printf(call_arena(server->call), "%s-%u", server->account->name, server->port);
  if (!e.base) {
    call_out_of_memory(server->call);
    return;
  }
  json_t *selector = json_pack("{s:o}", "matchLabels", kube_account_labels(server->account));
  e.object_name = server_name(server->call, server->account->ns, selector, server->port);
  add_object(&e, SERVER_WAVE, server->options->server_version, "Server", e.object_name, NULL,
             server_spec(server->options, selector, server->port, server->opaque));
  if (has_identities(server, server->connections))
    policy(&e, POLICY_GROUP, "Server", e.object_name, "MeshTLSAuthentication",
           authentication(&e, server->connections, set_text(server, server->connections)), server->connections);
  for (size_t i = 0; i < server->cells.count; i++)
    if (is_first_of_set(server, i))
      emit_routes(&e, i);
}
