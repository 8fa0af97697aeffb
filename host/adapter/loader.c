#include "host/adapter/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sdk/base/memory.h"

/* One file in this process, from when the dynamic linker has taken it. Its descriptor stays open for good: the dynamic
 * linker knows the file as /proc/self/fd/N, and would take the next file under that number for this one. */
struct loaded {
  dev_t device;
  ino_t inode;
  char digest[65];
  const trammel_adapter *adapter; /* NULL: loaded, but its table was refused */
  struct error *refusal;          /* then: why */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct loaded *files;
static size_t file_count, file_capacity;

static int text_differs(const char *what, trammel_str offered, const char *noted, struct error **err) {
  size_t n = strlen(noted);
  if (offered.p && offered.n == n && memcmp(offered.p, noted, n) == 0)
    return 0;
  return error_set(err, EINVAL, "its table has the %s \"%.*s\", its note has \"%s\"", what,
                   offered.p ? (int)(offered.n < 64 ? offered.n : 64) : 0, offered.p ? offered.p : "", noted);
}

static int check_functions(const trammel_adapter *table, struct error **err) {
  const char *missing = !table->create    ? "create"
                        : !table->call    ? "call"
                        : !table->get     ? "get"
                        : !table->destroy ? "destroy"
                                          : NULL;
  return missing ? error_set(err, EINVAL, "its table lacks the function %s", missing) : 0;
}

static int check_table(const trammel_adapter *table, const trammel_note *note, struct error **err) {
  if (!table)
    return error_set(err, EINVAL, "its entry point returned no table: it refuses this host (ABI %u.%u)",
                     TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR);
  if (table->head.size < TRAMMEL_ADAPTER_SIZE_1_0)
    return error_set(err, EINVAL, "its table has %u bytes, ABI %u.0 has at least %u", table->head.size,
                     TRAMMEL_ABI_MAJOR, TRAMMEL_ADAPTER_SIZE_1_0);
  if (table->head.abi_major != TRAMMEL_ABI_MAJOR)
    return error_set(err, EPROTONOSUPPORT, "its table is of ABI %u.%u, this host serves ABI %u.%u",
                     table->head.abi_major, table->head.abi_minor, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR);
  int r = check_functions(table, err);
  if (r == 0)
    r = text_differs("id", table->id, note->id, err);
  if (r == 0)
    r = text_differs("version", table->version, note->version, err);
  return r;
}

static int open_object(struct gate *gate, void **ret_handle, struct error **err) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", gate->fd);
  *ret_handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (*ret_handle) {
    gate->fd = -1; /* the linker knows the file by this number from now on, see struct loaded */
    return 0;
  }
  const char *why = dlerror();
  size_t own = strlen(path); /* "/proc/self/fd/N: why": the name says nothing to anyone */
  if (why && strncmp(why, path, own) == 0 && strncmp(why + own, ": ", 2) == 0)
    why += own + 2;
  return error_set(err, ELIBBAD, "cannot be loaded: %s", why ? why : "the dynamic linker gives no reason");
}

static int find_table(void *handle, const trammel_note *note, const trammel_adapter **ret_adapter, struct error **err) {
  const trammel_adapter *(*entry)(const trammel_head *);
  *(void **)&entry = dlsym(handle, TRAMMEL_ENTRY_SYMBOL);
  if (!entry)
    return error_set(err, EINVAL, "does not export %s", TRAMMEL_ENTRY_SYMBOL);
  static const trammel_head host = {sizeof(trammel_host), TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0};
  const trammel_adapter *table = entry(&host);
  int r = check_table(table, note, err);
  if (r == 0)
    *ret_adapter = table;
  return r;
}

static int again(const struct loaded *file, const struct gate *gate, const trammel_adapter **ret_adapter,
                 struct error **err) {
  if (strcmp(file->digest, gate->digest) != 0)
    return error_set(err, ESTALE, "was loaded before with other content; start a new process for the new version");
  if (!file->adapter)
    return error_set(err, error_code(file->refusal), "%s", error_message(file->refusal));
  *ret_adapter = file->adapter;
  return 0;
}

static int load_once(struct gate *gate, const trammel_adapter **ret_adapter, struct error **err) {
  struct stat status;
  void *handle = NULL;
  if (fstat(gate->fd, &status) < 0)
    return error_set(err, errno, "cannot be looked at: %s", strerror(errno));
  for (size_t i = 0; i < file_count; i++)
    if (files[i].device == status.st_dev && files[i].inode == status.st_ino)
      return again(&files[i], gate, ret_adapter, err);
  if (array_reserve((void **)&files, &file_capacity, file_count, sizeof *files) < 0)
    return error_set(err, ENOMEM, "out of memory");
  int r = open_object(gate, &handle, err);
  if (r < 0)
    return r;
  struct loaded *file = &files[file_count++];
  *file = (struct loaded){.device = status.st_dev, .inode = status.st_ino};
  memcpy(file->digest, gate->digest, sizeof file->digest);
  (void)find_table(handle, &gate->note, &file->adapter, &file->refusal);
  return again(file, gate, ret_adapter, err);
}

int loader_load(struct gate *gate, const trammel_adapter **ret_adapter, struct error **err) {
  pthread_mutex_lock(&lock);
  int r = load_once(gate, ret_adapter, err);
  pthread_mutex_unlock(&lock);
  return r;
}
