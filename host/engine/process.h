/* Child processes of a run: journaled, tied to this process's life, logged into the run's directory, ended through their pidfd.
 * Start them from the main thread only: PR_SET_PDEATHSIG follows the thread that forked. */
#ifndef TRAMMEL_HOST_ENGINE_PROCESS_H
#define TRAMMEL_HOST_ENGINE_PROCESS_H

#include <stdbool.h>

#include "host/engine/journal.h"

struct process;

/* Starts `program`: a bare name is looked up beside the running program and in its libexec directory, never in PATH; anything with a slash
 * is refused. `arguments` excludes argv[0], NULL-terminated. Standard input is /dev/null, output and errors go to <journal directory>/<name>.log. */
int process_start(struct journal *journal, const char *name, const char *program, const char *const *arguments,
                  struct process **ret_process, struct error **err);

bool process_alive(struct process *process);
const char *process_name(const struct process *process);
int process_pid(const struct process *process);
/* "exited with 3", "killed by SIGSEGV", and the last lines of its log; for messages. A heap string. */
char *process_epitaph(struct process *process);

/* SIGTERM, SIGKILL after `grace_ms`, reaps, journals, frees. NULL is fine. */
void process_stop(struct process *process, unsigned grace_ms);
/* Ends many at once: signals all, then waits for all. */
void process_stop_all(struct process **processes, size_t count, unsigned grace_ms);

#endif
