#include "host/cli/packages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/utf8.h"

error_t packages_parse(int key, char *argument, struct argp_state *state) {
  struct packages_arguments *arguments = state->input;
  switch (key) {
  case 'k':
    arguments->key = argument;
    return 0;
  case 'o':
    arguments->json = command_wants_json(state, argument);
    return 0;
  case PACKAGES_ALLOW_UNSIGNED:
    arguments->allow_unsigned = true;
    return 0;
  case PACKAGES_ALLOW_UNCONFINED:
    arguments->allow_unconfined = true;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->words.count == arguments->most)
      argp_error(state, "unexpected argument '%s'", argument);
    return -list_add(&arguments->words, argument);
  case ARGP_KEY_END:
    if (arguments->words.count < arguments->least)
      argp_error(state, "%s", arguments->wanted);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int exit_code_of(int code) {
  switch (code) {
  case EBADMSG:
  case ENOKEY:
  case ESTALE:
    return EXIT_SOMETHING_FAILED;
  case EBUSY:
  case ECONNREFUSED:
  case EIO:
  case ELOOP:
  case ETIMEDOUT:
    return EXIT_COULD_NOT_TEST;
  case ENOMEM:
    return EXIT_INTERNAL;
  default:
    return EXIT_USAGE;
  }
}

int packages_fail(const struct error *err) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  const char *message = error_message(err);
  utf8_append_safe(&safe, message, strlen(message), "\n");
  (void)fprintf(stderr, "trammel: %s\n", strbuf_failed(&safe) ? "out of memory" : strbuf_text(&safe));
  return exit_code_of(error_code(err));
}

/* What was printed and did not arrive is no success: a full disk, say. */
int packages_flush(void) {
  if (fflush(stdout) == 0 && !ferror(stdout))
    return EXIT_ALL_PASSED;
  (void)fprintf(stderr, "trammel: cannot write the output: %s\n", strerror(errno));
  return EXIT_INTERNAL;
}

int packages_print(const struct strbuf *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, strbuf_text(text), text->length, "\n");
  if (strbuf_failed(text) || strbuf_failed(&safe))
    return EXIT_INTERNAL;
  (void)fputs(strbuf_text(&safe), stdout);
  return packages_flush();
}

int packages_print_json(json_t *value) {
  int r = value ? json_dumpf(value, stdout, JSON_INDENT(2)) : -1;
  (void)putchar('\n');
  json_decref(value);
  int code = packages_flush();
  return r < 0 ? EXIT_INTERNAL : code;
}

json_t *packages_text(const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  if (!text)
    return json_null();
  utf8_append_safe(&safe, text, strlen(text), "\n");
  return strbuf_failed(&safe) ? NULL : json_string(strbuf_text(&safe));
}

void packages_signer(struct strbuf *out, const struct trust *trust, const char *key_id) {
  const char *name = key_id ? trust_name_of(trust, key_id) : NULL;
  if (name)
    strbuf_printf(out, "signed by %s", name);
  else if (key_id)
    strbuf_printf(out, "signed by the key %s, which is not trusted", key_id);
  else
    strbuf_puts(out, "unsigned");
}

int packages_directory(char **ret_path, struct error **err) {
  _cleanup_error_ struct error *why = NULL;
  *ret_path = NULL;
  int r = data_directory(ret_path, &why);
  return r == -ENOENT || r == 0 ? 0 : error_set(err, -r, "%s", error_message(why));
}

int packages_open(char **ret_data_directory, struct trust *ret_trust, struct error **err) {
  _cleanup_free_ char *data = NULL;
  int r = data_directory(&data, err);
  if (r == 0)
    r = trust_read(data, ret_trust, err);
  if (r < 0)
    return r;
  *ret_data_directory = take(data);
  return 0;
}
