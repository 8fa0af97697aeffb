#include "host/package/installed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/package/files.h"
#include "host/package/json_file.h"
#include "sdk/base/document.h"
#include "sdk/base/file.h"

#define FORMAT "trammel.installed/v1"
#define LIST_BYTES_MAX ((size_t)8 << 20)
#define DIGEST_PART 12 /* digits of the digest in a directory's name */

struct installed {
  char *directory; /* <data>/adapters */
  int lock;        /* on it; -1 when nothing is changed */
  json_t *list;    /* "adapters" of installed.json: objects with id and versions, in the order of ids */
  struct installed_adapter *adapters; /* borrowed from `list` */
  size_t count;
};

int data_directory(char **ret_path, struct error **err) {
  const char *own = getenv("TRAMMEL_DATA_DIR");
  const char *xdg = getenv("XDG_DATA_HOME");
  const char *home = getenv("HOME");
  int made;
  if (own && *own && *own != '/')
    return error_set(err, EINVAL, "TRAMMEL_DATA_DIR must be an absolute path, not '%s'", own);
  if (own && *own)
    made = asprintf(ret_path, "%s", own);
  else if (xdg && *xdg == '/') /* the XDG specification: a relative one is ignored */
    made = asprintf(ret_path, "%s/trammel", xdg);
  else if (home && *home == '/')
    made = asprintf(ret_path, "%s/.local/share/trammel", home);
  else
    return error_set(err, ENOENT, "no data directory: set TRAMMEL_DATA_DIR, XDG_DATA_HOME or HOME to an absolute path");
  return made < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- the list */

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static struct installed_version version_of(const json_t *versions, size_t i) {
  const json_t *one = json_array_get(versions, i);
  return (struct installed_version){.version = text_of(one, "version"),
                                    .digest = text_of(one, "sha256"),
                                    .manifest = text_of(one, "manifestSha256"),
                                    .signed_by = text_of(one, "signedBy"),
                                    .source = text_of(one, "source")};
}

/* A list as adapters, which borrow from it. */
static int view(const json_t *list, struct installed_adapter **ret_adapters, struct error **err) {
  size_t count = json_array_size(list);
  struct installed_adapter *adapters = calloc(count + 1, sizeof *adapters);
  if (!adapters)
    return error_set(err, ENOMEM, "out of memory");
  for (size_t i = 0; i < count; i++) {
    const json_t *one = json_array_get(list, i);
    const json_t *versions = json_object_get(one, "versions");
    adapters[i] = (struct installed_adapter){
        .id = text_of(one, "id"), .current = version_of(versions, 0), .previous = version_of(versions, 1)};
  }
  *ret_adapters = adapters;
  return 0;
}

/* Takes both in place of what there was. */
static void take_list(struct installed *installed, json_t *list, struct installed_adapter *adapters) {
  free(installed->adapters);
  json_decref(installed->list);
  installed->list = list;
  installed->adapters = adapters;
  installed->count = json_array_size(list);
}

size_t installed_count(const struct installed *installed) {
  return installed->count;
}

const struct installed_adapter *installed_at(const struct installed *installed, size_t i) {
  return &installed->adapters[i];
}

const struct installed_adapter *installed_find(const struct installed *installed, const char *id) {
  for (size_t i = 0; i < installed->count; i++)
    if (strcmp(installed->adapters[i].id, id) == 0)
      return &installed->adapters[i];
  return NULL;
}

/* ---- installed.json */

static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"format\",\"adapters\"],\"additionalProperties\":false,\"properties\":{"
    "\"format\":{\"const\":\"" FORMAT "\"},"
    "\"adapters\":{\"type\":\"array\",\"maxItems\":1000,\"items\":{"
    "\"type\":\"object\",\"required\":[\"id\",\"versions\"],\"additionalProperties\":false,\"properties\":{"
    "\"id\":{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9-]{0,38}$\"},"
    "\"versions\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,\"items\":{"
    "\"type\":\"object\",\"required\":[\"version\",\"sha256\",\"manifestSha256\",\"source\"],\"additionalProperties\":"
    "false,"
    "\"properties\":{"
    "\"version\":{\"type\":\"string\",\"pattern\":\"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,22}$\"},"
    "\"sha256\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"},"
    "\"manifestSha256\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"},"
    "\"signedBy\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"},"
    "\"source\":{\"type\":\"string\"}}}}}}}}}";

static char *list_path(const struct installed *installed) {
  char *path = NULL;
  return asprintf(&path, "%s/installed.json", installed->directory) < 0 ? NULL : path;
}

/* place_of() goes by the order of ids, and an id that is there twice would have two adapters in use. */
static int check_order(const char *path, const json_t *list, struct error **err) {
  const char *before = "";
  size_t i;
  const json_t *one;
  json_array_foreach(list, i, one) {
    const char *id = text_of(one, "id");
    int order = strcmp(before, id);
    if (order == 0)
      return error_set(err, EINVAL, "%s: /adapters/%zu: %s is there twice", path, i, id);
    if (order > 0)
      return error_set(err, EINVAL, "%s: /adapters/%zu: %s comes after %s, but ids must be in order", path, i, id,
                       before);
    const struct installed_version current = version_of(json_object_get(one, "versions"), 0);
    const struct installed_version previous = version_of(json_object_get(one, "versions"), 1);
    if (previous.digest && strcmp(current.digest, previous.digest) == 0)
      return error_set(err, EINVAL, "%s: /adapters/%zu: both versions of %s are the same package", path, i, id);
    before = id;
  }
  return 0;
}

/* What installed.json says; without the file nothing is installed. */
static int read_list(const char *path, json_t **ret_list, struct error **err) {
  json_auto_t *root = NULL;
  _cleanup_error_ struct error *why = NULL;
  int r = json_file_read(path, LIST_BYTES_MAX, schema_text, &root, &why);
  if (r == -ENOENT) {
    *ret_list = json_array();
    return *ret_list ? 0 : error_set(err, ENOMEM, "out of memory");
  }
  if (r == 0)
    r = check_order(path, json_object_get(root, "adapters"), &why);
  if (r == 0)
    *ret_list = json_incref(json_object_get(root, "adapters"));
  else
    (void)error_set(err, -r, "%s%s", error_message(why),
                    r == -EINVAL ? "; put a copy in its place, or remove it and install the adapters again" : "");
  return r;
}

/* On an error what was there before stays. */
static int load(struct installed *installed, struct error **err) {
  _cleanup_free_ char *path = list_path(installed);
  struct installed_adapter *adapters = NULL;
  json_t *list = NULL;
  int r = path ? read_list(path, &list, err) : error_set(err, ENOMEM, "out of memory");
  if (r == 0)
    r = view(list, &adapters, err);
  if (r == 0)
    take_list(installed, list, adapters);
  else
    json_decref(list);
  return r;
}

static int save(const struct installed *installed, json_t *list, struct error **err) {
  _cleanup_free_ char *path = list_path(installed);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *root = json_pack("{s:s, s:O}", "format", FORMAT, "adapters", list);
  int r = path && root ? json_write(root, &text) : -ENOMEM;
  json_decref(root);
  return r < 0 ? error_set(err, -r, "writing what is installed: %s", strerror(-r))
               : files_replace(path, text.data, text.length, err);
}

/* ---- opening */

void installed_close(struct installed *installed) {
  if (!installed)
    return;
  close_p(&installed->lock);
  json_decref(installed->list);
  free(installed->adapters);
  free(installed->directory);
  free(installed);
}

int installed_open(const char *data_directory, bool change, struct installed **ret_installed, struct error **err) {
  _cleanup_installed_ struct installed *installed = calloc(1, sizeof *installed);
  _cleanup_error_ struct error *own = NULL; /* load() asks it */
  if (!installed)
    return error_set(err, ENOMEM, "out of memory");
  installed->lock = -1;
  if (asprintf(&installed->directory, "%s/adapters", data_directory) < 0) {
    installed->directory = NULL;
    return error_set(err, ENOMEM, "out of memory");
  }
  int r = change ? files_lock(installed->directory, false, &installed->lock, &own) : 0;
  if (r == 0)
    r = load(installed, &own);
  if (r < 0)
    return error_set(err, -r, "%s", error_message(own));
  *ret_installed = take(installed);
  return 0;
}

/* ---- directories */

static char *directory_of(const struct installed *installed, const char *id, const char *version, const char *digest) {
  char *path = NULL;
  return asprintf(&path, "%s/%s/%s-%.*s", installed->directory, id, version, DIGEST_PART, digest) < 0 ? NULL : path;
}

char *installed_directory(const struct installed *installed, const char *id, const struct installed_version *version) {
  return directory_of(installed, id, version->version, version->digest);
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Whether it is a directory's name that directory_of() makes: VERSION-DIGEST. What is called otherwise is somebody
 * else's. */
static bool is_own(const char *name) {
  size_t length = strlen(name);
  if (length < 1 + 1 + DIGEST_PART)
    return false;
  size_t version = length - DIGEST_PART - 1;
  return name[version] == '-' && strspn(name + version + 1, DIGITS "abcdef") == DIGEST_PART &&
         strspn(name, LETTERS DIGITS) > 0 && strspn(name, LETTERS DIGITS ".+_-") >= version;
}

static bool is_of(const char *name, const struct installed_version *version) {
  char own[128];
  return version->version && snprintf(own, sizeof own, "%s-%.*s", version->version, DIGEST_PART, version->digest) > 0 &&
         strcmp(own, name) == 0;
}

/* NULL for what is no directory, or a link to one. */
static DIR *open_below(int parent, const char *name) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  DIR *all = fd < 0 ? NULL : fdopendir(fd);
  if (!all && fd >= 0)
    (void)close(fd);
  return all;
}

/* Removes the directories of an adapter that the list doesn't name, and its own when that makes it empty. What stays
 * does no harm. */
static void prune_adapter(const struct installed *installed, int parent, const char *id) {
  const struct installed_adapter *adapter = installed_find(installed, id);
  DIR *all = open_below(parent, id);
  bool removed = false;
  for (const struct dirent *entry; all && (entry = readdir(all));)
    if (is_own(entry->d_name) &&
        (!adapter || (!is_of(entry->d_name, &adapter->current) && !is_of(entry->d_name, &adapter->previous))))
      removed |= files_remove(dirfd(all), entry->d_name, NULL) == 0;
  if (all)
    (void)closedir(all);
  if (removed)
    (void)unlinkat(parent, id, AT_REMOVEDIR);
}

static bool is_id(const char *name) {
  return strspn(name, "abcdefghijklmnopqrstuvwxyz" DIGITS "-") == strlen(name) && name[0] != '-';
}

static void prune(const struct installed *installed) {
  DIR *all = opendir(installed->directory);
  for (const struct dirent *entry; all && (entry = readdir(all));)
    if (is_id(entry->d_name))
      prune_adapter(installed, dirfd(all), entry->d_name);
    else if (strncmp(entry->d_name, FILE_PARTIAL, strlen(FILE_PARTIAL)) == 0) /* nobody else writes here now */
      (void)unlinkat(dirfd(all), entry->d_name, 0);
  if (all)
    (void)closedir(all);
}

/* ---- changes */

/* Takes the new list, writes it down, and removes what it no longer names. On an error what is installed is what the
 * file says: nearly always what it had before, but it may be in its place and its directory not be synced. */
static int put_list(struct installed *installed, json_t *list, struct error **err) {
  struct installed_adapter *adapters = NULL;
  int r = list ? view(list, &adapters, err) : error_set(err, ENOMEM, "out of memory");
  if (r == 0 && (r = save(installed, list, err)) < 0) {
    _cleanup_error_ struct error *own = NULL; /* load() asks it; the first error is the one to tell */
    (void)load(installed, &own);
  }
  if (r < 0) {
    free(adapters);
    json_decref(list);
    return r;
  }
  take_list(installed, list, adapters);
  prune(installed);
  return 0;
}

static size_t place_of(const struct installed *installed, const char *id) {
  size_t i = 0;
  while (i < installed->count && strcmp(installed->adapters[i].id, id) < 0)
    i++;
  return i;
}

/* The list with `versions` for the id, or without the id when it is NULL. Takes `versions`. */
static json_t *list_with(const struct installed *installed, const char *id, json_t *versions) {
  json_t *list = json_copy(installed->list);
  size_t place = place_of(installed, id);
  bool failed = !list;
  if (!failed && installed_find(installed, id))
    failed = json_array_remove(list, place) < 0;
  if (!failed && versions)
    failed = json_array_insert_new(list, place, json_pack("{s:s, s:O}", "id", id, "versions", versions)) < 0;
  json_decref(versions);
  if (!failed)
    return list;
  json_decref(list);
  return NULL;
}

static const json_t *versions_of(const struct installed *installed, const char *id) {
  return json_object_get(json_array_get(installed->list, place_of(installed, id)), "versions");
}

/* Its files come first to a place that no list names. */
static int unpack(const struct installed *installed, const struct package *package, struct error **err) {
  const struct manifest *manifest = &package->manifest;
  _cleanup_free_ char *own = NULL, *place = directory_of(installed, manifest->id, manifest->version, package->digest);
  if (!place || asprintf(&own, "%s/%s", installed->directory, manifest->id) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_make_directories(own, err);
  if (r == 0)
    r = files_remove(AT_FDCWD, place, err); /* of an end before */
  return r < 0 ? r : files_write(place, &package->tarball, err);
}

/* The list names the place: what is damaged there stays until all is beside it, in a directory that the next change
 * removes after an end. */
static int unpack_again(const struct installed *installed, const struct package *package, struct error **err) {
  const struct manifest *manifest = &package->manifest;
  _cleanup_free_ char *place = directory_of(installed, manifest->id, manifest->version, package->digest);
  _cleanup_free_ char *beside = directory_of(installed, manifest->id, manifest->version, package->digest + DIGEST_PART);
  _cleanup_free_ char *own = NULL;
  if (!place || !beside || asprintf(&own, "%s/%s", installed->directory, manifest->id) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_make_directories(own, err); /* it may be gone with the rest */
  if (r == 0)
    r = files_remove(AT_FDCWD, beside, err);
  if (r == 0)
    r = files_write(beside, &package->tarball, err);
  return r < 0 ? r : files_put(beside, place, err);
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The version that was installed from this very package; NULL when there is none. */
static const struct installed_version *version_from(const struct installed_adapter *adapter,
                                                    const struct package *package) {
  if (adapter && strcmp(adapter->current.digest, package->digest) == 0)
    return &adapter->current;
  bool previous = adapter && adapter->previous.version && strcmp(adapter->previous.digest, package->digest) == 0;
  return previous ? &adapter->previous : NULL;
}

/* Puts the new version before the one at `kept` in the list. */
static int add_version(struct installed *installed, const struct package *package, const char *signed_by,
                       const char *source, size_t kept, struct error **err) {
  const struct manifest *manifest = &package->manifest;
  const struct tarball_file *file = tarball_find(&package->tarball, MANIFEST_PATH);
  char digest[DIGEST_SIZE];
  int r = digest_of(file->data, file->length, digest, err);
  if (r < 0)
    return r;
  json_t *versions = json_pack("[{s:s, s:s, s:s, s:s*, s:s}]", "version", manifest->version, "sha256", package->digest,
                               "manifestSha256", digest, "signedBy", signed_by, "source", source);
  json_t *other =
      installed_find(installed, manifest->id) ? json_array_get(versions_of(installed, manifest->id), kept) : NULL;
  if (versions && other && json_array_append(versions, other) < 0) {
    json_decref(versions);
    versions = NULL;
  }
  return put_list(installed, versions ? list_with(installed, manifest->id, versions) : NULL, err);
}

int installed_add(struct installed *installed, const struct package *package, const char *signed_by, const char *source,
                  struct error **err) {
  const struct manifest *manifest = &package->manifest;
  const struct installed_adapter *before = installed_find(installed, manifest->id);
  const struct installed_version *same = version_from(before, package);
  _cleanup_error_ struct error *damage = NULL;
  bool again = same && same == &before->current;
  bool whole = same && installed_verify(installed, manifest->id, same, &damage) == 0;
  if (again && whole && same_text(same->signed_by, signed_by) && same_text(same->source, source))
    return error_set(err, EALREADY, "%s %s is installed already, from this very package", manifest->id,
                     manifest->version);
  if (!before && installed->count >= INSTALLED_ADAPTERS_MAX)
    return error_set(err, E2BIG, "more than %u adapters are installed", INSTALLED_ADAPTERS_MAX);
  int r = 0;
  if (!same)
    r = unpack(installed, package, err);
  else if (!whole)
    r = unpack_again(installed, package, err);
  return r < 0 ? r : add_version(installed, package, signed_by, source, again ? 1 : 0, err);
}

const struct installed_adapter *installed_require(const struct installed *installed, const char *id,
                                                  struct error **err) {
  const struct installed_adapter *found = installed_find(installed, id);
  if (!found)
    (void)error_set(err, ENOENT,
                    "no adapter \"%s\" is installed from a package; `trammel adapter verify` shows those that are", id);
  return found;
}

int installed_roll_back(struct installed *installed, const char *id, struct error **err) {
  const struct installed_adapter *adapter = installed_require(installed, id, err);
  if (!adapter)
    return -ENOENT;
  if (!adapter->previous.version)
    return error_set(err, ENOENT, "%s has no previous version, %s is the only one", id, adapter->current.version);
  int r = installed_verify(installed, id, &adapter->previous, err);
  if (r < 0)
    return r;
  const json_t *versions = versions_of(installed, id);
  json_t *turned = json_pack("[O, O]", json_array_get(versions, 1), json_array_get(versions, 0));
  return put_list(installed, turned ? list_with(installed, id, turned) : NULL, err);
}

int installed_remove(struct installed *installed, const char *id, struct error **err) {
  const struct installed_adapter *adapter = installed_require(installed, id, err);
  if (!adapter)
    return -ENOENT;
  /* `id` may be borrowed from what changes. */
  return put_list(installed, list_with(installed, id, NULL), err);
}

/* ---- checking */

/* What is read as the manifest must be the one that was installed. */
static int check_manifest(const void *data, size_t length, const struct installed_version *version,
                          struct manifest *ret_manifest, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  char digest[DIGEST_SIZE];
  if (!diagnostics)
    return error_set(err, ENOMEM, "out of memory");
  int r = digest_of(data, length, digest, err);
  if (r == 0 && strcmp(digest, version->manifest) != 0)
    r = error_set(err, EINVAL, "its " MANIFEST_PATH " is not the one that was installed");
  return r < 0 ? r : manifest_read(data, length, diagnostics, ret_manifest, err);
}

int installed_manifest(const struct installed *installed, const char *id, const struct installed_version *version,
                       struct manifest *ret_manifest, struct error **err) {
  _cleanup_free_ char *directory = installed_directory(installed, id, version), *path = NULL, *data = NULL;
  size_t length = 0;
  if (!directory || asprintf(&path, "%s/" MANIFEST_PATH, directory) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = file_read(path, MANIFEST_BYTES_MAX, &data, &length, err);
  return r < 0 ? r : check_manifest(data, length, version, ret_manifest, err);
}

int installed_verify(const struct installed *installed, const char *id, const struct installed_version *version,
                     struct error **err) {
  _cleanup_free_ char *directory = installed_directory(installed, id, version);
  _cleanup_tarball_ struct tarball tarball = {0};
  _cleanup_manifest_ struct manifest manifest = {0};
  if (!directory)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_read(directory, &tarball, err);
  const struct tarball_file *file = r == 0 ? tarball_find(&tarball, MANIFEST_PATH) : NULL;
  if (r == 0 && !file)
    r = error_set(err, EINVAL, "its " MANIFEST_PATH " is not there");
  if (r == 0)
    r = check_manifest(file->data, file->length, version, &manifest, err);
  if (r == 0)
    r = manifest_check_files(&manifest, &tarball, err);
  return r < 0 ? error_wrap(err, "%s %s in %s", id, version->version, directory) : 0;
}
