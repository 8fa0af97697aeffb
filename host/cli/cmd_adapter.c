/* trammel adapter list, trammel adapter show: the adapters there are, what they say of themselves, and why some are
 * refused. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/remote.h"
#include "host/certify/kept.h"
#include "host/cli/adapter_options.h"
#include "host/cli/checked.h"
#include "host/cli/cmds.h"
#include "host/cli/origin.h"
#include "host/cli/packages.h"
#include "sdk/base/strbuf.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

struct arguments {
  struct adapter_options adapters;
  struct identity_files identity; /* of `show`, for one on another machine */
  const char *id;                 /* of `show` */
  bool takes_id;
  bool json;
};

static const struct argp_option option_table[] = {
    {"output", 'o', "FORMAT", 0, "text or json", 0},
    {0},
};

static bool is_remote(const char *id) {
  return strncmp(id, REMOTE_PREFIX, strlen(REMOTE_PREFIX)) == 0;
}

static void check_show(const struct argp_state *state, const struct arguments *arguments) {
  if (!arguments->id)
    argp_error(state, "which adapter? `trammel adapter list` shows them");
  else
    identity_options_check(state, &arguments->identity, is_remote(arguments->id));
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->adapters;
    if (arguments->takes_id)
      state->child_inputs[1] = &arguments->identity;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    if (!arguments->takes_id || arguments->id)
      argp_error(state, "unexpected argument '%s'", argument);
    arguments->id = argument;
    return 0;
  case ARGP_KEY_END:
    if (arguments->takes_id)
      check_show(state, arguments);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child list_children[] = {{&adapter_options_argp, 0, NULL, 0}, {0}};
static const struct argp_child show_children[] = {
    {&adapter_options_argp, 0, NULL, 0}, {&identity_options_argp, 0, NULL, 0}, {0}};

const struct argp cmd_adapter_list_argp = {
    .options = option_table,
    .children = list_children,
    .parser = parse,
    .doc = "Lists the adapters there are, who signed those that were installed, and why some of them are refused.",
};
const struct argp cmd_adapter_show_argp = {
    .options = option_table,
    .children = show_children,
    .parser = parse,
    .args_doc = "ADAPTER",
    .doc = "Shows what an adapter says of itself: the mesh, the SMI versions, its configuration and what it may do. "
           "ADAPTER is an id, a mesh, or " REMOTE_PREFIX "HOST:PORT.",
};

static const char *support_name(Trammel__Adapter__V1__Support support) {
  switch (support) {
  case TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE:
    return "native";
  case TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_TRANSLATED:
    return "translated";
  default:
    return "unsupported";
  }
}

static const char *placement_text(const struct adapter_entry *entry) {
  return entry->remote     ? "on another machine"
         : entry->confined ? "in a confined process of its own"
                           : "in the host's process";
}

/* ---- where installed ones are from */

/* Without a home nothing is installed. */
static int read_origins(struct origins *ret_origins, struct error **err) {
  _cleanup_free_ char *data = NULL;
  _cleanup_error_ struct error *unknown = NULL;
  int r = packages_directory(&data, err);
  if (r < 0 || !data)
    return r;
  r = origins_open(data, ret_origins, &unknown);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "%s", error_message(unknown));
  if (r < 0)
    fprintf(stderr, "trammel: warning: who signed what is installed is not known: %s\n", error_message(unknown));
  return 0;
}

/* Who signed it and where it is from, and what is wrong with the signature: null for what was not installed. */
static json_t *origin_json(const struct origins *origins, const struct adapter_entry *entry) {
  const struct installed_adapter *adapter = origins_find(origins, entry->path);
  _cleanup_error_ struct error *wrong = NULL;
  if (!adapter)
    return json_null();
  (void)origins_check_signature(origins, adapter, &wrong);
  json_t *json = origins_json(origins, adapter);
  (void)json_object_set_new(json, "problem", packages_text(wrong ? error_message(wrong) : NULL));
  return json;
}

/* The same as a line, after `before`; nothing for what was not installed. */
static void origin_text(const struct origins *origins, const struct adapter_entry *entry, const char *before,
                        struct strbuf *out) {
  const struct installed_adapter *adapter = origins_find(origins, entry->path);
  _cleanup_error_ struct error *wrong = NULL;
  if (!adapter)
    return;
  strbuf_puts(out, before);
  origins_describe(origins, adapter, out);
  /* That the key is not trusted is said already. */
  if (origins_check_signature(origins, adapter, &wrong) < 0 && error_code(wrong) != ENOKEY)
    strbuf_printf(out, "; NOT GOOD: %s", error_message(wrong));
  strbuf_puts(out, "\n");
}

/* ---- list */

static json_t *entry_to_json(const struct adapter_entry *entry, const struct origins *origins) {
  const describe_response *d = entry->description;
  json_auto_t *report = checked_adapter(entry, origins);
  return json_pack("{s:o, s:s?, s:s?, s:b, s:o, s:s, s:s, s:o, s:o, s:o}", "id", packages_text(entry->id), "version",
                   d ? d->adapter_version : NULL, "mesh", d ? d->mesh_type : NULL, "usable", entry->usable, "path",
                   packages_text(entry->path), "digest", entry->digest, "placement", adapter_placement_name(entry),
                   "refusal", packages_text(entry->refusal), "installed", origin_json(origins, entry), "checked",
                   kept_summary_json(report));
}

static int list_json(const struct registry *registry, const struct origins *origins) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < registry_count(registry); i++)
    failed |= json_array_append_new(list, entry_to_json(registry_at(registry, i), origins));
  return failed ? (json_decref(list), EXIT_INTERNAL) : packages_print_json(list);
}

static size_t wider(size_t width, const char *text) {
  return strlen(text) > width ? strlen(text) : width;
}

/* Adapters that are refused, and those that came with Trammel, are not there to be checked. */
static void list_checked(const struct adapter_entry *entry, const struct origins *origins, struct strbuf *out) {
  json_auto_t *report = checked_adapter(entry, origins);
  if (!report && (!entry->usable || !entry->confined))
    return;
  strbuf_puts(out, report ? "    checked: " : "    ");
  kept_summary(report, out);
  strbuf_putc(out, '\n');
}

static int list_text(const struct registry *registry, const struct origins *origins) {
  size_t id = strlen("ID"), version = strlen("VERSION"), mesh = strlen("MESH");
  for (size_t i = 0; i < registry_count(registry); i++) {
    const struct adapter_entry *entry = registry_at(registry, i);
    id = wider(id, entry->id);
    version = entry->usable ? wider(version, entry->description->adapter_version) : version;
    mesh = entry->usable ? wider(mesh, entry->description->mesh_type) : mesh;
  }
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  strbuf_printf(&out, "%-*s  %-*s  %-*s  %-7s  %s\n", (int)id, "ID", (int)version, "VERSION", (int)mesh, "MESH",
                "STATUS", "PATH");
  for (size_t i = 0; i < registry_count(registry); i++) {
    const struct adapter_entry *entry = registry_at(registry, i);
    const describe_response *d = entry->description;
    strbuf_printf(&out, "%-*s  %-*s  %-*s  %-7s  %s\n", (int)id, entry->id, (int)version, d ? d->adapter_version : "-",
                  (int)mesh, d ? d->mesh_type : "-", entry->usable ? "ok" : "refused", entry->path);
    if (entry->refusal)
      strbuf_printf(&out, "    %s\n", entry->refusal);
    origin_text(origins, entry, "    ", &out);
    list_checked(entry, origins, &out);
  }
  return packages_print(&out);
}

int cmd_adapter_list(int argc, char **argv) {
  struct arguments arguments = {.adapters.lists_refused = true};
  command_parse(&cmd_adapter_list_argp, argc, argv, &arguments);
  _cleanup_error_ struct error *err = NULL;
  _cleanup_origins_ struct origins origins = {0};
  struct registry *registry = NULL;
  int code = EXIT_USAGE;
  if (adapter_options_scan(&arguments.adapters, &registry, &err) < 0 || read_origins(&origins, &err) < 0)
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
  else
    code = arguments.json ? list_json(registry, &origins) : list_text(registry, &origins);
  registry_destroy(registry);
  adapter_options_finish(&arguments.adapters);
  return code;
}

/* ---- show */

static json_t *texts_to_json(char *const *texts, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, json_string(texts[i]));
  return list;
}

static json_t *schema_of(ProtobufCBinaryData text) {
  json_t *schema = text.len ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
  return schema ? schema : json_null();
}

static json_t *endpoints_to_json(const describe_response *d) {
  json_t *list = json_array();
  for (size_t i = 0; i < d->n_endpoints; i++) {
    const Trammel__Adapter__V1__Endpoint *e = d->endpoints[i];
    json_t *permissions = json_array();
    for (size_t j = 0; j < e->n_permissions; j++)
      (void)json_array_append_new(permissions, json_pack("{s:s, s:s}", "method", e->permissions[j]->method,
                                                         "pathPrefix", e->permissions[j]->path_prefix));
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s, s:o}", "name", e->name, "purpose", e->purpose, "permissions", permissions));
  }
  return list;
}

static json_t *programs_to_json(const describe_response *d) {
  json_t *list = json_array();
  for (size_t i = 0; i < d->n_programs; i++)
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s}", "name", d->programs[i]->name, "purpose", d->programs[i]->purpose));
  return list;
}

static json_t *kinds_to_json(const describe_response *d) {
  json_t *list = json_array();
  for (size_t i = 0; i < d->n_kubernetes_kinds; i++)
    (void)json_array_append_new(list, json_pack("{s:s, s:s}", "apiVersion", d->kubernetes_kinds[i]->api_version, "kind",
                                                d->kubernetes_kinds[i]->kind));
  return list;
}

static json_t *smi_to_json(const describe_response *d) {
  json_t *list = json_array();
  for (size_t i = 0; i < d->n_smi; i++)
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "group", d->smi[i]->group, "version",
                                                d->smi[i]->version, "support", support_name(d->smi[i]->support),
                                                "limits", texts_to_json(d->smi[i]->limits, d->smi[i]->n_limits)));
  return list;
}

static json_t *operations_to_json(const describe_response *d) {
  json_t *list = json_array();
  for (size_t i = 0; i < d->n_operations; i++)
    (void)json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", d->operations[i]->name, "summary",
                                                d->operations[i]->summary, "argumentSchema",
                                                schema_of(d->operations[i]->argument_schema)));
  return list;
}

static int show_json(const struct adapter_entry *entry, const struct origins *origins) {
  const describe_response *d = entry->description;
  json_auto_t *report = checked_adapter(entry, origins);
  return packages_print_json(json_pack(
      "{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
      entry->id, "version", d->adapter_version, "mesh", d->mesh_type, "meshName", d->mesh_name, "summary", d->summary,
      "path", packages_text(entry->path), "digest", entry->digest, "placement", adapter_placement_name(entry),
      "installed", origin_json(origins, entry), "embedded", d->embedded, "reentrant", d->reentrant, "meshVersions",
      texts_to_json(d->mesh_versions, d->n_mesh_versions), "methods", texts_to_json(d->methods, d->n_methods), "smi",
      smi_to_json(d), "endpoints", endpoints_to_json(d), "programs", programs_to_json(d), "kubernetesKinds",
      kinds_to_json(d), "controlDomains", texts_to_json(d->control_domains, d->n_control_domains), "operations",
      operations_to_json(d), "configSchema", schema_of(d->config_schema), "checked", kept_summary_json(report)));
}

static void join(struct strbuf *out, const char *label, char *const *texts, size_t count) {
  strbuf_printf(out, "%-15s", label);
  for (size_t i = 0; i < count; i++)
    strbuf_printf(out, "%s%s", i ? ", " : "", texts[i]);
  strbuf_puts(out, count ? "\n" : "-\n");
}

static void show_smi(struct strbuf *out, const describe_response *d) {
  strbuf_puts(out, "\nSMI versions\n");
  for (size_t i = 0; i < d->n_smi; i++) {
    int padding = 18 - (int)(strlen(d->smi[i]->group) + strlen(d->smi[i]->version));
    strbuf_printf(out, "  %s/%s%*s%s\n", d->smi[i]->group, d->smi[i]->version, padding > 1 ? padding : 1, "",
                  support_name(d->smi[i]->support));
    for (size_t j = 0; j < d->smi[i]->n_limits; j++)
      strbuf_printf(out, "      %s\n", d->smi[i]->limits[j]);
  }
}

static void show_value(struct strbuf *out, const char *label, const json_t *value) {
  _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  if (text)
    strbuf_printf(out, "      %s: %s\n", label, text);
}

static void show_config(struct strbuf *out, const describe_response *d) {
  json_auto_t *schema =
      d->config_schema.len ? json_loadb((const char *)d->config_schema.data, d->config_schema.len, 0, NULL) : NULL;
  json_t *properties = json_object_get(schema, "properties");
  const json_t *required = json_object_get(schema, "required");
  strbuf_puts(out, json_object_size(properties) ? "\nConfiguration (--set KEY=VALUE)\n" : "\nConfiguration: none\n");
  const char *key;
  const json_t *property;
  json_object_foreach(properties, key, property) {
    const char *type = json_string_value(json_object_get(property, "type"));
    bool needed = false;
    for (size_t i = 0; i < json_array_size(required); i++)
      needed |= strcmp(json_string_value(json_array_get(required, i)), key) == 0;
    strbuf_printf(out, "  %s (%s%s)\n", key, type ? type : "any", needed ? ", required" : "");
    const char *description = json_string_value(json_object_get(property, "description"));
    if (description)
      strbuf_printf(out, "      %s\n", description);
    show_value(out, "default", json_object_get(property, "default"));
    show_value(out, "one of", json_object_get(property, "enum"));
    show_value(out, "each one of", json_object_get(json_object_get(property, "items"), "enum"));
  }
}

static void show_endpoints(struct strbuf *out, const describe_response *d) {
  strbuf_puts(out, d->n_endpoints ? "\nEndpoints it may send requests to\n" : "\nEndpoints: none\n");
  for (size_t i = 0; i < d->n_endpoints; i++) {
    const Trammel__Adapter__V1__Endpoint *e = d->endpoints[i];
    strbuf_printf(out, "  %s: %s\n", e->name, e->purpose);
    for (size_t j = 0; j < e->n_permissions; j++)
      strbuf_printf(out, "      %s %s*\n", e->permissions[j]->method, e->permissions[j]->path_prefix);
  }
  if (d->n_programs)
    strbuf_puts(out, "\nPrograms it may have started\n");
  for (size_t i = 0; i < d->n_programs; i++)
    strbuf_printf(out, "  %s: %s\n", d->programs[i]->name, d->programs[i]->purpose);
  if (d->n_kubernetes_kinds)
    strbuf_puts(out, "\nKubernetes objects it may make\n");
  for (size_t i = 0; i < d->n_kubernetes_kinds; i++)
    strbuf_printf(out, "  %s %s\n", d->kubernetes_kinds[i]->api_version, d->kubernetes_kinds[i]->kind);
  if (d->n_control_domains)
    strbuf_puts(out, "\nDomains whose labels and annotations on these tell the mesh something\n");
  for (size_t i = 0; i < d->n_control_domains; i++)
    strbuf_printf(out, "  %s\n", d->control_domains[i]);
  if (d->n_operations)
    strbuf_puts(out, "\nOperations\n");
  for (size_t i = 0; i < d->n_operations; i++)
    strbuf_printf(out, "  %s: %s\n", d->operations[i]->name, d->operations[i]->summary);
}

static int show_text(const struct adapter_entry *entry, const struct origins *origins) {
  const describe_response *d = entry->description;
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  strbuf_printf(&out, "%s %s: %s\n%s\n\n", entry->id, d->adapter_version, d->mesh_name, d->summary);
  strbuf_printf(&out, "%-15s%s\n%-15s%s\n", "mesh", d->mesh_type, "path", entry->path);
  if (!entry->remote)
    strbuf_printf(&out, "%-15s%s\n", "SHA-256", entry->digest);
  origin_text(origins, entry, "installed      ", &out);
  strbuf_printf(&out, "%-15s%s\n", "runs", placement_text(entry));
  json_auto_t *report = checked_adapter(entry, origins);
  strbuf_printf(&out, "%-15s", "checked");
  kept_summary(report, &out);
  strbuf_putc(&out, '\n');
  strbuf_printf(&out, "%-15s%s\n%-15s%s\n", "own mesh", d->embedded ? "yes" : "no", "reentrant",
                d->reentrant ? "yes" : "no");
  join(&out, "mesh versions", d->mesh_versions, d->n_mesh_versions);
  join(&out, "methods", d->methods, d->n_methods);
  show_smi(&out, d);
  show_config(&out, d);
  show_endpoints(&out, d);
  return packages_print(&out);
}

int cmd_adapter_show(int argc, char **argv) {
  struct arguments arguments = {.takes_id = true};
  command_parse(&cmd_adapter_show_argp, argc, argv, &arguments);
  _cleanup_error_ struct error *err = NULL;
  _cleanup_origins_ struct origins origins = {0};
  struct registry *registry = NULL;
  const struct adapter_entry *entry = NULL;
  if (is_remote(arguments.id))
    (void)remote_find(arguments.id + strlen(REMOTE_PREFIX), &arguments.identity, &registry, &entry, &err);
  else if (adapter_options_scan(&arguments.adapters, &registry, &err) == 0 && read_origins(&origins, &err) == 0)
    entry = registry_find(registry, arguments.id, &err);
  int code;
  if (entry)
    code = arguments.json ? show_json(entry, &origins) : show_text(entry, &origins);
  else
    code =
        error_code(err) == EHOSTUNREACH || (registry && error_code(err) == EINVAL) ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
  if (!entry)
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
  registry_destroy(registry);
  adapter_options_finish(&arguments.adapters);
  return code;
}
