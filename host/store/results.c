#include "host/store/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/strbuf.h"

#define SUFFIX ".jsonl"
/* How often making a file starts over when another program removes the empty directory meanwhile. */
#define CREATE_ATTEMPTS 16

struct results {
  char *state;
  char id[RESULTS_ID_SIZE];
  int fd;
  off_t length;
};

/* Leaves nothing for the descriptor's cleanup to close. */
static int hand_over(int *fd) {
  int value = *fd;

  *fd = -1;
  return value;
}

/* Only what looks like a run's id becomes part of a path. */
static bool is_id(const char *text) {
  size_t length = strlen(text);

  return length > 8 && length < RESULTS_ID_SIZE && text[0] >= '0' && text[0] <= '9' &&
         strspn(text, "0123456789abcdefTZ.-") == length;
}

static char *directory_of(const char *state) {
  char *path = NULL;

  return asprintf(&path, "%s/results", state) < 0 ? NULL : path;
}

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "keeping results: no memory");
}

static void remove_empty(const char *state) {
  _cleanup_free_ char *directory = directory_of(state);

  if (directory)
    (void)rmdir(directory);
}

/* ---- writing */

static int write_whole(struct results *results, const char *data, size_t length) {
  int r = file_write_all(results->fd, data, length);

  if (r < 0)
    return ftruncate(results->fd, results->length) < 0 ? -EIO : r;
  results->length += (off_t)length;
  return 0;
}

int results_add(struct results *results, const json_t *line, struct error **err) {
  _cleanup_free_ char *text = json_dumps(line, JSON_COMPACT);
  size_t length = text ? strlen(text) : 0;

  if (!text)
    return no_memory(err);
  if ((size_t)results->length + length + 1 > RESULTS_BYTES_MAX)
    return error_set(err, EFBIG, "keeping results: a run has at most %zu bytes", RESULTS_BYTES_MAX);
  text[length] = '\n'; /* in place of the end of the string: only the length counts */
  int r = write_whole(results, text, length + 1);
  return r < 0 ? error_set(err, -r, "keeping results: %s", strerror(-r)) : 0;
}

/* mkdir -p; what is made is the user's alone. */
static int make_directories(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
    *slash = '/';
    if (r < 0)
      return r;
  }
  return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* -ENOENT when the file or its directory was removed before it was locked: somebody took it for one left behind. */
static int try_create(struct results *results, char *directory) {
  char name[RESULTS_ID_SIZE + sizeof(SUFFIX)];
  struct stat status;

  (void)snprintf(name, sizeof(name), "%s" SUFFIX, results->id);
  int r = make_directories(directory);
  if (r < 0)
    return r;
  _cleanup_close_ int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  _cleanup_close_ int fd =
      at < 0 ? -1 : openat(at, name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &status) < 0)
    return -errno;
  if (status.st_nlink == 0)
    return -ENOENT;
  results->fd = hand_over(&fd);
  return 0;
}

void results_close(struct results *results) {
  if (!results)
    return;
  if (results->fd >= 0)
    (void)close(results->fd);
  free(results->state);
  free(results);
}
DEFINE_CLEANUP(struct results *, results_close);

void results_discard(struct results *results) {
  _cleanup_free_ char *path = NULL;

  if (!results)
    return;
  if (asprintf(&path, "%s/results/%s" SUFFIX, results->state, results->id) >= 0)
    (void)unlink(path);
  else
    path = NULL;
  remove_empty(results->state);
  results_close(results);
}

static struct results *results_new(const char *state, const char *id) {
  struct results *results = calloc(1, sizeof(*results));

  if (!results)
    return NULL;
  results->fd = -1;
  (void)snprintf(results->id, sizeof(results->id), "%s", id);
  results->state = strdup(state);
  if (!results->state) {
    results_close(results);
    return NULL;
  }
  return results;
}

int results_create(const char *state_directory, const char *id, const json_t *head, struct results **ret_results,
                   struct error **err) {
  _cleanup_free_ char *directory = directory_of(state_directory);
  _cleanup_(results_close_p) struct results *results = results_new(state_directory, id);
  int r = -ENOENT;

  if (!directory || !results)
    return no_memory(err);
  if (!is_id(id))
    return error_set(err, EINVAL, "keeping results: '%s' is no run's id", id);
  for (unsigned i = 0; r == -ENOENT && i < CREATE_ATTEMPTS; i++)
    r = try_create(results, directory);
  if (r < 0)
    return error_set(err, -r, "keeping results in %s: %s", directory, strerror(-r));
  r = results_add(results, head, err);
  if (r < 0)
    results_discard(take(results));
  else
    *ret_results = take(results);
  return r;
}

const char *results_id(const struct results *results) {
  return results->id;
}

/* ---- reading */

/* The lines as an array, and how long they are without a torn last one. -EINVAL when one is no JSON object. */
static int parse(const struct strbuf *text, json_t **ret_lines, off_t *ret_length) {
  json_auto_t *lines = json_array();
  const char *start = strbuf_text(text);
  const char *end = start + text->length;
  const char *line = start;

  if (!lines)
    return -ENOMEM;
  for (const char *newline; line < end && (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
    json_t *value = json_loadb(line, (size_t)(newline - line), JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(value)) {
      json_decref(value);
      return -EINVAL;
    }
    if (json_array_append_new(lines, value) < 0)
      return -ENOMEM;
  }
  *ret_lines = take(lines);
  *ret_length = (off_t)(line - start);
  return 0;
}

/* The file opened and locked; -EBUSY when somebody holds it. */
static int take_file(const char *state, const char *id, int flags, int *ret_fd) {
  _cleanup_free_ char *path = NULL;

  if (asprintf(&path, "%s/results/%s" SUFFIX, state, id) < 0) {
    path = NULL;
    return -ENOMEM;
  }
  _cleanup_close_ int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) < 0)
    return errno == EWOULDBLOCK ? -EBUSY : -errno;
  *ret_fd = hand_over(&fd);
  return 0;
}

/* Goes on behind the last whole line. */
static int resume(struct results *results, json_t **ret_head, json_t **ret_list) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_auto_t *lines = NULL;

  int r = strbuf_read_file(&text, results->fd, RESULTS_BYTES_MAX);
  if (r == 0)
    r = parse(&text, &lines, &results->length);
  if (r == 0 && json_array_size(lines) == 0)
    r = -EINVAL;
  if (r == 0 && ftruncate(results->fd, results->length) < 0)
    r = -errno;
  if (r < 0)
    return r;
  *ret_head = json_incref(json_array_get(lines, 0));
  (void)json_array_remove(lines, 0);
  *ret_list = take(lines);
  return 0;
}

/* The latest that nobody holds. -ENOENT when there is none. */
static int find_last(const char *state, char ret_id[RESULTS_ID_SIZE], struct error **err) {
  struct results_entry *entries = NULL;
  size_t count = 0;
  size_t i = 0;

  int r = results_list(state, &entries, &count, err);
  if (r < 0)
    return r;
  while (i < count && entries[i].held)
    i++;
  if (i < count)
    (void)memcpy(ret_id, entries[i].id, RESULTS_ID_SIZE);
  results_list_free(entries, count);
  return i < count ? 0 : error_set(err, ENOENT, "no results of an interrupted run are kept");
}

int results_open(const char *state_directory, const char *id, struct results **ret_results, json_t **ret_head,
                 json_t **ret_list, struct error **err) {
  char last[RESULTS_ID_SIZE];
  bool latest = strcmp(id, "last") == 0;

  int r = latest ? find_last(state_directory, last, err) : 0;
  if (r < 0)
    return r;
  const char *which = latest ? last : id;
  _cleanup_(results_close_p) struct results *results = results_new(state_directory, which);
  if (!results)
    return no_memory(err);
  r = is_id(which) ? take_file(state_directory, which, O_RDWR | O_APPEND, &results->fd) : -ENOENT;
  if (r == 0)
    r = resume(results, ret_head, ret_list);
  if (r == -ENOENT)
    return error_set(err, ENOENT, "no results of a run %s are kept; `trammel conformance runs` lists those that are",
                     which);
  if (r == -EBUSY)
    return error_set(err, EBUSY, "run %s is still going on", which);
  if (r < 0)
    return error_set(err, -r, "reading the results of run %s: %s", which,
                     r == -EINVAL ? "they are damaged" : strerror(-r));
  *ret_results = take(results);
  return 0;
}

/* ---- listing */

static bool entry_id(const char *name, char ret_id[RESULTS_ID_SIZE]) {
  size_t length = strlen(name);
  size_t suffix = sizeof(SUFFIX) - 1;

  if (length <= suffix || length - suffix >= RESULTS_ID_SIZE || strcmp(name + length - suffix, SUFFIX) != 0)
    return false;
  (void)memcpy(ret_id, name, length - suffix);
  ret_id[length - suffix] = '\0';
  return is_id(ret_id);
}

/* What can be said of a file; one that went meanwhile, or cannot be read, has no head. */
static void describe(const char *state, struct results_entry *entry) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_auto_t *lines = NULL;
  _cleanup_free_ char *path = NULL;
  off_t length;
  struct stat status;

  if (asprintf(&path, "%s/results/%s" SUFFIX, state, entry->id) < 0) {
    path = NULL;
    return;
  }
  _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0)
    return;
  entry->changed_s = status.st_mtim.tv_sec;
  entry->held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
  (void)flock(fd, LOCK_UN); /* only asked: whoever wants to go on with it must not find it held */
  if (strbuf_read_file(&text, fd, RESULTS_BYTES_MAX) < 0 || parse(&text, &lines, &length) < 0 ||
      json_array_size(lines) == 0)
    return;
  entry->head = json_incref(json_array_get(lines, 0));
  entry->count = json_array_size(lines) - 1;
}

static int compare_latest(const void *a, const void *b) {
  return strcmp(((const struct results_entry *)b)->id, ((const struct results_entry *)a)->id);
}

void results_list_free(struct results_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++)
    json_decref(entries[i].head);
  free(entries);
}

static int read_ids(DIR *directory, struct results_entry **entries, size_t *count) {
  size_t capacity = 0;
  const struct dirent *file;

  while (errno = 0, (file = readdir(directory))) {
    struct results_entry entry = {0};
    if (!entry_id(file->d_name, entry.id))
      continue;
    if (*count == RESULTS_FILES_MAX)
      return -E2BIG;
    if (array_reserve((void **)entries, &capacity, *count, sizeof(**entries)) < 0)
      return -ENOMEM;
    (*entries)[(*count)++] = entry;
  }
  return -errno;
}

int results_list(const char *state_directory, struct results_entry **ret_entries, size_t *ret_count,
                 struct error **err) {
  _cleanup_free_ char *path = directory_of(state_directory);
  struct results_entry *entries = NULL;
  size_t count = 0;

  if (!path)
    return no_memory(err);
  DIR *directory = opendir(path);
  int r = directory ? read_ids(directory, &entries, &count) : errno == ENOENT ? 0 : -errno;
  if (directory)
    (void)closedir(directory);
  if (r < 0) {
    free(entries);
    return error_set(err, -r, "reading %s: %s", path, strerror(-r));
  }
  if (count > 0)
    qsort(entries, count, sizeof(*entries), compare_latest);
  for (size_t i = 0; i < count; i++)
    describe(state_directory, &entries[i]);
  *ret_entries = entries;
  *ret_count = count;
  return 0;
}

/* ---- removing */

/* Unless somebody took it meanwhile. */
static void remove_one(const char *state, const char *id) {
  struct results *results = results_new(state, id);

  if (results && take_file(state, id, O_RDONLY, &results->fd) == 0)
    results_discard(results);
  else
    results_close(results);
}

int results_prune(const char *state_directory, bool all, bool dry_run, void (*report)(void *ctx, const char *id),
                  void *ctx, struct error **err) {
  struct results_entry *entries = NULL;
  size_t count = 0;
  size_t kept = 0;
  int64_t now_s = clock_realtime_s();

  int r = results_list(state_directory, &entries, &count, err);
  if (r < 0)
    return r;
  for (size_t i = 0; i < count; i++) {
    const struct results_entry *entry = &entries[i];
    bool old = now_s - entry->changed_s > RESULTS_KEPT_S;
    if (entry->held || (!all && entry->count > 0 && !old && kept++ < RESULTS_KEPT_MAX))
      continue;
    if (!dry_run)
      remove_one(state_directory, entry->id);
    if (report)
      report(ctx, entry->id);
  }
  results_list_free(entries, count);
  if (!dry_run)
    remove_empty(state_directory);
  return 0;
}
