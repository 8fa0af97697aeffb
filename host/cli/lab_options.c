#include "host/cli/lab_options.h"

#include <string.h>

enum { KEY_LAB = 0x900, KEY_IMAGE };

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "Lab:", 2},
    {"lab", KEY_LAB, "KIND", 0, "process: workloads are processes on loopback addresses (default); kubernetes: pods",
     2},
    {"workload-image", KEY_IMAGE, "IMAGE", 0, "container image of trammel-workload (default " LAB_IMAGE_DEFAULT ")", 2},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct lab_options *options = state->input;
  switch (key) {
  case KEY_LAB:
    if (strcmp(argument, "process") != 0 && strcmp(argument, "kubernetes") != 0)
      argp_error(state, "--lab wants process or kubernetes, not '%s'", argument);
    options->kubernetes = strcmp(argument, "kubernetes") == 0;
    break;
  case KEY_IMAGE:
    options->image = argument;
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  options->changed = true;
  return 0;
}

const struct argp lab_options_argp = {.options = option_table, .parser = parse};

Trammel__Adapter__V1__LabKind lab_options_kind(const struct lab_options *options) {
  return options->kubernetes ? TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES
                             : TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_PROCESS;
}
