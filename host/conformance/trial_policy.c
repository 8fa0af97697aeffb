#include "host/conformance/trial_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/document.h"
#include "sdk/smi/convert.h"
#include "sdk/smi/lint.h"
#include "sdk/smi/parse.h"

struct trial_policy {
  struct engine *engine;
  struct policy_ground ground;
  const struct job *job;
  struct arena *arena;
  const char *owner;
  json_t *resources; /* in the column's version, as an array */
  bool *active;      /* which of them are in force */
  json_t *coverage;
};

static const char *namespace_of(const struct trial_policy *policy, const char *alias) {
  return policy->ground.namespace_of(policy->ground.ctx, alias);
}

static const char *lookup_namespace(void *ctx, const char *alias) {
  return namespace_of(ctx, alias);
}

/* For a one-line reason. */
static const char *first_error(const struct diagnostics *diagnostics) {
  const char *summary = diagnostics_first_error(diagnostics);
  return summary ? summary : "no reason was given";
}

static int policy_convert(struct trial_policy *policy, struct error **err) {
  const struct case_column *column = &policy->job->column;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!diagnostics)
    return error_set(err, ENOMEM, "preparing resources: no memory");
  struct smi_set set;
  int r = case_resources(policy->job->test, policy->arena, lookup_namespace, (void *)(uintptr_t)policy, &set,
                         diagnostics, err);
  if (r < 0)
    return r;
  struct smi_target_versions versions = {.access = column->access, .specs = column->specs, .split = column->split};
  r = smi_convert(&set, &versions, diagnostics, &policy->resources);
  if (r < 0)
    return error_set(err, EINVAL, "converting to %s: %s", column->label, first_error(diagnostics));
  r = case_resources_as_written(policy->job->test, policy->arena, lookup_namespace, (void *)(uintptr_t)policy,
                                policy->resources, err);
  if (r < 0)
    return r;
  policy->active = arena_array(policy->arena, json_array_size(policy->resources) + 1, sizeof(*policy->active));
  return policy->active ? 0 : error_set(err, ENOMEM, "preparing resources: no memory");
}

int trial_policy_create(struct engine *engine, const struct policy_ground *ground, const struct job *job,
                        const char *name, struct arena *arena, struct trial_policy **ret_policy, struct error **err) {
  struct trial_policy *policy = calloc(1, sizeof(*policy));
  if (!policy)
    return error_set(err, ENOMEM, "preparing resources: no memory");
  *policy = (struct trial_policy){.engine = engine, .ground = *ground, .job = job, .arena = arena};
  policy->owner = arena_printf(arena, "policy-%s", name);
  int r = policy->owner ? policy_convert(policy, err) : error_set(err, ENOMEM, "preparing resources: no memory");
  if (r < 0) {
    trial_policy_destroy(policy);
    return r;
  }
  *ret_policy = policy;
  return 0;
}

void trial_policy_destroy(struct trial_policy *policy) {
  if (!policy)
    return;
  json_decref(policy->resources);
  json_decref(policy->coverage);
  free(policy);
}

/* ---- which resources are in force */

static bool resource_is(const json_t *resource, const struct resource_name *name) {
  const char *kind = json_string_value(json_object_get(resource, "kind"));
  const char *given = json_string_value(json_object_get(json_object_get(resource, "metadata"), "name"));
  return kind && given && strcmp(kind, smi_kind_name(name->kind)) == 0 && strcmp(given, name->name) == 0;
}

/* Whether the resource is another state of what `name` is a state of. */
static bool resource_is_other_state(const json_t *resource, const struct resource_name *name) {
  const char *kind = json_string_value(json_object_get(resource, "kind"));
  const char *given = json_string_value(json_object_get(json_object_get(resource, "metadata"), "name"));
  size_t length = resource_base_length(name->name);
  return kind && given && strcmp(kind, smi_kind_name(name->kind)) == 0 && strcmp(given, name->name) != 0 &&
         resource_base_length(given) == length && strncmp(given, name->name, length) == 0;
}

static void set_active(struct trial_policy *policy, const struct resource_name *names, size_t count, bool active) {
  size_t i;
  json_t *resource;
  json_array_foreach(policy->resources, i, resource) {
    for (size_t k = 0; k < count; k++) {
      if (resource_is(resource, &names[k]))
        policy->active[i] = active;
      else if (active && resource_is_other_state(resource, &names[k]))
        policy->active[i] = false;
    }
  }
}

static void step_active(struct trial_policy *policy, const struct step *step) {
  for (size_t i = 0; step->apply_all && i < json_array_size(policy->resources); i++)
    policy->active[i] = true;
  set_active(policy, step->delete, step->delete_count, false);
  set_active(policy, step->apply, step->apply_count, true);
}

/* The resource under the name it has on the mesh, which is the same in all its states. */
static json_t *in_its_state(json_t *resource) {
  const char *name = json_string_value(json_object_get(json_object_get(resource, "metadata"), "name"));
  size_t length = name ? resource_base_length(name) : 0;
  if (!name || name[length] == '\0')
    return json_incref(resource);
  json_t *copy = json_deep_copy(resource);
  if (copy && json_object_set_new(json_object_get(copy, "metadata"), "name", json_stringn(name, length)) < 0) {
    json_decref(copy);
    return NULL;
  }
  return copy;
}

/* The active resources and `extra` (may be NULL), as the file they would be. NULL without memory. */
static char *active_text(const struct trial_policy *policy, json_t *extra) {
  json_t *active = json_array();
  size_t i;
  json_t *resource;
  bool failed = false;
  json_array_foreach(policy->resources, i, resource) {
    if (policy->active[i])
      failed |= json_array_append_new(active, in_its_state(resource)) < 0;
  }
  if (extra)
    failed |= json_array_append(active, extra) < 0;
  json_t *list = json_pack("{s:s, s:s, s:o}", "apiVersion", "v1", "kind", "List", "items", active);
  char *text = failed ? NULL : json_dumps(list, JSON_COMPACT);
  json_decref(list);
  return text;
}

static int read_text(const struct trial_policy *policy, const char *text, struct diagnostics *diagnostics,
                     struct smi_set *ret_set) {
  struct document_list documents;
  int r = document_read(policy->arena, NULL, text, strlen(text), DOCUMENT_JSON, &document_limits_default, diagnostics,
                        &documents);
  return r < 0 ? r : smi_parse(policy->arena, &documents, NULL, diagnostics, ret_set);
}

static int read_active(struct trial_policy *policy, struct smi_set *ret_set, struct error **err) {
  _cleanup_free_ char *text = active_text(policy, NULL);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!text || !diagnostics)
    return error_set(err, ENOMEM, "reading resources: no memory");
  int r = read_text(policy, text, diagnostics, ret_set);
  return r < 0 ? error_set(err, -r, "reading resources of %s: %s", policy->job->column.label, first_error(diagnostics))
               : 0;
}

/* ---- translation */

static json_t *coverage_to_json(const Trammel__Adapter__V1__TranslateResponse *response) {
  static const char *const levels[] = {"unspecified", "exact", "approximated", "unsupported"};
  json_t *list = json_array();
  for (size_t i = 0; list && i < response->n_coverage; i++) {
    const Trammel__Adapter__V1__Coverage *coverage = response->coverage[i];
    unsigned level = (unsigned)coverage->level < 4 ? (unsigned)coverage->level : 0;
    json_t *item = json_pack("{s:s, s:s}", "pointer", coverage->pointer, "level", levels[level]);
    if (item && coverage->resource)
      json_object_set_new(
          item, "resource",
          json_sprintf("%s %s/%s", coverage->resource->kind, coverage->resource->namespace_, coverage->resource->name));
    if (item && coverage->reason[0])
      json_object_set_new(item, "reason", json_string(coverage->reason));
    json_array_append_new(list, item);
  }
  return list;
}

static int deny_namespaces(const struct trial_policy *policy, char ***ret_namespaces, struct error **err) {
  const struct test_case *test = policy->job->test;
  char **namespaces = arena_array(policy->arena, test->deny_count + 1, sizeof(*namespaces));
  if (!namespaces)
    return error_set(err, ENOMEM, "translating: no memory");
  for (size_t i = 0; i < test->deny_count; i++) {
    namespaces[i] = arena_strdup(policy->arena, namespace_of(policy, test->deny_by_default[i]));
    if (!namespaces[i])
      return error_set(err, EINVAL, "the topology has no namespace '%s'", test->deny_by_default[i]);
  }
  *ret_namespaces = namespaces;
  return 0;
}

/* What is wrong is to be told then, and not to end the case. */
static bool wants_report(const struct step *step) {
  for (size_t i = 0; i < step->check_count; i++)
    if (step->checks[i].kind == CHECK_REPORTED)
      return true;
  return false;
}

/* What the step comes to. Free with trammel__adapter__v1__translate_response__free_unpacked. */
static int translate(struct trial_policy *policy, const struct step *step,
                     Trammel__Adapter__V1__TranslateResponse **ret_response, struct error **err) {
  Trammel__Adapter__V1__TranslateOptions options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  struct smi_set set = {0};
  step_active(policy, step);
  int r = read_active(policy, &set, err);
  if (r == 0)
    r = deny_namespaces(policy, &options.deny_by_default, err);
  if (r < 0)
    return r;
  options.n_deny_by_default = policy->job->test->deny_count;
  options.allow_unsupported = wants_report(step);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  r = engine_translate(policy->engine, &set, policy->ground.inventory, &options, diagnostics, ret_response, err);
  if (r < 0)
    return r;
  json_decref(policy->coverage);
  policy->coverage = coverage_to_json(*ret_response);
  return 0;
}

int trial_policy_translate(struct trial_policy *policy, const struct step *step, struct error **err) {
  Trammel__Adapter__V1__TranslateResponse *response = NULL;
  int r = translate(policy, step, &response, err);
  if (r == 0)
    trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  return r;
}

int trial_policy_step(struct trial_policy *policy, const struct step *step, struct error **err) {
  Trammel__Adapter__V1__TranslateResponse *response = NULL;
  int r = translate(policy, step, &response, err);
  if (r < 0)
    return r;
  r = engine_apply(policy->engine, policy->owner, response->objects, response->n_objects, err);
  if (r == -ENOTSUP)
    r = -EPROTONOSUPPORT; /* the adapter can express it; it is the host that cannot carry it out */
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  return r;
}

/* Who refuses the resource before anything is applied, and why, in the arena; NULL: nobody. */
static int find_refusal(const struct trial_policy *policy, const char *text, const char **ret_refusal,
                        struct error **err) {
  struct smi_set set = {0};
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  Trammel__Adapter__V1__TranslateOptions options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  Trammel__Adapter__V1__TranslateResponse *response = NULL;
  _cleanup_error_ struct error *reason = NULL;
  if (!diagnostics)
    return error_set(err, ENOMEM, "reading resources: no memory");
  int r = read_text(policy, text, diagnostics, &set);
  if (r == 0)
    r = smi_lint(&set, diagnostics);
  if (r == -EINVAL)
    *ret_refusal = arena_printf(policy->arena, "refused when it is read: %s", first_error(diagnostics));
  if (r < 0)
    return r == -EINVAL && *ret_refusal ? 0 : error_set(err, ENOMEM, "reading resources: no memory");
  r = engine_translate(policy->engine, &set, policy->ground.inventory, &options, diagnostics, &response, &reason);
  if (r == 0)
    trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  else if (r != -EINVAL && r != -ENOTSUP)
    return error_set(err, -r, "%s", error_message(reason));
  *ret_refusal = r == 0 ? NULL : arena_printf(policy->arena, "refused by the adapter: %s", error_message(reason));
  return 0;
}

int trial_policy_refusal(const struct trial_policy *policy, const struct resource_name *name, const char **ret_refusal,
                         struct error **err) {
  json_t *resource = NULL;
  int r = case_invalid_resource(policy->job->test, name, policy->arena, lookup_namespace, (void *)(uintptr_t)policy,
                                &resource, err);
  if (r < 0)
    return r;
  _cleanup_free_ char *text = active_text(policy, resource);
  json_decref(resource);
  return text ? find_refusal(policy, text, ret_refusal, err) : error_set(err, ENOMEM, "reading resources: no memory");
}

const char *trial_policy_report(const struct trial_policy *policy, const struct resource_name *name) {
  size_t i;
  const json_t *item;
  _cleanup_free_ char *wanted = NULL;
  size_t length = resource_base_length(name->name); /* what it is called on the mesh */
  if (asprintf(&wanted, "%s ", smi_kind_name(name->kind)) < 0) {
    wanted = NULL;
    return NULL;
  }
  json_array_foreach(policy->coverage, i, item) {
    const char *resource = json_string_value(json_object_get(item, "resource"));
    const char *reason = json_string_value(json_object_get(item, "reason"));
    const char *slash = resource ? strrchr(resource, '/') : NULL;
    if (reason && slash && strncmp(resource, wanted, strlen(wanted)) == 0 && strlen(slash + 1) == length &&
        strncmp(slash + 1, name->name, length) == 0)
      return reason;
  }
  return NULL;
}

int trial_policy_remove(struct trial_policy *policy, struct error **err) {
  return engine_remove(policy->engine, policy->owner, err);
}

const char *trial_policy_owner(const struct trial_policy *policy) {
  return policy->owner;
}

void trial_policy_result(struct trial_policy *policy, struct case_result *result) {
  result->resources = take(policy->resources);
  result->coverage = take(policy->coverage);
}
