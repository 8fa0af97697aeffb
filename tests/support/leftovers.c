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
static bool log_of(const char *pid, char log[static PATH_MAX]) {
  char link[64];
  (void)snprintf(link, sizeof(link), "/proc/%.20s/fd/1", pid);
  ssize_t n = readlink(link, log, PATH_MAX - 1);
  if (n < 0)
    return false;
  log[n] = '\0';
  return true;
}

static bool logs_below(const char *pid, const char *directory) {
  char log[PATH_MAX];
  return log_of(pid, log) && strncmp(log, directory, strlen(directory)) == 0;
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

static bool is_named(const char *pid, const char *name) {
  char path[64];
  char comm[32] = "";
  (void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  bool read = fgets(comm, sizeof(comm), file) != NULL;
  (void)fclose(file);
  comm[strcspn(comm, "\n")] = '\0';
  return read && strcmp(comm, name) == 0;
}

static bool logs_to(const char *pid, const char *name) {
  char log[PATH_MAX];
  const char *slash = log_of(pid, log) ? strrchr(log, '/') : NULL;
  return slash && strcmp(slash + 1, name) == 0;
}

static pid_t find_leftover(const char *state_directory, bool (*is_it)(const char *pid, const char *name),
                           const char *name) {
  DIR *proc = opendir("/proc");
  assert_non_null(proc);
  pid_t found = 0;
  for (struct dirent *entry = readdir(proc); entry && !found; entry = readdir(proc))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && logs_below(entry->d_name, state_directory) &&
        is_it(entry->d_name, name))
      found = (pid_t)strtol(entry->d_name, NULL, 10);
  closedir(proc);
  return found;
}

pid_t leftover_named(const char *state_directory, const char *name) {
  return find_leftover(state_directory, is_named, name);
}

pid_t leftover_logging(const char *state_directory, const char *log) {
  return find_leftover(state_directory, logs_to, log);
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
