/* SMI access: TrafficTarget v1alpha1 to v1alpha4, IdentityBinding v1alpha4 (a draft). */
#include <string.h>

#include "sdk/smi/bodies.h"

static void read_subject_kind(struct reading *reading, const struct node *value, void *target) {
  static const char *const before[] = {"ServiceAccount", NULL};
  static const char *const draft[] = {"ServiceAccount", "IdentityBinding", NULL};
  struct smi_subject *subject = target;
  int choice = read_choice(reading, value, reading->version.alpha >= 4 ? draft : before,
                           "IdentityBinding exists from access v1alpha4 on");

  if (choice >= 0)
    subject->kind = choice == 0 ? SMI_SERVICE_ACCOUNT : SMI_BINDING;
}

/* Checked against the kind when the whole subject was read. */
static void read_subject_group(struct reading *reading, const struct node *value, void *target) {
  (void)target;
  (void)reading_text(reading, value, TEXT_ANY);
}

static void finish_subject(struct reading *reading, const struct node *map, void *target) {
  struct smi_subject *subject = target;
  const struct node *group = node_get(map, "group");
  const char *expected = subject->kind == SMI_BINDING ? "access.smi-spec.io" : "";

  if (!subject->ns) {
    subject->ns = reading->meta->ns;
    subject->ns_implied = true;
  }
  if (reading->version.alpha >= 4 && group && group->kind == NODE_STRING && subject->kind &&
      strcmp(group->text, expected) != 0)
    reading_error(reading, "SMI-0011", group, NULL,
                  subject->kind == SMI_BINDING ? "write access.smi-spec.io" : "leave `group` out for a ServiceAccount",
                  "\"%s\" is not the group of a %s", node_shown(reading->arena, group),
                  subject->kind == SMI_BINDING ? "IdentityBinding" : "ServiceAccount");
}

static void read_destination_port(struct reading *reading, const struct node *value, void *target) {
  (void)target;
  reading->port.number = reading_port(reading, value);
  reading->port.position = value->position;
  reading->port.pointer = node_pointer(reading->arena, value);
}

#define SUBJECT_FIELDS                                                                                                 \
  {.name = "kind", .since = 1, .required = true, .type = FIELD_CUSTOM, .read = read_subject_kind},                     \
      {.name = "name",                                                                                                 \
       .since = 1,                                                                                                     \
       .required = true,                                                                                               \
       .type = FIELD_TEXT,                                                                                             \
       .rule = TEXT_SUBDOMAIN,                                                                                         \
       .offset = offsetof(struct smi_subject, name)},                                                                  \
      {.name = "namespace",                                                                                            \
       .since = 1,                                                                                                     \
       .type = FIELD_TEXT,                                                                                             \
       .rule = TEXT_LABEL,                                                                                             \
       .offset = offsetof(struct smi_subject, ns)},                                                                    \
      {.name = "group", .since = 4, .type = FIELD_CUSTOM, .read = read_subject_group},

static const struct field source_fields[] = {SUBJECT_FIELDS};
static const struct field destination_fields[] = {
    SUBJECT_FIELDS{.name = "port", .since = 1, .until = 2, .type = FIELD_CUSTOM, .read = read_destination_port},
};

static const struct mistake source_mistakes[] = {
    {"port", 1, ALPHA_NEWEST, "take it out: a port limits the destination, not a source"},
};

static const struct mistake destination_mistakes[] = {
    {"port", 3, ALPHA_NEWEST,
     "add a TCPRoute (specs.smi-spec.io/v1alpha4) with the port in spec.matches.ports, and name it in `rules`; or "
     "write the "
     "TrafficTarget in access.smi-spec.io/v1alpha2 and the port as a number"},
};

static const struct shape source = {
    .what = "a source",
    .fields = source_fields,
    .field_count = ARRAY_COUNT(source_fields),
    .mistakes = source_mistakes,
    .mistake_count = ARRAY_COUNT(source_mistakes),
    .finish = finish_subject,
};

static const struct shape destination = {
    .what = "a destination",
    .fields = destination_fields,
    .field_count = ARRAY_COUNT(destination_fields),
    .mistakes = destination_mistakes,
    .mistake_count = ARRAY_COUNT(destination_mistakes),
    .finish = finish_subject,
};

static void read_rule_kind(struct reading *reading, const struct node *value, void *target) {
  static const enum smi_kind kinds[] = {SMI_HTTP_ROUTE_GROUP, SMI_TCP_ROUTE, SMI_UDP_ROUTE};
  static const char *const before[] = {"HTTPRouteGroup", "TCPRoute", NULL};
  static const char *const all[] = {"HTTPRouteGroup", "TCPRoute", "UDPRoute", NULL};
  struct smi_rule *rule = target;
  int choice = read_choice(reading, value, reading->version.alpha >= 3 ? all : before,
                           "UDPRoute exists from access v1alpha3 on");

  if (choice >= 0)
    rule->kind = kinds[choice];
}

static const struct field rule_fields[] = {
    {.name = "kind", .since = 1, .required = true, .type = FIELD_CUSTOM, .read = read_rule_kind},
    {.name = "name",
     .since = 1,
     .required = true,
     .type = FIELD_TEXT,
     .rule = TEXT_SUBDOMAIN,
     .offset = offsetof(struct smi_rule, name)},
    {.name = "matches",
     .since = 1,
     .type = FIELD_TEXTS,
     .rule = TEXT_NOT_EMPTY,
     .offset = offsetof(struct smi_rule, matches),
     .count_offset = offsetof(struct smi_rule, match_count)},
};

static const struct mistake rule_mistakes[] = {
    {"namespace", 1, ALPHA_NEWEST, "take it out: a route is looked up in the TrafficTarget's own namespace"},
    {"match", 1, ALPHA_NEWEST, "write `matches`"},
    {"port", 1, ALPHA_NEWEST,
     "name a TCPRoute that lists the port (access v1alpha3 on), or set destination.port (v1alpha1, v1alpha2)"},
};

static const struct shape rule = {
    .what = "a rule",
    .fields = rule_fields,
    .field_count = ARRAY_COUNT(rule_fields),
    .mistakes = rule_mistakes,
    .mistake_count = ARRAY_COUNT(rule_mistakes),
};

/* `specs` became `rules` in v1alpha2. */
#define RULES_FIELD(field_name, first, last)                                                                           \
  {                                                                                                                    \
    .name = field_name, .since = first, .until = last, .type = FIELD_LIST, .shape = &rule,                             \
    .item_size = sizeof(struct smi_rule), .offset = offsetof(struct smi_traffic_target, rules),                        \
    .count_offset = offsetof(struct smi_traffic_target, rule_count)                                                    \
  }

static const struct field target_fields[] = {
    {.name = "destination",
     .since = 1,
     .required = true,
     .type = FIELD_OBJECT,
     .shape = &destination,
     .offset = offsetof(struct smi_traffic_target, destination)},
    RULES_FIELD("specs", 1, 1),
    RULES_FIELD("rules", 2, 0),
    {.name = "sources",
     .since = 1,
     .type = FIELD_LIST,
     .shape = &source,
     .item_size = sizeof(struct smi_subject),
     .offset = offsetof(struct smi_traffic_target, sources),
     .count_offset = offsetof(struct smi_traffic_target, source_count)},
};

static const struct mistake target_mistakes[] = {
    {"specs", 2, ALPHA_NEWEST, "write `rules`: access v1alpha2 renamed it"},
    {"rules", 1, 1, "write `specs`: it is called `rules` from access v1alpha2 on"},
    {"source", 1, ALPHA_NEWEST, "write `sources`, a list"},
    {"destinations", 1, ALPHA_NEWEST, "write `destination`: a TrafficTarget has one"},
    {"port", 1, 2, "put it under `destination`"},
    {"matches", 1, ALPHA_NEWEST, "put it in the rule whose route group it selects from"},
};

static const struct shape target = {
    .what = "a TrafficTarget",
    .fields = target_fields,
    .field_count = ARRAY_COUNT(target_fields),
    .mistakes = target_mistakes,
    .mistake_count = ARRAY_COUNT(target_mistakes),
};

const struct body body_traffic_target = {SMI_TRAFFIC_TARGET, sizeof(struct smi_traffic_target), &target};

static void read_match_labels(struct reading *reading, const struct node *value, void *binding) {
  struct smi_identity_binding *into = binding;

  read_labels(reading, value, &into->pod_labels, &into->pod_label_count);
  if (value->kind == NODE_MAP && value->count == 0)
    reading_error(reading, "SMI-0007", value, "an empty selector would select every pod of the namespace",
                  "write the labels, or leave podLabelSelector out", "matchLabels needs at least one label");
}

static const struct field selector_fields[] = {
    {.name = "matchLabels", .since = 4, .required = true, .type = FIELD_CUSTOM, .read = read_match_labels},
};

static const struct mistake selector_mistakes[] = {
    {"matchExpressions", 4, ALPHA_NEWEST, "write the labels out under `matchLabels`: SMI has no expressions here"},
};

static const struct shape selector = {
    .what = "a podLabelSelector",
    .fields = selector_fields,
    .field_count = ARRAY_COUNT(selector_fields),
    .mistakes = selector_mistakes,
    .mistake_count = ARRAY_COUNT(selector_mistakes),
};

/* Schemes and selector are read into the binding itself. */
static const struct field scheme_fields[] = {
    {.name = "podLabelSelector", .since = 4, .type = FIELD_OBJECT, .shape = &selector},
    {.name = "spiffeIdentities",
     .since = 4,
     .type = FIELD_TEXTS,
     .rule = TEXT_NOT_EMPTY,
     .offset = offsetof(struct smi_identity_binding, spiffe_ids),
     .count_offset = offsetof(struct smi_identity_binding, spiffe_id_count)},
    {.name = "serviceAccount",
     .since = 4,
     .type = FIELD_TEXT,
     .rule = TEXT_SUBDOMAIN,
     .offset = offsetof(struct smi_identity_binding, service_account)},
};

static const struct shape schemes = {
    .what = "schemes",
    .fields = scheme_fields,
    .field_count = ARRAY_COUNT(scheme_fields),
};

static const struct field binding_fields[] = {
    {.name = "schemes", .since = 4, .required = true, .type = FIELD_OBJECT, .shape = &schemes},
};

static const struct mistake binding_mistakes[] = {
    {"podLabelSelector", 4, ALPHA_NEWEST, "put it under `schemes`"},
    {"spiffeIdentities", 4, ALPHA_NEWEST, "put it under `schemes`"},
    {"serviceAccount", 4, ALPHA_NEWEST, "put it under `schemes`"},
};

static const struct shape binding = {
    .what = "an IdentityBinding",
    .fields = binding_fields,
    .field_count = ARRAY_COUNT(binding_fields),
    .mistakes = binding_mistakes,
    .mistake_count = ARRAY_COUNT(binding_mistakes),
};

const struct body body_identity_binding = {SMI_IDENTITY_BINDING, sizeof(struct smi_identity_binding), &binding};
