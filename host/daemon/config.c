#include "host/daemon/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/daemon/connections.h"
#include "sdk/base/fields.h"
#include "sdk/base/strbuf.h"

#define RUNS_DEFAULT 4
#define RUNS_PER_MESH_DEFAULT 1
#define RUNS_AT_ONCE_MAX 32
#define SHUTDOWN_DEFAULT_S 30
#define SHUTDOWN_MAX_S 600
#define KEPT_DEFAULT 256
#define KEPT_MAX 1000000
#define KEPT_DAYS_MAX 36500
#define NAME_BYTES_MAX 64 /* as host/store/store.h has an owner */
#define PATH_BYTES_MAX 4096
#define DIRECTORIES_MAX 64

void config_init(struct config *config) {
  *config = (struct config){.runs = RUNS_DEFAULT,
                            .runs_per_mesh = RUNS_PER_MESH_DEFAULT,
                            .connections = CONNECTIONS_MAX,
                            .kept = KEPT_DEFAULT,
                            .shutdown_seconds = SHUTDOWN_DEFAULT_S};
}

void config_finish(struct config *config) {
  free(config->listen);
  free(config->state_directory);
  free(config->adapters);
  meshery_config_finish(&config->meshery);
  free(config->network.listen);
  free(config->network.certificate);
  free(config->network.key);
  free(config->network.clients);
  free(config->store);
  free(config->store_password);
  free(config->name);
  *config = (struct config){0};
}

static void read_number(struct fields *fields, const struct node *map, const char *key, unsigned least, unsigned most,
                        unsigned *number) {
  const struct node *node = fields_get(fields, map, key, NODE_INTEGER, false);
  if (!node)
    return;
  if (node->integer >= least && node->integer <= most)
    *number = (unsigned)node->integer;
  else
    fields_complain(fields, node, FIELD_VALUE, NULL, "%s is %s, it has to be from %u to %u", key, node->text, least,
                    most);
}

static void read_limits(struct fields *fields, const struct node *limits, struct config *config) {
  static const char *const known[] = {"runs", "runsPerMesh", "connections", "shutdownSeconds", NULL};
  if (!limits || !fields_known(fields, limits, "limits", known))
    return;
  read_number(fields, limits, "runs", 1, RUNS_AT_ONCE_MAX, &config->runs);
  read_number(fields, limits, "runsPerMesh", 1, RUNS_AT_ONCE_MAX, &config->runs_per_mesh);
  read_number(fields, limits, "connections", 1, CONNECTIONS_MAX, &config->connections);
  read_number(fields, limits, "shutdownSeconds", 1, SHUTDOWN_MAX_S, &config->shutdown_seconds);
}

static void read_retention(struct fields *fields, const struct node *retention, struct config *config) {
  static const char *const known[] = {"runs", "days", NULL};
  if (!retention || !fields_known(fields, retention, "retention", known))
    return;
  read_number(fields, retention, "runs", 0, KEPT_MAX, &config->kept);
  read_number(fields, retention, "days", 0, KEPT_DAYS_MAX, &config->kept_days);
}

static void read_text(struct fields *fields, const struct node *root, const char *key, char **text) {
  const char *found = fields_string(fields, root, key, PATH_BYTES_MAX, "");
  if (!found || *found == '\0')
    return;
  free(*text);
  *text = fields_checked(fields, strdup(found));
}

static void read_name(struct fields *fields, const struct node *root, struct config *config) {
  const struct node *node = fields_get(fields, root, "name", NODE_STRING, false);
  if (!node)
    return;
  if (node->length < 1 || node->length > NAME_BYTES_MAX ||
      strspn(node->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != node->length)
    fields_complain(fields, node, FIELD_VALUE, NULL, "name has to be 1 to %d letters, digits, '.', '_' and '-'",
                    NAME_BYTES_MAX);
  else
    read_text(fields, root, "name", &config->name);
}

/* A colon would divide a path. */
static void read_directories(struct fields *fields, const struct node *root, struct config *config) {
  const struct node *list = fields_get(fields, root, "adapterDirectories", NODE_LIST, false);
  size_t count = fields_count(fields, list, "adapterDirectories", DIRECTORIES_MAX);
  _cleanup_strbuf_ struct strbuf joined = STRBUF_INIT;
  for (size_t i = 0; i < count; i++) {
    const struct node *item = list->items[i];
    if (item->kind != NODE_STRING || *item->text != '/' || strchr(item->text, ':') || item->length > PATH_BYTES_MAX)
      fields_complain(fields, item, FIELD_VALUE, NULL, "a directory of adapters is an absolute path without ':'");
    else
      strbuf_printf(&joined, "%s%s", joined.length > 0 ? ":" : "", item->text);
  }
  if (joined.length > 0) {
    free(config->adapters);
    config->adapters = fields_checked(fields, strbuf_steal(&joined));
  }
}

static void read_network(struct fields *fields, const struct node *map, struct network_config *network) {
  static const char *const known[] = {"listen", "certificate", "key", "clientAuthorities", "withoutTls", NULL};
  if (!map || !fields_known(fields, map, "network", known))
    return;
  read_text(fields, map, "listen", &network->listen);
  read_text(fields, map, "certificate", &network->certificate);
  read_text(fields, map, "key", &network->key);
  read_text(fields, map, "clientAuthorities", &network->clients);
  const struct node *without = fields_get(fields, map, "withoutTls", NODE_BOOLEAN, false);
  if (without)
    network->without_tls = without->boolean;
}

static void read_rest(struct fields *fields, const struct node *rest, struct config *config) {
  static const char *const known[] = {"port", "withoutAuthentication", NULL};
  if (!rest || !fields_known(fields, rest, "rest", known))
    return;
  const struct node *open = fields_get(fields, rest, "withoutAuthentication", NODE_BOOLEAN, false);
  config->rest_port = fields_port(fields, rest, "port", 0);
  config->rest_is_open = open && open->boolean;
}

/* What fits with each other. */
static void check_store(struct fields *fields, const struct node *root, const struct config *config) {
  bool is_url = config->store &&
                (strncmp(config->store, "postgres://", 11) == 0 || strncmp(config->store, "postgresql://", 13) == 0);
  if (config->store_password && !is_url)
    fields_complain(fields, root, FIELD_VALUE, NULL, "storePasswordFile wants a store that is postgresql://…");
  if (config->store && !is_url && config->store[0] != '/' && strncmp(config->store, "sqlite:/", 8) != 0)
    fields_complain(
        fields, root, FIELD_VALUE, NULL,
        "store has to be postgresql://…, sqlite: and an absolute path, or the absolute path of a directory");
}

static int read_root(struct fields *fields, const struct node *root, struct config *config) {
  static const char *const known[] = {"listen",    "stateDirectory", "logFormat",         "adapterDirectories",
                                      "limits",    "store",          "storePasswordFile", "name",
                                      "retention", "meshery",        "network",           "rest",
                                      NULL};
  static const char *const formats[] = {"text", "json", NULL};
  if (!fields_known(fields, root, "the configuration", known))
    return fields_status(fields);
  const struct node *format = fields_get(fields, root, "logFormat", NODE_STRING, false);
  if (format)
    config->log_as_json = fields_word(fields, format, "logFormat", formats) == 1;
  read_text(fields, root, "listen", &config->listen);
  read_text(fields, root, "stateDirectory", &config->state_directory);
  read_text(fields, root, "store", &config->store);
  read_text(fields, root, "storePasswordFile", &config->store_password);
  read_name(fields, root, config);
  read_directories(fields, root, config);
  read_network(fields, fields_get(fields, root, "network", NODE_MAP, false), &config->network);
  read_retention(fields, fields_get(fields, root, "retention", NODE_MAP, false), config);
  read_limits(fields, fields_get(fields, root, "limits", NODE_MAP, false), config);
  meshery_config_read(fields, fields_get(fields, root, "meshery", NODE_MAP, false), &config->meshery);
  read_rest(fields, fields_get(fields, root, "rest", NODE_MAP, false), config);
  check_store(fields, root, config);
  return fields_status(fields);
}

static int read_text_of(const char *path, const char *data, size_t length, struct config *config,
                        struct diagnostics *diagnostics) {
  _cleanup_arena_ struct arena *arena = arena_create(4 * CONFIG_BYTES_MAX);
  struct document_list documents = {0};
  if (!arena)
    return -ENOMEM;
  int r = document_read(arena, path, data, length, DOCUMENT_YAML, NULL, diagnostics, &documents);
  struct fields fields = {.prefix = "DAEMON", .arena = arena, .diagnostics = diagnostics};
  if (r < 0 || documents.count == 0)
    return r;
  return documents.count > 1 ? -E2BIG : read_root(&fields, documents.roots[0], config);
}

int config_read(const char *path, struct config *config, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = file_read(path, CONFIG_BYTES_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = read_text_of(path, data, length, config, diagnostics);
  diagnostics_print(diagnostics, stderr);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "no memory");
  return r < 0 ? error_set(err, EINVAL, "the configuration %s cannot be used%s", path,
                           r == -E2BIG ? ": it has to be one YAML document within its limits" : "")
               : 0;
}
