#include "tests/integration/engine/state_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/clock.h"

void state_fixture_init(struct state_fixture *fixture) {
  const char *parent = getenv("TMPDIR");

  (void)snprintf(fixture->directory, sizeof(fixture->directory), "%s/trammel-test-XXXXXX", parent ? parent : "/tmp");
  if (!mkdtemp(fixture->directory)) {
    perror(fixture->directory);
    abort();
  }
  (void)snprintf(fixture->state, sizeof(fixture->state), "%s/state", fixture->directory);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
  (void)status;
  (void)type;
  (void)where;
  return remove(path);
}

void state_fixture_finish(struct state_fixture *fixture) {
  (void)nftw(fixture->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool path_exists(const char *path) {
  struct stat status;

  return lstat(path, &status) == 0;
}

int64_t monotonic_ms(void) {
  return clock_monotonic_ns() / NS_PER_MS;
}

char *read_file(const char *directory, const char *name) {
  enum { SIZE = 256 * 1024 };
  char path[600];
  char *text = calloc(1, SIZE);

  if (!text)
    abort();
  (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && read(fd, text, SIZE - 1) < 0)
    text[0] = '\0';
  if (fd >= 0)
    (void)close(fd);
  return text;
}

pid_t journaled_pid(const char *directory, const char *name) {
  char start[200];
  char *text = read_file(directory, "journal.jsonl");

  (void)snprintf(start, sizeof(start), "\"process-started\",\"name\":\"%s\",\"pid\":", name);
  const char *record = NULL;
  for (const char *next = text; (next = strstr(next, start)); next++)
    record = next;
  pid_t pid = record ? (pid_t)strtol(record + strlen(start), NULL, 10) : 0;
  free(text);
  return pid;
}

bool wait_for_text(const char *directory, const char *name, const char *text) {
  int64_t deadline_ms = monotonic_ms() + 10000;

  do {
    char *now = read_file(directory, name);
    bool found = strstr(now, text) != NULL;
    free(now);
    if (found)
      return true;
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  } while (monotonic_ms() < deadline_ms);
  return false;
}

bool wait_for_end(int pidfd, int ms) {
  struct pollfd wait = {.fd = pidfd, .events = POLLIN};

  return poll(&wait, 1, ms) == 1;
}
