/* A program that starts processes in a run of its own and then waits to be killed: trammel-test-crasher STATE
 * rest|orphan|unrecorded. Prints the pid of its child once that is ready. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/adapter/program.h"
#include "host/engine/journal.h"
#include "host/engine/process.h"
#include "tests/integration/engine/state_fixture.h"

static int fail(const char *what, const struct error *err) {
  (void)fprintf(stderr, "%s: %s\n", what, error_message(err));
  return 1;
}

/* A process that was started after its intention was journaled, by a program that then crashed at once. */
static int start_unrecorded(struct journal *journal, pid_t *ret_pid) {
  char mark[128];
  char *path = NULL;

  if (journal_process_intended(journal, "child", NULL) < 0 || program_path("trammel-test-child", &path, NULL) < 0)
    return -1;
  (void)snprintf(mark, sizeof(mark), "%s=%s", JOURNAL_RUN_VARIABLE, journal_run_id(journal));
  int log = open("child.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  *ret_pid = fork();
  if (*ret_pid == 0) {
    (void)dup2(log, STDOUT_FILENO);
    (void)execle(path, path, "orphan", (char *)NULL, (char *[]){mark, NULL});
    _exit(127);
  }
  free(path);
  return 0;
}

static int start_recorded(struct journal *journal, const char *what, pid_t *ret_pid) {
  const char *arguments[] = {what, NULL};
  struct process *process;
  struct error *err = NULL;

  if (process_start(journal, "child", "trammel-test-child", arguments, &process, &err) < 0)
    return fail("starting", err);
  *ret_pid = journaled_pid(journal_directory(journal), "child");
  return 0;
}

static int wait_ready(const char *log) {
  for (unsigned i = 0; i < 10000; i++) {
    char text[16] = "";
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
      (void)close(fd);
    if (n > 0 && strstr(text, "ready"))
      return 0;
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return -1;
}

int main(int argc, char **argv) {
  struct journal *journal;
  struct error *err = NULL;
  pid_t pid = 0;

  if (argc != 3)
    return 2;
  if (journal_create(argv[1], &journal, &err) < 0)
    return fail("journal", err);
  if (chdir(journal_directory(journal)) < 0)
    return 1;
  int r = strcmp(argv[2], "unrecorded") == 0 ? start_unrecorded(journal, &pid) : start_recorded(journal, argv[2], &pid);
  if (r != 0 || wait_ready("child.log") < 0)
    return 1;
  (void)printf("%d\n", (int)pid);
  (void)fflush(stdout);
  (void)alarm(60);
  (void)pause();
  return 0;
}
