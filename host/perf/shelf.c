#include "host/perf/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

/* ---- names and places */

static bool is_word(const char *text, size_t length) {
  static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return length > 0 && length <= SHELF_NAME_MAX && strspn(text, inner) >= length && strcspn(text, "0123456789-_.") > 0;
}

bool shelf_is_name(const char *text) {
  return is_word(text, strlen(text));
}

/* As shelf_keep_result() makes them: nothing else becomes part of a path. */
static bool is_id(const char *text) {
  size_t length = strlen(text);
  return length > 8 && length < SHELF_ID_SIZE && text[0] >= '0' && text[0] <= '9' &&
         strspn(text, "0123456789abcdefTZ.-") == length;
}

static unsigned read_version(const char *text) {
  char *end = NULL;
  unsigned long value = *text >= '1' && *text <= '9' ? strtoul(text, &end, 10) : 0;
  return end && *end == '\0' && value <= SHELF_ITEMS_MAX ? (unsigned)value : 0;
}

static char *path_of(const char *state, const char *kind, const char *name) {
  char *path = NULL;
  return asprintf(&path, "%s/perf/%s%s%s", state, kind, *name ? "/" : "", name) < 0 ? NULL : path;
}

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "keeping profiles and results: no memory");
}

/* mkdir -p; what is made is the user's alone. */
static int make_directories(char *path, struct error **err) {
  for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
    if (slash)
      *slash = '\0';
    int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
    if (r < 0)
      return error_set(err, -r, "making %s: %s", path, strerror(-r));
    if (!slash)
      return 0;
    *slash = '/';
  }
}

/* How many entries a directory has. */
static int count_entries(const char *path, size_t *ret_count) {
  DIR *directory = opendir(path);
  const struct dirent *file;
  *ret_count = 0;
  if (!directory)
    return errno == ENOENT ? 0 : -errno;
  while (errno = 0, (file = readdir(directory)))
    *ret_count += file->d_name[0] != '.';
  int r = -errno;
  (void)closedir(directory);
  return r;
}

/* As many as can be listed. */
static int check_room(const char *state, const char *kind, struct error **err) {
  _cleanup_free_ char *path = path_of(state, kind, "");
  size_t count;
  if (!path)
    return no_memory(err);
  int r = count_entries(path, &count);
  if (r < 0)
    return error_set(err, -r, "reading %s: %s", path, strerror(-r));
  return count < SHELF_ITEMS_MAX ? 0
                                 : error_set(err, E2BIG,
                                             "%s: %zu are kept, and at most %d can be; `trammel perf delete` makes "
                                             "room",
                                             path, count, SHELF_ITEMS_MAX);
}

/* ---- versions */

/* The latest version in a directory, and how many there are; 0 when there is none. */
static int look(const char *path, unsigned *ret_latest, unsigned *ret_count) {
  DIR *directory = opendir(path);
  const struct dirent *file;
  *ret_latest = *ret_count = 0;
  if (!directory)
    return errno == ENOENT ? 0 : -errno;
  while (errno = 0, (file = readdir(directory))) {
    unsigned version = read_version(file->d_name);
    *ret_latest = version > *ret_latest ? version : *ret_latest;
    *ret_count += version > 0;
  }
  int r = -errno;
  (void)closedir(directory);
  return r;
}

static bool has_content(const char *path, const void *text, size_t length) {
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
  _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd >= 0 && strbuf_read_file(&found, fd, length) == 0 && found.length == length &&
         memcmp(strbuf_text(&found), text, length) == 0;
}

/* With the lock of the directory. */
static int add_version(const char *directory, const void *text, size_t length, unsigned *ret_version, bool *ret_new,
                       struct error **err) {
  _cleanup_free_ char *latest_path = NULL, *path = NULL;
  unsigned latest, count;
  int r = look(directory, &latest, &count);
  if (r < 0)
    return error_set(err, -r, "reading %s: %s", directory, strerror(-r));
  if (latest >= SHELF_ITEMS_MAX)
    return error_set(err, E2BIG, "a profile has at most %d versions", SHELF_ITEMS_MAX);
  if (asprintf(&latest_path, "%s/%u", directory, latest) < 0 || asprintf(&path, "%s/%u", directory, latest + 1) < 0)
    return no_memory(err);
  *ret_new = latest == 0 || !has_content(latest_path, text, length);
  *ret_version = latest + *ret_new;
  return *ret_new ? file_replace(path, 0600, text, length, err) : 0;
}

int shelf_save_profile(const char *state_directory, const char *name, const void *text, size_t length,
                       unsigned *ret_version, bool *ret_new, struct error **err) {
  if (!shelf_is_name(name))
    return error_set(err, EINVAL,
                     "'%.64s' is no name to save a profile by: a letter, then letters, digits, '-', '_' and '.', at "
                     "most %d",
                     name, SHELF_NAME_MAX);
  _cleanup_free_ char *directory = path_of(state_directory, "profiles", name);
  if (!directory)
    return no_memory(err);
  int r = access(directory, F_OK) == 0 ? 0 : check_room(state_directory, "profiles", err);
  if (r == 0)
    r = make_directories(directory, err);
  if (r < 0)
    return r;
  _cleanup_close_ int lock = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 || flock(lock, LOCK_EX) < 0)
    return error_set(err, errno, "locking %s: %s", directory, strerror(errno));
  return add_version(directory, text, length, ret_version, ret_new, err);
}

/* ---- results */

static int new_id(char ret_id[SHELF_ID_SIZE], struct error **err) {
  int64_t now_ns = clock_realtime_ns();
  time_t second = (time_t)(now_ns / NS_PER_SECOND);
  struct tm utc;
  unsigned char odd[3];
  char text[20];
  if (!gmtime_r(&second, &utc) || strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &utc) == 0 ||
      getrandom(odd, sizeof(odd), 0) != (ssize_t)sizeof(odd))
    return error_set(err, EIO, "a result has no id: no clock, or no random bytes");
  (void)snprintf(ret_id, SHELF_ID_SIZE, "%s.%03dZ-%02x%02x%02x", text, (int)(now_ns / NS_PER_MS % 1000), odd[0], odd[1],
                 odd[2]);
  return 0;
}

int shelf_prepare(const char *state_directory, struct error **err) {
  _cleanup_free_ char *directory = path_of(state_directory, "results", "");
  if (!directory)
    return no_memory(err);
  int r = make_directories(directory, err);
  if (r == 0 && access(directory, W_OK | X_OK) < 0)
    r = error_set(err, errno, "keeping a result in %s: %s", directory, strerror(errno));
  return r < 0 ? r : check_room(state_directory, "results", err);
}

int shelf_keep_result(const char *state_directory, const void *text, size_t length, char ret_id[SHELF_ID_SIZE],
                      struct error **err) {
  _cleanup_free_ char *path = NULL;
  int r = shelf_prepare(state_directory, err);
  if (r == 0)
    r = new_id(ret_id, err);
  if (r < 0)
    return r;
  path = path_of(state_directory, "results", ret_id);
  return path ? file_replace(path, 0600, text, length, err) : no_memory(err);
}

/* ---- finding */

/* What a word means: a result, or a profile's version (0: the latest, or all). */
struct meaning {
  bool result;
  char name[SHELF_NAME_MAX + 1];
  unsigned version;
};

static int understand(const char *what, struct meaning *meaning, struct error **err) {
  size_t length = strcspn(what, "@");
  *meaning = (struct meaning){.result = is_id(what)};
  bool word = !meaning->result && is_word(what, length);
  if (word && what[length] == '@')
    meaning->version = read_version(what + length + 1);
  if (!meaning->result && (!word || (what[length] == '@' && meaning->version == 0)))
    return error_set(err, EINVAL, "'%.64s' is neither a profile's NAME or NAME@VERSION nor the id of a result", what);
  (void)snprintf(meaning->name, sizeof(meaning->name), "%.*s", (int)length, what);
  return 0;
}

static int missing(const char *what, struct error **err) {
  return error_set(err, ENOENT, "nothing is kept as %.64s; `trammel perf list` shows what is", what);
}

static int find_profile(const char *state, const struct meaning *meaning, char **ret_path, struct error **err) {
  _cleanup_free_ char *directory = path_of(state, "profiles", meaning->name);
  unsigned version = meaning->version, count;
  int r = directory ? 0 : -ENOMEM;
  if (r == 0 && version == 0)
    r = look(directory, &version, &count);
  if (r == 0 && version > 0)
    r = asprintf(ret_path, "%s/%u", directory, version) < 0 ? -ENOMEM : 0;
  if (r == 0 && version == 0)
    return missing(meaning->name, err);
  return r < 0 ? error_set(err, -r, "reading what is kept of %s: %s", meaning->name, strerror(-r)) : 0;
}

int shelf_find(const char *state_directory, const char *what, char **ret_path, struct error **err) {
  struct meaning meaning;
  char *path = NULL;
  int r = understand(what, &meaning, err);
  if (r == 0 && !meaning.result)
    r = find_profile(state_directory, &meaning, &path, err);
  if (r < 0)
    return r;
  if (meaning.result && !(path = path_of(state_directory, "results", meaning.name)))
    return no_memory(err);
  if (!path || access(path, F_OK) < 0) {
    free(path);
    return missing(what, err);
  }
  *ret_path = path;
  return 0;
}

/* ---- removing */

static int delete_versions(const char *directory, struct error **err) {
  unsigned latest, count;
  int r = look(directory, &latest, &count);
  for (unsigned i = latest; r == 0 && i > 0; i--) {
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s/%u", directory, i) < 0)
      r = -ENOMEM;
    else if (unlink(path) < 0 && errno != ENOENT)
      r = -errno;
  }
  if (r == 0 && rmdir(directory) < 0 && errno != ENOENT)
    r = -errno;
  return r < 0 ? error_set(err, -r, "removing %s: %s", directory, strerror(-r)) : 0;
}

int shelf_delete(const char *state_directory, const char *what, struct error **err) {
  struct meaning meaning;
  _cleanup_free_ char *path = NULL;
  int r = understand(what, &meaning, err);
  if (r == 0)
    r = shelf_find(state_directory, what, &path, err);
  if (r < 0)
    return r;
  _cleanup_free_ char *directory = path_of(state_directory, "profiles", meaning.name);
  if (!directory)
    return no_memory(err);
  if (!meaning.result && meaning.version == 0)
    return delete_versions(directory, err);
  if (unlink(path) < 0)
    return error_set(err, errno, "removing %s: %s", path, strerror(errno));
  if (!meaning.result)
    (void)rmdir(directory); /* when that was the last one */
  return 0;
}

/* ---- listing */

struct listing {
  struct shelf_item *items;
  size_t count, capacity;
};

static int64_t changed_s(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0;
}

/* False: it went meanwhile, or is none of ours. */
static bool describe(const char *state, const char *kind, const char *name, struct shelf_item *item) {
  bool result = strcmp(kind, "results") == 0;
  _cleanup_free_ char *path = path_of(state, kind, name), *latest = NULL;
  *item = (struct shelf_item){0};
  size_t length = strlen(name);
  if (!path || length >= sizeof(item->name) || !(result ? is_id(name) : shelf_is_name(name)))
    return false;
  memcpy(item->name, name, length); /* the rest is 0 */
  if (!result && (look(path, &item->version, &item->versions) < 0 || item->version == 0 ||
                  asprintf(&latest, "%s/%u", path, item->version) < 0))
    return false;
  item->kept_s = changed_s(result ? path : latest);
  return true;
}

static int list_kind(const char *state, const char *kind, struct listing *listing, struct error **err) {
  _cleanup_free_ char *path = path_of(state, kind, "");
  DIR *directory = path ? opendir(path) : NULL;
  const struct dirent *file;
  int r = 0;
  if (!path)
    return no_memory(err);
  if (!directory)
    return errno == ENOENT ? 0 : error_set(err, errno, "reading %s: %s", path, strerror(errno));
  while (r == 0 && (file = readdir(directory))) {
    struct shelf_item item;
    if (!describe(state, kind, file->d_name, &item))
      continue;
    if (listing->count >= (size_t)2 * SHELF_ITEMS_MAX)
      r = error_set(err, E2BIG, "%s: more than %d are kept", path, SHELF_ITEMS_MAX);
    else if (array_reserve((void **)&listing->items, &listing->capacity, listing->count, sizeof(item)) < 0)
      r = no_memory(err);
    else
      listing->items[listing->count++] = item;
  }
  (void)closedir(directory);
  return r;
}

static int in_order(const void *a, const void *b) {
  const struct shelf_item *x = a, *y = b;
  if ((x->version == 0) != (y->version == 0))
    return (x->version == 0) - (y->version == 0);
  return x->version > 0 ? strcmp(x->name, y->name) : strcmp(y->name, x->name);
}

int shelf_list(const char *state_directory, struct shelf_item **ret_items, size_t *ret_count, struct error **err) {
  struct listing listing = {0};
  int r = list_kind(state_directory, "profiles", &listing, err);
  if (r == 0)
    r = list_kind(state_directory, "results", &listing, err);
  if (r < 0) {
    free(listing.items);
    return r;
  }
  if (listing.count > 0)
    qsort(listing.items, listing.count, sizeof(*listing.items), in_order);
  *ret_items = listing.items;
  *ret_count = listing.count;
  return 0;
}
