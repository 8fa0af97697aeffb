#include "host/package/obtain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/package/fetch.h"
#include "host/package/files.h"
#include "host/package/package.h"
#include "host/package/trust.h"

void obtained_finish(struct obtained *obtained) {
  free(obtained->data);
  free(obtained->source);
  *obtained = (struct obtained){0};
}

/* ---- by a name */

/* [INDEX/]NAME[@VERSION], in parts. */
struct name {
  char *text; /* holds the parts */
  const char *index;
  const char *id;
  const char *version;
};

static void name_finish(struct name *name) {
  free(name->text);
}

/* False for what is no such name, or without memory. */
static bool parse_name(const char *what, struct name *ret_name) {
  static const char suffix[] = PACKAGE_SUFFIX;
  size_t length = strlen(what);
  *ret_name = (struct name){0};
  if (length >= sizeof suffix && strcmp(what + length - (sizeof suffix - 1), suffix) == 0)
    return false;
  char *text = ret_name->text = strdup(what);
  char *at = text ? strchr(text, '@') : NULL;
  if (at)
    *at = '\0';
  char *slash = text ? strchr(text, '/') : NULL;
  if (slash)
    *slash = '\0';
  ret_name->index = slash ? text : NULL;
  ret_name->id = slash ? slash + 1 : text;
  ret_name->version = at ? at + 1 : NULL;
  return text && name_is_valid(ret_name->id) && (!slash || name_is_valid(text)) && (!at || at[1] != '\0');
}

static int not_offered(const struct name *name, const char *what, struct error **err) {
  const char *space = name->version ? " " : "", *version = name->version ? name->version : "";
  if (access(what, F_OK) == 0)
    return error_set(err, ENOENT, "no index offers %s%s%s; for the file or directory of that name write ./%s", name->id,
                     space, version, what);
  return error_set(err, ENOENT,
                   "no index offers %s%s%s for this machine; `trammel adapter index list` shows the indexes, and "
                   "`trammel adapter index show` what one offers",
                   name->id, space, version);
}

/* One that cannot be asked ends the search: without it nobody knows whether the name is in one index only. */
static int search(const struct indexes *indexes, const struct name *name, const struct known_index **ret_known,
                  const struct index_package **ret_entry, struct error **err) {
  *ret_entry = NULL;
  for (size_t i = 0; i < indexes->count; i++) {
    struct known_index *known = &indexes->list[i];
    if (name->index && strcmp(known->name, name->index) != 0)
      continue;
    int r = indexes_fetch(indexes, known, err);
    if (r < 0)
      return r;
    const struct index_package *entry = index_find(&known->index, name->id, name->version, false);
    if (entry && *ret_entry)
      return error_set(err, EINVAL, "several indexes offer %s: say %s/%s or %s/%s", name->id, (*ret_known)->name,
                       name->id, known->name, name->id);
    if (entry) {
      *ret_known = known;
      *ret_entry = entry;
    }
  }
  return 0;
}

/* The owner of an index is not trusted to say what a package is: only the package is, whose vendor has signed it. */
static int check_entry(const struct obtained *obtained, const struct index_package *entry, struct error **err) {
  _cleanup_package_ struct package package = {0};
  const struct manifest *manifest = &package.manifest;
  int r = package_read_any(obtained->data, obtained->length, &package, err);
  if (r < 0)
    return r;
  if (strcmp(manifest->id, entry->id) == 0 && strcmp(manifest->version, entry->version) == 0 &&
      strcmp(manifest->os, entry->os) == 0 && strcmp(manifest->arch, entry->arch) == 0)
    return 0;
  return error_set(
      err, EBADMSG, "it is %s %s for %s on %s, but the index names %s %s for %s on %s; tell who keeps the index",
      manifest->id, manifest->version, manifest->os, manifest->arch, entry->id, entry->version, entry->os, entry->arch);
}

int obtain_from_index(const struct known_index *known, const struct index_package *entry, struct obtained *ret_obtained,
                      struct error **err) {
  _cleanup_obtained_ struct obtained obtained = {0};
  _cleanup_free_ char *place = fetch_place(known->location, entry->file);
  char digest[DIGEST_SIZE];
  if (!place || asprintf(&obtained.source, "%s/%s", known->name, entry->id) < 0) {
    obtained.source = NULL;
    return error_set(err, ENOMEM, "out of memory");
  }
  int r = fetch(place, entry->bytes, &obtained.data, &obtained.length, err);
  if (r == -E2BIG || r == -EFBIG)
    return error_set(err, EBADMSG, "%s is larger than the %zu bytes that the index names", place, entry->bytes);
  if (r == 0)
    r = digest_of(obtained.data, obtained.length, digest, err);
  if (r < 0)
    return r;
  if (obtained.length != entry->bytes || strcmp(digest, entry->sha256) != 0)
    return error_set(err, EBADMSG,
                     "%s is not the package that the index names: it has %zu bytes and the SHA-256 %s, expected %zu "
                     "and %s",
                     place, obtained.length, digest, entry->bytes, entry->sha256);
  r = check_entry(&obtained, entry, err);
  if (r < 0)
    return error_wrap(err, "%s", place);
  *ret_obtained = take(obtained);
  return 0;
}

static int by_name(const char *data_directory, const struct name *name, const char *what, struct obtained *ret_obtained,
                   struct error **err) {
  _cleanup_indexes_ struct indexes indexes = {0};
  const struct known_index *known = NULL;
  const struct index_package *entry = NULL;
  int r = indexes_read(data_directory, &indexes, err);
  if (r < 0)
    return r;
  if (name->index && !indexes_find(&indexes, name->index))
    return error_set(err, ENOENT,
                     "no index is called \"%s\"; `trammel adapter index list` shows them; a path begins "
                     "with / or ./",
                     name->index);
  r = search(&indexes, name, &known, &entry, err);
  if (r == 0 && !entry)
    r = not_offered(name, what, err);
  return r < 0 ? r : obtain_from_index(known, entry, ret_obtained, err);
}

/* ---- by a path */

static int by_file(const char *path, struct obtained *ret_obtained, struct error **err) {
  _cleanup_obtained_ struct obtained obtained = {0};
  int r = fetch(path, TARBALL_PACKED_MAX, &obtained.data, &obtained.length, err);
  if (r < 0)
    return r;
  obtained.source = fetch_is_url(path) ? strdup(path) : realpath(path, NULL);
  if (!obtained.source)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  *ret_obtained = take(obtained);
  return 0;
}

/* 1 for a package for this machine, 0 for another machine's. */
static int suits(const char *path, struct error **err) {
  _cleanup_obtained_ struct obtained one = {0};
  _cleanup_package_ struct package package = {0};
  int r = by_file(path, &one, err);
  if (r < 0)
    return r;
  r = package_read_any(one.data, one.length, &package, err);
  if (r < 0)
    return error_wrap(err, "%s", path);
  return strcmp(package.manifest.os, PLATFORM_OS) == 0 && strcmp(package.manifest.arch, platform_arch()) == 0;
}

static int by_directory(const char *directory, struct obtained *ret_obtained, struct error **err) {
  _cleanup_names_ char **files = NULL;
  _cleanup_free_ char *found = NULL;
  int r = files_list(directory, PACKAGE_SUFFIX, OBTAIN_DIRECTORY_MAX, &files, err);
  for (char **file = files; r == 0 && *file; file++) {
    _cleanup_free_ char *path = fetch_place(directory, *file);
    if (!path)
      return error_set(err, ENOMEM, "out of memory");
    r = suits(path, err);
    if (r > 0 && found)
      return error_set(err, EINVAL, "%s and %s are both for this machine; name one of them", found, path);
    if (r > 0)
      found = take(path);
    r = r > 0 ? 0 : r;
  }
  if (r < 0)
    return r;
  return found ? by_file(found, ret_obtained, err)
               : error_set(err, ENOENT, "%s has no package (" PACKAGE_SUFFIX ") for this machine, %s on %s", directory,
                           PLATFORM_OS, platform_arch());
}

static int by_path(const char *path, struct obtained *ret_obtained, struct error **err) {
  struct stat status;
  if (!*path)
    return error_set(err, EINVAL,
                     "a name without a letter is no package; name a file, a directory, a URL or an adapter");
  if (stat(path, &status) < 0)
    return strstr(path, "://") ? error_set(err, EINVAL, "%s: a URL begins with https:// or http://", path)
                               : error_set(err, errno, "%s: %s", path, strerror(errno));
  if (S_ISDIR(status.st_mode))
    return by_directory(path, ret_obtained, err);
  if (!S_ISREG(status.st_mode))
    return error_set(err, EINVAL, "%s is neither a file nor a directory", path);
  return by_file(path, ret_obtained, err);
}

int obtain(const char *data_directory, const char *what, struct obtained *ret_obtained, struct error **err) {
  if (fetch_is_url(what))
    return by_file(what, ret_obtained, err);
  _cleanup_(name_finish) struct name name = {0};
  return parse_name(what, &name) ? by_name(data_directory, &name, what, ret_obtained, err)
                                 : by_path(what, ret_obtained, err);
}
