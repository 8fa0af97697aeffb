#include "host/cli/inventory_input.h"

#include <errno.h>
#include <string.h>

#include "host/cli/command.h"
#include "host/engine/census.h"
#include "host/engine/namespaces.h"

enum { KEY_DEFAULT_PROTOCOL = 0x400 };

static const struct argp_option option_table[] = {
    {"default-protocol", KEY_DEFAULT_PROTOCOL, "PROTOCOL", 0,
     "http or tcp: what a TCP port speaks when neither appProtocol nor its name says it (default: http)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const words[] = {"http", "tcp", NULL};
  struct inventory_input *options = state->input;
  if (key != KEY_DEFAULT_PROTOCOL)
    return ARGP_ERR_UNKNOWN;
  options->default_protocol = command_format(state, argument, words) == 0
                                  ? TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_HTTP
                                  : TRAMMEL__ADAPTER__V1__PROTOCOL__PROTOCOL_TCP;
  return 0;
}

const struct argp inventory_input_argp = {.options = option_table, .parser = parse};

static int read_document(void *ctx, const struct node *root) {
  return inventory_reader_document(ctx, root);
}

static struct inventory_reader *create(const struct inventory_input *options, const struct smi_inputs *paths, bool only,
                                       const struct smi_input *input) {
  const struct inventory_options reading = {
      .default_namespace = paths->ns, .default_protocol = options->default_protocol, .only = only};
  return inventory_reader_create(input->arena, &reading, input->diagnostics);
}

int inventory_input_read(const struct inventory_input *options, const struct smi_inputs *paths, struct smi_input *input,
                         struct inventory_found *ret_found) {
  struct inventory_reader *reader = create(options, paths, true, input);
  const struct smi_input_reading reading = {
      .no_smi = true, .documents_go = true, .document = read_document, .ctx = reader};
  int r = reader ? smi_inputs_load(paths, &reading, input) : -ENOMEM;
  if (r == 0)
    r = inventory_reader_finish(reader, ret_found);
  return r == 0 && input->unreadable ? -EINVAL : r;
}

/* ---- from a cluster */

/* One object, in the input's memory. Its place is its name: there is no file. */
static int read_object(struct inventory_reader *reader, const json_t *object, struct smi_input *input) {
  const json_t *metadata = json_object_get(object, "metadata");
  const char *kind = json_string_value(json_object_get(object, "kind"));
  const char *ns = json_string_value(json_object_get(metadata, "namespace"));
  const char *name = json_string_value(json_object_get(metadata, "name"));
  const char *place = arena_printf(input->arena, "<%s %s/%s>", kind ? kind : "", ns ? ns : "", name ? name : "");
  _cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
  struct document_list list = {0};
  int r = place && text ? document_read(input->arena, place, text, strlen(text), DOCUMENT_JSON,
                                        &document_limits_default, input->diagnostics, &list)
                        : -ENOMEM;
  for (size_t i = 0; r >= 0 && i < list.count; i++)
    r = inventory_reader_document(reader, list.roots[i]);
  return r == -ENOMEM ? r : 0;
}

/* -ENOMEM, or with an error what the cluster said. What is wrong with an object is in the diagnostics. */
static int read_cluster(struct inventory_reader *reader, const struct census *census, struct smi_input *input,
                        struct error **err) {
  json_auto_t *objects = NULL;
  const json_t *object;
  size_t i;
  int r = census_take(census, &objects, err);
  if (r < 0) {
    (void)error_wrap(err, "looking for workloads and services");
    return r;
  }
  json_array_foreach(objects, i, object) {
    r = r == 0 ? read_object(reader, object, input) : r;
  }
  return r;
}

int inventory_input_read_cluster(const struct inventory_input *options, const struct smi_inputs *paths,
                                 struct cluster *cluster, struct smi_input *input, struct inventory_found *ret_found,
                                 struct error **err) {
  const struct census census = {.cluster = cluster, .namespaces = &paths->ns, .namespace_count = paths->ns ? 1 : 0};
  struct inventory_reader *reader = create(options, paths, true, input);
  int r = reader ? read_cluster(reader, &census, input, err) : -ENOMEM;
  return r < 0 ? r : inventory_reader_finish(reader, ret_found);
}

/* Of the namespaces that the resources are about. */
static int ask_cluster(struct inventory_reader *reader, const struct inventory_origin *origin, struct smi_input *input,
                       struct error **err) {
  struct namespaces namespaces = {0};
  int r = namespaces_add_set(&namespaces, &input->set);
  for (size_t i = 0; r == 0 && i < origin->namespace_count; i++)
    r = namespaces_add(&namespaces, origin->namespaces[i]);
  const struct census census = {
      .cluster = origin->cluster, .namespaces = namespaces.names, .namespace_count = namespaces.count};
  if (r == 0 && namespaces.count > 0)
    r = read_cluster(reader, &census, input, err);
  namespaces_finish(&namespaces);
  return r;
}

/* ---- with resources of SMI */

/* Notes whether any document was of use. */
struct files {
  struct inventory_reader *reader;
  bool found;
};

static int read_file_document(void *ctx, const struct node *root) {
  struct files *files = ctx;
  int r = inventory_reader_document(files->reader, root);
  files->found = files->found || r != 0;
  return r;
}

int inventory_input_read_smi(const struct inventory_input *options, const struct smi_inputs *paths,
                             const struct inventory_origin *origin, struct smi_input *input,
                             struct inventory_found *ret_found, struct error **err) {
  struct smi_input_reading reading = {.ignore_other_kinds = true, .distinct = true, .documents_go = true};
  if (origin->file) {
    const struct smi_inputs own = {.paths = (const char **)&origin->file, .count = 1, .ns = paths->ns};
    int r = smi_inputs_load(paths, &reading, input);
    return r < 0 ? r : inventory_input_read(options, &own, input, ret_found);
  }
  struct files files = {.reader = create(options, paths, false, input)};
  reading.document = read_file_document;
  reading.ctx = &files;
  int r = files.reader ? smi_inputs_load(paths, &reading, input) : -ENOMEM;
  if (r == 0 && !files.found && origin->cluster)
    r = ask_cluster(files.reader, origin, input, err);
  if (r == 0)
    r = inventory_reader_finish(files.reader, ret_found);
  return r == 0 && input->unreadable ? -EINVAL : r;
}
