/* Reads one case from YAML (docs/cases.md) and checks what can be known without a mesh. For suite.c and its parts. */
#ifndef TRAMMEL_HOST_CONFORMANCE_CASE_READ_H
#define TRAMMEL_HOST_CONFORMANCE_CASE_READ_H

#include "host/conformance/suite.h"
#include "sdk/base/fields.h"

/* Limits of a case. */
#define CASE_RESOURCES_MAX 64
#define CASE_STEPS_MAX 16
#define CASE_CHECKS_MAX 64 /* of one step */
#define CASE_SHARES_MAX 16
#define CASE_LIST_MAX 64 /* requirements, versions, interpretations, namespaces */
#define CASE_TEXT_MAX 4000
#define CASE_PATH_MAX 1024
#define CASE_WEIGHT_MAX 1000000
#define CASE_REPEAT_MAX 5000

/* Codes of cases, after those of sdk/base/fields.h. docs/cases.md lists them. */
enum case_code {
  CASE_UNKNOWN_TOPOLOGY = 6,
  CASE_UNKNOWN_NAMESPACE,
  CASE_UNKNOWN_WORKLOAD,
  CASE_UNKNOWN_SERVICE,
  CASE_UNKNOWN_PORT,
  CASE_UNKNOWN_REQUIREMENT,
  CASE_REQUIREMENT_NOT_LISTED,
  CASE_REQUIREMENT_NOT_PROVED,
  CASE_NO_POSITIVE_CONTROL,
  CASE_UNKNOWN_RESOURCE,
  CASE_STEP_WITHOUT_EFFECT,
  CASE_RESOURCES_INVALID,
  CASE_RESOURCE_VERSION,
  CASE_UNKNOWN_ALIAS,
  CASE_NO_COLUMN,
  CASE_CHECK_SENSELESS,
  CASE_NOT_ONE_DOCUMENT,
  CASE_NOTHING_IN_FORCE,
};

/* The topologies that cases may name. */
struct topology_table {
  const struct topology *const *topologies;
  size_t count;
};

/* Reads the document `root`. 0, -EINVAL with diagnostics, -ENOMEM. */
int case_read(struct arena *arena, const struct topology_table *topologies, const struct node *root,
              struct diagnostics *diagnostics, struct test_case *ret_case);

/* True when a workload or service of `topology` lives in the namespace `alias`. */
bool topology_has_namespace(const struct topology *topology, const char *alias);

/* Parts of case_read. Complaints go to `fields`. */
void case_read_resources(struct fields *fields, const struct node *root, struct test_case *test);
void case_read_steps(struct fields *fields, const struct node *root, struct test_case *test);
/* The kind/name in `text`, "TrafficTarget/allow"; kind 0 when it is no such thing. */
struct resource_name resource_name_parse(const char *text);
/* Of a resource as it is written. What is wrong with it gives kind 0 or an empty name. */
struct resource_name resource_name_of(const struct node *resource);
/* Whether both are states of one resource (resource_base_length()), or the same. */
bool resource_is_state_of(const struct resource_name *a, const struct resource_name *b);
/* Whether a list of resources has it. */
bool resources_have(const struct node *list, const struct resource_name *name);
void check_read(struct fields *fields, const struct node *map, const struct test_case *test, struct check *ret_check);

/* Of a check that expects metrics: what it expects, and, of any check, how its calls are to be answered. */
void metrics_check_read(struct fields *fields, const struct node *expect, const struct topology *topology,
                        struct check *check);
void metrics_check_read_answers(struct fields *fields, const struct node *map, struct check *check);

#endif
