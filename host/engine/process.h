/* Child processes of a run: journaled, tied to this process's life, logged into the run's directory, ended through
 * their pidfd. Any thread may start and use them: one thread of the program does all the forks and lives as long as the
 * program, because PR_SET_PDEATHSIG follows the thread that forked. */
#ifndef TRAMMEL_HOST_ENGINE_PROCESS_H
#define TRAMMEL_HOST_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "host/engine/journal.h"

struct process;

#define PROCESS_NAME_MAX 64
#define PROCESS_ARGUMENTS_MAX 256

/* Starts `program`: a bare name is looked up with program_path(), never in PATH; anything with a slash is refused.
 * `arguments` excludes argv[0], NULL-terminated; NULL: none. `name` is 1 to PROCESS_NAME_MAX of [A-Za-z0-9._-] and is
 * unique in the run's directory. Standard input is /dev/null, output and errors go to <journal directory>/<name>.log,
 * which is also the working directory; of the environment only what programs commonly need is handed on. Returns once
 * the program runs, or says why it can't. `journal` is borrowed until the process is stopped. */
int process_start(struct journal *journal, const char *name, const char *program, const char *const *arguments,
                  struct process **ret_process, struct error **err);

/* The same for more than a program of Trammel's own with its arguments. All is borrowed. */
struct process_command {
  const char *program;          /* its name */
  const char *path;             /* where it is, absolute; NULL: looked up as above */
  const char *const *arguments; /* as above */
  const char *const
      *variables; /* beyond the environment that is handed on: "NAME=value", NULL-terminated; NULL: none */
};
int process_start_command(struct journal *journal, const char *name, const struct process_command *command,
                          struct process **ret_process, struct error **err);

bool process_alive(struct process *process);
/* Waits until the process has ended, at most `timeout_ms`. Whether it has. */
bool process_wait(struct process *process, unsigned timeout_ms);
const char *process_name(const struct process *process);
pid_t process_pid(const struct process *process);
/* "exited with 3", "killed by SIGSEGV", and the last lines of its log; for messages. A heap string, NULL without
 * memory. */
char *process_epitaph(struct process *process);
/* Sets an error that names the process and has its epitaph. -ECHILD. */
int process_died(struct process *process, struct error **err);

/* SIGTERM, SIGKILL after `grace_ms`, reaps, journals, frees; what is left of its process group is killed. NULL is fine.
 */
void process_stop(struct process *process, unsigned grace_ms);
/* Ends many at once: signals all, then waits for all. */
void process_stop_all(struct process **processes, size_t count, unsigned grace_ms);

#endif
