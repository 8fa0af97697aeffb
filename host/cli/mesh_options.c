#include "host/cli/mesh_options.h"

#include <errno.h>
#include <string.h>

#include "host/adapter/remote.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"
#include "sdk/base/strbuf.h"

#define CONFIG_FILE_MAX (1u << 20)

enum { KEY_MESH = 'm', KEY_SET = 's', KEY_CONFIG = 'c', KEY_ENDPOINT = 0x200, KEY_ADAPTER, KEY_TOKEN, KEY_PROGRAM };

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "Mesh:", 1},
    {"mesh", KEY_MESH, "NAME", 0, "the mesh or adapter to use (default: the adapter that brings its own mesh)", 1},
    {"endpoint", KEY_ENDPOINT, "NAME=URL", 0,
     "use the mesh that is there, whose endpoint NAME is at URL, and install none; may be repeated", 1},
    {"endpoint-token-file", KEY_TOKEN, "NAME=FILE", 0,
     "send the token in FILE to endpoint NAME, which never shows it to the adapter; may be repeated", 1},
    {"program", KEY_PROGRAM, "NAME=PATH", 0,
     "the program NAME, which the adapter has started beside workloads, is PATH; may be repeated", 1},
    {0},
};

static const struct argp_option adapter_table[] = {
    {"set", KEY_SET, "KEY=VALUE", 0, "set a key of the adapter's configuration; `trammel adapter show NAME` lists them",
     1},
    {"config", KEY_CONFIG, "FILE", 0, "read the adapter's configuration from a YAML or JSON file; --set goes on top",
     1},
    {"adapter", KEY_ADAPTER, REMOTE_PREFIX "HOST:PORT", 0, "use the adapter that is served there, over TLS", 1},
    {0},
};

static void check_endpoint(const struct argp_state *state, const char *text) {
  const char *url = strchr(text, '=');
  if (!url || url == text || (strncmp(url + 1, "http://", 7) != 0 && strncmp(url + 1, "https://", 8) != 0))
    argp_error(state, "--endpoint wants NAME=URL, such as control=http://127.0.0.1:8500, not '%s'", text);
}

static void check_token(const struct argp_state *state, const char *text) {
  const char *file = strchr(text, '=');
  if (!file || file == text || !file[1])
    argp_error(state, "--endpoint-token-file wants NAME=FILE, such as control=token.txt, not '%s'", text);
}

static void check_program(const struct argp_state *state, const char *text) {
  const char *path = strchr(text, '=');
  if (!path || path == text || !path[1])
    argp_error(state, "--program wants NAME=PATH, such as envoy=/usr/bin/envoy, not '%s'", text);
}

static const char *name_option(const struct mesh_options *options) {
  return options->name_option ? options->name_option : "mesh";
}

static const char *remote_address(const struct argp_state *state, const struct mesh_options *options,
                                  const char *text) {
  if (strncmp(text, REMOTE_PREFIX, strlen(REMOTE_PREFIX)) != 0)
    argp_error(state, "--adapter wants " REMOTE_PREFIX "HOST:PORT, not '%s'; --%s chooses an adapter that is here",
               text, name_option(options));
  return text + strlen(REMOTE_PREFIX);
}

static void check_remote(const struct argp_state *state, const struct mesh_options *options) {
  identity_options_check(state, &options->identity, options->remote != NULL);
  if (options->remote && (options->mesh || options->adapters.directories.count > 0))
    argp_error(state, "--adapter chooses the adapter; leave out --%s and --adapter-dir", name_option(options));
}

static error_t parse_adapter(int key, char *argument, struct argp_state *state) {
  struct mesh_options *options = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &options->adapters;
    state->child_inputs[1] = &options->identity;
    return 0;
  case KEY_SET:
    if (!strchr(argument, '=') || argument[0] == '=')
      argp_error(state, "--set wants KEY=VALUE, not '%s'", argument);
    return -list_add(&options->settings, argument);
  case KEY_CONFIG:
    options->config_file = argument;
    return 0;
  case KEY_ADAPTER:
    options->remote = remote_address(state, options, argument);
    return 0;
  case ARGP_KEY_END:
    check_remote(state, options);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct mesh_options *options = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &options->cluster;
    state->child_inputs[1] = options;
    return 0;
  case KEY_MESH:
    options->mesh = argument;
    return 0;
  case KEY_ENDPOINT:
    check_endpoint(state, argument);
    return -list_add(&options->endpoints, argument);
  case KEY_TOKEN:
    check_token(state, argument);
    return -list_add(&options->tokens, argument);
  case KEY_PROGRAM:
    check_program(state, argument);
    return -list_add(&options->programs, argument);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child adapter_children[] = {
    {&adapter_options_argp, 0, NULL, 1}, {&identity_options_argp, 0, NULL, 1}, {0}};
const struct argp adapter_choice_argp = {
    .options = adapter_table, .parser = parse_adapter, .children = adapter_children};
static const struct argp_child children[] = {
    {&cluster_options_argp, 0, NULL, 1}, {&adapter_choice_argp, 0, NULL, 1}, {0}};
const struct argp mesh_options_argp = {.options = option_table, .parser = parse, .children = children};

void mesh_options_finish(struct mesh_options *options) {
  adapter_options_finish(&options->adapters);
  list_finish(&options->settings);
  list_finish(&options->endpoints);
  list_finish(&options->tokens);
  list_finish(&options->programs);
}

int mesh_options_find(const struct mesh_options *options, struct registry **ret_registry,
                      const struct adapter_entry **ret_entry, struct error **err) {
  if (options->remote)
    return remote_find(options->remote, &options->identity, ret_registry, ret_entry, err);
  struct registry *registry = NULL;
  struct adapter_options adapters = options->adapters;
  adapters.registry.id = options->mesh;
  int r = adapter_options_scan(&adapters, &registry, err);
  if (r < 0)
    return r;
  const struct adapter_entry *entry =
      options->mesh ? registry_find(registry, options->mesh, err) : registry_default(registry, err);
  if (!entry) {
    registry_destroy(registry);
    return -ENOENT;
  }
  *ret_registry = registry;
  *ret_entry = entry;
  return 0;
}

/* A configuration file as it was read, to say later where in it something stands. */
struct config_file {
  struct arena *arena;
  const struct node *root;
};

static int config_file_read(const char *path, struct diagnostics *diagnostics, struct config_file *file,
                            struct error **err) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  int r = file_read(path, CONFIG_FILE_MAX, &text, &length, err);
  if (r < 0)
    return r;
  file->arena = arena_create(0);
  if (!file->arena)
    return error_set(err, ENOMEM, "reading %s: no memory", path);
  struct document_list documents;
  r = document_read(file->arena, path, text, length, DOCUMENT_ANY, &document_limits_default, diagnostics, &documents);
  if (r < 0)
    return error_set(err, -r, "%s is no configuration", path);
  if (documents.count != 1 || documents.roots[0]->kind != NODE_MAP)
    return error_set(err, EINVAL, "%s: expected one map of configuration keys", path);
  file->root = documents.roots[0];
  return 0;
}

/* The setting a pointer into the configuration came from; NULL when it was none. */
static const char *setting_at(const struct list *settings, const char *pointer) {
  for (size_t i = settings->count; i-- > 0;) {
    const char *key = settings->items[i];
    size_t length = strcspn(key, "=");
    size_t k = 0;
    while (k < length && pointer[0] == '/' && pointer[k + 1] == (key[k] == '.' ? '/' : key[k]))
      k++;
    if (k == length && (pointer[k + 1] == '\0' || pointer[k + 1] == '/'))
      return key;
  }
  return NULL;
}

/* Checks `config`, and adds to each diagnostic what it is about: the setting, or the place in the file. */
static int validate(const json_t *schema, const json_t *config, const struct list *settings,
                    const struct config_file *file, struct diagnostics *diagnostics) {
  _cleanup_diagnostics_ struct diagnostics *found = diagnostics_create();
  int r = found ? schema_validate(schema, config, NULL, found) : -ENOMEM;
  for (size_t i = 0; i < diagnostics_count(found); i++) {
    struct diagnostic diagnostic = *diagnostics_at(found, i);
    const char *setting = diagnostic.pointer ? setting_at(settings, diagnostic.pointer) : NULL;
    const struct node *node = diagnostic.pointer ? node_at(file->root, diagnostic.pointer) : NULL;
    if (setting)
      diagnostic.position.file = setting;
    else if (node)
      diagnostic.position = node->position;
    (void)diagnostics_add(diagnostics, &diagnostic);
  }
  return r;
}

/* Puts `value` (its reference is taken) under a dotted key, making the objects on the way. */
static int set_dotted(json_t *object, const char *key, json_t *value) {
  _cleanup_free_ char *path = strdup(key);
  if (!path) {
    json_decref(value);
    return -ENOMEM;
  }
  char *part = path;
  for (char *dot = strchr(part, '.'); dot; part = dot + 1, dot = strchr(part, '.')) {
    *dot = '\0';
    json_t *child = json_object_get(object, part);
    if (!json_is_object(child)) {
      child = json_object();
      if (json_object_set_new(object, part, child) < 0) {
        json_decref(value);
        return -ENOMEM;
      }
    }
    object = child;
  }
  return json_object_set_new(object, part, value) < 0 ? -ENOMEM : 0;
}

static int apply_setting(const json_t *schema, const char *setting, json_t *config, struct error **err) {
  const char *equals = strchr(setting, '=');
  _cleanup_free_ char *key = strndup(setting, (size_t)(equals - setting));
  if (!key)
    return error_set(err, ENOMEM, "--set: no memory");
  json_t *value = NULL;
  int r = schema_parse_value(schema, key, equals + 1, &value, err);
  if (r < 0)
    return error_wrap(err, "--set %s", setting);
  r = set_dotted(config, key, value);
  return r < 0 ? error_set(err, -r, "--set %s: no memory", setting) : 0;
}

/* An adapter without a schema has no configuration. */
static int read_schema(const struct adapter_entry *entry, json_t **ret_schema, struct error **err) {
  const ProtobufCBinaryData *text = &entry->description->config_schema;
  json_error_t wrong = {.text = "out of memory"};
  *ret_schema = text->len ? json_loadb((const char *)text->data, text->len, 0, &wrong)
                          : json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0);
  return *ret_schema ? 0 : error_set(err, EPROTO, "the adapter's configuration schema is no JSON: %s", wrong.text);
}

int mesh_options_config(const struct mesh_options *options, const struct adapter_entry *entry,
                        struct diagnostics *diagnostics, json_t **ret_config, struct error **err) {
  json_t *schema = NULL;
  int r = read_schema(entry, &schema, err);
  if (r < 0)
    return r;
  struct config_file file = {0};
  r = options->config_file ? config_file_read(options->config_file, diagnostics, &file, err) : 0;
  json_t *config = file.root ? node_to_json(file.root) : json_object();
  for (size_t i = 0; r == 0 && i < options->settings.count; i++)
    r = apply_setting(schema, options->settings.items[i], config, err);
  if (r == 0 && validate(schema, config, &options->settings, &file, diagnostics) < 0)
    r = error_set(err, EINVAL, "the configuration does not fit adapter %s", entry->id);
  arena_destroy(file.arena);
  json_decref(schema);
  if (r < 0) {
    json_decref(config);
    return r;
  }
  *ret_config = config;
  return 0;
}

static int check_declared(const struct adapter_entry *entry, const char *endpoint, struct error **err) {
  const Trammel__Adapter__V1__DescribeResponse *description = entry->description;
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  size_t length = strcspn(endpoint, "=");
  for (size_t i = 0; i < description->n_endpoints; i++) {
    const char *name = description->endpoints[i]->name;
    if (strlen(name) == length && strncmp(name, endpoint, length) == 0)
      return 0;
    strbuf_printf(&known, "%s%s", i ? ", " : "", name);
  }
  return error_set(err, ENOENT, "adapter %s has no endpoint '%.*s'; it has: %s", entry->id, (int)length, endpoint,
                   description->n_endpoints ? strbuf_text(&known) : "none");
}

/* A token without an --endpoint would be for a mesh that is not there yet. */
static int check_addressed(const struct mesh_options *options, const char *token, struct error **err) {
  size_t length = strcspn(token, "=") + 1; /* with the '=' */
  for (size_t i = 0; i < options->endpoints.count; i++)
    if (strncmp(options->endpoints.items[i], token, length) == 0)
      return 0;
  return error_set(err, EINVAL, "--endpoint-token-file %.*s…: there is no --endpoint of this name", (int)length, token);
}

int mesh_options_check_endpoints(const struct mesh_options *options, const struct adapter_entry *entry,
                                 struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < options->endpoints.count; i++)
    r = check_declared(entry, options->endpoints.items[i], err);
  for (size_t i = 0; r == 0 && i < options->tokens.count; i++)
    r = check_addressed(options, options->tokens.items[i], err);
  return r;
}

static bool is_given(const struct list *list, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < list->count; i++)
    if (strncmp(list->items[i], name, length) == 0 && list->items[i][length] == '=')
      return true;
  return false;
}

static int check_program_declared(const struct adapter_entry *entry, const char *given, struct error **err) {
  const Trammel__Adapter__V1__DescribeResponse *description = entry->description;
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  size_t length = strcspn(given, "=");
  for (size_t i = 0; i < description->n_programs; i++) {
    const char *name = description->programs[i]->name;
    if (strlen(name) == length && strncmp(name, given, length) == 0)
      return 0;
    strbuf_printf(&known, "%s%s", i ? ", " : "", name);
  }
  return error_set(err, ENOENT, "adapter %s has no program '%.*s' started; it has: %s", entry->id, (int)length, given,
                   description->n_programs ? strbuf_text(&known) : "none");
}

int mesh_options_check_programs(const struct mesh_options *options, const struct adapter_entry *entry, bool all,
                                struct error **err) {
  const Trammel__Adapter__V1__DescribeResponse *description = entry->description;
  int r = 0;
  for (size_t i = 0; r == 0 && i < options->programs.count; i++)
    r = check_program_declared(entry, options->programs.items[i], err);
  for (size_t i = 0; r == 0 && all && i < description->n_programs; i++)
    if (!is_given(&options->programs, description->programs[i]->name))
      r = error_set(err, EINVAL, "adapter %s needs the program %s (%s): say where it is with --program %s=PATH",
                    entry->id, description->programs[i]->name, description->programs[i]->purpose,
                    description->programs[i]->name);
  return r;
}

bool mesh_options_declares(const struct adapter_entry *entry, const char *endpoint) {
  return check_declared(entry, endpoint, NULL) == 0;
}

/* `set` for each NAME=VALUE, whose '=' is there; with `declared` only for endpoints of the engine's adapter. */
static int set_each(const struct list *list, struct engine *engine, bool declared,
                    int (*set)(struct engine *, const char *, const char *, struct error **), struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < list->count; i++) {
    const char *value = strchr(list->items[i], '=') + 1;
    if (declared && !mesh_options_declares(instance_entry(engine_instance(engine)), list->items[i]))
      continue;
    _cleanup_free_ char *name = strndup(list->items[i], (size_t)(value - 1 - list->items[i]));
    r = name ? set(engine, name, value, err) : error_set(err, ENOMEM, "out of memory for an endpoint");
  }
  return r;
}

int mesh_options_endpoints(const struct mesh_options *options, struct engine *engine, struct error **err) {
  int r = set_each(&options->endpoints, engine, true, engine_set_endpoint, err);
  return r < 0 ? r : set_each(&options->tokens, engine, true, engine_set_endpoint_token, err);
}

int mesh_options_address(const struct mesh_options *options, struct engine *engine, struct error **err) {
  int r = cluster_options_given(&options->cluster) ? engine_set_cluster(engine, &options->cluster, err) : 0;
  if (r == 0)
    r = mesh_options_endpoints(options, engine, err);
  return r < 0 ? r : set_each(&options->programs, engine, false, engine_set_program, err);
}
