#include "sdk/adapter/smi_wire.h"

#include <errno.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "sdk/smi/parse.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT
#define PB_TYPE(name) (&trammel__adapter__v1__##name##__descriptor)
#define PB_VALUE(NAME) TRAMMEL__ADAPTER__V1__##NAME

/* Bytes of a name of Kubernetes. */
#define NAME_MAX_BYTES 253

/* ---- to the wire. A failed allocation is remembered, and looked at once. */

struct writer {
  struct arena *arena;
  bool failed;
};

static void *alloc(struct writer *w, size_t count, size_t size) {
  void *memory = arena_array(w->arena, count, size);
  if (!memory)
    w->failed = true;
  return memory;
}

/* protobuf-c's members are not const; they are only read. */
static char *text(const char *value) {
  static char empty[1];
  return value ? (char *)(uintptr_t)value : empty;
}

/* `count` initialised messages, as protobuf-c wants a repeated field: an array of pointers. */
static void *new_list(struct writer *w, size_t count, const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage **list = alloc(w, count, sizeof(void *));
  char *items = alloc(w, count, type->sizeof_message);
  if (!list || !items)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    list[i] = (ProtobufCMessage *)(void *)(items + i * type->sizeof_message);
    type->message_init(list[i]);
  }
  return list;
}

static PB(Label) * *write_labels(struct writer *w, const struct smi_label *labels, size_t count) {
  PB(Label) **list = new_list(w, count, PB_TYPE(label));
  for (size_t i = 0; list && i < count; i++) {
    list[i]->name = text(labels[i].name);
    list[i]->value = text(labels[i].value);
  }
  return list;
}

static char **write_texts(struct writer *w, const char *const *texts, size_t count) {
  char **list = alloc(w, count, sizeof *list);
  for (size_t i = 0; list && i < count; i++)
    list[i] = text(texts[i]);
  return list;
}

static PB(Meta) * write_meta(struct writer *w, const struct smi_meta *meta) {
  PB(Meta) *message = alloc(w, 1, sizeof *message);
  PB(Origin) *origin = alloc(w, 1, sizeof *origin);
  if (!message || !origin)
    return NULL;
  *message = (PB(Meta))PB_INIT(META);
  *origin = (PB(Origin))PB_INIT(ORIGIN);
  message->name = text(meta->name);
  message->namespace_ = text(meta->ns);
  message->origin = origin;
  message->n_labels = meta->label_count;
  message->labels = write_labels(w, meta->labels, meta->label_count);
  message->n_annotations = meta->annotation_count;
  message->annotations = write_labels(w, meta->annotations, meta->annotation_count);
  origin->file = text(meta->position.file);
  origin->line = meta->position.line;
  origin->column = meta->position.column;
  origin->synthesised = meta->synthesised;
  if (meta->version.group && meta->version.alpha) {
    origin->api_version =
        arena_printf(w->arena, "%s.smi-spec.io/v1alpha%u", smi_group_name(meta->version.group), meta->version.alpha);
    w->failed |= !origin->api_version;
  }
  return message;
}

static void write_subject(PB(Subject) * message, const struct smi_subject *subject) {
  message->kind = subject->kind == SMI_BINDING ? PB_VALUE(SUBJECT_KIND__SUBJECT_KIND_IDENTITY_BINDING)
                                               : PB_VALUE(SUBJECT_KIND__SUBJECT_KIND_SERVICE_ACCOUNT);
  message->name = text(subject->name);
  message->namespace_ = text(subject->ns);
}

static PB(RouteKind) route_kind(enum smi_kind kind) {
  switch (kind) {
  case SMI_HTTP_ROUTE_GROUP:
    return PB_VALUE(ROUTE_KIND__ROUTE_KIND_HTTP_ROUTE_GROUP);
  case SMI_TCP_ROUTE:
    return PB_VALUE(ROUTE_KIND__ROUTE_KIND_TCP_ROUTE);
  case SMI_UDP_ROUTE:
    return PB_VALUE(ROUTE_KIND__ROUTE_KIND_UDP_ROUTE);
  default:
    return PB_VALUE(ROUTE_KIND__ROUTE_KIND_UNSPECIFIED);
  }
}

static void write_target(struct writer *w, PB(TrafficTarget) * message, const struct smi_traffic_target *target) {
  PB(Subject) **destination = new_list(w, 1, PB_TYPE(subject));
  PB(Subject) **sources = new_list(w, target->source_count, PB_TYPE(subject));
  PB(Rule) **rules = new_list(w, target->rule_count, PB_TYPE(rule));
  message->meta = write_meta(w, &target->meta);
  if (w->failed)
    return;
  write_subject(destination[0], &target->destination);
  message->destination = destination[0];
  for (size_t i = 0; i < target->source_count; i++)
    write_subject(sources[i], &target->sources[i]);
  message->n_sources = target->source_count;
  message->sources = sources;
  for (size_t i = 0; i < target->rule_count; i++) {
    const struct smi_rule *rule = &target->rules[i];
    rules[i]->kind = route_kind(rule->kind);
    rules[i]->name = text(rule->name);
    rules[i]->n_matches = rule->match_count;
    rules[i]->matches = write_texts(w, rule->matches, rule->match_count);
  }
  message->n_rules = target->rule_count;
  message->rules = rules;
}

static void write_http_match(struct writer *w, PB(HttpMatch) * message, const struct smi_http_match *match) {
  PB(HeaderMatch) **headers = new_list(w, match->header_count, PB_TYPE(header_match));
  if (!headers)
    return;
  for (size_t i = 0; i < match->header_count; i++) {
    headers[i]->name = text(match->headers[i].name);
    headers[i]->regex = text(match->headers[i].regex);
  }
  message->name = text(match->name);
  if (match->path_regex) {
    message->path_case = PB_VALUE(HTTP_MATCH__PATH_PATH_REGEX);
    message->path_regex = text(match->path_regex);
  }
  message->n_methods = match->method_count;
  message->methods = write_texts(w, match->methods, match->method_count);
  message->n_headers = match->header_count;
  message->headers = headers;
}

static void write_route_group(struct writer *w, PB(HttpRouteGroup) * message,
                              const struct smi_http_route_group *group) {
  message->meta = write_meta(w, &group->meta);
  message->matches = new_list(w, group->match_count, PB_TYPE(http_match));
  message->n_matches = group->match_count;
  for (size_t i = 0; message->matches && i < group->match_count; i++)
    write_http_match(w, message->matches[i], &group->matches[i]);
}

static void write_port_route(struct writer *w, PB(PortRoute) * message, const struct smi_port_route *route) {
  message->meta = write_meta(w, &route->meta);
  message->kind = route_kind(route->meta.kind);
  message->n_ports = route->port_count;
  message->ports = alloc(w, route->port_count, sizeof *message->ports);
  for (size_t i = 0; message->ports && i < route->port_count; i++)
    message->ports[i] = route->ports[i];
}

static void write_split(struct writer *w, PB(TrafficSplit) * message, const struct smi_traffic_split *split) {
  PB(Backend) **backends = new_list(w, split->backend_count, PB_TYPE(backend));
  message->meta = write_meta(w, &split->meta);
  message->service = text(split->service);
  message->n_backends = split->backend_count;
  message->backends = backends;
  for (size_t i = 0; backends && i < split->backend_count; i++) {
    backends[i]->service = text(split->backends[i].service);
    backends[i]->weight = split->backends[i].weight;
    backends[i]->quantity = text(split->backends[i].quantity);
  }
  message->n_matches = split->match_count;
  message->matches = write_texts(w, split->matches, split->match_count);
}

static void write_binding(struct writer *w, PB(IdentityBinding) * message, const struct smi_identity_binding *binding) {
  message->meta = write_meta(w, &binding->meta);
  message->n_pod_labels = binding->pod_label_count;
  message->pod_labels = write_labels(w, binding->pod_labels, binding->pod_label_count);
  message->n_spiffe_ids = binding->spiffe_id_count;
  message->spiffe_ids = write_texts(w, binding->spiffe_ids, binding->spiffe_id_count);
  message->service_account = text(binding->service_account);
}

#define WRITE_ALL(w, message, field, type, from, count, write)                                                         \
  do {                                                                                                                 \
    (message)->field = new_list((w), (count), PB_TYPE(type));                                                          \
    (message)->n_##field = (count);                                                                                    \
    for (size_t i = 0; (message)->field && i < (count); i++)                                                           \
      write((w), (message)->field[i], &(from)[i]);                                                                     \
  } while (0)

PB(SmiSet) * smi_to_wire(struct arena *arena, const struct smi_set *set) {
  struct writer w = {.arena = arena};
  PB(SmiSet) *message = alloc(&w, 1, sizeof *message);
  if (!message)
    return NULL;
  *message = (PB(SmiSet))PB_INIT(SMI_SET);
  WRITE_ALL(&w, message, targets, traffic_target, set->targets, set->target_count, write_target);
  WRITE_ALL(&w, message, route_groups, http_route_group, set->route_groups, set->route_group_count, write_route_group);
  WRITE_ALL(&w, message, port_routes, port_route, set->port_routes, set->port_route_count, write_port_route);
  WRITE_ALL(&w, message, splits, traffic_split, set->splits, set->split_count, write_split);
  WRITE_ALL(&w, message, bindings, identity_binding, set->bindings, set->binding_count, write_binding);
  return w.failed ? NULL : message;
}

/* ---- from the wire. `resource` names what is being read, for messages. */

struct reader {
  struct arena *arena;
  const char *kind;
  const char *name;
  struct error **err;
};

static int no_memory(struct reader *r) {
  (void)error_set(r->err, ENOMEM, "out of memory, or above the limit of one call");
  return -ENOMEM;
}

static int refuse(struct reader *r, const char *what) {
  (void)error_set(r->err, EINVAL, "%s \"%.80s\": %s", r->kind, r->name ? r->name : "", what);
  return -EINVAL;
}

static int read_text(struct reader *r, const char *from, const char **ret_text) {
  const char *copy = arena_strdup(r->arena, from ? from : "");
  if (!copy)
    return no_memory(r);
  if (!text_valid(copy, strlen(copy)))
    return refuse(r, "a string is not UTF-8");
  *ret_text = copy;
  return 0;
}

/* A name becomes a part of paths and ids, so what a path could trip over is refused here, once. */
static int read_name(struct reader *r, const char *from, const char **ret_name) {
  const char *name = "";
  int e = read_text(r, from, &name);
  if (e < 0)
    return e;
  if (!*name || strlen(name) > NAME_MAX_BYTES || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return refuse(r, "a name is empty, longer than 253 bytes, or holds a slash");
  for (const char *p = name; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f)
      return refuse(r, "a name holds a control character");
  *ret_name = name;
  return 0;
}

static int check_count(struct reader *r, size_t count) {
  return count > SMI_LIST_MAX ? refuse(r, "a list has more than 10000 entries") : 0;
}

static int read_texts(struct reader *r, char *const *from, size_t count, const char *const **ret_texts) {
  int e = check_count(r, count);
  const char **texts = e < 0 ? NULL : arena_array(r->arena, count, sizeof *texts);
  if (!texts)
    return e < 0 ? e : no_memory(r);
  for (size_t i = 0; i < count; i++) {
    e = read_text(r, from[i], &texts[i]);
    if (e < 0)
      return e;
  }
  *ret_texts = texts;
  return 0;
}

static int read_labels(struct reader *r, PB(Label) *const *from, size_t count, const struct smi_label **ret_labels) {
  int e = check_count(r, count);
  struct smi_label *labels = e < 0 ? NULL : arena_array(r->arena, count, sizeof *labels);
  if (!labels)
    return e < 0 ? e : no_memory(r);
  for (size_t i = 0; i < count && e == 0; i++) {
    e = read_text(r, from[i]->name, &labels[i].name);
    if (e == 0)
      e = read_text(r, from[i]->value, &labels[i].value);
  }
  *ret_labels = labels;
  return e;
}

static int read_origin(struct reader *r, const PB(Origin) * from, struct smi_meta *meta) {
  meta->synthesised = from->synthesised;
  meta->position.line = from->line;
  meta->position.column = from->column;
  if (*from->file) {
    int e = read_text(r, from->file, &meta->position.file);
    if (e < 0)
      return e;
  }
  if (*from->api_version && smi_version_parse(from->api_version, &meta->version) < 0)
    return refuse(r, "unknown apiVersion of its origin");
  return 0;
}

static int read_meta(struct reader *r, const PB(Meta) * from, enum smi_kind kind, struct smi_meta *ret_meta) {
  r->kind = smi_kind_name(kind);
  r->name = from ? from->name : "";
  if (!from)
    return refuse(r, "no metadata");
  struct smi_meta meta = {.kind = kind, .label_count = from->n_labels, .annotation_count = from->n_annotations};
  int e = read_name(r, from->name, &meta.name);
  if (e == 0)
    e = read_name(r, from->namespace_, &meta.ns);
  if (e == 0)
    e = read_labels(r, from->labels, from->n_labels, &meta.labels);
  if (e == 0)
    e = read_labels(r, from->annotations, from->n_annotations, &meta.annotations);
  if (e == 0 && from->origin)
    e = read_origin(r, from->origin, &meta);
  if (e == 0)
    *ret_meta = meta;
  return e;
}

static int read_subject(struct reader *r, const PB(Subject) * from, struct smi_subject *ret_subject) {
  if (!from)
    return refuse(r, "a subject is missing");
  if (from->kind != PB_VALUE(SUBJECT_KIND__SUBJECT_KIND_SERVICE_ACCOUNT) &&
      from->kind != PB_VALUE(SUBJECT_KIND__SUBJECT_KIND_IDENTITY_BINDING))
    return refuse(r, "a subject is of an unknown kind");
  ret_subject->kind =
      from->kind == PB_VALUE(SUBJECT_KIND__SUBJECT_KIND_SERVICE_ACCOUNT) ? SMI_SERVICE_ACCOUNT : SMI_BINDING;
  int e = read_name(r, from->name, &ret_subject->name);
  return e < 0 ? e : read_name(r, from->namespace_, &ret_subject->ns);
}

static int read_rule(struct reader *r, const PB(Rule) * from, struct smi_rule *ret_rule) {
  switch (from->kind) {
  case PB_VALUE(ROUTE_KIND__ROUTE_KIND_HTTP_ROUTE_GROUP):
    ret_rule->kind = SMI_HTTP_ROUTE_GROUP;
    break;
  case PB_VALUE(ROUTE_KIND__ROUTE_KIND_TCP_ROUTE):
    ret_rule->kind = SMI_TCP_ROUTE;
    break;
  case PB_VALUE(ROUTE_KIND__ROUTE_KIND_UDP_ROUTE):
    ret_rule->kind = SMI_UDP_ROUTE;
    break;
  default:
    return refuse(r, "a rule is of an unknown kind");
  }
  ret_rule->match_count = from->n_matches;
  int e = read_name(r, from->name, &ret_rule->name);
  return e < 0 ? e : read_texts(r, from->matches, from->n_matches, &ret_rule->matches);
}

static int read_target(struct reader *r, const PB(TrafficTarget) * from, struct smi_traffic_target *to) {
  int e = read_meta(r, from->meta, SMI_TRAFFIC_TARGET, &to->meta);
  if (e == 0)
    e = read_subject(r, from->destination, &to->destination);
  if (e == 0)
    e = check_count(r, from->n_rules);
  if (e == 0)
    e = check_count(r, from->n_sources);
  if (e < 0)
    return e;
  struct smi_rule *rules = arena_array(r->arena, from->n_rules, sizeof *rules);
  struct smi_subject *sources = arena_array(r->arena, from->n_sources, sizeof *sources);
  if (!rules || !sources)
    return no_memory(r);
  for (size_t i = 0; i < from->n_rules && e == 0; i++)
    e = read_rule(r, from->rules[i], &rules[i]);
  for (size_t i = 0; i < from->n_sources && e == 0; i++)
    e = read_subject(r, from->sources[i], &sources[i]);
  to->rules = rules;
  to->rule_count = from->n_rules;
  to->sources = sources;
  to->source_count = from->n_sources;
  return e;
}

static int read_http_match(struct reader *r, const PB(HttpMatch) * from, struct smi_http_match *to) {
  int e = read_text(r, from->name, &to->name);
  if (e == 0 && from->path_case == PB_VALUE(HTTP_MATCH__PATH_PATH_REGEX))
    e = read_text(r, from->path_regex, &to->path_regex);
  if (e == 0)
    e = read_texts(r, from->methods, from->n_methods, &to->methods);
  if (e == 0)
    e = check_count(r, from->n_headers);
  if (e < 0)
    return e;
  if (to->path_regex && strlen(to->path_regex) > SMI_REGEX_MAX)
    return refuse(r, "a regular expression is longer than 4096 bytes");
  struct smi_header *headers = arena_array(r->arena, from->n_headers, sizeof *headers);
  if (!headers)
    return no_memory(r);
  for (size_t i = 0; i < from->n_headers && e == 0; i++) {
    e = read_name(r, from->headers[i]->name, &headers[i].name);
    if (e == 0)
      e = read_text(r, from->headers[i]->regex, &headers[i].regex);
    if (e == 0 && strlen(headers[i].regex) > SMI_REGEX_MAX)
      e = refuse(r, "a regular expression is longer than 4096 bytes");
  }
  to->method_count = from->n_methods;
  to->headers = headers;
  to->header_count = from->n_headers;
  return e;
}

static int read_route_group(struct reader *r, const PB(HttpRouteGroup) * from, struct smi_http_route_group *to) {
  int e = read_meta(r, from->meta, SMI_HTTP_ROUTE_GROUP, &to->meta);
  if (e == 0)
    e = check_count(r, from->n_matches);
  struct smi_http_match *matches = e < 0 ? NULL : arena_array(r->arena, from->n_matches, sizeof *matches);
  if (!matches)
    return e < 0 ? e : no_memory(r);
  for (size_t i = 0; i < from->n_matches && e == 0; i++)
    e = read_http_match(r, from->matches[i], &matches[i]);
  to->matches = matches;
  to->match_count = from->n_matches;
  return e;
}

static int read_port_route(struct reader *r, const PB(PortRoute) * from, struct smi_port_route *to) {
  bool tcp = from->kind == PB_VALUE(ROUTE_KIND__ROUTE_KIND_TCP_ROUTE);
  int e = read_meta(r, from->meta, tcp ? SMI_TCP_ROUTE : SMI_UDP_ROUTE, &to->meta);
  if (e == 0 && !tcp && from->kind != PB_VALUE(ROUTE_KIND__ROUTE_KIND_UDP_ROUTE))
    e = refuse(r, "a port route is of an unknown kind");
  if (e == 0 && from->n_ports > UINT16_MAX)
    e = refuse(r, "more ports than there are");
  uint16_t *ports = e < 0 ? NULL : arena_array(r->arena, from->n_ports, sizeof *ports);
  if (!ports)
    return e < 0 ? e : no_memory(r);
  for (size_t i = 0; i < from->n_ports; i++) {
    if (from->ports[i] == 0 || from->ports[i] > UINT16_MAX)
      return refuse(r, "a port is not between 1 and 65535");
    ports[i] = (uint16_t)from->ports[i];
  }
  to->ports = ports;
  to->port_count = from->n_ports;
  return 0;
}

static int read_split(struct reader *r, const PB(TrafficSplit) * from, struct smi_traffic_split *to) {
  int e = read_meta(r, from->meta, SMI_TRAFFIC_SPLIT, &to->meta);
  if (e == 0)
    e = read_name(r, from->service, &to->service);
  if (e == 0)
    e = read_texts(r, from->matches, from->n_matches, &to->matches);
  if (e == 0)
    e = check_count(r, from->n_backends);
  struct smi_backend *backends = e < 0 ? NULL : arena_array(r->arena, from->n_backends, sizeof *backends);
  if (!backends)
    return e < 0 ? e : no_memory(r);
  for (size_t i = 0; i < from->n_backends && e == 0; i++) {
    e = read_name(r, from->backends[i]->service, &backends[i].service);
    backends[i].weight = from->backends[i]->weight;
    if (e == 0 && *from->backends[i]->quantity)
      e = read_text(r, from->backends[i]->quantity, &backends[i].quantity);
  }
  to->backends = backends;
  to->backend_count = from->n_backends;
  to->match_count = from->n_matches;
  return e;
}

static int read_binding(struct reader *r, const PB(IdentityBinding) * from, struct smi_identity_binding *to) {
  int e = read_meta(r, from->meta, SMI_IDENTITY_BINDING, &to->meta);
  if (e == 0)
    e = read_labels(r, from->pod_labels, from->n_pod_labels, &to->pod_labels);
  if (e == 0)
    e = read_texts(r, from->spiffe_ids, from->n_spiffe_ids, &to->spiffe_ids);
  if (e == 0 && *from->service_account)
    e = read_name(r, from->service_account, &to->service_account);
  to->pod_label_count = from->n_pod_labels;
  to->spiffe_id_count = from->n_spiffe_ids;
  return e;
}

#define READ_ALL(r, set, message, field, destination, count, T, read)                                                  \
  do {                                                                                                                 \
    T *items_ = arena_array((r)->arena, (message)->n_##field, sizeof *items_);                                         \
    if (!items_)                                                                                                       \
      return no_memory(r);                                                                                             \
    for (size_t i = 0; i < (message)->n_##field; i++) {                                                                \
      int e_ = read((r), (message)->field[i], &items_[i]);                                                             \
      if (e_ < 0)                                                                                                      \
        return e_;                                                                                                     \
    }                                                                                                                  \
    (set)->destination = items_;                                                                                       \
    (set)->count = (message)->n_##field;                                                                               \
  } while (0)

int smi_from_wire(struct arena *arena, const PB(SmiSet) * message, struct smi_set *ret_set, struct error **err) {
  struct reader r = {.arena = arena, .err = err};
  struct smi_set set = {0};
  if (message->n_targets > SMI_RESOURCES_MAX || message->n_route_groups > SMI_RESOURCES_MAX ||
      message->n_port_routes > SMI_RESOURCES_MAX || message->n_splits > SMI_RESOURCES_MAX ||
      message->n_bindings > SMI_RESOURCES_MAX)
    return error_set(err, EINVAL, "more than %d resources of one kind", SMI_RESOURCES_MAX);
  READ_ALL(&r, &set, message, targets, targets, target_count, struct smi_traffic_target, read_target);
  READ_ALL(&r, &set, message, route_groups, route_groups, route_group_count, struct smi_http_route_group,
           read_route_group);
  READ_ALL(&r, &set, message, port_routes, port_routes, port_route_count, struct smi_port_route, read_port_route);
  READ_ALL(&r, &set, message, splits, splits, split_count, struct smi_traffic_split, read_split);
  READ_ALL(&r, &set, message, bindings, bindings, binding_count, struct smi_identity_binding, read_binding);
  *ret_set = set;
  return 0;
}
