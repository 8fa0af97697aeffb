/* What a run may have left behind: processes and files. */
#ifndef TRAMMEL_TESTS_SUPPORT_LEFTOVERS_H
#define TRAMMEL_TESTS_SUPPORT_LEFTOVERS_H

#include <sys/types.h>

/* The live processes (zombies apart) whose environment has TRAMMEL_RUN and was started for a run whose journal is below
 * `state_directory`: told by an open log file there, deleted or not. */
unsigned leftover_processes(const char *state_directory);

/* The pid of one of them whose program has this name (at most 15 characters); 0 when there is none. */
pid_t leftover_named(const char *state_directory, const char *name);

/* The pid of the one that writes to a log of this name, such as "workload-0-1.log"; 0 when there is none. */
pid_t leftover_logging(const char *state_directory, const char *log);

/* Fails the test when such a process lives or a file is below `state_directory`. */
void assert_no_leftovers(const char *state_directory);

#endif
