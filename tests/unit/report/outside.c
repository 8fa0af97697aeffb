#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int outside_check(const char *const *argv, const char *text) {
  FILE *input = tmpfile();
  assert_non_null(input);
  assert_int_equal(fwrite(text, 1, strlen(text), input), strlen(text));
  assert_int_equal(fflush(input), 0);
  assert_int_equal(lseek(fileno(input), 0, SEEK_SET), 0);
  posix_spawn_file_actions_t actions;
  assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
  assert_int_equal(posix_spawn_file_actions_adddup2(&actions, fileno(input), STDIN_FILENO), 0);
  assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0), 0);
  pid_t pid;
  int r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
  assert_int_equal(posix_spawn_file_actions_destroy(&actions), 0);
  assert_int_equal(fclose(input), 0);
  if (r == ENOENT)
    return OUTSIDE_ABSENT;
  assert_int_equal(r, 0);
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
