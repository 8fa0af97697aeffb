/* Runs a program of the build as a user would and keeps what it printed. For integration tests. */
#ifndef TRAMMEL_TESTS_SUPPORT_COMMAND_H
#define TRAMMEL_TESTS_SUPPORT_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "sdk/base/strbuf.h"

struct command_result {
  int exit_code; /* -1 when a signal ended it */
  int signal;
  struct strbuf out;
  struct strbuf errors;
};

/* A program that runs. `argv[0]` is a name in the build's bin directory or a path; the rest as usual, NULL-terminated.
 * `input` goes to its standard input (NULL: none). Fails the test when it cannot be started. */
struct running {
  pid_t pid;
  int out;
  int errors;
};
struct running command_start(const char *const *argv, const char *input);

/* Reads all output and reaps; after `timeout_s` it kills the program and fails the test. */
void command_wait(struct running *running, unsigned timeout_s, struct command_result *ret_result);

/* Both at once. */
void command_run(const char *const *argv, const char *input, unsigned timeout_s, struct command_result *ret_result);
void command_result_finish(struct command_result *result);

/* Waits until `done(ctx)` is true; fails the test after `timeout_s`. */
void wait_until(bool (*done)(void *ctx), void *ctx, unsigned timeout_s, const char *what);

/* A fresh directory below $TMPDIR or /tmp, and its removal with everything in it. The path is a heap string. */
char *scratch_create(void);
void scratch_remove(char *path);

#endif
