/* trammel adapter remove, rollback and verify: what is done with installed adapters. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/cmds.h"
#include "host/cli/origin.h"
#include "host/cli/packages.h"

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
  struct origins origins;
  struct strbuf text;
  json_t *list;
  bool failed;
};

static void verify(struct verifying *verifying, const struct installed_adapter *adapter) {
  _cleanup_error_ struct error *err = NULL;
  const struct installed_version *version = &adapter->current;
  int r = installed_verify(verifying->origins.installed, adapter->id, version, &err);
  if (r == 0)
    r = origins_check_signature(&verifying->origins, adapter, &err);
  strbuf_printf(&verifying->text, "%s %s: %s, ", adapter->id, version->version, r == 0 ? "good" : "NOT GOOD");
  origins_describe(&verifying->origins, adapter, &verifying->text);
  strbuf_puts(&verifying->text, "\n");
  if (r < 0)
    strbuf_printf(&verifying->text, "    %s\n", error_message(err));
  json_t *one =
      json_pack("{s:s, s:s, s:s?, s:b, s:o}", "id", adapter->id, "version", version->version, "previous",
                adapter->previous.version, "good", r == 0, "problem", packages_text(err ? error_message(err) : NULL));
  (void)json_object_update_new(one, origins_json(&verifying->origins, adapter));
  (void)json_array_append_new(verifying->list, one);
  verifying->failed |= r < 0;
}

static int verify_words(struct verifying *verifying, const struct list *words, struct error **err) {
  const struct installed *installed = verifying->origins.installed;
  for (size_t i = 0; i < words->count; i++)
    if (!installed_require(installed, words->items[i], err))
      return -ENOENT;
  for (size_t i = 0; i < words->count; i++)
    verify(verifying, installed_find(installed, words->items[i]));
  for (size_t i = 0; words->count == 0 && i < installed_count(installed); i++)
    verify(verifying, installed_at(installed, i));
  if (installed_count(installed) == 0)
    strbuf_puts(&verifying->text, "no adapter is installed\n");
  return 0;
}

int cmd_adapter_verify(int argc, char **argv) {
  struct packages_arguments arguments = {.most = INSTALLED_ADAPTERS_MAX};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  struct verifying verifying = {.list = json_array()};
  command_parse(&cmd_adapter_verify_argp, argc, argv, &arguments);
  int r = data_directory(&data, &err);
  if (r == 0)
    r = origins_open(data, &verifying.origins, &err);
  if (r == 0)
    r = verify_words(&verifying, &arguments.words, &err);
  int code = r < 0 ? packages_fail(err) : say(&arguments, json_incref(verifying.list), &verifying.text);
  json_decref(verifying.list);
  strbuf_finish(&verifying.text);
  origins_finish(&verifying.origins);
  list_finish(&arguments.words);
  return code == EXIT_ALL_PASSED && verifying.failed ? EXIT_SOMETHING_FAILED : code;
}
