#include "host/package/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/file.h"

static int system_error(struct error **err, const char *doing, const char *path) {
  int code = errno ? errno : EIO;
  return error_set(err, code, "%s %s: %s", doing, path, strerror(code));
}

/* ---- making */

/* One that is there is on the disk already, or is not this program's to wait for. */
static int make_directory(const char *path, struct error **err) {
  if (mkdir(path, 0700) == 0)
    return file_sync_name(path, err);
  return errno == EEXIST ? 0 : system_error(err, "making", path);
}

/* The directories above `path`, from the one at `from` on. */
static int make_parents(char *path, size_t from, struct error **err) {
  for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    int r = make_directory(path, err);
    *slash = '/';
    if (r < 0)
      return r;
  }
  return 0;
}

int files_make_directories(const char *path, struct error **err) {
  _cleanup_free_ char *copy = NULL;
  if (asprintf(&copy, "%s/", path) < 0)
    return error_set(err, ENOMEM, "out of memory");
  return make_parents(copy, 1, err);
}

/* A new file, on the disk when this returns. */
static int write_file(const char *path, const void *data, size_t length, struct error **err) {
  _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return system_error(err, "writing", path);
  int r = file_write_all(fd, data, length);
  if (r == 0 && fsync(fd) < 0)
    r = -errno;
  return r < 0 ? error_set(err, -r, "writing %s: %s", path, strerror(-r)) : 0;
}

static bool same_parent(const char *a, const char *b) {
  size_t length = (size_t)(strrchr(a, '/') - a);
  return strncmp(a, b, length + 1) == 0 && !strchr(b + length + 1, '/');
}

static int write_one(const char *directory, const struct tarball_file *file, struct error **err) {
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/%s", directory, file->path) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = make_parents(path, strlen(directory) + 1, err);
  return r < 0 ? r : write_file(path, file->data, file->length, err);
}

static int sync_parents(const char *directory, const struct tarball *tarball, struct error **err) {
  _cleanup_free_ char *before = NULL;
  int r = 0;
  for (size_t i = 0; r == 0 && i < tarball->count; i++) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", directory, tarball->files[i].path) < 0)
      return error_set(err, ENOMEM, "out of memory");
    if (!before || !same_parent(before, path)) /* they are in order, and most in few directories */
      r = file_sync_name(path, err);
    free(before);
    before = path;
  }
  return r;
}

int files_write(const char *directory, const struct tarball *tarball, struct error **err) {
  if (mkdir(directory, 0700) < 0)
    return system_error(err, "making", directory);
  int r = 0;
  for (size_t i = 0; r == 0 && i < tarball->count; i++)
    r = write_one(directory, &tarball->files[i], err);
  if (r == 0)
    r = sync_parents(directory, tarball, err);
  if (r == 0)
    r = file_sync_name(directory, err);
  if (r < 0)
    (void)files_remove(AT_FDCWD, directory, NULL);
  return r;
}

/* Where names cannot be exchanged, or `place` is not there. */
static int put_plainly(const char *directory, const char *place, struct error **err) {
  int r = files_remove(AT_FDCWD, place, err);
  if (r == 0 && rename(directory, place) < 0)
    r = system_error(err, "writing", place);
  return r;
}

int files_put(const char *directory, const char *place, struct error **err) {
  bool exchanged = renameat2(AT_FDCWD, directory, AT_FDCWD, place, RENAME_EXCHANGE) == 0;
  int r = 0;
  if (!exchanged)
    r = errno == EINVAL || errno == ENOSYS || errno == ENOENT ? put_plainly(directory, place, err)
                                                              : system_error(err, "writing", place);
  if (r == 0)
    r = file_sync_name(place, err);
  if (exchanged)
    (void)files_remove(AT_FDCWD, directory, NULL); /* what stays of it does no harm */
  return r;
}

int files_replace(const char *path, const void *data, size_t length, struct error **err) {
  return file_replace(path, 0600, data, length, err);
}

int files_publish(const char *path, const void *data, size_t length, struct error **err) {
  return file_replace(path, 0666, data, length, err);
}

/* ---- reading */

static int compare(const FTSENT **a, const FTSENT **b) {
  return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *walk(const char *directory) {
  char *const roots[] = {(char *)(uintptr_t)directory, NULL};
  return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, compare);
}

static void fts_closep(FTS **walk) {
  if (*walk)
    (void)fts_close(*walk);
}

static int read_file(const FTSENT *entry, const char *name, struct tarball *tarball, struct error **err) {
  _cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
  _cleanup_close_ int fd = open(entry->fts_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return system_error(err, "reading", entry->fts_path);
  int r = strbuf_read_file(&data, fd, TARBALL_BYTES_MAX);
  if (r < 0)
    return error_set(err, -r, "reading %s: %s", entry->fts_path, strerror(-r));
  return tarball_add(tarball, name, strbuf_text(&data), data.length, err);
}

static int read_entry(const FTSENT *entry, size_t skip, struct tarball *tarball, struct error **err) {
  switch (entry->fts_info) {
  case FTS_D:
  case FTS_DP:
    return 0;
  case FTS_F:
    return read_file(entry, entry->fts_path + skip, tarball, err);
  case FTS_DNR:
  case FTS_ERR:
  case FTS_NS:
    errno = entry->fts_errno;
    return system_error(err, "reading", entry->fts_path);
  default:
    return error_set(err, EINVAL, "%s is no regular file", entry->fts_path);
  }
}

int files_read(const char *directory, struct tarball *ret_tarball, struct error **err) {
  *ret_tarball = (struct tarball){0};
  _cleanup_(fts_closep) FTS *all = walk(directory);
  if (!all)
    return system_error(err, "reading", directory);
  int r = 0;
  FTSENT *entry;
  errno = 0;
  while (r == 0 && (entry = fts_read(all)))
    r = read_entry(entry, strlen(directory) + 1, ret_tarball, err);
  if (r < 0)
    tarball_finish(ret_tarball);
  return r;
}

/* ---- removing */

static void closedir_p(DIR **directory) {
  if (*directory)
    (void)closedir(*directory);
}

/* Opens a directory that is no link. -ENOENT without an error when it is not there. */
static int open_directory(int parent, const char *name, int *ret_fd, struct error **err) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? -ENOENT : system_error(err, "removing", name);
  *ret_fd = fd;
  return 0;
}

static int remove_whole(int parent, const char *name, dev_t device, unsigned depth, struct error **err);

/* Takes `name` out of an open directory, whatever it is. */
static int remove_entry(int directory, const char *name, dev_t device, unsigned depth, struct error **err) {
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
    return 0;
  return errno == EISDIR ? remove_whole(directory, name, device, depth, err) : system_error(err, "removing", name);
}

/* All that is in an open directory, whose descriptor is taken. */
static int remove_entries(int fd, dev_t device, unsigned depth, struct error **err) {
  _cleanup_(closedir_p) DIR *all = fdopendir(fd);
  if (!all) {
    int r = system_error(err, "removing", "a directory");
    (void)close(fd);
    return r;
  }
  int r = 0;
  for (const struct dirent *entry; r == 0 && (entry = readdir(all));)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      r = remove_entry(dirfd(all), entry->d_name, device, depth, err);
  return r;
}

/* A directory of the file system `device`. */
static int remove_whole(int parent, const char *name, dev_t device, unsigned depth, struct error **err) {
  struct stat status;
  int fd = -1;
  if (depth > FILES_DEPTH_MAX)
    return error_set(err, ELOOP, "removing %s: more than %u directories are in one another", name, FILES_DEPTH_MAX);
  int r = open_directory(parent, name, &fd, err);
  if (r < 0)
    return r == -ENOENT ? 0 : r;
  if (fstat(fd, &status) < 0 || status.st_dev != device) {
    (void)close(fd);
    return error_set(err, EXDEV, "removing %s: it is another file system", name);
  }
  r = remove_entries(fd, device, depth + 1, err);
  if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
    r = system_error(err, "removing", name);
  return r;
}

int files_remove(int parent, const char *name, struct error **err) {
  struct stat status;
  if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : system_error(err, "removing", name);
  return remove_whole(parent, name, status.st_dev, 0, err);
}

/* ---- directories of files that people put there */

void files_names_free(char **names) {
  for (char **name = names; name && *name; name++)
    free(*name);
  free((void *)names);
}

static bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), end = strlen(suffix);
  return length > end && strcmp(text + length - end, suffix) == 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
  char **items; /* room for the NULL at the end */
  size_t count;
  size_t capacity;
};

static int add_name(struct names *names, const char *name, const char *directory, size_t max, struct error **err) {
  if (names->count >= max)
    return error_set(err, E2BIG, "%s has more than %zu such files", directory, max);
  if (array_reserve((void **)&names->items, &names->capacity, names->count + 1, sizeof *names->items) < 0 ||
      !(names->items[names->count] = strdup(name)))
    return error_set(err, ENOMEM, "out of memory");
  names->items[++names->count] = NULL;
  return 0;
}

int files_list(const char *directory, const char *suffix, size_t max, char ***ret_names, struct error **err) {
  struct names names = {.items = calloc(2, sizeof(char *)), .capacity = 2};
  DIR *all = opendir(directory);
  int r = 0;
  if (!names.items)
    r = error_set(err, ENOMEM, "out of memory");
  else if (!all)
    r = system_error(err, "reading", directory);
  for (const struct dirent *entry; r == 0 && (entry = readdir(all));)
    if (entry->d_name[0] != '.' && ends_with(entry->d_name, suffix))
      r = add_name(&names, entry->d_name, directory, max, err);
  if (all)
    (void)closedir(all);
  if (r < 0) {
    files_names_free(names.items);
    return r;
  }
  qsort((void *)names.items, names.count, sizeof *names.items, compare_names);
  *ret_names = names.items;
  return 0;
}

int files_lock(const char *directory, bool wait, int *ret_fd, struct error **err) {
  int r = files_make_directories(directory, err);
  if (r < 0)
    return r;
  _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return system_error(err, "opening", directory);
  do
    r = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  while (r < 0 && errno == EINTR);
  if (r < 0 && errno == EWOULDBLOCK)
    return error_set(err, EBUSY, "another program is changing %s; try again when it is done", directory);
  if (r < 0)
    return system_error(err, "locking", directory);
  *ret_fd = fd;
  fd = -1;
  return 0;
}
