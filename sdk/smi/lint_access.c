#include <string.h>

#include "sdk/smi/linting.h"
#include "sdk/smi/port.h"

/* From v1alpha3 on a target needs all three (ACC-12); before, one that lacks some is legal and allows nothing. */
static void lint_required(struct linting *linting, const struct smi_traffic_target *target) {
  bool legal = target->meta.version.group == SMI_ACCESS && target->meta.version.alpha < 3;
  enum severity severity = legal ? SEVERITY_WARNING : SEVERITY_ERROR;

  if (!target->destination.kind || !target->destination.name || !*target->destination.name)
    lint_report(linting, SEVERITY_ERROR, "SMI-0206", &target->meta,
                lint_pointer(linting, &target->meta, "/destination"), "name the ServiceAccount that is called",
                "it has no destination");
  if (target->rule_count == 0)
    lint_report(linting, severity, "SMI-0207", &target->meta,
                lint_pointer(linting, &target->meta, target->meta.version.alpha == 1 ? "/specs" : "/rules"),
                "name a TCPRoute without ports to allow everything", "it has no rules and allows nothing");
  if (target->source_count == 0)
    lint_report(linting, severity, "SMI-0208", &target->meta, lint_pointer(linting, &target->meta, "/sources"),
                "name the ServiceAccounts that may call", "it has no sources and allows nothing");
}

static const char *rules_field(const struct smi_traffic_target *target) {
  return target->meta.version.alpha == 1 ? "specs" : "rules";
}

static const char *rule_pointer(struct linting *linting, const struct smi_traffic_target *target, size_t rule) {
  return lint_pointer(linting, &target->meta, "/%s/%zu", rules_field(target), rule);
}

static void lint_rule_matches(struct linting *linting, const struct smi_traffic_target *target, size_t number) {
  const struct smi_rule *rule = &target->rules[number];
  const char *group = arena_printf(linting->arena, "%s/%s", target->meta.ns, rule->name);

  for (size_t i = 0; group && i < rule->match_count; i++)
    if (!smi_index_get(&linting->matches, SMI_HTTP_ROUTE_GROUP, group, rule->matches[i]))
      lint_report(linting, SEVERITY_ERROR, "SMI-0202", &target->meta,
                  lint_pointer(linting, &target->meta, "/%s/%zu/matches/%zu", rules_field(target), number, i),
                  "correct the name: a rule whose match is not there allows nothing by it",
                  "HTTPRouteGroup %s has no match \"%s\"", text_shown(linting->arena, rule->name),
                  text_shown(linting->arena, rule->matches[i]));
}

static void lint_rule(struct linting *linting, const struct smi_traffic_target *target, size_t number) {
  const struct smi_rule *rule = &target->rules[number];
  const struct smi_meta *route = smi_index_get(&linting->resources, rule->kind, target->meta.ns, rule->name);
  const char *name = route && route->made ? smi_stands_for(route) : NULL;

  /* A route that only carries the target's port stands for what was written. */
  if (name)
    route = smi_index_get(&linting->resources, rule->kind, target->meta.ns, name);
  if (!route)
    lint_report(linting, SEVERITY_WARNING, "SMI-0201", &target->meta, rule_pointer(linting, target, number),
                "add it to what is applied; routes are looked up in the target's namespace",
                "there is no %s %s/%s here", smi_kind_name(rule->kind), target->meta.ns,
                text_shown(linting->arena, name ? name : rule->name));
  if (rule->kind != SMI_HTTP_ROUTE_GROUP && rule->match_count > 0)
    lint_report(linting, SEVERITY_WARNING, "SMI-0216", &target->meta, rule_pointer(linting, target, number),
                "take `matches` out", "a %s has no matches to select from", smi_kind_name(rule->kind));
  else if (route && rule->kind == SMI_HTTP_ROUTE_GROUP)
    lint_rule_matches(linting, target, number);
}

static void lint_subject(struct linting *linting, const struct smi_traffic_target *target,
                         const struct smi_subject *subject, const char *pointer) {
  if (subject->kind == SMI_BINDING && subject->name && subject->ns &&
      !smi_index_get(&linting->resources, SMI_IDENTITY_BINDING, subject->ns, subject->name))
    lint_report(linting, SEVERITY_WARNING, "SMI-0222", &target->meta, pointer, "add it to what is applied",
                "there is no IdentityBinding %s/%s here", subject->ns, text_shown(linting->arena, subject->name));
}

static void report_repeated_source(struct linting *linting, const void *of, const struct lint_text *repeated) {
  const struct smi_traffic_target *target = of;

  lint_report(linting, SEVERITY_WARNING, "SMI-0220", &target->meta,
              lint_pointer(linting, &target->meta, "/sources/%zu", repeated->index), "take it out",
              "a source is listed twice");
}

static void lint_sources(struct linting *linting, const struct smi_traffic_target *target) {
  struct lint_text *texts = lint_texts(linting, target->source_count);
  size_t count = 0;

  for (size_t i = 0; i < target->source_count; i++) {
    const struct smi_subject *source = &target->sources[i];
    const char *key = source->name && source->ns
                          ? arena_printf(linting->arena, "%d/%s/%s", (int)source->kind, source->ns, source->name)
                          : NULL;

    lint_subject(linting, target, source, lint_pointer(linting, &target->meta, "/sources/%zu", i));
    if (!source->name || !*source->name)
      lint_report(linting, SEVERITY_ERROR, "SMI-0221", &target->meta,
                  lint_pointer(linting, &target->meta, "/sources/%zu", i), "name it", "a source has no name");
    else if (key && texts)
      texts[count++] = (struct lint_text){key, i};
  }
  if (texts)
    lint_repeated(linting, texts, count, report_repeated_source, target);
}

static void lint_binding(struct linting *linting, const struct smi_identity_binding *binding) {
  if (binding->pod_label_count > 0 && binding->service_account)
    lint_report(linting, SEVERITY_ERROR, "SMI-0217", &binding->meta, "/spec/schemes",
                "keep one of them, or write two IdentityBindings",
                "podLabelSelector and serviceAccount exclude each other");
  if (binding->pod_label_count == 0 && !binding->service_account && binding->spiffe_id_count == 0)
    lint_report(linting, SEVERITY_ERROR, "SMI-0218", &binding->meta, "/spec/schemes",
                "add podLabelSelector, spiffeIdentities or serviceAccount", "it has no scheme and binds nobody");
}

void lint_access(struct linting *linting) {
  for (size_t i = 0; i < linting->set->target_count; i++) {
    const struct smi_traffic_target *target = &linting->set->targets[i];

    lint_required(linting, target);
    lint_subject(linting, target, &target->destination, lint_pointer(linting, &target->meta, "/destination"));
    for (size_t j = 0; j < target->rule_count; j++)
      if (target->rules[j].name && *target->rules[j].name)
        lint_rule(linting, target, j);
      else
        lint_report(linting, SEVERITY_ERROR, "SMI-0221", &target->meta, rule_pointer(linting, target, j),
                    "name the route", "a rule has no name");
    lint_sources(linting, target);
  }
  for (size_t i = 0; i < linting->set->binding_count; i++)
    lint_binding(linting, &linting->set->bindings[i]);
}
