/* trammel adapter trust add, list and remove: the keys whose packages are installed. */
#include <stdio.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"

static const struct argp_option list_options[] = {PACKAGES_OPTION_OUTPUT, {0}};

const struct argp cmd_adapter_trust_add_argp = {
    .parser = packages_parse,
    .args_doc = "NAME PUB.pem",
    .doc = "Trusts a public key: packages that it has signed are installed from now on. The name is for you to choose. "
           "Take the key from a place that you trust.",
};
const struct argp cmd_adapter_trust_list_argp = {
    .options = list_options,
    .parser = packages_parse,
    .doc = "Lists the keys that are trusted.",
};
const struct argp cmd_adapter_trust_remove_argp = {
    .parser = packages_parse,
    .args_doc = "NAME",
    .doc = "Trusts a key no longer. What is installed stays; `trammel adapter verify` names what the key has signed.",
};

static int add(const char *name, const char *path, struct error **err) {
  _cleanup_free_ char *data = NULL;
  _cleanup_signing_key_ struct signing_key *key = NULL;
  int r = data_directory(&data, err);
  if (r == 0)
    r = trust_add(data, name, path, &key, err);
  if (r == 0)
    printf("%s: the key %s is trusted\n", name, signing_key_id(key));
  return r;
}

int cmd_adapter_trust_add(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 2, .most = 2, .wanted = "a name and a key are needed: trammel adapter trust add NAME PUB.pem"};
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_adapter_trust_add_argp, argc, argv, &arguments);
  int code = add(arguments.words.items[0], arguments.words.items[1], &err) < 0 ? packages_fail(err) : EXIT_ALL_PASSED;
  list_finish(&arguments.words);
  return code;
}

static int print_json(const struct trust *trust) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < trust->count; i++)
    failed |= json_array_append_new(
        list, json_pack("{s:s, s:s}", "name", trust->names[i], "keyId", signing_key_id(trust->keys[i])));
  return failed ? (json_decref(list), EXIT_INTERNAL) : packages_print_json(list);
}

static int print_text(const struct trust *trust) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  for (size_t i = 0; i < trust->count; i++)
    strbuf_printf(&out, "%-16s %s\n", trust->names[i], signing_key_id(trust->keys[i]));
  if (trust->count == 0)
    strbuf_puts(&out, "no key is trusted; `trammel adapter trust add NAME PUB.pem` trusts one\n");
  return packages_print(&out);
}

int cmd_adapter_trust_list(int argc, char **argv) {
  struct packages_arguments arguments = {0};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  _cleanup_trust_ struct trust trust = {0};
  command_parse(&cmd_adapter_trust_list_argp, argc, argv, &arguments);
  if (packages_open(&data, &trust, &err) < 0)
    return packages_fail(err);
  return arguments.json ? print_json(&trust) : print_text(&trust);
}

int cmd_adapter_trust_remove(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which key? `trammel adapter trust list` shows them"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  command_parse(&cmd_adapter_trust_remove_argp, argc, argv, &arguments);
  const char *name = arguments.words.items[0];
  int code = EXIT_ALL_PASSED;
  if (data_directory(&data, &err) < 0 || trust_remove(data, name, &err) < 0)
    code = packages_fail(err);
  else
    printf("%s: no longer trusted\n", name);
  list_finish(&arguments.words);
  return code;
}
