/* A process of the `trammel` program: its events, or what it writes to standard output, and what it writes to standard
 * error come over a pipe each. It is asked to end (SIGTERM) when the thread that started it ends. */
#ifndef TRAMMEL_HOST_RUNS_PROCESS_H
#define TRAMMEL_HOST_RUNS_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sdk/base/error.h"

/* Where a process that has events writes them, as --events takes it. */
#define PROCESS_EVENTS "/dev/fd/3"

struct process {
  pid_t pid;  /* 0: none */
  int ended;  /* pidfd: can be read from once it has ended; -1 */
  int events; /* or standard output: -1, or what is read from without waiting */
  int says;   /* standard error, the same */
};
#define PROCESS_NONE ((struct process){0, -1, -1, -1})

/* `words` is an array of texts, its own name first; `state_directory` is where it keeps its journal. With `has_events`
 * standard output goes nowhere. */
int process_start(const char *program, const json_t *words, const char *state_directory, bool has_events,
                  struct process *ret_process, struct error **err);

/* Takes its end, of which `ended` told: the exit code, or 128 and the signal that ended it. Closes all. */
int process_take_end(struct process *process);

/* Runs one to its end, at most `limit_ns`: what it wrote to standard output, heap. An exit code that is not 0 is -EIO
 * with what it said; -EAGAIN while CAPTURES_MAX others are under way, whoever asked for them; -ESHUTDOWN. On the thread
 * of the caller. */
#define CAPTURE_BYTES_MAX ((size_t)8 << 20)
#define CAPTURES_MAX 8
int process_capture(const char *program, const json_t *words, const char *state_directory, int64_t limit_ns,
                    char **ret_text, struct error **err);

/* The same of one that writes JSON of a type, JSON_ARRAY or JSON_OBJECT: a new reference. `words` NULL: -ENOMEM. -EIO,
 * too, for what it wrote instead. */
int process_capture_json(const char *program, const json_t *words, const char *state_directory, int64_t limit_ns,
                         json_type type, json_t **ret_value, struct error **err);
/* Kills those that are under way, and refuses any more: -ESHUTDOWN. When the host ends; any thread. */
void process_capture_end(void);

#endif
