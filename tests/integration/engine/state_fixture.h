/* A state directory for one test. */
#ifndef TRAMMEL_TESTS_STATE_FIXTURE_H
#define TRAMMEL_TESTS_STATE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A new directory under $TMPDIR or /tmp, and "state" in it, which does not exist yet. */
struct state_fixture {
  char directory[256];
  char state[300];
};
void state_fixture_init(struct state_fixture *fixture);
/* Removes the directory with everything in it. */
void state_fixture_finish(struct state_fixture *fixture);

bool path_exists(const char *path);
int64_t monotonic_ms(void);
/* The text of <directory>/<name>; a heap string, "" when there is none. */
char *read_file(const char *directory, const char *name);
/* The pid that the journal in `directory` has of the latest process `name`; 0 when it has none. */
pid_t journaled_pid(const char *directory, const char *name);
/* Whether <directory>/<name> holds `text` within 10 s. */
bool wait_for_text(const char *directory, const char *name, const char *text);
/* Whether the process of a pidfd ends within `ms`. */
bool wait_for_end(int pidfd, int ms);

#endif
