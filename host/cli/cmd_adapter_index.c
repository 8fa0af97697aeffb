/* trammel adapter index add, list, show, remove and make: where packages are offered. */
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/package/indexes.h"
#include "sdk/base/clock.h"

static const struct argp_option add_options[] = {
    {"key", 'k', "PUB.pem", 0, "the public key of who signs the index", 0},
    {0},
};
static const struct argp_option make_options[] = {
    {"key", 'k', "KEY.pem", 0, "the private key to sign the index with, as `trammel report keygen` makes it", 0},
    {0},
};
static const struct argp_option list_options[] = {PACKAGES_OPTION_OUTPUT, {0}};

static error_t parse_with_key(int key, char *argument, struct argp_state *state) {
  const struct packages_arguments *arguments = state->input;
  if (key == ARGP_KEY_SUCCESS && !arguments->key)
    argp_error(state, "--key FILE.pem is needed: an index is signed");
  return packages_parse(key, argument, state);
}

const struct argp cmd_adapter_index_add_argp = {
    .options = add_options,
    .parser = parse_with_key,
    .args_doc = "NAME DIR|URL",
    .doc =
        "Adds an index of packages, a directory or a web site with index.json, whose signature is checked at once and "
        "each time it is read. Its key says what the index offers; whose packages are installed, `trammel adapter "
        "trust` says.",
};
const struct argp cmd_adapter_index_list_argp = {
    .options = list_options,
    .parser = packages_parse,
    .doc = "Lists the indexes that were added.",
};
const struct argp cmd_adapter_index_show_argp = {
    .options = list_options,
    .parser = packages_parse,
    .args_doc = "NAME",
    .doc = "Lists the packages that an index offers.",
};
const struct argp cmd_adapter_index_remove_argp = {
    .parser = packages_parse,
    .args_doc = "NAME",
    .doc = "Forgets an index. What was installed from it stays, and is not upgraded any more.",
};
const struct argp cmd_adapter_index_make_argp = {
    .options = make_options,
    .parser = parse_with_key,
    .args_doc = "DIR",
    .doc = "Writes index.json and its signature for the packages (.trm) in a directory, which can then be added as an "
           "index, as it is or put on any web server.",
};

static int finish(struct packages_arguments *arguments, int code) {
  list_finish(&arguments->words);
  return code;
}

/* ---- add and remove */

int cmd_adapter_index_add(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 2,
      .most = 2,
      .wanted = "a name and a place are needed: trammel adapter index add NAME DIR|URL --key PUB.pem"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  command_parse(&cmd_adapter_index_add_argp, argc, argv, &arguments);
  const char *name = arguments.words.items[0], *place = arguments.words.items[1];
  if (data_directory(&data, &err) < 0 || indexes_add(data, name, place, arguments.key, &err) < 0)
    return finish(&arguments, packages_fail(err));
  printf("%s: added; `trammel adapter index show %s` tells what it offers\n", name, name);
  return finish(&arguments, EXIT_ALL_PASSED);
}

int cmd_adapter_index_remove(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which index? `trammel adapter index list` shows them"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  command_parse(&cmd_adapter_index_remove_argp, argc, argv, &arguments);
  const char *name = arguments.words.items[0];
  if (data_directory(&data, &err) < 0 || indexes_remove(data, name, &err) < 0)
    return finish(&arguments, packages_fail(err));
  printf("%s: removed\n", name);
  return finish(&arguments, EXIT_ALL_PASSED);
}

/* ---- list */

static int list_json(const struct indexes *indexes) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < indexes->count; i++) {
    const struct known_index *one = &indexes->list[i];
    failed |= json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:I}", "name", one->name, "location",
                                                    packages_text(one->location), "keyId", signing_key_id(one->key),
                                                    "serial", (json_int_t)one->serial));
  }
  return failed ? (json_decref(list), EXIT_INTERNAL) : packages_print_json(list);
}

static int list_text(const struct indexes *indexes) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  for (size_t i = 0; i < indexes->count; i++)
    strbuf_printf(&out, "%-16s %s\n", indexes->list[i].name, indexes->list[i].location);
  if (indexes->count == 0)
    strbuf_puts(&out, "there is no index; `trammel adapter index add NAME DIR|URL --key PUB.pem` adds one\n");
  return packages_print(&out);
}

static int read_indexes(struct indexes *ret_indexes, struct error **err) {
  _cleanup_free_ char *data = NULL;
  int r = data_directory(&data, err);
  return r < 0 ? r : indexes_read(data, ret_indexes, err);
}

int cmd_adapter_index_list(int argc, char **argv) {
  struct packages_arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_indexes_ struct indexes indexes = {0};
  command_parse(&cmd_adapter_index_list_argp, argc, argv, &arguments);
  if (read_indexes(&indexes, &err) < 0)
    return packages_fail(err);
  return arguments.json ? list_json(&indexes) : list_text(&indexes);
}

/* ---- show */

static json_t *package_json(const struct index_package *one) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b}", "id", one->id, "version", one->version, "os",
                   one->os, "arch", one->arch, "mesh", one->mesh, "licence", one->licence, "summary", one->summary,
                   "bytes", (json_int_t)one->bytes, "sha256", one->sha256, "suits", index_package_suits(one));
}

static int show_json(const struct index *index) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < index->count; i++)
    failed |= json_array_append_new(list, package_json(&index->packages[i]));
  return failed ? (json_decref(list), EXIT_INTERNAL) : packages_print_json(list);
}

static int show_text(const struct index *index) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  for (size_t i = 0; i < index->count; i++) {
    const struct index_package *one = &index->packages[i];
    strbuf_printf(&out, "%-16s %-12s %s/%s%s  %s\n", one->id, one->version, one->os, one->arch,
                  index_package_suits(one) ? "" : " (not for this machine)", one->summary);
  }
  if (index->count == 0)
    strbuf_puts(&out, "it offers no package\n");
  return packages_print(&out);
}

static int find(const struct indexes *indexes, const char *name, struct known_index **ret_known, struct error **err) {
  *ret_known = indexes_find(indexes, name);
  if (!*ret_known)
    return error_set(err, ENOENT, "no index is called \"%s\"; `trammel adapter index list` shows them", name);
  return indexes_fetch(indexes, *ret_known, err);
}

int cmd_adapter_index_show(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which index? `trammel adapter index list` shows them"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_indexes_ struct indexes indexes = {0};
  struct known_index *known = NULL;
  command_parse(&cmd_adapter_index_show_argp, argc, argv, &arguments);
  if (read_indexes(&indexes, &err) < 0 || find(&indexes, arguments.words.items[0], &known, &err) < 0)
    return finish(&arguments, packages_fail(err));
  return finish(&arguments, arguments.json ? show_json(&known->index) : show_text(&known->index));
}

/* ---- make */

int cmd_adapter_index_make(int argc, char **argv) {
  struct packages_arguments arguments = {.least = 1, .most = 1, .wanted = "which directory?"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_signing_key_ struct signing_key *key = NULL;
  struct index_made made;
  command_parse(&cmd_adapter_index_make_argp, argc, argv, &arguments);
  const char *directory = arguments.words.items[0];
  if (signing_key_read_private(arguments.key, &key, &err) < 0 ||
      index_make(directory, key, clock_realtime_ns() / NS_PER_SECOND, &made, &err) < 0)
    return finish(&arguments, packages_fail(err));
  if (made.unsigned_packages > 0)
    (void)fprintf(stderr,
                  "trammel: warning: %zu of the packages are not signed, and only install with --allow-unsigned; "
                  "`trammel adapter sign` signs them, then make the index anew\n",
                  made.unsigned_packages);
  printf("%s/" INDEX_FILE ": %zu packages, serial %lld, signed with the key %s\n", directory, made.packages,
         (long long)made.serial, signing_key_id(key));
  return finish(&arguments, EXIT_ALL_PASSED);
}
