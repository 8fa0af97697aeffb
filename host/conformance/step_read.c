#include <string.h>

#include "host/conformance/case_read.h"

/* A case's resource, and whether it is applied after the steps read so far. */
struct known_resource {
  struct resource_name name;
  bool in_force;
};

struct known_resources {
  struct known_resource *items;
  size_t count;
};

static const char *text_of(const struct node *node) {
  return node && node->text ? node->text : "";
}

static struct known_resource *resource_find(const struct known_resources *known, struct resource_name name) {
  for (size_t i = 0; i < known->count; i++)
    if (known->items[i].name.kind == name.kind && strcmp(known->items[i].name.name, name.name) == 0)
      return &known->items[i];
  return NULL;
}

/* Names of the case's resources. What is wrong with a kind or name is said by the SMI parser. */
static struct known_resources resources_known(struct fields *fields, const struct test_case *test) {
  struct known_resources known = {
      .items = fields_checked(fields, arena_array(fields->arena, test->resources->count, sizeof(*known.items)))};
  for (size_t i = 0; known.items && i < test->resources->count; i++) {
    const struct node *resource = test->resources->items[i];
    struct resource_name name = resource_name_of(resource);
    if (resource_find(&known, name))
      fields_complain(fields, resource, FIELD_TWICE, NULL, "the resource %s/%s is given twice",
                      text_of(node_get(resource, "kind")), name.name);
    known.items[known.count++] = (struct known_resource){.name = name};
  }
  return known;
}

/* Of a resource in several states one is in force. */
static void set_other_states(const struct known_resources *known, const struct resource_name *name) {
  for (size_t i = 0; i < known->count; i++)
    if (resource_is_state_of(&known->items[i].name, name))
      known->items[i].in_force = false;
}

/* Reads a list of "kind/name" and marks what it names as applied or taken away. */
static const struct resource_name *read_names(struct fields *fields, const struct node *list, bool apply,
                                              const struct known_resources *known, size_t *ret_count) {
  size_t count = fields_count(fields, list, "resources", CASE_RESOURCES_MAX);
  struct resource_name *names = fields_checked(fields, arena_array(fields->arena, count, sizeof(*names)));
  *ret_count = 0;
  for (size_t i = 0; names && i < count; i++) {
    const char *text = text_of(list->items[i]);
    struct resource_name name = resource_name_parse(text);
    struct known_resource *resource = resource_find(known, name);
    if (!resource || name.kind == 0) {
      fields_complain(fields, list->items[i], CASE_UNKNOWN_RESOURCE,
                      "Write it as kind/name, as in TrafficTarget/allow.", "the case has no resource \"%s\"", text);
      continue;
    }
    if (!apply && !resource->in_force)
      fields_complain(fields, list->items[i], CASE_STEP_WITHOUT_EFFECT, NULL,
                      "%s is not in force when this step takes it away", text);
    if (apply)
      set_other_states(known, &resource->name);
    resource->in_force = apply;
    names[(*ret_count)++] = resource->name;
  }
  return names;
}

static void read_changes(struct fields *fields, const struct node *map, bool first, const struct known_resources *known,
                         struct step *step) {
  const struct node *delete = fields_get(fields, map, "delete", NODE_LIST, false);
  const struct node *apply = fields_get(fields, map, "apply", NODE_LIST, false);
  step->delete = read_names(fields, delete, false, known, &step->delete_count);
  step->apply = read_names(fields, apply, true, known, &step->apply_count);
  step->apply_all = first && !apply;
  for (size_t i = 0; step->apply_all && i < known->count; i++) {
    for (size_t k = 0; k < i; k++)
      if (resource_is_state_of(&known->items[k].name, &known->items[i].name) &&
          strcmp(known->items[k].name.name, known->items[i].name.name) != 0)
        fields_complain(fields, map, FIELD_MISSING, "Say in \"apply\" which one the first step applies.",
                        "the case has %s in several states", known->items[k].name.name);
    known->items[i].in_force = true;
  }
  if (!first && (!delete || delete->count == 0) && (!apply || apply->count == 0))
    fields_complain(fields, map, CASE_STEP_WITHOUT_EFFECT, "Put its checks into the step before.",
                    "this step neither applies nor deletes anything");
}

/* Calls that go on during a change need one. */
static void check_change(struct fields *fields, const struct node *map, bool first, const struct step *step) {
  for (size_t i = 0; first && i < step->check_count; i++)
    if (check_goes_on(&step->checks[i]))
      fields_complain(fields, map, CASE_CHECK_SENSELESS, "Apply the first state in a step before.",
                      "the first step changes nothing that calls could go on during");
}

static void check_control(struct fields *fields, const struct node *map, const struct step *step) {
  bool denied = false;
  for (size_t i = 0; i < step->check_count; i++) {
    if (step->checks[i].kind == CHECK_ALLOWED)
      return;
    denied |= step->checks[i].kind == CHECK_DENIED || step->checks[i].kind == CHECK_CUT;
  }
  if (denied)
    fields_complain(fields, map, CASE_NO_POSITIVE_CONTROL,
                    "Add a check that must be allowed, so that a broken workload cannot pass as a denial.",
                    "this step has a denied check but no allowed one");
}

/* Allowed calls, and those that are counted, go through without policy, too. A first step of nothing else would be
 * judged before it is in force. */
static void check_in_force(struct fields *fields, const struct node *map, const struct step *step) {
  for (size_t i = 0; i < step->check_count; i++)
    if (step->checks[i].kind == CHECK_DENIED || step->checks[i].kind == CHECK_SPLIT ||
        step->checks[i].kind == CHECK_COUNTED)
      return;
  fields_complain(fields, map, CASE_NOTHING_IN_FORCE,
                  "Add a check that must be denied, so that the step waits until the policy is in force.",
                  "with deny_by_default, the first step needs a denied, split or counted check");
}

static void read_step(struct fields *fields, const struct node *map, const struct test_case *test, bool first,
                      const struct known_resources *known, struct step *step) {
  static const char *const fields_of_step[] = {"apply", "delete", "checks", NULL};
  if (!fields_known(fields, map, "a step", fields_of_step))
    return;
  read_changes(fields, map, first, known, step);
  const struct node *list = fields_get(fields, map, "checks", NODE_LIST, true);
  size_t count = fields_count(fields, list, "checks", CASE_CHECKS_MAX);
  struct check *checks = fields_checked(fields, arena_array(fields->arena, count, sizeof(*checks)));
  unsigned errors = fields->errors;
  for (size_t i = 0; checks && i < count; i++)
    check_read(fields, list->items[i], test, &checks[i]);
  step->checks = checks;
  step->check_count = checks ? count : 0;
  if (list && list->count == 0)
    fields_complain(fields, list, FIELD_VALUE, NULL, "a step needs a check");
  if (fields->errors == errors)
    check_control(fields, map, step);
  check_change(fields, map, first, step);
  if (fields->errors == errors && first && test->deny_count > 0)
    check_in_force(fields, map, step);
}

void case_read_steps(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "steps", NODE_LIST, true);
  size_t count = fields_count(fields, list, "steps", CASE_STEPS_MAX);
  struct known_resources known = resources_known(fields, test);
  struct step *steps = fields_checked(fields, arena_array(fields->arena, count, sizeof(*steps)));
  if (!steps || !known.items)
    return;
  for (size_t i = 0; i < count; i++)
    read_step(fields, list->items[i], test, i == 0, &known, &steps[i]);
  if (list && list->count == 0)
    fields_complain(fields, list, FIELD_VALUE, NULL, "a case needs a step");
  test->steps = steps;
  test->step_count = count;
}
