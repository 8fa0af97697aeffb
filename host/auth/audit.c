#include "host/auth/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

#define TEXT_MAX 256 /* bytes of each text that is written */

struct audit {
  char *path;
  pthread_mutex_t lock; /* guards what follows */
  int fd;
  size_t length;
  int64_t second; /* CLOCK_MONOTONIC, of the refusals below */
  unsigned refusals;
  unsigned omitted;
};

static void close_file(struct audit *audit) {
  close_p(&audit->fd);
  audit->fd = -1;
}

static int open_file(struct audit *audit, struct error **err) {
  struct stat status;
  audit->fd = open(audit->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (audit->fd < 0 || fstat(audit->fd, &status) < 0) {
    int code = errno;
    close_file(audit);
    return error_set(err, code, "the audit log %s: %s", audit->path, strerror(code));
  }
  audit->length = (size_t)status.st_size;
  return 0;
}

int audit_open(const char *path, struct audit **ret_audit, struct error **err) {
  struct audit *audit = calloc(1, sizeof(*audit));
  if (!audit || !(audit->path = strdup(path))) {
    free(audit);
    return error_set(err, ENOMEM, "no memory");
  }
  (void)pthread_mutex_init(&audit->lock, NULL);
  int r = open_file(audit, err);
  if (r < 0)
    audit_close(audit);
  else
    *ret_audit = audit;
  return r;
}

void audit_close(struct audit *audit) {
  if (!audit)
    return;
  close_p(&audit->fd);
  (void)pthread_mutex_destroy(&audit->lock);
  free(audit->path);
  free(audit);
}

/* ---- a line */

static json_t *text_of(const char *text) {
  _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
  utf8_append_safe(&safe, text, strnlen(text, TEXT_MAX), NULL);
  return json_string(strbuf_text(&safe));
}

static json_t *time_now(void) {
  char when[32];
  struct timespec now;
  struct tm utc;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (!gmtime_r(&now.tv_sec, &utc) || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
    when[0] = '\0';
  return json_sprintf("%s.%03ldZ", when, now.tv_nsec / 1000000);
}

static char *line_of(const struct audit_entry *entry, unsigned omitted) {
  json_auto_t *value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:i}", "time", time_now(), "who", text_of(entry->who),
                                 "from", text_of(entry->from), "what", text_of(entry->what), "about",
                                 text_of(entry->about), "status", entry->status);
  if (value && omitted > 0)
    (void)json_object_set_new(value, "omitted", json_integer((json_int_t)omitted));
  char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
  size_t length = text ? strlen(text) : 0;
  char *line = text ? realloc(text, length + 2) : NULL;
  if (!line) {
    free(text);
    return NULL;
  }
  (void)memcpy(line + length, "\n", 2);
  return line;
}

/* ---- the file */

static void turn(struct audit *audit) {
  char from[4200], to[4200];
  for (int i = AUDIT_FILES - 1; i > 0; i--) {
    (void)snprintf(from, sizeof(from), i > 1 ? "%s.%d" : "%s", audit->path, i - 1);
    (void)snprintf(to, sizeof(to), "%s.%d", audit->path, i);
    (void)rename(from, to);
  }
}

/* A file that could not be opened is opened before anything is moved again. */
static int make_room(struct audit *audit, size_t length, struct error **err) {
  int r = audit->fd < 0 ? open_file(audit, err) : 0;
  if (r < 0 || audit->length + length <= AUDIT_FILE_MAX)
    return r;
  close_file(audit);
  turn(audit);
  return open_file(audit, err);
}

static int append(struct audit *audit, const char *line, struct error **err) {
  size_t length = strlen(line);
  int r = make_room(audit, length, err);
  if (r < 0)
    return r;
  r = file_write_all(audit->fd, line, length);
  if (r < 0) {
    if (ftruncate(audit->fd, (off_t)audit->length) < 0) /* no half of a line stays */
      close_file(audit);
    return error_set(err, -r, "writing the audit log %s: %s", audit->path, strerror(-r));
  }
  audit->length += length;
  return 0;
}

/* Whether it is one of too many refusals of this second. */
static bool is_flood(struct audit *audit, const struct audit_entry *entry) {
  int64_t second = clock_monotonic_s();
  if (*entry->who != '\0' || entry->status == 0)
    return false;
  if (audit->second != second)
    audit->refusals = 0;
  audit->second = second;
  return ++audit->refusals > AUDIT_REFUSALS_PER_S;
}

int audit_write(struct audit *audit, const struct audit_entry *entry, struct error **err) {
  if (!audit)
    return 0;
  int r = 0;
  pthread_mutex_lock(&audit->lock);
  if (is_flood(audit, entry)) {
    audit->omitted++;
  } else {
    _cleanup_free_ char *line = line_of(entry, audit->omitted);
    r = line ? append(audit, line, err) : error_set(err, ENOMEM, "writing the audit log: no memory");
    audit->omitted = r == 0 ? 0 : audit->omitted;
  }
  pthread_mutex_unlock(&audit->lock);
  return r;
}
