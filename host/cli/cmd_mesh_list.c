/* trammel mesh list: the meshes that there are adapters for. */
#include <stdio.h>

#include "host/cli/adapter_options.h"
#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/text_table.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

struct arguments {
  struct adapter_options adapters;
  bool json;
};

static const struct argp_option option_table[] = {
    PACKAGES_OPTION_OUTPUT,
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->adapters;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&adapter_options_argp, 0, "Adapters:", 1}, {0}};
const struct argp cmd_mesh_list_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc = "Lists the meshes that there are adapters for: which versions of them, where the adapter runs, and what it "
           "can do.\v"
           "What it can do: translate SMI resources (translate, apply, diff), detect the mesh, enroll workloads, plan "
           "its installation, read its metrics, and invoke operations of its own. `trammel adapter show` tells more of "
           "one, and `trammel adapter list` why an adapter is refused.\n\n"
           "Exits 0; 2 when a folder of adapters cannot be read.",
};

static void join(struct strbuf *out, char *const *texts, size_t count) {
  for (size_t i = 0; i < count; i++)
    strbuf_printf(out, "%s%s", i ? ", " : "", texts[i]);
}

/* "Translate, Detect" as "translate, detect". */
static void abilities(struct strbuf *out, const describe_response *d) {
  join(out, d->methods, d->n_methods);
  for (size_t i = 0; i < out->length; i++)
    if (out->data[i] >= 'A' && out->data[i] <= 'Z')
      out->data[i] = (char)(out->data[i] - 'A' + 'a');
}

static void add_row(struct text_table *table, const struct adapter_entry *entry) {
  const describe_response *d = entry->description;
  _cleanup_strbuf_ struct strbuf adapter = STRBUF_INIT, versions = STRBUF_INIT, can = STRBUF_INIT;
  strbuf_printf(&adapter, "%s %s", entry->id, d->adapter_version);
  join(&versions, d->mesh_versions, d->n_mesh_versions);
  abilities(&can, d);
  table->failed |= strbuf_failed(&adapter) || strbuf_failed(&versions) || strbuf_failed(&can);
  text_table_add(table, d->mesh_type);
  text_table_add(table, strbuf_text(&adapter));
  text_table_add(table, adapter_placement_name(entry));
  text_table_add(table, strbuf_text(&versions));
  text_table_add(table, strbuf_text(&can));
}

static int list_text(const struct registry *registry) {
  static const char *const head[] = {"MESH", "ADAPTER", "PLACEMENT", "VERSIONS OF THE MESH", "CAN"};
  _cleanup_text_table_ struct text_table table = {.columns = ARRAY_COUNT(head)};
  size_t refused = 0;
  for (size_t i = 0; i < ARRAY_COUNT(head); i++)
    text_table_add(&table, head[i]);
  for (size_t i = 0; i < registry_count(registry); i++) {
    const struct adapter_entry *entry = registry_at(registry, i);
    refused += !entry->usable;
    if (entry->usable)
      add_row(&table, entry);
  }
  if (text_table_print(&table, stdout) < 0)
    return EXIT_INTERNAL;
  if (refused > 0)
    fprintf(stderr, "trammel: %zu %s refused; `trammel adapter list` says why\n", refused,
            refused == 1 ? "adapter is" : "adapters are");
  return fflush(stdout) != 0 || ferror(stdout) ? EXIT_INTERNAL : EXIT_ALL_PASSED;
}

static json_t *texts_json(char *const *texts, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, json_string(texts[i]));
  return list;
}

static json_t *entry_json(const struct adapter_entry *entry) {
  const describe_response *d = entry->description;
  return json_pack("{s:s, s:s, s:o, s:{s:s, s:s, s:s, s:o}, s:b, s:o}", "mesh", d->mesh_type, "name", d->mesh_name,
                   "versions", texts_json(d->mesh_versions, d->n_mesh_versions), "adapter", "id", entry->id, "version",
                   d->adapter_version, "placement", adapter_placement_name(entry), "path", packages_text(entry->path),
                   "embedded", d->embedded, "methods", texts_json(d->methods, d->n_methods));
}

static int list_json(const struct registry *registry) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < registry_count(registry); i++)
    if (registry_at(registry, i)->usable)
      failed |= json_array_append_new(list, entry_json(registry_at(registry, i)));
  return failed ? (json_decref(list), EXIT_INTERNAL) : packages_print_json(list);
}

int cmd_mesh_list(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  struct registry *registry = NULL;
  int code = EXIT_USAGE;
  command_parse(&cmd_mesh_list_argp, argc, argv, &arguments);
  if (adapter_options_scan(&arguments.adapters, &registry, &err) == 0)
    code = arguments.json ? list_json(registry) : list_text(registry);
  else
    (void)fprintf(stderr, "trammel: %s\n", error_message(err));
  registry_destroy(registry);
  adapter_options_finish(&arguments.adapters);
  return code;
}
