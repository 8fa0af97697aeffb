/* trammel convert: SMI resources in another version, or why not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/smi_inputs.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/convert.h"

struct arguments {
  struct smi_inputs inputs;
  struct smi_target_versions versions;
  bool hub;
  int format;
};
enum { FORMAT_YAML, FORMAT_JSON };

static const struct argp_option option_table[] = {
    {"to", 't', "VERSION", 0,
     "the version to write a group in: access/v1alpha1 to 4, specs/v1alpha1 to 4, split/v1alpha1 to 4; once for each "
     "group; or hub",
     0},
    {"output", 'o', "FORMAT", 0, "yaml or json", 0},
    {0},
};

static void add_version(const struct argp_state *state, struct arguments *arguments, const char *text) {
  struct smi_version version, *slot;

  if (strcmp(text, "hub") == 0) {
    arguments->hub = true;
    return;
  }
  if (smi_version_parse(text, &version) < 0 || version.group == SMI_METRICS) {
    argp_error(state,
               "unknown version '%s'; known: access/v1alpha1 to 4, specs/v1alpha1 to 4, split/v1alpha1 to 4, hub",
               text);
    return;
  }
  slot = version.group == SMI_ACCESS  ? &arguments->versions.access
         : version.group == SMI_SPECS ? &arguments->versions.specs
                                      : &arguments->versions.split;
  if (slot->alpha != 0 && slot->alpha != version.alpha)
    argp_error(state, "--to names two versions of %s", smi_group_name(version.group));
  *slot = version;
}

static void check_versions(const struct argp_state *state, const struct arguments *arguments) {
  const struct smi_target_versions *versions = &arguments->versions;
  bool any = versions->access.alpha || versions->specs.alpha || versions->split.alpha;

  if (!any && !arguments->hub)
    argp_error(state, "say which version to convert to: --to split/v1alpha2, for example, or --to hub");
  if (any && arguments->hub)
    argp_error(state, "--to hub is for all groups: leave the other versions out");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  static const char *const formats[] = {"yaml", "json", NULL};
  struct arguments *arguments = state->input;

  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->inputs;
    return 0;
  case 't':
    add_version(state, arguments, argument);
    return 0;
  case 'o':
    arguments->format = command_format(state, argument, formats);
    return 0;
  case ARGP_KEY_END:
    check_versions(state, arguments);
    return ARGP_ERR_UNKNOWN;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&smi_inputs_argp, 0, NULL, 0}, {0}};
const struct argp cmd_convert_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc =
        "Writes SMI resources in other versions, on standard output. What a version cannot say is refused, never left "
        "out.\v"
        "A group that --to does not name is written in its hub version (access v1alpha3, specs v1alpha4, split "
        "v1alpha4), except "
        "that specs goes with the access version named, or else with the split version: access v1alpha1 with specs "
        "v1alpha2, "
        "access v1alpha2 with specs v1alpha3, split v1alpha3 with specs v1alpha3, all others with v1alpha4. "
        "Resources of other kinds are passed over.\n\n"
        "Exits 0 when everything was written, 1 when something was refused (nothing is written then), 2 when the input "
        "cannot be read or has errors.",
};

static void pair_specs(struct arguments *arguments) {
  struct smi_target_versions *versions = &arguments->versions;

  if (arguments->hub || versions->specs.alpha)
    return;
  if (versions->access.alpha)
    versions->specs = smi_paired_specs(versions->access);
  else if (versions->split.alpha)
    versions->specs = smi_paired_specs(versions->split);
}

static int format_yaml(const json_t *resources, struct strbuf *text) {
  size_t i;
  json_t *resource;
  int r = 0;

  json_array_foreach((json_t *)resources, i, resource) {
    strbuf_puts(text, "---\n");
    if (r == 0)
      r = yaml_write(resource, text);
  }
  return r;
}

static int format_json(json_t *resources, struct strbuf *text) {
  json_t *list = json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", resources);
  int r = list ? json_write(list, text) : -ENOMEM;

  json_decref(list);
  return r;
}

/* All or nothing reaches standard output. */
static int print(const struct arguments *arguments, json_t *resources) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = arguments->format == FORMAT_JSON ? format_json(resources, &text) : format_yaml(resources, &text);

  if (r < 0 || strbuf_failed(&text)) {
    fprintf(stderr, "trammel: out of memory\n");
    return EXIT_INTERNAL;
  }
  if (fputs(strbuf_text(&text), stdout) == EOF || fflush(stdout) != 0) {
    fprintf(stderr, "trammel: cannot write the result\n");
    return EXIT_INTERNAL;
  }
  return EXIT_ALL_PASSED;
}

static int convert(const struct arguments *arguments, const struct smi_input *input) {
  json_t *resources = NULL;
  int r, code;

  if (input->unreadable || diagnostics_have_error(input->diagnostics) || input->resources == 0) {
    diagnostics_print(input->diagnostics, stderr);
    return EXIT_USAGE;
  }
  r = smi_convert(&input->set, &arguments->versions, input->diagnostics, &resources);
  diagnostics_print(input->diagnostics, stderr);
  if (r == -ENOTSUP)
    return EXIT_SOMETHING_FAILED;
  if (r < 0) {
    fprintf(stderr, "trammel: out of memory\n");
    return EXIT_INTERNAL;
  }
  code = print(arguments, resources);
  json_decref(resources);
  return code;
}

int cmd_convert(int argc, char **argv) {
  struct arguments arguments = {0};
  struct smi_input input = {0};
  int code = EXIT_INTERNAL;

  command_parse(&cmd_convert_argp, argc, argv, &arguments);
  pair_specs(&arguments);
  if (smi_inputs_read(&arguments.inputs, &input) == 0)
    code = convert(&arguments, &input);
  else
    fprintf(stderr, "trammel: out of memory\n");
  smi_input_finish(&input);
  smi_inputs_finish(&arguments.inputs);
  return code;
}
