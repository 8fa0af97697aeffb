/* trammel report sign, verify and keygen: signatures over the bytes of a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/cmds.h"
#include "host/cli/list.h"
#include "host/signing/signature.h"
#include "sdk/base/document.h"
#include "sdk/base/file.h"

struct arguments {
  const char *file;
  struct list keys;
};

static const struct argp_option sign_options[] = {
    {"key", 'k', "KEY.pem", 0, "the private key, as `trammel report keygen` makes it", 0},
    {0},
};
static const struct argp_option verify_options[] = {
    {"key", 'k', "PUB.pem", 0, "a public key that is trusted; may be repeated", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case 'k':
    return -list_add(&arguments->keys, argument);
  case ARGP_KEY_ARG:
    if (arguments->file)
      argp_error(state, "one file at a time");
    if (strcmp(argument, "-") == 0)
      argp_error(state, "a file is needed: its signature stands beside it");
    arguments->file = argument;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "which file?");
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_sign(int key, char *argument, struct argp_state *state) {
  const struct arguments *arguments = state->input;
  if (key == ARGP_KEY_SUCCESS && arguments->keys.count != 1)
    argp_error(state, "one --key KEY.pem is needed; `trammel report keygen KEY.pem` makes it");
  return parse(key, argument, state);
}

static error_t parse_verify(int key, char *argument, struct argp_state *state) {
  const struct arguments *arguments = state->input;
  if (key == ARGP_KEY_SUCCESS && arguments->keys.count == 0)
    argp_error(state, "a --key PUB.pem is needed: the public key of who signed it, from a place that you trust");
  return parse(key, argument, state);
}

const struct argp cmd_report_sign_argp = {
    .options = sign_options,
    .parser = parse_sign,
    .args_doc = "FILE",
    .doc = "Signs the bytes of a file, a report in any format, with Ed25519: the signature is written to FILE.sig.",
};
const struct argp cmd_report_verify_argp = {
    .options = verify_options,
    .parser = parse_verify,
    .args_doc = "FILE",
    .doc = "Checks that FILE.sig is the signature of the bytes of FILE by one of the keys.\v"
           "Exit codes: 0 it is; 1 it is not, or it was signed with another key; 2 usage, or a file that cannot be "
           "read or is no signature.",
};
const struct argp cmd_report_keygen_argp = {
    .parser = parse,
    .args_doc = "KEY.pem",
    .doc = "Makes a key pair for signing: the private key in KEY.pem, for its owner only, and the public key in "
           "KEY.pub.pem. Neither file may be there already.",
};

/* ---- files */

static char *path_with(const char *path, const char *suffix) {
  char *text = NULL;
  return asprintf(&text, "%s%s", path, suffix) < 0 ? NULL : text;
}

/* What was open to others is said, for people to decide. */
static void warn_of_mode(const char *path) {
  struct stat status;
  if (stat(path, &status) == 0 && (status.st_mode & 077) != 0)
    fprintf(stderr, "trammel: warning: others may read or write the private key %s; chmod 600 keeps it private\n",
            path);
}

static int finish(struct arguments *arguments, int code, struct error *err) {
  if (err)
    fprintf(stderr, "trammel: %s\n", error_message(err));
  list_finish(&arguments->keys);
  return code;
}

/* ---- sign */

static int sign(const struct arguments *arguments, struct error **err) {
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_free_ char *path = path_with(arguments->file, SIGNATURE_SUFFIX);
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  int r = path ? signing_key_read_private(arguments->keys.items[0], &key, err) : error_set(err, ENOMEM, "no memory");
  if (r == 0)
    r = file_read(arguments->file, SIGNED_FILE_MAX, &data, &length, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  warn_of_mode(arguments->keys.items[0]);
  r = signature_make(key, data, length, &text, err);
  if (r < 0)
    return EXIT_INTERNAL;
  if (file_replace(path, 0666, text.data, text.length, err) < 0)
    return EXIT_USAGE;
  printf("%s: signed with the key %s\n", path, signing_key_id(key));
  return EXIT_ALL_PASSED;
}

int cmd_report_sign(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_report_sign_argp, argc, argv, &arguments);
  int code = sign(&arguments, &err);
  return finish(&arguments, code, err);
}

/* ---- verify */

static int read_signature(const char *file, char **ret_text, size_t *ret_length, struct error **err) {
  _cleanup_free_ char *path = path_with(file, SIGNATURE_SUFFIX);
  if (!path)
    return error_set(err, ENOMEM, "no memory");
  int r = file_read(path, SIGNATURE_TEXT_MAX, ret_text, ret_length, err);
  return r == -ENOENT
             ? error_set(err, ENOENT,
                         "%s is not there: the file was not signed, or its signature was not kept beside it", path)
             : r;
}

static int verify_with(const struct arguments *arguments, const struct signing_key *const *keys, struct error **err) {
  _cleanup_free_ char *text = NULL;
  _cleanup_free_ char *data = NULL;
  size_t text_length = 0;
  size_t length = 0;
  const struct signing_key *key = NULL;
  int r = file_read(arguments->file, SIGNED_FILE_MAX, &data, &length, err);
  if (r == 0)
    r = read_signature(arguments->file, &text, &text_length, err);
  if (r < 0)
    return r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  r = signature_verify(text, text_length, data, length, keys, arguments->keys.count, &key, err);
  if (r < 0) {
    (void)error_wrap(err, "%s" SIGNATURE_SUFFIX, arguments->file);
    return r == -EINVAL ? EXIT_USAGE : r == -ENOKEY || r == -EBADMSG ? EXIT_SOMETHING_FAILED : EXIT_INTERNAL;
  }
  printf("%s: good signature by the key %s (%s)\n", arguments->file, signing_key_id(key), signing_key_path(key));
  return EXIT_ALL_PASSED;
}

static int verify(const struct arguments *arguments, struct error **err) {
  size_t count = 0;
  struct signing_key **keys = calloc(arguments->keys.count, sizeof(struct signing_key *));
  int r = keys ? 0 : error_set(err, ENOMEM, "no memory");
  for (; r == 0 && count < arguments->keys.count; count += r == 0)
    r = signing_key_read_public(arguments->keys.items[count], &keys[count], err);
  int code = r == -ENOMEM ? EXIT_INTERNAL : EXIT_USAGE;
  if (r == 0)
    code = verify_with(arguments, (const struct signing_key *const *)keys, err);
  for (size_t i = 0; i < count; i++)
    signing_key_free(keys[i]);
  free(keys);
  return code;
}

int cmd_report_verify(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_report_verify_argp, argc, argv, &arguments);
  int code = verify(&arguments, &err);
  return finish(&arguments, code, err);
}

/* ---- keygen */

/* "KEY.pub.pem" for "KEY.pem", else "KEY.pub". */
static char *public_path(const char *path) {
  static const char pem[] = ".pem";
  size_t length = strlen(path);
  char *text = NULL;
  if (length <= sizeof(pem) - 1 || strcmp(path + length - (sizeof(pem) - 1), pem) != 0)
    return path_with(path, ".pub");
  return asprintf(&text, "%.*s.pub%s", (int)(length - (sizeof(pem) - 1)), path, pem) < 0 ? NULL : text;
}

static int keygen(const char *path, struct error **err) {
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_free_ char *public = public_path(path);
  int r = public ? signing_key_create(path, public, err) : error_set(err, ENOMEM, "no memory");
  if (r == 0)
    r = signing_key_read_public(public, &key, err);
  if (r < 0)
    return r == -ENOMEM || r == -EIO ? EXIT_INTERNAL : EXIT_USAGE;
  printf("%s: the private key; keep it to yourself\n%s: the public key %s\n", path, public, signing_key_id(key));
  return EXIT_ALL_PASSED;
}

int cmd_report_keygen(int argc, char **argv) {
  struct arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_report_keygen_argp, argc, argv, &arguments);
  int code = keygen(arguments.file, &err);
  return finish(&arguments, code, err);
}
