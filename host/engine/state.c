#include "host/engine/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "host/engine/journal.h"

/* How often making a run's directory starts over when another program removes the empty parents meanwhile. */
#define CREATE_ATTEMPTS 16

static char *join(const char *directory, const char *name) {
  char *path = NULL;

  return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

char *runs_directory(const char *state_directory) {
  return join(state_directory, "runs");
}

int state_directory(char **ret_path, struct error **err) {
  const char *own = getenv("TRAMMEL_STATE_DIR");
  const char *xdg = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  char *path;

  if (own && *own)
    path = *own == '/' ? strdup(own) : NULL;
  else if (xdg && *xdg == '/') /* the XDG specification: a relative one is ignored */
    path = join(xdg, "trammel");
  else if (home && *home == '/')
    path = join(home, ".local/state/trammel");
  else
    return error_set(err, ENOENT,
                     "no state directory: set TRAMMEL_STATE_DIR, XDG_STATE_HOME or HOME to an absolute path");
  if (!path && own && *own && *own != '/')
    return error_set(err, EINVAL, "TRAMMEL_STATE_DIR must be an absolute path, not '%s'", own);
  if (!path)
    return error_set(err, ENOMEM, "out of memory for the state directory's path");
  *ret_path = path;
  return 0;
}

/* mkdir -p; what is made is the user's alone. */
static int make_directories(const char *path) {
  _cleanup_free_ char *copy = strdup(path);

  if (!copy)
    return -ENOMEM;
  for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(copy, 0700) < 0 && errno != EEXIST)
      return -errno;
    *slash = '/';
  }
  return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int lock(int fd, int operation) {
  while (flock(fd, operation) < 0)
    if (errno != EINTR)
      return -errno;
  return 0;
}

/* Leaves nothing for the descriptor's cleanup to close. */
static int hand_over(int *fd) {
  int value = *fd;

  *fd = -1;
  return value;
}

/* -ENOENT when a parent was removed meanwhile. */
static int try_create(const char *runs, const char *run_id, int *ret_journal) {
  int r = make_directories(runs);
  if (r < 0)
    return r;
  _cleanup_close_ int directory = open(runs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return -errno;
  r = lock(directory, LOCK_SH);
  if (r < 0)
    return r;
  if (mkdirat(directory, run_id, 0700) < 0)
    return -errno;
  _cleanup_close_ int run = openat(directory, run_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (run < 0)
    return -errno;
  _cleanup_close_ int journal = openat(run, JOURNAL_FILE, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (journal < 0)
    return -errno;
  r = lock(journal, LOCK_EX);
  if (r < 0)
    return r;
  *ret_journal = hand_over(&journal);
  return 0;
}

int run_directory_create(const char *state_directory, const char *run_id, char **ret_directory, int *ret_journal,
                         struct error **err) {
  _cleanup_free_ char *runs = runs_directory(state_directory);
  _cleanup_free_ char *directory = runs ? join(runs, run_id) : NULL;
  int r = -ENOENT;

  if (!directory)
    return error_set(err, ENOMEM, "out of memory for a run's directory");
  for (unsigned i = 0; r == -ENOENT && i < CREATE_ATTEMPTS; i++)
    r = try_create(runs, run_id, ret_journal);
  if (r < 0)
    return error_set(err, -r, "making the run's directory %s: %s", directory, strerror(-r));
  *ret_directory = take(directory);
  return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
  (void)status;
  (void)type;
  (void)where;
  return remove(path) < 0 && errno != ENOENT ? errno : 0;
}

int run_directory_remove(const char *state_directory, const char *run_id, struct error **err) {
  _cleanup_free_ char *runs = runs_directory(state_directory);
  _cleanup_free_ char *directory = runs ? join(runs, run_id) : NULL;

  if (!directory)
    return error_set(err, ENOMEM, "out of memory for a run's directory");
  int code = nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  if (code < 0)
    code = errno;
  if (code > 0 && code != ENOENT)
    return error_set(err, code, "removing %s: %s", directory, strerror(code));
  return 0;
}

void state_directory_remove_empty(const char *state_directory) {
  _cleanup_free_ char *runs = runs_directory(state_directory);

  if (runs && rmdir(runs) == 0)
    (void)rmdir(state_directory);
}

/* Only what looks like a run's id is ever touched. */
static bool is_run_id(const char *name) {
  size_t length = strlen(name);

  return length > 8 && length < RUN_ID_SIZE && name[0] >= '0' && name[0] <= '9' &&
         strspn(name, "0123456789abcdefTZ.-") == length;
}

/* 1 with `*ret_run` when nobody holds the run; 0 when somebody does, which is counted, or when it is gone; -errno. */
static int claim(int directory, const char *id, struct stale_run *ret_run, unsigned *busy) {
  struct stale_run run = {.journal = -1};
  _cleanup_close_ int fd = openat(directory, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0)
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
  run.journal = openat(fd, JOURNAL_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (run.journal < 0 && errno != ENOENT)
    return -errno;
  if (run.journal >= 0) {
    int r = lock(run.journal, LOCK_EX | LOCK_NB);
    if (r < 0) {
      (void)close(run.journal);
      *busy += r == -EWOULDBLOCK;
      return r == -EWOULDBLOCK ? 0 : r;
    }
  }
  (void)memcpy(run.id, id, strlen(id) + 1); /* is_run_id() says that it fits */
  *ret_run = run;
  return 1;
}

typedef char run_id[RUN_ID_SIZE];

static int compare_ids(const void *a, const void *b) {
  return strcmp(a, b);
}

void stale_runs_free(struct stale_run *runs, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (runs[i].journal >= 0)
      (void)close(runs[i].journal);
  free(runs);
}

/* The ids of the runs after `after`, sorted. */
static int read_ids(DIR *directory, const char *after, run_id **ret_ids, size_t *ret_count) {
  _cleanup_free_ run_id *ids = NULL;
  size_t count = 0;
  size_t capacity = 0;
  const struct dirent *entry;

  while (errno = 0, (entry = readdir(directory))) {
    if (!is_run_id(entry->d_name) || strcmp(entry->d_name, after) <= 0)
      continue;
    if (count == STATE_NAMES_MAX)
      return -E2BIG;
    if (array_reserve((void **)&ids, &capacity, count, sizeof(*ids)) < 0)
      return -ENOMEM;
    (void)memcpy(ids[count++], entry->d_name, strlen(entry->d_name) + 1); /* is_run_id() says that it fits */
  }
  if (errno != 0)
    return -errno;
  if (count > 0)
    qsort(ids, count, sizeof(*ids), compare_ids);
  *ret_ids = take(ids);
  *ret_count = count;
  return 0;
}

/* What was claimed is in `runs` also after an error. */
static int claim_all(DIR *directory, const char *after, struct stale_run **runs, size_t *count, unsigned *busy) {
  _cleanup_free_ run_id *ids = NULL;
  size_t id_count = 0;
  size_t capacity = 0;

  int r = read_ids(directory, after, &ids, &id_count);
  for (size_t i = 0; r >= 0 && i < id_count && *count < STATE_RUNS_MAX; i++) {
    r = array_reserve((void **)runs, &capacity, *count, sizeof(**runs));
    if (r == 0)
      r = claim(dirfd(directory), ids[i], &(*runs)[*count], busy);
    *count += r > 0;
  }
  return r < 0 ? r : 0;
}

int state_stale_runs(const char *state_directory, const char *after, struct stale_run **ret_runs, size_t *ret_count,
                     unsigned *ret_busy, struct error **err) {
  struct stale_run *runs = NULL;
  size_t count = 0;
  unsigned busy = 0;
  _cleanup_free_ char *path = runs_directory(state_directory);

  if (!path)
    return error_set(err, ENOMEM, "out of memory for the state directory's path");
  DIR *directory = opendir(path);
  int r = directory ? lock(dirfd(directory), LOCK_EX) : errno == ENOENT ? 0 : -errno;
  if (r == 0 && directory)
    r = claim_all(directory, after, &runs, &count, &busy);
  if (directory)
    (void)closedir(directory);
  if (r < 0) {
    stale_runs_free(runs, count);
    return error_set(err, -r, "reading %s: %s", path, strerror(-r));
  }
  *ret_runs = runs;
  *ret_count = count;
  *ret_busy = busy;
  return 0;
}
