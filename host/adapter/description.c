#include "host/adapter/description.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/elf_file.h"
#include "host/adapter/services.h"
#include "sdk/base/schema.h"
#include "sdk/smi/model.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

static int same(const char *what, const char *described, const char *noted, struct error **err) {
  if (strcmp(described, noted) == 0)
    return 0;
  return error_set(err, EINVAL, "Describe says %s \"%.60s\", its note says \"%s\"", what, described, noted);
}

static int check_identity(const describe_response *d, const trammel_note *note, struct error **err) {
  int r = same("adapter_id", d->adapter_id, note->id, err);
  if (r == 0)
    r = same("adapter_version", d->adapter_version, note->version, err);
  if (r == 0)
    r = same("mesh_type", d->mesh_type, note->mesh, err);
  if (r == 0 && !*d->mesh_name)
    r = error_set(err, EINVAL, "Describe gives no mesh_name");
  return r;
}

static int check_smi(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_smi; i++) {
    const Trammel__Adapter__V1__SmiSupport *s = d->smi[i];
    char text[64];
    struct smi_version version;
    int n = snprintf(text, sizeof text, "%s/%s", s->group, s->version);
    if (n >= (int)sizeof text || smi_version_parse(text, &version) < 0 ||
        strcmp(s->group, smi_group_name(version.group)) != 0)
      return error_set(err, EINVAL, "Describe names the unknown SMI version %.40s/%.40s", s->group, s->version);
    if (s->support < TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_UNSUPPORTED ||
        s->support > TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE)
      return error_set(err, EINVAL, "Describe gives %s/%s the unknown support %d", s->group, s->version,
                       (int)s->support);
    for (size_t j = 0; j < i; j++)
      if (strcmp(d->smi[j]->group, s->group) == 0 && strcmp(d->smi[j]->version, s->version) == 0)
        return error_set(err, EINVAL, "Describe names %s/%s twice", s->group, s->version);
  }
  return 0;
}

static int check_schema(const char *what, ProtobufCBinaryData text, struct error **err) {
  if (text.len == 0)
    return 0;
  json_error_t error;
  json_t *schema = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
  if (!schema)
    return error_set(err, EINVAL, "%s is no JSON: line %d: %s", what, error.line, error.text);
  int r = schema_check(schema, err);
  if (r < 0)
    (void)error_wrap(err, "%s", what);
  json_decref(schema);
  return r;
}

static int check_config_schema(const describe_response *d, struct error **err) {
  int r = check_schema("config_schema", d->config_schema, err);
  if (r < 0 || d->config_schema.len == 0)
    return r;
  json_t *schema = json_loadb((const char *)d->config_schema.data, d->config_schema.len, 0, NULL);
  const char *type = json_string_value(json_object_get(schema, "type"));
  if (!type || strcmp(type, "object") != 0)
    r = error_set(err, EINVAL, "config_schema has the type %s, a configuration is an object", type ? type : "(none)");
  json_decref(schema);
  return r;
}

static int check_permissions(const Trammel__Adapter__V1__Endpoint *e, struct error **err) {
  if (e->n_permissions == 0 || e->n_permissions > DESCRIPTION_LIST_MAX)
    return error_set(err, EINVAL, "endpoint %s has %zu permissions, expected 1 to %d", e->name, e->n_permissions,
                     DESCRIPTION_LIST_MAX);
  for (size_t i = 0; i < e->n_permissions; i++) {
    const Trammel__Adapter__V1__Permission *p = e->permissions[i];
    const char *reason = NULL;
    if (strcmp(p->method, "*") != 0 &&
        (!*p->method || strspn(p->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(p->method)))
      return error_set(err, EINVAL, "endpoint %s permits the method \"%.40s\", expected capital letters or *", e->name,
                       p->method);
    if (path_check(p->path_prefix, &reason) < 0)
      return error_set(err, EINVAL, "endpoint %s permits the path prefix \"%.80s\": %s", e->name, p->path_prefix,
                       reason);
  }
  return 0;
}

static int check_endpoints(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_endpoints; i++) {
    const Trammel__Adapter__V1__Endpoint *e = d->endpoints[i];
    if (!name_valid(e->name))
      return error_set(err, EINVAL, "Describe names the endpoint \"%.80s\", allowed are 1 to 63 of a-z, 0-9 and '-'",
                       e->name);
    for (size_t j = 0; j < i; j++)
      if (strcmp(d->endpoints[j]->name, e->name) == 0)
        return error_set(err, EINVAL, "Describe names the endpoint %s twice", e->name);
    int r = check_permissions(e, err);
    if (r < 0)
      return r;
  }
  return 0;
}

static int check_programs(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_programs; i++) {
    if (!name_valid(d->programs[i]->name))
      return error_set(err, EINVAL, "Describe names the program \"%.80s\", allowed are 1 to 63 of a-z, 0-9 and '-'",
                       d->programs[i]->name);
    for (size_t j = 0; j < i; j++)
      if (strcmp(d->programs[j]->name, d->programs[i]->name) == 0)
        return error_set(err, EINVAL, "Describe names the program %s twice", d->programs[i]->name);
  }
  return 0;
}

static bool same_kind(const Trammel__Adapter__V1__KubernetesKind *a, const char *api_version, const char *kind) {
  return strcmp(a->api_version, api_version) == 0 && strcmp(a->kind, kind) == 0;
}

bool description_has_kind(const describe_response *d, const char *api_version, const char *kind) {
  for (size_t i = 0; i < d->n_kubernetes_kinds; i++)
    if (same_kind(d->kubernetes_kinds[i], api_version, kind))
      return true;
  return false;
}

static int check_kinds(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_kubernetes_kinds; i++) {
    const Trammel__Adapter__V1__KubernetesKind *k = d->kubernetes_kinds[i];
    if (!*k->api_version || !*k->kind || strlen(k->api_version) > DESCRIPTION_KIND_MAX ||
        strlen(k->kind) > DESCRIPTION_KIND_MAX)
      return error_set(err, EINVAL,
                       "Describe names the Kubernetes kind \"%.40s\" of \"%.40s\", expected 1 to %d bytes each",
                       k->kind, k->api_version, DESCRIPTION_KIND_MAX);
    for (size_t j = 0; j < i; j++)
      if (same_kind(d->kubernetes_kinds[j], k->api_version, k->kind))
        return error_set(err, EINVAL, "Describe names the Kubernetes kind %s of %s twice", k->kind, k->api_version);
  }
  return 0;
}

/* Every value of the option, with each of the kinds, has to be a kind that is declared. */
static int check_version_values(const describe_response *d, const Trammel__Adapter__V1__VersionOption *option,
                                const json_t *values, struct error **err) {
  const json_t *value;
  size_t i;
  json_array_foreach(values, i, value) {
    for (size_t j = 0; j < option->n_kinds; j++) {
      char version[2 * DESCRIPTION_KIND_MAX];
      const char *text = json_string_value(value);
      int n = snprintf(version, sizeof version, "%s/%s", option->group, text ? text : "");
      if (!text || n >= (int)sizeof version || !description_has_kind(d, version, option->kinds[j]))
        return error_set(err, EINVAL,
                         "Describe says that the option \"%.60s\" chooses the version of %.60s of %.60s, but %.60s is "
                         "none of its Kubernetes kinds",
                         option->option, option->kinds[j], option->group, text ? text : "(no text)");
    }
  }
  return 0;
}

static int check_version_options(const describe_response *d, struct error **err) {
  json_auto_t *schema = json_loadb((const char *)d->config_schema.data, d->config_schema.len, 0, NULL);
  int r = 0;
  for (size_t i = 0; r == 0 && i < d->n_version_options; i++) {
    const Trammel__Adapter__V1__VersionOption *option = d->version_options[i];
    const json_t *values =
        json_object_get(json_object_get(json_object_get(schema, "properties"), option->option), "enum");
    if (json_array_size(values) == 0 || option->n_kinds == 0 || option->n_kinds > DESCRIPTION_LIST_MAX)
      return error_set(err, EINVAL,
                       "Describe says that the option \"%.60s\" chooses a version, but its schema has no such option "
                       "with an enum, or it is for no kind",
                       option->option);
    r = check_version_values(d, option, values, err);
  }
  return r;
}

/* A name of at least two labels (RFC 1123), so that it is nobody else's. */
static bool is_domain(const char *text) {
  size_t length = strlen(text), dots = 0;
  for (size_t i = 0; i < length; i++) {
    bool edge = i == 0 || i + 1 == length || text[i - 1] == '.' || text[i + 1] == '.';
    bool inner = text[i] == '-' || text[i] == '.';
    if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') || inner) || (inner && edge))
      return false;
    dots += text[i] == '.';
  }
  return dots > 0 && length <= DESCRIPTION_DOMAIN_MAX;
}

static int check_control_domains(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_control_domains; i++)
    if (!is_domain(d->control_domains[i]))
      return error_set(err, EINVAL,
                       "Describe names the control domain \"%.80s\", expected a DNS name of two labels or more, of "
                       "a-z, 0-9 and '-', and at most %d bytes",
                       d->control_domains[i], DESCRIPTION_DOMAIN_MAX);
  return 0;
}

static int check_operations(const describe_response *d, struct error **err) {
  for (size_t i = 0; i < d->n_operations; i++) {
    const Trammel__Adapter__V1__Operation *o = d->operations[i];
    if (!name_valid(o->name))
      return error_set(err, EINVAL, "Describe names the operation \"%.80s\", allowed are 1 to 63 of a-z, 0-9 and '-'",
                       o->name);
    for (size_t j = 0; j < i; j++)
      if (strcmp(d->operations[j]->name, o->name) == 0)
        return error_set(err, EINVAL, "Describe names the operation %s twice", o->name);
    int r = check_schema("an operation's argument_schema", o->argument_schema, err);
    if (r < 0)
      return r;
  }
  return 0;
}

static bool has_method(const describe_response *d, const char *name) {
  for (size_t i = 0; i < d->n_methods; i++)
    if (strcmp(d->methods[i], name) == 0)
      return true;
  return false;
}

static int check_methods(const describe_response *d, struct error **err) {
  static const char *const known[] = {"Translate", "Detect", "Enroll", "Plan", "Metrics", "Invoke"};
  for (size_t i = 0; i < d->n_methods; i++) {
    bool found = false;
    for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
      found |= strcmp(known[j], d->methods[i]) == 0;
    if (!found)
      return error_set(err, EINVAL, "Describe lists the unknown method \"%.60s\"", d->methods[i]);
  }
  if (d->embedded && (!has_method(d, "Plan") || !has_method(d, "Enroll")))
    return error_set(err, EINVAL, "Describe says embedded, which needs the methods Plan and Enroll");
  if (d->n_operations && !has_method(d, "Invoke"))
    return error_set(err, EINVAL, "Describe lists operations, which needs the method Invoke");
  return 0;
}

static int check_lengths(const describe_response *d, struct error **err) {
  if (d->n_smi > DESCRIPTION_LIST_MAX || d->n_endpoints > DESCRIPTION_LIST_MAX ||
      d->n_operations > DESCRIPTION_LIST_MAX || d->n_methods > DESCRIPTION_LIST_MAX ||
      d->n_mesh_versions > DESCRIPTION_LIST_MAX || d->n_kubernetes_kinds > DESCRIPTION_LIST_MAX ||
      d->n_programs > DESCRIPTION_LIST_MAX || d->n_version_options > DESCRIPTION_LIST_MAX ||
      d->n_control_domains > DESCRIPTION_LIST_MAX)
    return error_set(err, EINVAL, "Describe gives a list of more than %d entries", DESCRIPTION_LIST_MAX);
  return 0;
}

int description_check(const describe_response *description, const trammel_note *note, struct error **err) {
  int r = check_lengths(description, err);
  if (r == 0)
    r = check_identity(description, note, err);
  if (r == 0)
    r = check_smi(description, err);
  if (r == 0)
    r = check_config_schema(description, err);
  if (r == 0)
    r = check_endpoints(description, err);
  if (r == 0)
    r = check_kinds(description, err);
  if (r == 0)
    r = check_programs(description, err);
  if (r == 0)
    r = check_version_options(description, err);
  if (r == 0)
    r = check_control_domains(description, err);
  if (r == 0)
    r = check_operations(description, err);
  return r < 0 ? r : check_methods(description, err);
}
