#include "host/package/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/package/files.h"
#include "host/package/manifest.h"
#include "host/package/package.h"
#include "host/package/version.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"

/* docs/schema/package-index.json, put into the program by the build. */
extern const unsigned char index_schema[];
extern const size_t index_schema_length;

#define FORMAT "trammel.package-index/v1"

void index_finish(struct index *index) {
  free(index->packages);
  json_decref(index->root);
  *index = (struct index){0};
}

/* ---- reading */

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static json_int_t number_of(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

static struct index_package package_of(const json_t *one) {
  const json_t *abi = json_object_get(one, "abi");
  const json_t *platform = json_object_get(one, "platform");
  return (struct index_package){.id = text_of(one, "id"),
                                .version = text_of(one, "version"),
                                .abi_major = (unsigned)number_of(abi, "major"),
                                .abi_minor = (unsigned)number_of(abi, "minor"),
                                .os = text_of(platform, "os"),
                                .arch = text_of(platform, "arch"),
                                .mesh = text_of(one, "mesh"),
                                .summary = text_of(one, "summary"),
                                .licence = text_of(one, "licence"),
                                .file = text_of(one, "file"),
                                .bytes = (size_t)number_of(one, "bytes"),
                                .sha256 = text_of(one, "sha256")};
}

static int compare_packages(const struct index_package *a, const struct index_package *b) {
  int order = strcmp(a->id, b->id);
  if (order == 0)
    order = strcmp(a->version, b->version);
  if (order == 0)
    order = strcmp(a->os, b->os);
  return order != 0 ? order : strcmp(a->arch, b->arch);
}

/* What is no semantic version comes first, by bytes. */
static int compare_versions(const char *a, const char *b) {
  bool a_semantic = version_is_semantic(a), b_semantic = version_is_semantic(b);
  if (a_semantic != b_semantic)
    return a_semantic ? 1 : -1;
  return a_semantic ? version_compare(a, b) : 0;
}

static int compare_for_people(const void *a_package, const void *b_package) {
  const struct index_package *a = a_package, *b = b_package;
  int order = strcmp(a->id, b->id);
  if (order == 0)
    order = compare_versions(a->version, b->version);
  return order != 0 ? order : compare_packages(a, b);
}

static int check_shape(const json_t *root, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  json_t *schema = json_loadb((const char *)index_schema, index_schema_length, 0, NULL);
  int r = diagnostics && schema ? schema_validate(schema, root, INDEX_FILE, diagnostics) : -ENOMEM;
  json_decref(schema);
  if (r == 0)
    return 0;
  const struct diagnostic *first =
      r == -EINVAL && diagnostics_count(diagnostics) > 0 ? diagnostics_at(diagnostics, 0) : NULL;
  if (!first)
    return error_set(err, -r, "reading " INDEX_FILE ": %s", strerror(-r));
  return error_set(err, EINVAL, "its " INDEX_FILE " is none: %s%s%s", first->pointer ? first->pointer : "",
                   first->pointer ? ": " : "", first->summary);
}

static int view(struct index *index, struct error **err) {
  const json_t *packages = json_object_get(index->root, "packages");
  index->serial = number_of(index->root, "serial");
  index->count = json_array_size(packages);
  index->packages = calloc(index->count + 1, sizeof *index->packages);
  if (!index->packages)
    return error_set(err, ENOMEM, "out of memory");
  for (size_t i = 0; i < index->count; i++) {
    index->packages[i] = package_of(json_array_get(packages, i));
    if (i > 0 && compare_packages(&index->packages[i - 1], &index->packages[i]) >= 0)
      return error_set(err, EINVAL, "its " INDEX_FILE " is none: %s %s is there twice or out of order",
                       index->packages[i].id, index->packages[i].version);
  }
  qsort(index->packages, index->count, sizeof *index->packages, compare_for_people);
  return 0;
}

int index_read(const void *data, size_t length, struct index *ret_index, struct error **err) {
  json_error_t where;
  *ret_index = (struct index){0};
  if (length > INDEX_BYTES_MAX)
    return error_set(err, EINVAL, "its " INDEX_FILE " has more than %zu bytes", INDEX_BYTES_MAX);
  ret_index->root = json_loadb(data, length, JSON_REJECT_DUPLICATES, &where);
  int r = ret_index->root ? check_shape(ret_index->root, err)
                          : error_set(err, EINVAL, "its " INDEX_FILE " is no JSON: line %d, column %d: %s", where.line,
                                      where.column, where.text);
  if (r == 0)
    r = view(ret_index, err);
  if (r < 0)
    index_finish(ret_index);
  return r;
}

/* ---- finding */

bool index_package_suits(const struct index_package *package) {
  return strcmp(package->os, PLATFORM_OS) == 0 && strcmp(package->arch, platform_arch()) == 0 &&
         package->abi_major == TRAMMEL_ABI_MAJOR && package->abi_minor <= TRAMMEL_ABI_MINOR;
}

/* Whether `one` is to be preferred; `best` may be NULL. */
static bool is_better(const struct index_package *one, const struct index_package *best, bool prereleases) {
  if (!version_is_semantic(one->version))
    return false;
  if (!best)
    return true;
  bool one_pre = version_is_prerelease(one->version), best_pre = version_is_prerelease(best->version);
  if (!prereleases && one_pre != best_pre)
    return best_pre;
  return version_compare(one->version, best->version) > 0;
}

const struct index_package *index_find(const struct index *index, const char *id, const char *version,
                                       bool prereleases) {
  const struct index_package *best = NULL;
  for (size_t i = 0; i < index->count; i++) {
    const struct index_package *one = &index->packages[i];
    if (strcmp(one->id, id) != 0 || !index_package_suits(one))
      continue;
    if (version && strcmp(one->version, version) == 0)
      return one;
    if (!version && is_better(one, best, prereleases))
      best = one;
  }
  return best;
}

/* ---- making */

static json_t *entry_of(const struct package *package, const char *file, size_t bytes) {
  const struct manifest *manifest = &package->manifest;
  return json_pack("{s:s, s:s, s:{s:i, s:i}, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:I, s:s}", "id", manifest->id,
                   "version", manifest->version, "abi", "major", (int)manifest->abi_major, "minor",
                   (int)manifest->abi_minor, "platform", "os", manifest->os, "arch", manifest->arch, "mesh",
                   manifest->mesh_type, "summary", manifest->summary, "licence", manifest->licence, "file", file,
                   "bytes", (json_int_t)bytes, "sha256", package->digest);
}

/* Puts an entry at its place in the list. Takes the reference. */
static int add_entry(json_t *packages, json_t *entry, struct error **err) {
  const struct index_package own = package_of(entry);
  size_t place = 0;
  for (; place < json_array_size(packages); place++) {
    const struct index_package other = package_of(json_array_get(packages, place));
    int order = compare_packages(&other, &own);
    if (order > 0)
      break;
    if (order < 0)
      continue;
    int r = error_set(err, EINVAL, "%s and %s are both %s %s for %s on %s; take one away", other.file, own.file, own.id,
                      own.version, own.os, own.arch);
    json_decref(entry);
    return r;
  }
  return json_array_insert_new(packages, place, entry) < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int add_package(const char *directory, const char *file, json_t *packages, struct index_made *made,
                       struct error **err) {
  _cleanup_package_ struct package package = {0};
  _cleanup_free_ char *path = NULL, *data = NULL;
  size_t length = 0;
  if (asprintf(&path, "%s/%s", directory, file) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = file_read(path, TARBALL_PACKED_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = package_read_any(data, length, &package, err);
  if (r < 0)
    return error_wrap(err, "%s", path);
  json_t *entry = entry_of(&package, file, length);
  if (!entry)
    return error_set(err, ENOMEM, "out of memory");
  made->packages++;
  made->unsigned_packages += tarball_find(&package.tarball, MANIFEST_SIGNATURE_PATH) == NULL;
  return add_entry(packages, entry, err);
}

/* What is there and no index of ours is not written over. */
static int serial_before(const char *path, int64_t *ret_serial, struct error **err) {
  _cleanup_index_ struct index before = {0};
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  *ret_serial = 0;
  if (access(path, F_OK) < 0 && errno == ENOENT)
    return 0;
  int r = file_read(path, INDEX_BYTES_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = index_read(data, length, &before, err);
  if (r < 0)
    return error_wrap(err, "%s is there already and is not written over", path);
  *ret_serial = before.serial;
  return 0;
}

static int next_serial(const char *path, int64_t now_s, int64_t *ret_serial, struct error **err) {
  int64_t before = 0;
  int r = serial_before(path, &before, err);
  if (r < 0)
    return r;
  if (before >= INDEX_SERIAL_MAX || now_s > INDEX_SERIAL_MAX)
    return error_set(
        err, EOVERFLOW,
        "%s: no serial is left, the greatest is %lld; take it away, make the index again, and have all who "
        "use it remove and add it",
        path, (long long)INDEX_SERIAL_MAX);
  *ret_serial = before >= now_s ? before + 1 : now_s;
  return 0;
}

static int write_signed(const char *directory, json_t *root, const struct signing_key *key, struct error **err) {
  _cleanup_free_ char *path = NULL, *signature_path = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, signature = STRBUF_INIT;
  _cleanup_index_ struct index index = {0};
  if (asprintf(&path, "%s/" INDEX_FILE, directory) < 0 ||
      asprintf(&signature_path, "%s/" INDEX_SIGNATURE_FILE, directory) < 0 || json_write(root, &text) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = index_read(text.data, text.length, &index, err); /* what others will refuse is not written */
  if (r == 0)
    r = signature_make(key, text.data, text.length, &signature, err);
  if (r == 0)
    r = files_publish(path, text.data, text.length, err);
  return r < 0 ? r : files_publish(signature_path, signature.data, signature.length, err);
}

static int gather(const char *directory, json_t *packages, struct index_made *made, struct error **err) {
  _cleanup_names_ char **files = NULL;
  int r = files_list(directory, PACKAGE_SUFFIX, INDEX_PACKAGES_MAX, &files, err);
  for (char **file = files; r == 0 && *file; file++)
    r = add_package(directory, *file, packages, made, err);
  return r;
}

int index_make(const char *directory, const struct signing_key *key, int64_t now_s, struct index_made *ret_made,
               struct error **err) {
  struct index_made made = {0};
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/" INDEX_FILE, directory) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = next_serial(path, now_s, &made.serial, err);
  if (r < 0)
    return r;
  json_t *packages = json_array();
  r = packages ? gather(directory, packages, &made, err) : error_set(err, ENOMEM, "out of memory");
  json_t *root =
      r == 0 ? json_pack("{s:s, s:I, s:O}", "format", FORMAT, "serial", (json_int_t)made.serial, "packages", packages)
             : NULL;
  if (r == 0)
    r = root ? write_signed(directory, root, key, err) : error_set(err, ENOMEM, "out of memory");
  json_decref(root);
  json_decref(packages);
  if (r == 0)
    *ret_made = made;
  return r;
}
