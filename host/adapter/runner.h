/* trammel-runner as a child process: started with a clean environment and nothing but the descriptors it is given,
 * watched through its pidfd, ended with all that it started. */
#ifndef TRAMMEL_HOST_ADAPTER_RUNNER_H
#define TRAMMEL_HOST_ADAPTER_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

struct runner {
  pid_t pid;
  int pidfd;  /* -1: none */
  int output; /* read end of its standard output and error, which does not block */
  bool ended; /* and waited for: `status` is of waitpid(2) */
  int status;
};

#define RUNNER_NONE ((struct runner){.pidfd = -1, .output = -1})

struct runner_start {
  const char *mode; /* RUNNER_DESCRIBE, RUNNER_SERVE or RUNNER_TRY of runner_protocol.h */
  bool partly;      /* a confinement that lacks what the kernel lacks will do */
  int file;         /* the adapter's, which becomes its descriptor RUNNER_FILE_FD; stays the caller's */
  int channel;      /* becomes RUNNER_CHANNEL_FD; stays the caller's */
};

int runner_start(const struct runner_start *start, struct runner *ret_runner, struct error **err);

/* Ends it when it has not ended, waits for it, and closes what is open. */
void runner_stop(struct runner *runner);

/* Its output, which is then the caller's. */
int runner_take_output(struct runner *runner);

/* Whether it has ended by itself by now. */
bool runner_has_ended(struct runner *runner);

/* Reads what it wrote, of which `to` keeps the first bytes. False at the end. */
bool runner_drain(int fd, struct strbuf *to, size_t keep, bool *ret_more);

#endif
