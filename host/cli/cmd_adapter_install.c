/* trammel adapter install and upgrade. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/kept.h"
#include "host/cli/checked.h"
#include "host/cli/cmds.h"
#include "host/cli/packages.h"
#include "host/package/obtain.h"
#include "host/package/package.h"
#include "host/package/version.h"

static const struct argp_option options[] = {
    PACKAGES_OPTION_ALLOW_UNSIGNED, PACKAGES_OPTION_ALLOW_UNCONFINED, PACKAGES_OPTION_OUTPUT, {0}};

const struct argp cmd_adapter_install_argp = {
    .options = options,
    .parser = packages_parse,
    .args_doc = "FILE|DIR|URL|[INDEX/]NAME[@VERSION]",
    .doc =
        "Installs an adapter's package for this user: a file, the one for this machine in a directory, a file on the "
        "web, or one that an index offers, the newest without a version. A key that is trusted must have signed it. "
        "The version before stays for `trammel adapter rollback`.\v"
        "A path that reads like a name begins with ./ to be one. Exit codes: 0 installed, or there already; 1 the "
        "signature or digest is not good; 2 no package, or one that is refused; 3 the index or site did not answer, "
        "or another program is changing what is installed.",
};
const struct argp cmd_adapter_upgrade_argp = {
    .options = options,
    .parser = packages_parse,
    .args_doc = "[ADAPTER...]",
    .doc = "Installs newer versions of what came from indexes, each from the index it came from; without arguments of "
           "all of it. A prerelease is only upgraded to where one is in use.",
};

struct session {
  char *data;
  struct trust trust;
  bool allow_unsigned;
  bool allow_unconfined;
};

static void session_finish(struct session *session) {
  free(session->data);
  trust_finish(&session->trust);
}

/* What became of one adapter. */
struct outcome {
  char *id;
  char *version;
  char *before;    /* NULL: none was installed */
  char *signed_by; /* id of the key; NULL: unsigned */
  char *source;
  json_t *checked; /* the report of a check of the package; NULL: there is none */
  bool changed;
  bool again;    /* the very package that was in use */
  bool repaired; /* but its files were not as they were */
};

static void outcome_finish(struct outcome *outcome) {
  free(outcome->id);
  free(outcome->version);
  free(outcome->before);
  free(outcome->signed_by);
  free(outcome->source);
  json_decref(outcome->checked);
  *outcome = (struct outcome){0};
}

/* ---- one package */

/* Who has signed it. What is damaged is refused whatever is allowed. */
static int admit(const struct session *session, const struct package *package, const char **ret_signed_by,
                 struct error **err) {
  const struct signing_key *key = NULL;
  _cleanup_error_ struct error *why = NULL;
  int r = package_verify(package, trust_keys(&session->trust), session->trust.count, &key, &why);
  *ret_signed_by = r == 0 ? signing_key_id(key) : NULL;
  if (r == 0)
    return 0;
  if (r != -ENOENT && r != -ENOKEY)
    return error_set(err, r == -EINVAL ? EBADMSG : -r, "%s", error_message(why));
  if (session->allow_unsigned)
    return 0;
  return error_set(err, ENOKEY,
                   "no trusted key has signed it: %s. `trammel adapter trust add NAME PUB.pem` trusts a key; "
                   "--allow-unsigned installs it all the same",
                   error_message(why));
}

/* NULL stays NULL, which is no failure. */
static bool copy(const char *text, char **ret_copy) {
  *ret_copy = text ? strdup(text) : NULL;
  return !text || *ret_copy;
}

static int note_outcome(const char *id, const struct installed_version *now, const char *before,
                        struct outcome *outcome, struct error **err) {
  bool copied = copy(id, &outcome->id) && copy(now->version, &outcome->version) && copy(before, &outcome->before) &&
                copy(now->signed_by, &outcome->signed_by) && copy(now->source, &outcome->source);
  return copied ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int add(const struct session *session, const struct package *package, const char *signed_by, const char *source,
               struct outcome *outcome, struct error **err) {
  const struct installed_version now = {.version = package->manifest.version, .signed_by = signed_by, .source = source};
  _cleanup_installed_ struct installed *installed = NULL;
  int r = installed_open(session->data, true, &installed, err);
  if (r < 0)
    return r;
  const struct installed_adapter *before = installed_find(installed, package->manifest.id);
  r = note_outcome(package->manifest.id, &now, before ? before->current.version : NULL, outcome, err);
  if (r < 0)
    return r;
  outcome->checked = checked_package(package->digest, &package->manifest);
  _cleanup_error_ struct error *damage = NULL, *why = NULL;
  outcome->again = before && strcmp(before->current.digest, package->digest) == 0;
  outcome->repaired = outcome->again && installed_verify(installed, before->id, &before->current, &damage) < 0;
  r = installed_add(installed, package, signed_by, source, &why);
  outcome->changed = r == 0;
  return r < 0 && r != -EALREADY ? error_set(err, -r, "%s", error_message(why)) : 0;
}

static int install_package(const struct session *session, const struct obtained *obtained, struct outcome *ret_outcome,
                           struct error **err) {
  _cleanup_package_ struct package package = {0};
  _cleanup_(outcome_finish) struct outcome outcome = {0};
  const char *signed_by = NULL;
  int r = package_read(obtained->data, obtained->length, &package, err);
  if (r == 0)
    r = admit(session, &package, &signed_by, err);
  if (r == 0)
    r = package_check_adapter(&package, session->allow_unconfined, err);
  if (r < 0)
    return error_wrap(err, "%s", obtained->source);
  r = add(session, &package, signed_by, obtained->source, &outcome, err);
  if (r < 0)
    return r;
  if (!signed_by)
    (void)fprintf(stderr,
                  "trammel: warning: %s %s is installed without a trusted signature, as --allow-unsigned says\n",
                  outcome.id, outcome.version);
  *ret_outcome = take(outcome);
  return 0;
}

/* ---- what is said of it */

static json_t *outcome_json(const struct session *session, const struct outcome *outcome) {
  const char *signer = outcome->signed_by ? trust_name_of(&session->trust, outcome->signed_by) : NULL;
  return json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:s?, s:o, s:o}", "id", outcome->id, "version", outcome->version,
                   "before", outcome->before, "changed", outcome->changed, "keyId", outcome->signed_by, "signer",
                   signer, "source", packages_text(outcome->source), "checked", kept_summary_json(outcome->checked));
}

static const char *what_happened(const struct outcome *outcome) {
  if (!outcome->changed)
    return "in use already, nothing to do";
  if (outcome->repaired)
    return "was damaged, its files are put back";
  return outcome->again ? "in use already, written down anew" : "installed";
}

static void outcome_text(const struct session *session, const struct outcome *outcome, struct strbuf *out) {
  strbuf_printf(out, "%s %s: %s, ", outcome->id, outcome->version, what_happened(outcome));
  packages_signer(out, &session->trust, outcome->signed_by);
  if (outcome->changed && !outcome->again && outcome->before)
    strbuf_printf(out, "; %s was in use before, `trammel adapter rollback %s` goes back", outcome->before, outcome->id);
  strbuf_puts(out, outcome->checked ? "\n    checked: " : "\n    ");
  kept_summary(outcome->checked, out);
  if (!outcome->checked)
    strbuf_puts(out, "; `trammel adapter check` on the package does that");
  strbuf_putc(out, '\n');
}

/* ---- install */

static int install(const struct session *session, const char *what, struct outcome *ret_outcome, struct error **err) {
  _cleanup_obtained_ struct obtained obtained = {0};
  int r = obtain(session->data, what, &obtained, err);
  return r < 0 ? r : install_package(session, &obtained, ret_outcome, err);
}

int cmd_adapter_install(int argc, char **argv) {
  struct packages_arguments arguments = {
      .least = 1, .most = 1, .wanted = "which package? Name a file, a directory, a URL or an adapter of an index"};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(session_finish) struct session session = {0};
  _cleanup_(outcome_finish) struct outcome outcome = {0};
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  command_parse(&cmd_adapter_install_argp, argc, argv, &arguments);
  session.allow_unsigned = arguments.allow_unsigned;
  session.allow_unconfined = arguments.allow_unconfined;
  int r = packages_open(&session.data, &session.trust, &err);
  if (r == 0)
    r = install(&session, arguments.words.items[0], &outcome, &err);
  list_finish(&arguments.words);
  if (r < 0)
    return packages_fail(err);
  if (arguments.json)
    return packages_print_json(outcome_json(&session, &outcome));
  outcome_text(&session, &outcome, &out);
  return packages_print(&out);
}

/* ---- upgrade */

/* The name of the index that it came from, a heap string; NULL when it came from none, or without memory. */
static char *index_of(const struct installed_version *version) {
  bool named = version->source[0] != '/' && !strstr(version->source, "://") && strchr(version->source, '/');
  return named ? strndup(version->source, strcspn(version->source, "/")) : NULL;
}

/* The newer version that its index has; NULL when there is none. */
static int find_newer(const struct indexes *indexes, const struct installed_adapter *adapter,
                      struct known_index **ret_known, const struct index_package **ret_entry, struct error **err) {
  _cleanup_free_ char *name = index_of(&adapter->current);
  const char *own = adapter->current.version;
  *ret_entry = NULL;
  *ret_known = name ? indexes_find(indexes, name) : NULL;
  if (!name)
    return error_set(err, EINVAL, "%s came from %s and from no index; install its new version as it was installed",
                     adapter->id, adapter->current.source);
  if (!*ret_known)
    return error_set(err, ENOENT,
                     "%s came from the index %s, which is none any more; `trammel adapter index add` adds "
                     "it again",
                     adapter->id, name);
  if (!version_is_semantic(own))
    return error_set(err, EINVAL, "%s %s has no semantic version (1.2.3), so nothing is newer; install %s/%s@VERSION",
                     adapter->id, own, name, adapter->id);
  int r = indexes_fetch(indexes, *ret_known, err);
  if (r < 0)
    return r;
  bool prerelease = version_is_prerelease(own);
  const struct index_package *entry = index_find(&(*ret_known)->index, adapter->id, NULL, prerelease);
  bool newer =
      entry && version_compare(entry->version, own) > 0 && (prerelease || !version_is_prerelease(entry->version));
  *ret_entry = newer ? entry : NULL;
  return 0;
}

/* What upgrades go by. */
struct upgrading {
  const struct session *session;
  struct indexes indexes;
  struct installed *installed;
};

static void upgrading_finish(struct upgrading *upgrading) {
  indexes_finish(&upgrading->indexes);
  installed_close(upgrading->installed);
}

static int leave(const struct upgrading *upgrading, const struct installed_adapter *adapter,
                 struct outcome *ret_outcome, struct error **err) {
  const struct installed_version *current = &adapter->current;
  _cleanup_manifest_ struct manifest manifest = {0};
  _cleanup_error_ struct error *unread = NULL; /* what is damaged is told by verify */
  int r = note_outcome(adapter->id, current, current->version, ret_outcome, err);
  if (r < 0)
    return r;
  (void)installed_manifest(upgrading->installed, adapter->id, current, &manifest, &unread);
  ret_outcome->checked = checked_package(current->digest, &manifest);
  return 0;
}

static int upgrade_one(const struct upgrading *upgrading, const struct installed_adapter *adapter,
                       struct outcome *ret_outcome, struct error **err) {
  _cleanup_obtained_ struct obtained obtained = {0};
  struct known_index *known = NULL;
  const struct index_package *entry = NULL;
  int r = find_newer(&upgrading->indexes, adapter, &known, &entry, err);
  if (r < 0)
    return r;
  if (!entry)
    return leave(upgrading, adapter, ret_outcome, err);
  r = obtain_from_index(known, entry, &obtained, err);
  return r < 0 ? r : install_package(upgrading->session, &obtained, ret_outcome, err);
}

/* What is printed at the end, and the worst that happened. */
struct results {
  struct strbuf text;
  json_t *list;
  int code;
};

static void upgrade_and_tell(const struct upgrading *upgrading, const struct installed_adapter *adapter,
                             struct results *results) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(outcome_finish) struct outcome outcome = {0};
  if (upgrade_one(upgrading, adapter, &outcome, &err) < 0) {
    int code = packages_fail(err);
    if (results->code == EXIT_ALL_PASSED || code < results->code)
      results->code = code; /* what is not good outweighs what was not there */
    return;
  }
  if (outcome.changed)
    outcome_text(upgrading->session, &outcome, &results->text);
  else
    strbuf_printf(&results->text, "%s %s: nothing newer\n", outcome.id, outcome.version);
  if (json_array_append_new(results->list, outcome_json(upgrading->session, &outcome)) < 0)
    results->code = EXIT_INTERNAL;
}

static void upgrade_all(const struct upgrading *upgrading, struct results *results) {
  size_t tried = 0;
  for (size_t i = 0; i < installed_count(upgrading->installed); i++) {
    const struct installed_adapter *adapter = installed_at(upgrading->installed, i);
    _cleanup_free_ char *index = index_of(&adapter->current);
    if (!index)
      continue;
    upgrade_and_tell(upgrading, adapter, results);
    tried++;
  }
  if (tried == 0)
    strbuf_puts(&results->text, "nothing that is installed came from an index\n");
}

static int upgrade_named(const struct upgrading *upgrading, const struct list *words, struct results *results,
                         struct error **err) {
  for (size_t i = 0; i < words->count; i++)
    if (!installed_require(upgrading->installed, words->items[i], err))
      return -ENOENT;
  for (size_t i = 0; i < words->count; i++)
    upgrade_and_tell(upgrading, installed_find(upgrading->installed, words->items[i]), results);
  return 0;
}

/* What is installed is read without holding it: downloads may take long. */
static int upgrade(struct session *session, const struct list *words, struct results *results, struct error **err) {
  _cleanup_(upgrading_finish) struct upgrading upgrading = {.session = session};
  int r = packages_open(&session->data, &session->trust, err);
  if (r == 0)
    r = indexes_read(session->data, &upgrading.indexes, err);
  if (r == 0)
    r = installed_open(session->data, false, &upgrading.installed, err);
  if (r < 0)
    return r;
  if (words->count > 0)
    return upgrade_named(&upgrading, words, results, err);
  upgrade_all(&upgrading, results);
  return 0;
}

int cmd_adapter_upgrade(int argc, char **argv) {
  struct packages_arguments arguments = {.most = INSTALLED_ADAPTERS_MAX};
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(session_finish) struct session session = {0};
  struct results results = {.list = json_array()};
  command_parse(&cmd_adapter_upgrade_argp, argc, argv, &arguments);
  session.allow_unsigned = arguments.allow_unsigned;
  session.allow_unconfined = arguments.allow_unconfined;
  int r = upgrade(&session, &arguments.words, &results, &err);
  int printed = EXIT_ALL_PASSED;
  if (r < 0)
    results.code = packages_fail(err);
  else
    printed = arguments.json ? packages_print_json(json_incref(results.list)) : packages_print(&results.text);
  json_decref(results.list);
  strbuf_finish(&results.text);
  list_finish(&arguments.words);
  return printed != EXIT_ALL_PASSED ? printed : results.code;
}
