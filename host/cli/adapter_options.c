#include "host/cli/adapter_options.h"

#include <errno.h>
#include <stdio.h>

#include "host/cli/command.h"
#include "host/cli/packages.h"
#include "host/package/installed.h"

enum { KEY_ADAPTER_DIR = 0x900, KEY_PLACEMENT, KEY_ALLOW_UNCONFINED };

static const struct argp_option placement_option_table[] = {
    {"placement", KEY_PLACEMENT, "WHERE", 0,
     "where adapters run: in-process, or child, a confined process of their own (default: in-process for those that "
     "came with Trammel, child for all others)",
     1},
    {"allow-unconfined", KEY_ALLOW_UNCONFINED, NULL, 0,
     "take other adapters also where the kernel lacks a part of their confinement; `trammel doctor` tells", 1},
    {0},
};

/* In the order of enum registry_placement. */
static const char *const placements[] = {"", "in-process", "child", NULL};

static error_t parse_placement(int key, char *argument, struct argp_state *state) {
  struct registry_options *options = state->input;
  switch (key) {
  case KEY_PLACEMENT:
    options->placement =
        (enum registry_placement)(PLACEMENT_BY_ORIGIN + 1 + (int)command_format(state, argument, placements + 1));
    return 0;
  case KEY_ALLOW_UNCONFINED:
    options->allow_unconfined = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp placement_options_argp = {.options = placement_option_table, .parser = parse_placement};

static const struct argp_option option_table[] = {
    {"adapter-dir", KEY_ADAPTER_DIR, "DIR", 0, "look for adapters here first; may be repeated", 1},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct adapter_options *options = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &options->registry;
    return 0;
  case KEY_ADAPTER_DIR:
    return -list_add(&options->directories, argument);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&placement_options_argp, 0, NULL, 1}, {0}};

const struct argp adapter_options_argp = {.options = option_table, .parser = parse, .children = children};

void adapter_options_finish(struct adapter_options *options) {
  list_finish(&options->directories);
}

const char *adapter_options_placement(const struct adapter_options *options) {
  return options->registry.placement == PLACEMENT_BY_ORIGIN ? NULL : placements[options->registry.placement];
}

/* One whose files are not those of its package any more is refused without a look at them. */
static int add_version(const struct adapter_options *options, const struct installed *installed,
                       const struct installed_adapter *adapter, struct adapter_directories *directories,
                       struct error **err) {
  _cleanup_error_ struct error *wrong = NULL;
  _cleanup_free_ char *path = installed_directory(installed, adapter->id, &adapter->current), *refusal = NULL;
  if (!path)
    return error_set(err, ENOMEM, "out of memory");
  if (installed_verify(installed, adapter->id, &adapter->current, &wrong) == 0)
    return directories_add(directories, path, err);
  if (asprintf(&refusal, "is damaged: %s; install it again", error_message(wrong)) < 0)
    return error_set(err, ENOMEM, "out of memory");
  if (!options->lists_refused)
    fprintf(stderr, "trammel: warning: the installed adapter %s is left out: it %s\n", adapter->id, refusal);
  return directories_add_refused(directories, path, adapter->id, refusal, err);
}

static int add_installed(const struct adapter_options *options, struct adapter_directories *directories,
                         struct error **err) {
  _cleanup_free_ char *data = NULL;
  int r = packages_directory(&data, err);
  if (r < 0 || !data)
    return r;
  _cleanup_installed_ struct installed *installed = NULL;
  _cleanup_error_ struct error *damaged = NULL;
  r = installed_open(data, false, &installed, &damaged);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "%s", error_message(damaged));
  if (r < 0) {
    fprintf(stderr, "trammel: warning: installed adapters are left out: %s\n", error_message(damaged));
    return 0;
  }
  for (size_t i = 0; r == 0 && i < installed_count(installed); i++)
    r = add_version(options, installed, installed_at(installed, i), directories, err);
  return r;
}

int adapter_options_scan(const struct adapter_options *options, struct registry **ret_registry, struct error **err) {
  _cleanup_directories_ struct adapter_directories directories = {0};
  int r = 0;
  for (size_t i = 0; r == 0 && i < options->directories.count; i++)
    r = directories_add(&directories, options->directories.items[i], err);
  if (r == 0)
    r = directories_add_environment(&directories, err);
  if (r == 0)
    r = add_installed(options, &directories, err);
  if (r == 0)
    r = directories_add_bundled(&directories, err);
  return r < 0 ? r : registry_scan(directories.items, &options->registry, ret_registry, err);
}

const char *adapter_placement_name(const struct adapter_entry *entry) {
  return entry->remote ? "remote" : entry->confined ? "child" : "in-process";
}

/* ---- an adapter on another machine */

enum { KEY_CA = 0x980, KEY_CERT, KEY_KEY };

static const struct argp_option identity_option_table[] = {
    {"adapter-ca", KEY_CA, "FILE", 0, "the authority that signed the certificate of a remote adapter, in PEM", 2},
    {"adapter-cert", KEY_CERT, "FILE", 0, "the certificate to show to a remote adapter, in PEM", 2},
    {"adapter-key", KEY_KEY, "FILE", 0, "its private key, in PEM, without a pass phrase", 2},
    {0},
};

static error_t parse_identity(int key, char *argument, struct argp_state *state) {
  struct identity_files *files = state->input;
  switch (key) {
  case KEY_CA:
    files->ca = argument;
    return 0;
  case KEY_CERT:
    files->certificate = argument;
    return 0;
  case KEY_KEY:
    files->key = argument;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp identity_options_argp = {.options = identity_option_table, .parser = parse_identity};

void identity_options_check(const struct argp_state *state, const struct identity_files *files, bool remote) {
  if (remote && (!files->ca || !files->certificate || !files->key))
    argp_error(state, "a remote adapter needs --adapter-ca, --adapter-cert and --adapter-key");
  if (!remote && (files->ca || files->certificate || files->key))
    argp_error(state, "--adapter-ca, --adapter-cert and --adapter-key are for an adapter that is remote:HOST:PORT");
}
