#include "host/cli/login_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "sdk/base/document.h"
#include "sdk/base/file.h"
#include "sdk/base/strbuf.h"

static void wipe(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}

void login_finish(struct login *login) {
  wipe(login->access);
  wipe(login->refresh);
  free(login->server);
  free(login->user);
  free(login->ca);
  free(login->certificate);
  free(login->key);
  *login = (struct login){0};
}

/* ---- where it is */

static int base_directory(struct strbuf *path, struct error **err) {
  const char *xdg = getenv("XDG_CONFIG_HOME");
  const char *home = getenv("HOME");
  if (xdg && *xdg == '/') /* the XDG specification: a relative one is ignored */
    strbuf_printf(path, "%s", xdg);
  else if (home && *home == '/')
    strbuf_printf(path, "%s/.config", home);
  else
    return error_set(err, ENOENT, "no configuration directory: set XDG_CONFIG_HOME or HOME to an absolute path");
  return 0;
}

static int make_directory(struct strbuf *path, const char *name, struct error **err) {
  strbuf_printf(path, "/%s", name);
  if (strbuf_failed(path))
    return error_set(err, ENOMEM, "no memory");
  return mkdir(path->data, 0700) < 0 && errno != EEXIST
             ? error_set(err, errno, "making %s: %s", path->data, strerror(errno))
             : 0;
}

/* The address, with '_' in the place of all that could mean something in a path. */
static void put_name(struct strbuf *path, const char *server) {
  strbuf_putc(path, '/');
  for (const char *at = server; *at; at++)
    strbuf_putc(path, isalnum((unsigned char)*at) || *at == '-' || (*at == '.' && at != server) ? *at : '_');
  strbuf_puts(path, ".json");
}

static int file_of(const char *server, bool make, struct strbuf *path, struct error **err) {
  int r = base_directory(path, err);
  if (r == 0 && make)
    (void)mkdir(strbuf_text(path), 0700);
  if (r == 0 && make)
    r = make_directory(path, "trammel", err);
  if (r == 0 && make)
    r = make_directory(path, "logins", err);
  if (r == 0 && !make)
    strbuf_puts(path, "/trammel/logins");
  put_name(path, server);
  return r == 0 && strbuf_failed(path) ? error_set(err, ENOMEM, "no memory") : r;
}

int login_lock(const char *server, int *ret_lock, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  int r = file_of(server, true, &path, err);
  strbuf_puts(&path, ".lock");
  if (r < 0)
    return r;
  _cleanup_close_ int lock = open(strbuf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) < 0)
    return error_set(err, errno, "%s: %s", strbuf_text(&path), strerror(errno));
  *ret_lock = lock;
  lock = -1;
  return 0;
}

/* ---- its form */

static char *text_of(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return strdup(text ? text : "");
}

static int take_members(const json_t *object, struct login *login) {
  *login = (struct login){.server = text_of(object, "server"),
                          .user = text_of(object, "user"),
                          .access = text_of(object, "accessToken"),
                          .refresh = text_of(object, "refreshToken"),
                          .access_end_ms = json_integer_value(json_object_get(object, "accessEndUnixMs")),
                          .refresh_end_ms = json_integer_value(json_object_get(object, "refreshEndUnixMs")),
                          .ca = text_of(object, "ca"),
                          .certificate = text_of(object, "certificate"),
                          .key = text_of(object, "key")};
  return login->server && login->user && login->access && login->refresh && login->ca && login->certificate &&
                 login->key
             ? 0
             : -ENOMEM;
}

static int parse(const char *path, const char *text, size_t length, const char *server, struct login *ret_login,
                 struct error **err) {
  json_auto_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
  struct login login = {0};
  if (!json_is_object(object))
    return error_set(err, EINVAL, "%s is no login: remove it, and log in with `trammel login`", path);
  int r = take_members(object, &login);
  if (r == 0 && strcmp(login.server, server) != 0)
    r = -ENOENT;
  if (r < 0) {
    login_finish(&login);
    return error_set(err, -r, "%s: %s", path, r == -ENOENT ? "of another host" : "no memory");
  }
  *ret_login = login;
  return 0;
}

/* ---- the file */

/* A file that others could read is no secret any more. */
static int check_rights(const char *path, struct error **err) {
  struct stat status;
  if (lstat(path, &status) < 0)
    return error_set(err, errno, "%s: %s", path, strerror(errno));
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return error_set(err, EPERM, "%s has tokens in it and has to be a file that only its owner may read (chmod 0600)",
                     path);
  return 0;
}

int login_read(const char *server, struct login *ret_login, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  char *text = NULL;
  size_t length = 0;
  int r = file_of(server, false, &path, err);
  if (r == 0)
    r = check_rights(path.data, err);
  if (r == 0)
    r = file_read(path.data, LOGIN_FILE_MAX, &text, &length, err);
  if (r == 0)
    r = parse(path.data, text, length, server, ret_login, err);
  if (text)
    explicit_bzero(text, length);
  free(text);
  return r;
}

int login_write(const struct login *login, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  json_auto_t *object =
      json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:s}", "server", login->server, "user", login->user,
                "accessToken", login->access, "accessEndUnixMs", (json_int_t)login->access_end_ms, "refreshToken",
                login->refresh, "refreshEndUnixMs", (json_int_t)login->refresh_end_ms, "ca", login->ca, "certificate",
                login->certificate, "key", login->key);
  char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
  int r = text ? file_of(login->server, true, &path, err) : error_set(err, ENOMEM, "no memory");
  if (r == 0)
    r = file_replace(path.data, 0600, text, strlen(text), err);
  wipe(text);
  return r;
}

int login_remove(const char *server, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  int r = file_of(server, false, &path, err);
  if (r < 0)
    return r;
  return unlink(path.data) < 0 ? error_set(err, errno, "%s: %s", path.data, strerror(errno)) : 0;
}
