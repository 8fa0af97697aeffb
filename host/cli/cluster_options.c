#include "host/cli/cluster_options.h"

enum { KEY_KUBECONFIG = 0x600, KEY_CONTEXT };

static const struct argp_option option_table[] = {
    {"kubeconfig", KEY_KUBECONFIG, "FILE", 0,
     "use the Kubernetes cluster of this kubeconfig (with --context alone: of $KUBECONFIG, ~/.kube/config or the pod)",
     0},
    {"context", KEY_CONTEXT, "NAME", 0, "the context of the kubeconfig (default: its current-context)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct cluster_options *options = state->input;
  switch (key) {
  case KEY_KUBECONFIG:
    options->kubeconfig = argument;
    return 0;
  case KEY_CONTEXT:
    options->context = argument;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cluster_options_argp = {.options = option_table, .parser = parse};

bool cluster_options_given(const struct cluster_options *options) {
  return options->kubeconfig || options->context;
}
