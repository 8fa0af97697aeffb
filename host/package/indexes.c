#include "host/package/indexes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/package/fetch.h"
#include "host/package/files.h"
#include "host/package/json_file.h"
#include "host/package/trust.h"
#include "sdk/base/document.h"

#define FORMAT "trammel.known-index/v1"
#define SUFFIX ".json"
#define ENTRY_BYTES_MAX ((size_t)16 << 10)

static char *directory_of(const char *data_directory) {
  char *path = NULL;
  return asprintf(&path, "%s/indexes", data_directory) < 0 ? NULL : path;
}

static char *path_of(const char *data_directory, const char *name, const char *suffix) {
  char *path = NULL;
  return asprintf(&path, "%s/indexes/%s%s", data_directory, name, suffix) < 0 ? NULL : path;
}

static void known_finish(struct known_index *known) {
  free(known->name);
  free(known->location);
  signing_key_free(known->key);
  index_finish(&known->index);
  *known = (struct known_index){0};
}

void indexes_finish(struct indexes *indexes) {
  for (size_t i = 0; indexes->list && i < indexes->count; i++)
    known_finish(&indexes->list[i]);
  free(indexes->list);
  free(indexes->data_directory);
  *indexes = (struct indexes){0};
}

struct known_index *indexes_find(const struct indexes *indexes, const char *name) {
  for (size_t i = 0; i < indexes->count; i++)
    if (strcmp(indexes->list[i].name, name) == 0)
      return &indexes->list[i];
  return NULL;
}

/* ---- reading */

static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"format\",\"location\",\"serial\"],\"additionalProperties\":false,"
    "\"properties\":{"
    "\"format\":{\"const\":\"" FORMAT "\"},"
    "\"location\":{\"type\":\"string\",\"pattern\":\"^(/|https?://)\"},"
    "\"serial\":{\"type\":\"integer\",\"minimum\":0}}}";

static int read_entry(const char *path, struct known_index *known, struct error **err) {
  json_auto_t *root = NULL;
  int r = json_file_read(path, ENTRY_BYTES_MAX, schema_text, &root, err);
  if (r < 0)
    return r;
  known->serial = json_integer_value(json_object_get(root, "serial"));
  known->location = strdup(json_string_value(json_object_get(root, "location")));
  return known->location ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* `file` is "NAME.json". */
static int read_known(const char *data_directory, const char *file, struct known_index *known, struct error **err) {
  known->name = strndup(file, strlen(file) - strlen(SUFFIX));
  _cleanup_free_ char *path = known->name ? path_of(data_directory, known->name, SUFFIX) : NULL;
  _cleanup_free_ char *key = known->name ? path_of(data_directory, known->name, ".pem") : NULL;
  if (!path || !key)
    return error_set(err, ENOMEM, "out of memory");
  if (!name_is_valid(known->name))
    return error_set(err, EINVAL, "%s is none that `trammel adapter index add` put there; take it away", path);
  int r = read_entry(path, known, err);
  return r < 0 ? r : signing_key_read_public(key, &known->key, err);
}

static int read_all(const char *data_directory, char *const *files, struct indexes *indexes, struct error **err) {
  size_t count = 0;
  while (files && files[count])
    count++;
  indexes->data_directory = strdup(data_directory);
  indexes->list = calloc(count + 1, sizeof *indexes->list);
  if (!indexes->list || !indexes->data_directory)
    return error_set(err, ENOMEM, "out of memory");
  int r = 0;
  for (; r == 0 && indexes->count < count; indexes->count++)
    r = read_known(data_directory, files[indexes->count], &indexes->list[indexes->count], err);
  return r < 0 ? error_wrap(err, "reading the indexes") : 0;
}

int indexes_read(const char *data_directory, struct indexes *ret_indexes, struct error **err) {
  _cleanup_indexes_ struct indexes indexes = {0};
  _cleanup_names_ char **files = NULL;
  _cleanup_free_ char *directory = directory_of(data_directory);
  if (!directory)
    return error_set(err, ENOMEM, "out of memory");
  int r = 0;
  if (access(directory, F_OK) == 0 || errno != ENOENT)
    r = files_list(directory, SUFFIX, INDEXES_MAX, &files, err);
  if (r == 0)
    r = read_all(data_directory, files, &indexes, err);
  if (r < 0)
    return r;
  *ret_indexes = take(indexes);
  return 0;
}

/* ---- fetching */

static int write_entry(const char *data_directory, const struct known_index *known, struct error **err) {
  _cleanup_free_ char *path = path_of(data_directory, known->name, SUFFIX);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *root =
      json_pack("{s:s, s:s, s:I}", "format", FORMAT, "location", known->location, "serial", (json_int_t)known->serial);
  int r = path && root ? json_write(root, &text) : -ENOMEM;
  json_decref(root);
  return r < 0 ? error_set(err, -r, "writing down the index %s: %s", known->name, strerror(-r))
               : files_replace(path, text.data, text.length, err);
}

/* Another program may have seen a later one, or have removed the index. */
static int remember(const char *data_directory, struct known_index *known, struct error **err) {
  _cleanup_indexes_ struct indexes now = {0};
  _cleanup_free_ char *directory = directory_of(data_directory);
  _cleanup_close_ int lock = -1;
  if (!directory)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_lock(directory, true, &lock, err);
  if (r == 0)
    r = indexes_read(data_directory, &now, err);
  const struct known_index *own = r == 0 ? indexes_find(&now, known->name) : NULL;
  if (r < 0 || !own || own->serial >= known->serial)
    return r;
  return write_entry(data_directory, known, err);
}

static int get_signed(const struct known_index *known, char **ret_data, size_t *ret_length, struct error **err) {
  _cleanup_free_ char *place = fetch_place(known->location, INDEX_FILE);
  _cleanup_free_ char *signature_place = fetch_place(known->location, INDEX_SIGNATURE_FILE);
  _cleanup_free_ char *data = NULL, *signature = NULL;
  size_t length = 0, signature_length = 0;
  const struct signing_key *const keys[] = {known->key}, *by = NULL;
  if (!place || !signature_place)
    return error_set(err, ENOMEM, "out of memory");
  int r = fetch(place, INDEX_BYTES_MAX, &data, &length, err);
  if (r == 0)
    r = fetch(signature_place, SIGNATURE_TEXT_MAX, &signature, &signature_length, err);
  if (r < 0)
    return r;
  r = signature_verify(signature, signature_length, data, length, keys, 1, &by, err);
  if (r < 0)
    return error_wrap(err, "%s", signature_place);
  *ret_data = take(data);
  *ret_length = length;
  return 0;
}

static int fetch_index(struct known_index *known, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  int r = get_signed(known, &data, &length, err);
  if (r == 0)
    r = index_read(data, length, &known->index, err);
  if (r == 0 && known->index.serial < known->serial) {
    r = error_set(err, ESTALE,
                  "it is older than one that was seen before (serial %lld, seen %lld): an old copy is being served",
                  (long long)known->index.serial, (long long)known->serial);
    index_finish(&known->index);
  }
  return r < 0 ? error_wrap(err, "the index %s", known->name) : 0;
}

int indexes_fetch(const struct indexes *indexes, struct known_index *known, struct error **err) {
  if (known->index.root)
    return 0;
  int r = fetch_index(known, err);
  if (r < 0 || known->index.serial == known->serial)
    return r;
  known->serial = known->index.serial;
  return remember(indexes->data_directory, known, err);
}

/* ---- adding and removing */

static int resolve(const char *location, char **ret_location, struct error **err) {
  if (fetch_is_url(location)) {
    int r = fetch_check_url(location, err);
    if (r < 0)
      return r;
    *ret_location = strdup(location);
    return *ret_location ? 0 : error_set(err, ENOMEM, "out of memory");
  }
  char *path = realpath(location, NULL);
  if (!path)
    return error_set(err, errno, "%s: %s; an index is a directory, or begins with http:// or https://", location,
                     strerror(errno));
  *ret_location = path;
  return 0;
}

static int check_new(const char *data_directory, const char *name, struct error **err) {
  _cleanup_indexes_ struct indexes indexes = {0};
  int r = indexes_read(data_directory, &indexes, err);
  if (r < 0)
    return r;
  if (indexes_find(&indexes, name))
    return error_set(err, EEXIST, "there is an index \"%s\" already; choose another name, or remove that one first",
                     name);
  return indexes.count < INDEXES_MAX ? 0 : error_set(err, E2BIG, "there are %u indexes already", INDEXES_MAX);
}

static int write_new(const char *data_directory, const struct known_index *known, struct error **err) {
  _cleanup_free_ char *directory = directory_of(data_directory);
  _cleanup_free_ char *key_path = path_of(data_directory, known->name, ".pem");
  _cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;
  _cleanup_close_ int lock = -1;
  if (!directory || !key_path)
    return error_set(err, ENOMEM, "out of memory");
  int r = files_lock(directory, true, &lock, err);
  if (r == 0)
    r = check_new(data_directory, known->name, err); /* again: nobody else adds now */
  if (r == 0)
    r = signing_key_write_public(known->key, &pem, err);
  if (r == 0)
    r = files_replace(key_path, pem.data, pem.length, err);
  return r < 0 ? r : write_entry(data_directory, known, err);
}

static int add(const char *data_directory, struct known_index *known, const char *name, const char *location,
               const char *key_path, struct error **err) {
  known->name = strdup(name);
  if (!known->name)
    return error_set(err, ENOMEM, "out of memory");
  int r = check_new(data_directory, name, err);
  if (r == 0)
    r = resolve(location, &known->location, err);
  if (r == 0)
    r = signing_key_read_public(key_path, &known->key, err);
  if (r == 0)
    r = fetch_index(known, err);
  if (r < 0)
    return r;
  known->serial = known->index.serial;
  return write_new(data_directory, known, err);
}

int indexes_add(const char *data_directory, const char *name, const char *location, const char *key_path,
                struct error **err) {
  struct known_index known = {0};
  if (!name_is_valid(name))
    return error_set(err, EINVAL, "\"%s\" is no name for an index: 1 to %u of a-z, 0-9 and -", name, NAME_MAX_LENGTH);
  int r = add(data_directory, &known, name, location, key_path, err);
  known_finish(&known);
  return r;
}

int indexes_remove(const char *data_directory, const char *name, struct error **err) {
  _cleanup_free_ char *path = path_of(data_directory, name, SUFFIX);
  _cleanup_free_ char *key_path = path_of(data_directory, name, ".pem");
  if (!path || !key_path)
    return error_set(err, ENOMEM, "out of memory");
  errno = ENOENT;
  if (!name_is_valid(name) || unlink(path) < 0)
    return errno == ENOENT
               ? error_set(err, ENOENT, "no index is called \"%s\"; `trammel adapter index list` shows them", name)
               : error_set(err, errno, "removing %s: %s", path, strerror(errno));
  (void)unlink(key_path); /* without the other it does not count */
  return 0;
}
