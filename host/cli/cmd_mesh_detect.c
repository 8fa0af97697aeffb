/* trammel mesh detect: which meshes are there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/detecting.h"
#include "host/cli/interrupt.h"
#include "host/cli/logging.h"
#include "host/cli/packages.h"
#include "host/cli/text_table.h"

struct arguments {
  struct mesh_options mesh;
  bool json;
};

static const struct argp_option option_table[] = {
    PACKAGES_OPTION_OUTPUT,
    {0},
};

static void check_settings(const struct argp_state *state, const struct mesh_options *mesh) {
  if (!mesh->mesh && !mesh->remote && (mesh->settings.count > 0 || mesh->config_file))
    argp_error(state, "--set and --config are for one adapter: say which with --mesh");
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->mesh;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_END:
    check_settings(state, &arguments->mesh);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {{&mesh_options_argp, 0, NULL, 1}, {0}};
const struct argp cmd_mesh_detect_argp = {
    .options = option_table,
    .parser = parse,
    .children = children,
    .doc = "Asks the adapters which meshes are on the cluster of the kubeconfig, or behind the endpoints that are "
           "given: in which version, whether ready, in which namespace, and what tells that.\v"
           "Without --mesh or --adapter all adapters are asked that can be. An adapter has no other way to the cluster "
           "than the requests it declares (`trammel adapter show`); -o json lists those it sent.\n\n"
           "Exits 0 when a mesh is there and each that is there is ready, 1 when none is there or one is not ready, 2 "
           "for usage, 3 when it could not be found out, or nobody says where to look.",
};

/* ---- what comes out */

static const char *told_by(const struct detected *found) {
  if (found->why)
    return error_message(found->why);
  if (found->standing == DETECTED_READY)
    return found->response->evidence;
  return found->response->detail;
}

static int print_text(const struct detected *found, size_t count) {
  static const char *const head[] = {"MESH", "STATE", "VERSION", "NAMESPACE", "TOLD BY"};
  _cleanup_text_table_ struct text_table table = {.columns = ARRAY_COUNT(head)};
  for (size_t i = 0; i < ARRAY_COUNT(head); i++)
    text_table_add(&table, head[i]);
  for (size_t i = 0; i < count; i++) {
    const Trammel__Adapter__V1__DetectResponse *response = found[i].response;
    text_table_add(&table, found[i].entry->description->mesh_type);
    text_table_add(&table, detected_standing_name(found[i].standing));
    text_table_add(&table, response && *response->mesh_version ? response->mesh_version : "-");
    text_table_add(&table, response && *response->namespace_ ? response->namespace_ : "-");
    text_table_add(&table, told_by(&found[i]));
  }
  return text_table_print(&table, stdout);
}

static json_t *text_or_null(const char *text) {
  return packages_text(text && *text ? text : NULL);
}

static json_t *served_json(const Trammel__Adapter__V1__DetectResponse *response) {
  json_t *list = json_array();
  for (size_t i = 0; response && i < response->n_served; i++)
    (void)json_array_append_new(list, json_sprintf("%s/%s", response->served[i]->group, response->served[i]->version));
  return list;
}

static json_t *found_json(const struct detected *found) {
  const Trammel__Adapter__V1__DetectResponse *response = found->response;
  const Trammel__Adapter__V1__DescribeResponse *d = found->entry->description;
  const char *detail = found->why ? error_message(found->why) : response ? response->detail : NULL;
  return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:O}", "mesh", d->mesh_type, "name", d->mesh_name,
                   "adapter", found->entry->id, "state", detected_standing_name(found->standing), "version",
                   text_or_null(response ? response->mesh_version : NULL), "namespace",
                   text_or_null(response ? response->namespace_ : NULL), "evidence",
                   text_or_null(response ? response->evidence : NULL), "detail", text_or_null(detail), "smi",
                   served_json(response), "requests", found->requests);
}

static int print_json(const struct detected *found, size_t count, const struct detecting_cluster *cluster) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    (void)json_array_append_new(list, found_json(&found[i]));
  return packages_print_json(
      json_pack("{s:s?, s:o}", "server", cluster->cluster ? cluster_server(cluster->cluster) : NULL, "meshes", list));
}

static int exit_code_of(const struct detected *found, size_t count) {
  size_t ready = 0, not_ready = 0, unknown = 0, asked = 0;
  for (size_t i = 0; i < count; i++) {
    ready += found[i].standing == DETECTED_READY;
    not_ready += found[i].standing == DETECTED_NOT_READY;
    unknown += found[i].standing == DETECTED_UNKNOWN;
    asked += found[i].standing != DETECTED_NOT_ASKED;
  }
  if (not_ready > 0)
    return EXIT_SOMETHING_FAILED;
  if (ready > 0)
    return EXIT_ALL_PASSED;
  return unknown > 0 || asked == 0 ? EXIT_COULD_NOT_TEST : EXIT_SOMETHING_FAILED;
}

/* ---- whom to ask */

static bool can_detect(const struct adapter_entry *entry) {
  for (size_t i = 0; entry->usable && i < entry->description->n_methods; i++)
    if (strcmp(entry->description->methods[i], "Detect") == 0)
      return true;
  return false;
}

/* Each --endpoint has to be for one of them. */
static int check_endpoints(const struct mesh_options *mesh, const struct registry *registry, struct error **err) {
  for (size_t i = 0; i < mesh->endpoints.count; i++) {
    bool declared = false;
    for (size_t j = 0; j < registry_count(registry); j++)
      declared |= can_detect(registry_at(registry, j)) &&
                  mesh_options_declares(registry_at(registry, j), mesh->endpoints.items[i]);
    if (!declared)
      return error_set(err, ENOENT, "no adapter that detects its mesh has the endpoint '%.*s'",
                       (int)strcspn(mesh->endpoints.items[i], "="), mesh->endpoints.items[i]);
  }
  return 0;
}

/* The adapters to ask. `*ret_entries` is a heap array. */
static int choose(const struct mesh_options *mesh, struct registry **ret_registry,
                  const struct adapter_entry ***ret_entries, size_t *ret_count, struct error **err) {
  const bool one = mesh->mesh || mesh->remote;
  const struct adapter_entry *entry = NULL;
  size_t count = 0;
  int r = one ? mesh_options_find(mesh, ret_registry, &entry, err)
              : adapter_options_scan(&mesh->adapters, ret_registry, err);
  if (r == 0)
    r = one ? mesh_options_check_endpoints(mesh, entry, err) : check_endpoints(mesh, *ret_registry, err);
  if (r == 0 && one && !can_detect(entry))
    r = error_set(err, EINVAL, "adapter %s cannot tell whether its mesh is there", entry->id);
  const struct adapter_entry **entries = r == 0 ? calloc(registry_count(*ret_registry) + 1, sizeof(*entries)) : NULL;
  if (r == 0 && !entries)
    r = error_set(err, ENOMEM, "out of memory for adapters");
  for (size_t i = 0; r == 0 && i < registry_count(*ret_registry); i++)
    if (one ? registry_at(*ret_registry, i) == entry : can_detect(registry_at(*ret_registry, i)))
      entries[count++] = registry_at(*ret_registry, i);
  *ret_entries = entries;
  *ret_count = count;
  return r;
}

static int exit_code_of_error(int r) {
  return r == -ENOMEM ? EXIT_INTERNAL : r == -EHOSTUNREACH || r == -ECANCELED ? EXIT_COULD_NOT_TEST : EXIT_USAGE;
}

static int print(const struct arguments *arguments, const struct detected *found, size_t count,
                 const struct detecting_cluster *cluster) {
  int failed = arguments->json ? print_json(found, count, cluster) : print_text(found, count);
  if (failed || fflush(stdout) != 0 || ferror(stdout))
    return EXIT_INTERNAL;
  return interrupt_came() ? EXIT_COULD_NOT_TEST : exit_code_of(found, count);
}

static int detect(const struct arguments *arguments, const struct adapter_entry *const *entries, size_t count,
                  struct error **err) {
  struct detecting_cluster cluster = {0};
  _cleanup_free_ struct detected *found = calloc(count + 1, sizeof(*found));
  size_t done = 0;
  int r = found ? detecting_cluster_open(&arguments->mesh, interrupt_flag(), &cluster, err)
                : error_set(err, ENOMEM, "out of memory for adapters");
  while (r == 0 && done < count) {
    r = detecting_ask(&arguments->mesh, &cluster, entries[done], interrupt_flag(), &found[done], err);
    done += r == 0;
  }
  int code = r == 0 ? print(arguments, found, count, &cluster) : exit_code_of_error(r);
  for (size_t i = 0; i < done; i++)
    detected_finish(&found[i]);
  detecting_cluster_finish(&cluster);
  return code;
}

int cmd_mesh_detect(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ const struct adapter_entry **entries = NULL;
  struct registry *registry = NULL;
  size_t count = 0;
  command_parse(&cmd_mesh_detect_argp, argc, argv, &arguments);
  logging_start(false);
  interrupt_catch();
  int r = choose(&arguments.mesh, &registry, &entries, &count, &err);
  int code = r == 0 ? detect(&arguments, entries, count, &err) : exit_code_of_error(r);
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  registry_destroy(registry);
  mesh_options_finish(&arguments.mesh);
  return code;
}
