#include "host/conformance/case_read.h"

#include <errno.h>
#include <string.h>

bool topology_has_namespace(const struct topology *topology, const char *alias) {
  for (size_t i = 0; i < topology->workload_count; i++)
    if (strcmp(topology->workloads[i].ns, alias) == 0)
      return true;
  for (size_t i = 0; i < topology->service_count; i++)
    if (strcmp(topology->services[i].ns, alias) == 0)
      return true;
  return false;
}

/* "group/protocol/what" */
static void read_id(struct fields *fields, const struct node *root, struct test_case *test) {
  const char *id = fields_string(fields, root, "id", 128, NULL);
  if (!id)
    return;
  _cleanup_free_ char *copy = strdup(id);
  if (!fields_checked(fields, copy))
    return;
  char *rest = copy;
  const char *parts[3] = {strsep(&rest, "/"), strsep(&rest, "/"), strsep(&rest, "/")};
  bool good = rest == NULL;
  for (size_t i = 0; i < 3; i++)
    good = good && parts[i] && label_is_valid(parts[i]);
  for (int group = SMI_ACCESS; good && group <= SMI_METRICS; group++)
    if (strcmp(parts[0], smi_group_name((enum smi_group)group)) == 0)
      test->group = (enum smi_group)group;
  if (test->group == 0)
    fields_complain(fields, node_get(root, "id"), FIELD_VALUE, NULL,
                    "the id is \"%s\"; it must be access, specs, split or metrics, a protocol, and what is tested, "
                    "as in access/http/unlisted-source",
                    id);
  test->id = id;
}

static void read_requirements(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "requirements", NODE_LIST, true);
  size_t count = fields_count(fields, list, "requirements", CASE_LIST_MAX);
  const char **ids = fields_checked(fields, arena_array(fields->arena, count, sizeof(*ids)));
  if (list && count == 0)
    fields_complain(fields, list, FIELD_VALUE, NULL, "a case proves at least one requirement");
  for (size_t i = 0; list && ids && i < count; i++) {
    const struct node *item = list->items[i];
    const struct requirement *requirement = requirement_find(item->kind == NODE_STRING ? item->text : "");
    if (requirement)
      ids[test->requirement_count++] = requirement->id;
    else
      fields_complain(fields, item, CASE_UNKNOWN_REQUIREMENT, NULL, "there is no requirement \"%s\"",
                      item->text ? item->text : "");
  }
  test->requirements = ids;
}

static void read_level(struct fields *fields, const struct node *root, struct test_case *test) {
  static const char *const levels[] = {"required", "informative", NULL};
  const struct node *node = node_get(root, "level");
  test->level = node && fields_word(fields, node, "\"level\"", levels) == 1 ? CASE_INFORMATIVE : CASE_REQUIRED;
}

static void read_topology(struct fields *fields, const struct node *root, const struct topology_table *topologies,
                          struct test_case *test) {
  const char *name = fields_string(fields, root, "topology", 64, NULL);
  for (size_t i = 0; name && i < topologies->count; i++)
    if (strcmp(topologies->topologies[i]->name, name) == 0)
      test->topology = topologies->topologies[i];
  if (name && !test->topology)
    fields_complain(fields, node_get(root, "topology"), CASE_UNKNOWN_TOPOLOGY, NULL, "there is no topology \"%s\"",
                    name);
}

static void read_deny(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "deny_by_default", NODE_LIST, true);
  size_t count = fields_count(fields, list, "namespaces", CASE_LIST_MAX);
  const char **aliases = fields_checked(fields, arena_array(fields->arena, count, sizeof(*aliases)));
  for (size_t i = 0; aliases && i < count; i++) {
    const struct node *item = list->items[i];
    const char *alias = item->kind == NODE_STRING ? item->text : "";
    if (topology_has_namespace(test->topology, alias))
      aliases[test->deny_count++] = alias;
    else
      fields_complain(fields, item, CASE_UNKNOWN_NAMESPACE, NULL, "the topology \"%s\" has no namespace \"%s\"",
                      test->topology->name, alias);
  }
  test->deny_by_default = aliases;
}

/* A version of SMI; {0} after a complaint. */
static struct smi_version read_version(struct fields *fields, const struct node *node) {
  struct smi_version version = {0};
  if (node->kind == NODE_STRING && smi_version_parse(node->text, &version) == 0)
    return version;
  fields_complain(fields, node, FIELD_VALUE, NULL, "\"%s\" is no version of SMI; write it as access/v1alpha3",
                  node->text ? node->text : "");
  return (struct smi_version){0};
}

static void read_versions(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *written_in = node_get(root, "written_in");
  if (written_in)
    test->written_in = read_version(fields, written_in);
  const struct node *list = fields_get(fields, root, "versions", NODE_LIST, false);
  size_t count = fields_count(fields, list, "versions", CASE_LIST_MAX);
  struct smi_version *versions = fields_checked(fields, arena_array(fields->arena, count, sizeof(*versions)));
  for (size_t i = 0; versions && i < count; i++) {
    versions[i] = read_version(fields, list->items[i]);
    if (versions[i].group != 0 && test->group != 0 && versions[i].group != test->group)
      fields_complain(fields, list->items[i], FIELD_VALUE, NULL, "\"versions\" lists versions of %s, the case's group",
                      smi_group_name(test->group));
  }
  test->versions = versions;
  test->version_count = versions ? count : 0;
}

static void read_interpretations(struct fields *fields, const struct node *root, struct test_case *test) {
  const struct node *list = fields_get(fields, root, "interpretations", NODE_LIST, false);
  size_t count = fields_count(fields, list, "interpretations", CASE_LIST_MAX);
  int *numbers = fields_checked(fields, arena_array(fields->arena, count, sizeof(*numbers)));
  for (size_t i = 0; numbers && i < count; i++) {
    const struct node *item = list->items[i];
    if (item->kind == NODE_INTEGER && item->integer >= 1 && item->integer <= interpretation_last())
      numbers[i] = (int)item->integer;
    else
      fields_complain(fields, item, FIELD_VALUE, NULL, "an interpretation is a number from 1 to %d (docs/smi.md)",
                      interpretation_last());
  }
  test->interpretations = numbers;
  test->interpretation_count = numbers ? count : 0;
}

static bool is_proved(const struct test_case *test, const char *requirement) {
  for (size_t i = 0; i < test->step_count; i++)
    for (size_t k = 0; k < test->steps[i].check_count; k++)
      if (strcmp(test->steps[i].checks[k].requirement, requirement) == 0)
        return true;
  return false;
}

/* What only the whole case shows. */
static void check_whole(struct fields *fields, const struct node *root, const struct test_case *test) {
  const struct node *list = node_get(root, "requirements");
  for (size_t i = 0; i < test->requirement_count; i++)
    if (!is_proved(test, test->requirements[i]))
      fields_complain(fields, list->items[i], CASE_REQUIREMENT_NOT_PROVED,
                      "Name it in the `requirement` of a check, or take it away.", "no check is about %s",
                      test->requirements[i]);
  _cleanup_free_ struct case_column *columns = NULL;
  size_t count = 0;
  if (case_columns(test, &columns, &count) < 0)
    fields->no_memory = true;
  else if (count == 0)
    fields_complain(fields, root, CASE_NO_COLUMN, "Look at written_in and versions.",
                    "there is no combination of versions to run this case in");
}

static void read_body(struct fields *fields, const struct node *root, struct test_case *test) {
  read_deny(fields, root, test);
  case_read_resources(fields, root, test);
  if (!test->resources || fields->no_memory)
    return;
  case_read_steps(fields, root, test);
  if (fields->errors == 0)
    check_whole(fields, root, test);
}

int case_read(struct arena *arena, const struct topology_table *topologies, const struct node *root,
              struct diagnostics *diagnostics, struct test_case *ret_case) {
  static const char *const known[] = {"id",        "title",           "requirements", "level",      "why",
                                      "topology",  "deny_by_default", "versions",     "written_in", "interpretations",
                                      "resources", "invalid",         "steps",        NULL};
  struct fields fields = {.prefix = "CASE", .arena = arena, .diagnostics = diagnostics};
  struct test_case test = {0};
  if (!fields_known(&fields, root, "a case", known))
    return fields_status(&fields);
  read_id(&fields, root, &test);
  test.title = fields_string(&fields, root, "title", 160, NULL);
  test.why = fields_string(&fields, root, "why", CASE_TEXT_MAX, NULL);
  read_level(&fields, root, &test);
  read_requirements(&fields, root, &test);
  read_versions(&fields, root, &test);
  read_interpretations(&fields, root, &test);
  read_topology(&fields, root, topologies, &test);
  if (test.topology && test.group != 0)
    read_body(&fields, root, &test);
  if (fields_status(&fields) == 0)
    *ret_case = test;
  return fields_status(&fields);
}
