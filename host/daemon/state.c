#include "host/daemon/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

#define PASSWORD_BYTES_MAX 4096
#define NAME_BYTES_MAX 64 /* as host/store/store.h has an owner */

/* mkdir -p, the user's alone. */
static int make_directories(const char *path, struct error **err) {
  _cleanup_free_ char *part = strdup(path);
  int r = part ? 0 : -ENOMEM;
  for (char *slash = part ? strchr(part + 1, '/') : NULL; r == 0 && slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    r = mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
    *slash = '/';
  }
  if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
    r = -errno;
  return r < 0 ? error_set(err, -r, "making %s: %s", path, strerror(-r)) : 0;
}

static int take_lock(const char *state_directory, const char *directory, int *ret_lock, struct error **err) {
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/lock", directory) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  _cleanup_close_ int lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) < 0)
    return error_set(err, errno == EWOULDBLOCK ? EBUSY : errno,
                     "another trammeld has the state directory %s: end it, or give this one another (--state-dir)",
                     state_directory);
  *ret_lock = lock;
  lock = -1;
  return 0;
}

/* ---- where the store is */

/* As a parameter of a URL. */
static void append_encoded(struct strbuf *out, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (isalnum((unsigned char)text[i]))
      strbuf_putc(out, text[i]);
    else
      strbuf_printf(out, "%%%02X", (unsigned char)text[i]);
}

static int check_secret(const char *path, struct error **err) {
  struct stat status;
  if (stat(path, &status) < 0)
    return error_set(err, errno, "storePasswordFile %s: %s", path, strerror(errno));
  if (status.st_mode & 07)
    return error_set(err, EPERM, "storePasswordFile %s can be read by everybody (chmod 0600)", path);
  return 0;
}

/* The URL with the first line of the password's file: only in memory, where neither `ps` nor the environment of runs
 * tells it. */
static int with_password(const char *url, const char *path, char **ret_location, struct error **err) {
  _cleanup_free_ char *data = NULL;
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  size_t length = 0;
  int r = check_secret(path, err);
  if (r == 0)
    r = file_read(path, PASSWORD_BYTES_MAX, &data, &length, err);
  if (r < 0)
    return r;
  strbuf_printf(&out, "%s%spassword=", url, strchr(url, '?') ? "&" : "?");
  append_encoded(&out, data, data ? strcspn(data, "\r\n") : 0);
  if (data)
    explicit_bzero(data, length);
  *ret_location = strbuf_steal(&out);
  return *ret_location ? 0 : error_set(err, ENOMEM, "no memory");
}

static int location_of(const struct config *config, const char *directory, char **ret_location, struct error **err) {
  if (config->store && config->store_password)
    return with_password(config->store, config->store_password, ret_location, err);
  *ret_location = strdup(config->store ? config->store : directory);
  return *ret_location ? 0 : error_set(err, ENOMEM, "no memory");
}

/* The machine's, as far as the store takes it. */
static void default_name(char name[NAME_BYTES_MAX + 1]) {
  if (gethostname(name, NAME_BYTES_MAX) < 0 || *name == '\0')
    (void)snprintf(name, NAME_BYTES_MAX + 1, "trammeld");
  name[NAME_BYTES_MAX] = '\0';
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr(".-_", *c))
      *c = '-';
}

static int open_store(const struct config *config, const char *directory, struct store **ret_store,
                      struct error **err) {
  _cleanup_free_ char *location = NULL;
  char name[NAME_BYTES_MAX + 1];
  default_name(name);
  int r = location_of(config, directory, &location, err);
  if (r == 0)
    r = store_open(location, config->name ? config->name : name, ret_store, NULL, err);
  if (location)
    explicit_bzero(location, strlen(location));
  return r;
}

int state_open(const struct config *config, struct state *ret_state, struct error **err) {
  _cleanup_free_ char *directory = NULL;
  struct state state = STATE_NONE;
  if (asprintf(&directory, "%s/daemon", config->state_directory) < 0) {
    directory = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  int r = make_directories(directory, err);
  if (r == 0)
    r = take_lock(config->state_directory, directory, &state.lock, err);
  if (r == 0)
    r = open_store(config, config->state_directory, &state.store, err);
  if (r < 0)
    state_close(&state);
  else
    *ret_state = state;
  return r;
}

void state_close(struct state *state) {
  store_close(state->store);
  close_p(&state->lock);
  *state = STATE_NONE;
}
