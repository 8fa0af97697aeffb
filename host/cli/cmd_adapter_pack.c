/* trammel adapter pack and sign: packages as vendors make them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/package/files.h"
#include "host/package/package.h"
#include "sdk/base/document.h"

/* ---- pack */

struct arguments {
  const char *adapter;
  struct list documents;
  const char *licence;
  const char *homepage;
  const char *output;
};
enum { KEY_HOMEPAGE = 0x100 };

static const struct argp_option pack_options[] = {
    {"doc", 'd', "FILE", 0, "a document to put in; may be repeated", 0},
    {"licence", 'l', "SPDX", 0, "the adapter's licence, as an SPDX expression", 0},
    {"homepage", KEY_HOMEPAGE, "URL", 0, "where to read about the adapter", 0},
    {"output", 'o', "DIR|FILE", 0, "where to put the package (default: here, under its own name)", 0},
    {0},
};

static error_t parse_pack(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case 'd':
    return -list_add(&arguments->documents, argument);
  case 'l':
    arguments->licence = argument;
    return 0;
  case KEY_HOMEPAGE:
    arguments->homepage = argument;
    return 0;
  case 'o':
    arguments->output = argument;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->adapter)
      argp_error(state, "one adapter at a time");
    arguments->adapter = argument;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->adapter)
      argp_error(state, "which adapter? Name its shared object, a file that ends with .so");
    if (!arguments->licence || !*arguments->licence)
      argp_error(state, "--licence is needed, such as --licence Apache-2.0");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp cmd_adapter_pack_argp = {
    .options = pack_options,
    .parser = parse_pack,
    .args_doc = "ADAPTER.so",
    .doc = "Makes a package of an adapter: id-version-os-arch" PACKAGE_SUFFIX ". The adapter is described in a child "
           "process, as it is when it is used; its manifest says what it says of itself.",
};

/* A heap string; NULL without memory. */
static char *output_path(const char *output, const struct manifest *manifest) {
  _cleanup_free_ char *name = package_file_name(manifest);
  struct stat status;
  char *path = NULL;
  if (output && (stat(output, &status) < 0 || !S_ISDIR(status.st_mode)))
    return strdup(output);
  return !name || asprintf(&path, "%s%s%s", output ? output : "", output ? "/" : "", name) < 0 ? NULL : path;
}

static int pack(const struct arguments *arguments, struct error **err) {
  const struct packing packing = {.adapter = arguments->adapter,
                                  .documents = arguments->documents.items,
                                  .facts = {.licence = arguments->licence, .homepage = arguments->homepage}};
  _cleanup_package_ struct package package = {0};
  _cleanup_package_ struct package again = {0};
  _cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
  int r = package_make(&packing, &package, &bytes, err);
  if (r == 0)
    r = package_read(bytes.data, bytes.length, &again, err); /* what nobody could install is not made */
  if (r < 0)
    return r;
  _cleanup_free_ char *path = output_path(arguments->output, &package.manifest);
  r = path ? files_publish(path, bytes.data, bytes.length, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    return r;
  printf("%s: %s %s, %zu bytes, SHA-256 %s\n", path, package.manifest.id, package.manifest.version, bytes.length,
         package.digest);
  return 0;
}

int cmd_adapter_pack(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_adapter_pack_argp, argc, argv, &arguments);
  int code = pack(&arguments, &err) < 0 ? packages_fail(err) : EXIT_ALL_PASSED;
  list_finish(&arguments.documents);
  return code;
}

/* ---- sign */

static const struct argp_option sign_options[] = {
    {"key", 'k', "KEY.pem", 0, "the private key, as `trammel report keygen` makes it", 0},
    {0},
};

static error_t parse_sign(int key, char *argument, struct argp_state *state) {
  const struct packages_arguments *arguments = state->input;
  if (key == ARGP_KEY_SUCCESS && !arguments->key)
    argp_error(state, "--key KEY.pem is needed; `trammel report keygen KEY.pem` makes it");
  return packages_parse(key, argument, state);
}

const struct argp cmd_adapter_sign_argp = {
    .options = sign_options,
    .parser = parse_sign,
    .args_doc = "PACKAGE" PACKAGE_SUFFIX,
    .doc = "Puts a signature into a package, in place of one that is there. The package gets another digest by that: "
           "sign it before it goes into an index.",
};

static int sign(const char *path, const char *key_path, struct error **err) {
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_package_ struct package package = {0};
  _cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  int r = signing_key_read_private(key_path, &key, err);
  if (r == 0)
    r = file_read(path, TARBALL_PACKED_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = package_read_any(data, length, &package, err);
  if (r < 0)
    return error_wrap(err, "%s", path);
  r = package_sign(&package, key, &bytes, err);
  if (r == 0)
    r = files_publish(path, bytes.data, bytes.length, err);
  if (r < 0)
    return r;
  printf("%s: signed with the key %s, SHA-256 %s\n", path, signing_key_id(key), package.digest);
  return 0;
}

int cmd_adapter_sign(int argc, char **argv) {
  struct packages_arguments arguments = {.least = 1, .most = 1, .wanted = "which package?"};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_adapter_sign_argp, argc, argv, &arguments);
  int code = sign(arguments.words.items[0], arguments.key, &err) < 0 ? packages_fail(err) : EXIT_ALL_PASSED;
  list_finish(&arguments.words);
  return code;
}
