/* Workers that are processes on this machine: this very program again, with a socket to it. They end when this program
 * does, however it ends. */
#ifndef TRAMMEL_HOST_WORKERS_LOCAL_H
#define TRAMMEL_HOST_WORKERS_LOCAL_H

#include <sys/types.h>

#include "sdk/base/error.h"

#define LOCAL_WORKER_FD 3 /* where such a process finds its socket */

struct local_worker {
  pid_t pid; /* 0: none */
  int fd;    /* of this side; -1: taken */
};

/* Starts "/proc/self/exe WORDS…"; `words` begins with the program's name and ends with NULL. Of the thread that will
 * outlive it. */
int local_worker_start(char *const *words, struct local_worker *ret_worker, struct error **err);
/* What such a process does first: ends with its parent, and leaves it to the parent what an interrupt means. -ESRCH
 * when the parent is gone already. */
int local_worker_begin(void);

/* Ends it and reaps it; "killed by SIGKILL", "exited with 4" when it had ended by itself, else "". */
#define LOCAL_WORKER_END_SIZE 64
void local_worker_end(struct local_worker *worker, char ret_end[LOCAL_WORKER_END_SIZE]);

#endif
