#include <string.h>

#include "sdk/smi/conversion.h"
#include "sdk/smi/port.h"

static bool uses_bindings(const struct smi_traffic_target *target) {
  bool uses = target->destination.kind == SMI_BINDING;

  for (size_t i = 0; i < target->source_count; i++)
    uses = uses || target->sources[i].kind == SMI_BINDING;
  return uses;
}

static const char *body_pointer(struct conversion *conversion, uint8_t alpha, const char *field) {
  return conversion_pointer(conversion, "%s/%s", alpha >= 2 ? "/spec" : "", field);
}

/* What the version cannot say about this target is refused; true when it can say everything. */
static bool target_fits(struct conversion *conversion, const struct smi_traffic_target *target, uint8_t alpha) {
  const struct smi_meta *meta = &target->meta;
  bool fits = true;

  if (alpha < 4 && uses_bindings(target)) {
    conversion_refuse(conversion, meta, "SMI-0102", NULL, "convert to access/v1alpha4 or to the hub",
                      "access v1alpha%u has no IdentityBinding, only ServiceAccounts", alpha);
    fits = false;
  }
  for (size_t i = 0; alpha < 3 && i < target->rule_count; i++)
    if (target->rules[i].kind == SMI_UDP_ROUTE) {
      conversion_refuse(conversion, meta, "SMI-0103", body_pointer(conversion, alpha, alpha == 1 ? "specs" : "rules"),
                        "convert to access/v1alpha3", "access v1alpha%u has no UDPRoute", alpha);
      fits = false;
      break;
    }
  /* Legal where it was written, and invalid from v1alpha3 on. An invalid target stays as invalid as it was. */
  if (alpha >= 3 && meta->version.group == SMI_ACCESS && meta->version.alpha > 0 && meta->version.alpha < 3 &&
      (target->rule_count == 0 || target->source_count == 0)) {
    conversion_refuse(conversion, meta, "SMI-0108",
                      body_pointer(conversion, alpha, target->rule_count == 0 ? "rules" : "sources"),
                      "take the target out: it allows nothing", "access v1alpha%u has no target without %s", alpha,
                      target->rule_count == 0 ? "rules" : "sources");
    fits = false;
  }
  return fits;
}

/* A namespace that was not written is not made up: whatever sets the target's namespace later (kubectl -n, kustomize)
 * has to reach its subjects as well. */
static void write_subject(struct conversion *conversion, json_t *object, const struct smi_traffic_target *target,
                          const struct smi_subject *subject, uint8_t alpha) {
  bool implied = subject->ns_implied && subject->ns && strcmp(subject->ns, target->meta.ns) == 0;

  conversion_text(conversion, object, "kind", subject->kind == SMI_BINDING ? "IdentityBinding" : "ServiceAccount");
  if (subject->kind == SMI_BINDING && alpha >= 4)
    conversion_text(conversion, object, "group", "access.smi-spec.io");
  conversion_text(conversion, object, "name", subject->name);
  if (!implied)
    conversion_text(conversion, object, "namespace", subject->ns);
}

static void write_rule(struct conversion *conversion, json_t *list, const struct smi_rule *rule, const char *name) {
  json_t *object = conversion_item(conversion, list);

  conversion_text(conversion, object, "kind", smi_kind_name(rule->kind));
  conversion_text(conversion, object, "name", name);
  conversion_texts(conversion, object, "matches", rule->matches, rule->match_count);
}

/* The name a rule is written with; NULL to leave it out, when it only says the port. */
static const char *rule_name(const struct conversion *conversion, const struct smi_traffic_target *target,
                             const struct smi_rule *rule, uint16_t port) {
  const struct smi_meta *route;

  if (port == 0 || rule->kind != SMI_TCP_ROUTE)
    return rule->name;
  route = smi_index_get(&conversion->resources, SMI_TCP_ROUTE, target->meta.ns, rule->name);
  return route ? smi_stands_for(route) : rule->name;
}

static void write_target(struct conversion *conversion, const struct smi_traffic_target *target, uint8_t alpha,
                         uint16_t port) {
  json_t *body = conversion_resource(conversion, &target->meta, (struct smi_version){SMI_ACCESS, alpha});
  json_t *destination = conversion_map(conversion, body, "destination");
  json_t *list;

  write_subject(conversion, destination, target, &target->destination, alpha);
  if (port != 0)
    conversion_set(conversion, destination, "port", json_integer(port));
  list = conversion_list(conversion, body, alpha == 1 ? "specs" : "rules");
  for (size_t i = 0; i < target->rule_count; i++) {
    const char *name = rule_name(conversion, target, &target->rules[i], port);

    if (name)
      write_rule(conversion, list, &target->rules[i], name);
  }
  list = conversion_list(conversion, body, "sources");
  for (size_t i = 0; i < target->source_count; i++)
    write_subject(conversion, conversion_item(conversion, list), target, &target->sources[i], alpha);
}

static void convert_target(struct conversion *conversion, const struct smi_traffic_target *target) {
  uint8_t alpha = conversion->access_is_hub && uses_bindings(target) ? 4 : conversion->versions.access.alpha;
  const char *problem = NULL;
  uint16_t port = 0;

  if (!target_fits(conversion, target, alpha))
    return;
  if (alpha < 3)
    problem = smi_port_of_routes(target, &conversion->resources, &conversion->synthesised, &port);
  if (problem)
    conversion_refuse(conversion, &target->meta, "SMI-0107", body_pointer(conversion, alpha, "destination/port"),
                      "convert to access/v1alpha3, whose TCPRoutes say it", "the port cannot be written: %s", problem);
  else
    write_target(conversion, target, alpha, port);
}

void convert_targets(struct conversion *conversion) {
  for (size_t i = 0; i < conversion->set->target_count; i++)
    convert_target(conversion, &conversion->set->targets[i]);
}

static void convert_binding(struct conversion *conversion, const struct smi_identity_binding *binding) {
  uint8_t alpha = conversion->access_is_hub ? 4 : conversion->versions.access.alpha;
  json_t *schemes;

  if (alpha < 4) {
    conversion_refuse(conversion, &binding->meta, "SMI-0102", NULL, "convert to access/v1alpha4 or to the hub",
                      "access v1alpha%u has no IdentityBinding", alpha);
    return;
  }
  schemes = conversion_map(
      conversion, conversion_resource(conversion, &binding->meta, (struct smi_version){SMI_ACCESS, alpha}), "schemes");
  if (binding->pod_label_count > 0)
    conversion_labels(conversion, conversion_map(conversion, schemes, "podLabelSelector"), "matchLabels",
                      binding->pod_labels, binding->pod_label_count);
  conversion_texts(conversion, schemes, "spiffeIdentities", binding->spiffe_ids, binding->spiffe_id_count);
  if (binding->service_account)
    conversion_text(conversion, schemes, "serviceAccount", binding->service_account);
}

void convert_bindings(struct conversion *conversion) {
  for (size_t i = 0; i < conversion->set->binding_count; i++)
    convert_binding(conversion, &conversion->set->bindings[i]);
}
