/* A program for the process tests to start: behaves as its first argument says. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Waits for a signal, but never longer than any test. */
static int rest(void) {
  (void)puts("ready");
  (void)fflush(stdout);
  (void)alarm(60);
  (void)pause();
  return 0;
}

static int show(int argc, char **argv) {
  DIR *fds = opendir("/proc/self/fd");
  const struct dirent *entry;

  for (int i = 0; i < argc; i++)
    (void)printf("argument %s\n", argv[i]);
  for (char **variable = environ; *variable; variable++)
    (void)printf("variable %s\n", *variable);
  while (fds && (entry = readdir(fds)))
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(fds))
      (void)printf("descriptor %s\n", entry->d_name);
  if (fds)
    (void)closedir(fds);
  (void)printf("leader %d\n", getpgrp() == getpid());
  (void)printf("input %d\n", getchar());
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";

  if (strcmp(what, "rest") == 0)
    return rest();
  if (strcmp(what, "show") == 0)
    return show(argc, argv);
  if (strcmp(what, "fail") == 0) {
    (void)fputs("first line\nno such mesh\n", stderr);
    return 3;
  }
  if (strcmp(what, "crash") == 0) {
    (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would exit instead */
    return raise(SIGSEGV);
  }
  if (strcmp(what, "stubborn") == 0) {
    (void)signal(SIGTERM, SIG_IGN);
    return rest();
  }
  if (strcmp(what, "orphan") == 0) { /* lives on when its parent dies */
    (void)prctl(PR_SET_PDEATHSIG, 0);
    (void)signal(SIGTERM, SIG_IGN);
    return rest();
  }
  if (strcmp(what, "family") == 0) {
    (void)fork(); /* both rest */
    return rest();
  }
  return 2;
}
