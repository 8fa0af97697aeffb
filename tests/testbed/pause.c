/* What holds a pod's namespaces: PID 1 of its sandbox. Ends when it is told to, at once, and reaps what it is left. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0)
    continue;
}

int main(void) {
  struct sigaction act = {.sa_handler = end};
  sigaction(SIGTERM, &act, NULL);
  sigaction(SIGINT, &act, NULL);
  act.sa_handler = reap;
  sigaction(SIGCHLD, &act, NULL);
  for (;;)
    pause();
}
