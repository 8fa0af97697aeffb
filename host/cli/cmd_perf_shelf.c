/* trammel perf save, list, show, delete: profiles in their versions, and results, as they are kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/cli/profile_run.h"
#include "host/cli/text_table.h"
#include "host/engine/journal.h"
#include "host/perf/shelf.h"
#include "sdk/base/document.h"

#define KEPT_BYTES_MAX ((size_t)256 << 20)

struct arguments {
  const char *name; /* --name */
  struct list words;
  bool json;
};

static const struct argp_option save_options[] = {
    {"name", 'n', "NAME", 0, "what to save it by (default: the profile's name)", 0},
    {"output", 'o', "FORMAT", 0, "text or json (default: text)", 0},
    {0},
};
static const struct argp_option output_options[] = {PACKAGES_OPTION_OUTPUT, {0}};
static const struct argp_option no_options[] = {{0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case 'n':
    arguments->name = argument;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case ARGP_KEY_ARG:
    return list_add(&arguments->words, argument) < 0 ? ENOMEM : 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_some(int key, char *argument, struct argp_state *state) {
  const struct arguments *arguments = state->input;
  if (key == ARGP_KEY_END && arguments->words.count == 0)
    argp_error(state, "which one? `trammel perf list` shows what is kept");
  return parse(key, argument, state);
}

static error_t parse_one(int key, char *argument, struct argp_state *state) {
  const struct arguments *arguments = state->input;
  if (key == ARGP_KEY_END && arguments->words.count > 1)
    argp_error(state, "one at a time: '%s' is another one", arguments->words.items[1]);
  return parse_some(key, argument, state);
}

static error_t parse_none(int key, char *argument, struct argp_state *state) {
  if (key == ARGP_KEY_ARG)
    argp_error(state, "no word is wanted here, such as '%s'", argument);
  return parse(key, argument, state);
}

static int fail(int r, const struct error *err) {
  fprintf(stderr, "trammel: %s\n", error_message(err));
  return r == -ENOMEM || r == -EIO ? EXIT_INTERNAL : EXIT_USAGE;
}

/* ---- save */

const struct argp cmd_perf_save_argp = {
    .options = save_options,
    .parser = parse_one,
    .args_doc = "PROFILE",
    .doc = "Keeps a profile (a file, - for standard input), so that it can be run by its name.\v"
           "A changed one becomes a new version; older ones stay, as NAME@VERSION. A profile that names files by "
           "relative paths is refused: they would be others from there.",
};

static int save(const struct arguments *arguments, const struct profile *profile, const char *text, size_t length,
                struct error **err) {
  const char *name = arguments->name ? arguments->name : profile->name;
  _cleanup_free_ char *state = NULL;
  unsigned version = 0;
  bool new = false;
  if (profile_is_relative(profile))
    return error_set(err, EINVAL, "the profile names files by relative paths, which mean others once it is saved");
  int r = state_directory(&state, err);
  if (r == 0)
    r = shelf_save_profile(state, name, text, length, &version, &new, err);
  if (r < 0)
    return r;
  if (arguments->json)
    return packages_print_json(json_pack("{s:s, s:I, s:b}", "name", name, "version", (json_int_t)version, "new", new));
  printf("%s@%u%s\n", name, version, new ? "" : ": as it was saved before");
  return packages_flush();
}

int cmd_perf_save(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_(profile_destroy_p) struct profile *profile = NULL;
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_free_ char *text = NULL;
  _cleanup_error_ struct error *err = NULL;
  size_t length = 0;
  command_parse(&cmd_perf_save_argp, argc, argv, &arguments);
  const char *path = arguments.words.items[0];
  int r = diagnostics ? file_read(path, PROFILE_BYTES_MAX, &text, &length, &err) : -ENOMEM;
  if (r == 0 && profile_parse(path, text, length, diagnostics, &profile) < 0)
    r = error_set(&err, EINVAL, "%s is no profile that can be run, and is not saved", path);
  if (diagnostics)
    diagnostics_print(diagnostics, stderr);
  if (r == 0)
    r = save(&arguments, profile, text, length, &err);
  list_finish(&arguments.words);
  return r < 0 ? fail(r, err) : r;
}

/* ---- list */

const struct argp cmd_perf_list_argp = {
    .options = output_options,
    .parser = parse_none,
    .doc = "Lists the profiles that are saved, and the results that are kept (`trammel perf run --keep`).",
};

static void time_text(int64_t s, char *text, size_t size) {
  time_t second = (time_t)s;
  struct tm utc;
  if (!gmtime_r(&second, &utc) || strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
    *text = '\0';
}

static json_t *items_json(const struct shelf_item *items, size_t count) {
  json_t *profiles = json_array(), *results = json_array();
  for (size_t i = 0; i < count; i++) {
    char kept[32];
    time_text(items[i].kept_s, kept, sizeof(kept));
    if (items[i].version > 0)
      (void)json_array_append_new(profiles, json_pack("{s:s, s:I, s:I, s:s}", "name", items[i].name, "version",
                                                      (json_int_t)items[i].version, "versions",
                                                      (json_int_t)items[i].versions, "saved", kept));
    else
      (void)json_array_append_new(results, json_pack("{s:s, s:s}", "id", items[i].name, "kept", kept));
  }
  return json_pack("{s:o, s:o}", "profiles", profiles, "results", results);
}

static int print_items(const struct shelf_item *items, size_t count) {
  _cleanup_text_table_ struct text_table table = {.columns = 4};
  static const char *const heads[] = {"KIND", "NAME", "VERSIONS", "KEPT"};
  for (size_t i = 0; i < 4; i++)
    text_table_add(&table, heads[i]);
  for (size_t i = 0; i < count; i++) {
    char kept[32], versions[32] = "";
    time_text(items[i].kept_s, kept, sizeof(kept));
    if (items[i].version > 0)
      (void)snprintf(versions, sizeof(versions), "%u, latest @%u", items[i].versions, items[i].version);
    text_table_add(&table, items[i].version > 0 ? "profile" : "result");
    text_table_add(&table, items[i].name);
    text_table_add(&table, versions);
    text_table_add(&table, kept);
  }
  return text_table_print(&table, stdout) < 0 ? EXIT_INTERNAL : packages_flush();
}

int cmd_perf_list(int argc, char **argv) {
  struct arguments arguments = {0};
  struct shelf_item *items = NULL;
  _cleanup_free_ char *state = NULL;
  _cleanup_error_ struct error *err = NULL;
  size_t count = 0;
  command_parse(&cmd_perf_list_argp, argc, argv, &arguments);
  int r = state_directory(&state, &err);
  if (r == 0)
    r = shelf_list(state, &items, &count, &err);
  if (r < 0)
    return fail(r, err);
  int code = arguments.json ? packages_print_json(items_json(items, count)) : print_items(items, count);
  free(items);
  return code;
}

/* ---- show, delete */

const struct argp cmd_perf_show_argp = {
    .options = no_options,
    .parser = parse_one,
    .args_doc = "NAME[@VERSION]|ID",
    .doc = "Prints a profile that is saved, or a result that is kept, as it is.",
};

int cmd_perf_show(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_free_ char *state = NULL, *path = NULL, *data = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  size_t length = 0;
  command_parse(&cmd_perf_show_argp, argc, argv, &arguments);
  int r = state_directory(&state, &err);
  if (r == 0)
    r = shelf_find(state, arguments.words.items[0], &path, &err);
  if (r == 0)
    r = file_read(path, KEPT_BYTES_MAX, &data, &length, &err);
  list_finish(&arguments.words);
  if (r < 0)
    return fail(r, err);
  strbuf_append(&text, data, length);
  return packages_print(&text);
}

const struct argp cmd_perf_delete_argp = {
    .options = no_options,
    .parser = parse_some,
    .args_doc = "NAME[@VERSION]|ID…",
    .doc = "Removes profiles with all their versions, single versions, or results.",
};

int cmd_perf_delete(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_free_ char *state = NULL;
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_delete_argp, argc, argv, &arguments);
  int r = state_directory(&state, &err);
  for (size_t i = 0; r == 0 && i < arguments.words.count; i++)
    r = shelf_delete(state, arguments.words.items[i], &err);
  list_finish(&arguments.words);
  return r < 0 ? fail(r, err) : EXIT_ALL_PASSED;
}
