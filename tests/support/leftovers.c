#include "tests/support/leftovers.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A run's processes write their standard output to a log below the state directory. */
static bool logs_below(const char *pid, const char *directory) {
  char link[64];
  char target[PATH_MAX];
  (void)snprintf(link, sizeof(link), "/proc/%.20s/fd/1", pid);
  ssize_t n = readlink(link, target, sizeof(target) - 1);
  if (n < 0)
    return false;
  target[n] = '\0';
  return strncmp(target, directory, strlen(directory)) == 0;
}

unsigned leftover_processes(const char *state_directory) {
  DIR *proc = opendir("/proc");
  assert_non_null(proc);
  unsigned count = 0;
  for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && logs_below(entry->d_name, state_directory))
      count++;
  closedir(proc);
  return count;
}

void assert_no_leftovers(const char *state_directory) {
  assert_int_equal(leftover_processes(state_directory), 0);
  DIR *directory = opendir(state_directory);
  if (!directory)
    return; /* removed with the last run: nothing is left indeed */
  for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      fail_msg("left behind: %s/%s", state_directory, entry->d_name);
  closedir(directory);
}
