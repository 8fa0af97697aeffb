/* trammel adapter remove, rollback and verify: what is done with installed adapters. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/package/fetch.h"
#include "host/package/manifest.h"
#include "sdk/base/document.h"

static const struct argp_option options[] = {PACKAGES_OPTION_OUTPUT, {0}};

const struct argp cmd_adapter_remove_argp = {
    .options = options,
    .parser = packages_parse,
    .args_doc = "ADAPTER",
    .doc = "Removes an installed adapter, with the version before it.",
};
const struct argp cmd_adapter_rollback_argp = {
    .options = options,
    .parser = packages_parse,
    .args_doc = "ADAPTER",
    .doc = "Puts the version before in use again. A second time it goes forward again.",
};
const struct argp cmd_adapter_verify_argp = {
    .options = options,
    .parser = packages_parse,
    .args_doc = "[ADAPTER...]",
    .doc =
        "Checks that the files of installed adapters are those of their packages, and that the keys that signed them "
        "are still trusted; without arguments of all of them.\v"
        "Exit codes: 0 all is well; 1 a file was changed, or a key is no longer trusted; 2 usage.",
};

/* ---- remove */

static int open_for_change(struct installed **ret_installed, struct error **err) {
  _cleanup_free_ char *data = NULL;
  int r = data_directory(&data, err);
  return r < 0 ? r : installed_open(data, true, ret_installed, err);
}

static int say(const struct packages_arguments *arguments, json_t *value, const struct strbuf *text) {
  if (arguments->json)
    return packages_print_json(value);
  json_decref(value);
  return packages_print(text);
}

int cmd_adapter_remove(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which adapter? `trammel adapter verify` lists what is installed"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_installed_ struct installed *installed = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  command_parse(&cmd_adapter_remove_argp, argc, argv, &arguments);
  const char *id = arguments.words.items[0];
  int r = open_for_change(&installed, &err);
  if (r == 0)
    r = installed_remove(installed, id, &err);
  list_finish(&arguments.words);
  if (r < 0)
    return packages_fail(err);
  strbuf_printf(&text, "%s: removed\n", id);
  return say(&arguments, json_pack("{s:s, s:b}", "id", id, "removed", 1), &text);
}

/* ---- rollback */

int cmd_adapter_rollback(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which adapter? `trammel adapter verify` lists what is installed"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_installed_ struct installed *installed = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  command_parse(&cmd_adapter_rollback_argp, argc, argv, &arguments);
  const char *id = arguments.words.items[0];
  int r = open_for_change(&installed, &err);
  if (r == 0)
    r = installed_roll_back(installed, id, &err);
  list_finish(&arguments.words);
  if (r < 0)
    return packages_fail(err);
  const struct installed_adapter *adapter = installed_find(installed, id);
  strbuf_printf(&text, "%s %s: in use again; %s was before\n", id, adapter->current.version, adapter->previous.version);
  return say(
      &arguments,
      json_pack("{s:s, s:s, s:s}", "id", id, "version", adapter->current.version, "before", adapter->previous.version),
      &text);
}

/* ---- verify */

struct verifying {
  const struct installed *installed;
  struct trust trust;
  struct strbuf text;
  json_t *list;
  bool failed;
};

/* The files are those that were installed; the signature is beside the manifest that it is of. */
static int check_signature(const struct verifying *verifying, const char *directory, struct error **err) {
  _cleanup_free_ char *manifest = NULL, *signature = NULL;
  _cleanup_free_ char *manifest_path = fetch_place(directory, MANIFEST_PATH);
  _cleanup_free_ char *signature_path = fetch_place(directory, MANIFEST_SIGNATURE_PATH);
  size_t length = 0, signature_length = 0;
  const struct signing_key *key = NULL;
  if (!manifest_path || !signature_path)
    return error_set(err, ENOMEM, "out of memory");
  int r = file_read(manifest_path, MANIFEST_BYTES_MAX, &manifest, &length, err);
  if (r == 0)
    r = file_read(signature_path, SIGNATURE_TEXT_MAX, &signature, &signature_length, err);
  if (r < 0)
    return r;
  r = signature_verify(signature, signature_length, manifest, length, trust_keys(&verifying->trust),
                       verifying->trust.count, &key, err);
  return r < 0 ? error_wrap(err, "%s", signature_path) : 0;
}

static int check(const struct verifying *verifying, const struct installed_adapter *adapter, struct error **err) {
  _cleanup_free_ char *directory = installed_directory(verifying->installed, adapter->id, &adapter->current);
  if (!directory)
    return error_set(err, ENOMEM, "out of memory");
  int r = installed_verify(verifying->installed, adapter->id, &adapter->current, err);
  return r == 0 && adapter->current.signed_by ? check_signature(verifying, directory, err) : r;
}

static void verify(struct verifying *verifying, const struct installed_adapter *adapter) {
  _cleanup_error_ struct error *err = NULL;
  const struct installed_version *version = &adapter->current;
  int r = check(verifying, adapter, &err);
  const char *name = version->signed_by ? trust_name_of(&verifying->trust, version->signed_by) : NULL;
  strbuf_printf(&verifying->text, "%s %s: %s, ", adapter->id, version->version, r == 0 ? "good" : "NOT GOOD");
  packages_signer(&verifying->text, &verifying->trust, version->signed_by);
  strbuf_printf(&verifying->text, ", from %s\n", version->source);
  if (r < 0)
    strbuf_printf(&verifying->text, "    %s\n", error_message(err));
  (void)json_array_append_new(
      verifying->list,
      json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:s?, s:o, s:o}", "id", adapter->id, "version", version->version,
                "previous", adapter->previous.version, "good", r == 0, "keyId", version->signed_by, "signer", name,
                "source", packages_text(version->source), "problem", packages_text(err ? error_message(err) : NULL)));
  verifying->failed |= r < 0;
}

static int verify_words(struct verifying *verifying, const struct list *words, struct error **err) {
  for (size_t i = 0; i < words->count; i++)
    if (!installed_find(verifying->installed, words->items[i]))
      return error_set(err, ENOENT, "no adapter \"%s\" is installed", words->items[i]);
  for (size_t i = 0; i < words->count; i++)
    verify(verifying, installed_find(verifying->installed, words->items[i]));
  for (size_t i = 0; words->count == 0 && i < installed_count(verifying->installed); i++)
    verify(verifying, installed_at(verifying->installed, i));
  if (installed_count(verifying->installed) == 0)
    strbuf_puts(&verifying->text, "no adapter is installed\n");
  return 0;
}

int cmd_adapter_verify(int argc, char **argv) {
  struct packages_arguments arguments = {.most = INSTALLED_ADAPTERS_MAX};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  _cleanup_installed_ struct installed *installed = NULL;
  struct verifying verifying = {.list = json_array()};
  command_parse(&cmd_adapter_verify_argp, argc, argv, &arguments);
  int r = packages_open(&data, &verifying.trust, &err);
  if (r == 0)
    r = installed_open(data, false, &installed, &err);
  verifying.installed = installed;
  if (r == 0)
    r = verify_words(&verifying, &arguments.words, &err);
  int code = r < 0 ? packages_fail(err) : say(&arguments, json_incref(verifying.list), &verifying.text);
  json_decref(verifying.list);
  strbuf_finish(&verifying.text);
  trust_finish(&verifying.trust);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED && verifying.failed ? EXIT_SOMETHING_FAILED : code;
}
