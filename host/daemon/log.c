#include "host/daemon/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/file.h"
#include "sdk/base/strbuf.h"

#define LINE_MAX_BYTES 8192

static atomic_bool as_json;

void log_as_json(bool json) {
  as_json = json;
}

static const char *level_name(enum log_level level) {
  return level == LOG_ERRORS ? "error" : level == LOG_WARNINGS ? "warning" : "info";
}

static void put_json(struct strbuf *line, enum log_level level, const char *run, const char *text) {
  char when[32];
  struct timespec now;
  struct tm utc;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (!gmtime_r(&now.tv_sec, &utc) || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
    when[0] = '\0';
  json_auto_t *value = json_pack("{s:o, s:s, s:s}", "time", json_sprintf("%s.%03ldZ", when, now.tv_nsec / 1000000),
                                 "level", level_name(level), "message", text);
  if (value && run)
    (void)json_object_set_new(value, "run", json_string(run));
  _cleanup_free_ char *written = value ? json_dumps(value, JSON_COMPACT) : NULL;
  strbuf_puts(line, written ? written : "{\"level\":\"error\",\"message\":\"no memory\"}");
}

static void put_text(struct strbuf *line, enum log_level level, const char *run, const char *text) {
  if (getenv("JOURNAL_STREAM"))
    strbuf_printf(line, "<%d>", (int)level);
  strbuf_printf(line, "trammeld: %s%s%s%s", run ? "run " : "", run ? run : "", run ? ": " : "", text);
}

void log_line(enum log_level level, const char *run, const char *format, ...) {
  char text[LINE_MAX_BYTES];
  _cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  (as_json ? put_json : put_text)(&line, level, run, text);
  strbuf_putc(&line, '\n');
  (void)file_write_all(STDERR_FILENO, line.data, line.length); /* one write: lines of threads do not mix */
}
