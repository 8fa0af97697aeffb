#include "host/cli/inventory_input.h"

#include <errno.h>

#include "host/cli/command.h"

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

int inventory_input_read_smi(const struct inventory_input *options, const struct smi_inputs *paths, const char *file,
                             struct smi_input *input, struct inventory_found *ret_found) {
  struct smi_input_reading reading = {.ignore_other_kinds = true, .documents_go = true};
  if (file) {
    const struct smi_inputs own = {.paths = &file, .count = 1, .ns = paths->ns};
    int r = smi_inputs_load(paths, &reading, input);
    return r < 0 ? r : inventory_input_read(options, &own, input, ret_found);
  }
  struct inventory_reader *reader = create(options, paths, false, input);
  reading.document = read_document;
  reading.ctx = reader;
  int r = reader ? smi_inputs_load(paths, &reading, input) : -ENOMEM;
  if (r == 0)
    r = inventory_reader_finish(reader, ret_found);
  return r == 0 && input->unreadable ? -EINVAL : r;
}
