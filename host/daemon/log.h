/* What an operator is told, a line each on standard error. Any thread. */
#ifndef TRAMMEL_HOST_DAEMON_LOG_H
#define TRAMMEL_HOST_DAEMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERRORS = 3, LOG_WARNINGS = 4, LOG_INFORMATION = 6 }; /* of syslog(3) */

/* As JSON: {"time", "level", "message", "run"}; else as text, with "<N>" before it when systemd reads (sd-daemon(3)).
 */
void log_as_json(bool json);

/* `run` may be NULL. */
void log_line(enum log_level level, const char *run, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
