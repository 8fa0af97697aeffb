#include "tests/integration/adapter/served.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/clock.h"
#include "tests/support/certificates.h"

#define READY_NS (30 * NS_PER_SECOND)

void served_prepare(struct served *served) {
  static const char *const names[6] = {"ca.pem", "client.pem", "client.key", "server.pem", "server.key", ""};
  *served = (struct served){.directory = scratch_create()};
  certificates_make_authority(served->directory, "ca");
  certificates_make(served->directory, "client", "ca", "DNS:client.test");
  certificates_make(served->directory, "server", "ca", "IP:127.0.0.1,DNS:localhost");
  for (size_t i = 0; i < 6; i++)
    (void)snprintf(served->paths[i], sizeof served->paths[i], "%s/%s", served->directory, names[i]);
  served->files =
      (struct identity_files){.ca = served->paths[0], .certificate = served->paths[1], .key = served->paths[2]};
  served->certificate = served->paths[3];
  served->key = served->paths[4];
}

/* The first line that the program prints. */
static void read_line(struct served *served, char *line, size_t size) {
  int64_t end = clock_monotonic_ns() + READY_NS;
  size_t length = 0;
  while (length == 0 || line[length - 1] != '\n') {
    struct pollfd fd = {served->program.out, POLLIN, 0};
    int64_t left = end - clock_monotonic_ns();
    if (left <= 0 || length + 1 >= size)
      fail_msg("no address: %.*s", (int)length, line);
    if (poll(&fd, 1, (int)(left / NS_PER_MS) + 1) <= 0)
      continue;
    ssize_t n = read(fd.fd, line + length, 1);
    if (n <= 0) {
      struct command_result result;
      command_wait(&served->program, 10, &result);
      fail_msg("it ended: %s", strbuf_text(&result.errors));
    }
    length += (size_t)n;
  }
  line[length - 1] = '\0';
}

void served_start(struct served *served, const char *const *argv) {
  char line[512];
  served->program = command_start(argv, NULL);
  read_line(served, line, sizeof line);
  const char *at = strstr(line, " at ");
  assert_non_null(at);
  (void)snprintf(served->address, sizeof served->address, "%s", at + 4);
}

void served_start_runner(struct served *served, const char *adapter) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", getenv("TRAMMEL_BUILD_DIR"), adapter);
  served_start(served,
               (const char *const[]){"trammel-runner", "--listen", *served->address ? served->address : "127.0.0.1:0",
                                     "--adapter", path, "--cert", served->certificate, "--key", served->key,
                                     "--client-ca", served->files.ca, NULL});
}

void served_stop(struct served *served, int signal) {
  struct command_result result;
  assert_int_equal(kill(served->program.pid, signal), 0);
  command_wait(&served->program, 30, &result);
  if (signal == SIGTERM && result.exit_code != 0)
    fail_msg("exit status %d, signal %d: %s", result.exit_code, result.signal, strbuf_text(&result.errors));
  command_result_finish(&result);
}

void served_finish(struct served *served) {
  scratch_remove(served->directory);
}

const struct adapter_entry *served_find(const struct served *served, struct registry **ret_registry) {
  const struct adapter_entry *entry = NULL;
  struct error *err = NULL;
  if (remote_find(served->address, &served->files, ret_registry, &entry, &err) < 0)
    fail_msg("%s", error_message(err));
  return entry;
}
