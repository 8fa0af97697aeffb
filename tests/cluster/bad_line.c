#include "tests/cluster/bad_line.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/clock.h"

static struct sockaddr_in address_of(const char *server) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char host[64] = "";
  unsigned port = 0;
  assert_int_equal(sscanf(server, "https://%63[0-9.]:%u", host, &port), 2);
  assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
  address.sin_port = htons((uint16_t)port);
  return address;
}

static int send_all(int fd, const char *data, ssize_t length) {
  for (ssize_t done = 0, n; done < length; done += n) {
    n = send(fd, data + done, (size_t)(length - done), MSG_NOSIGNAL);
    if (n <= 0)
      return -1;
  }
  return 0;
}

/* One turn of what came from either side: false when the connection is over. */
static int pass(int from, int to, size_t most) {
  char data[1024];
  ssize_t n = recv(from, data, most < sizeof(data) ? most : sizeof(data), 0);
  return n > 0 && send_all(to, data, n) == 0 ? (int)n : 0;
}

static void reset(int fd) {
  const struct linger now = {.l_onoff = 1};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  (void)close(fd);
}

static void relay(int client, const struct sockaddr_in *server, const struct bad_line_way *way, atomic_uint *cuts) {
  const struct timespec pause = {.tv_nsec = way->pause_ms * NS_PER_MS};
  int upstream = socket(AF_INET, SOCK_STREAM, 0);
  size_t left = way->bytes_most ? way->bytes_most : SIZE_MAX;
  struct pollfd both[] = {{.fd = client, .events = POLLIN}, {.fd = upstream, .events = POLLIN}};
  int passed = connect(upstream, (const struct sockaddr *)server, sizeof(*server)) == 0 ? 1 : 0;
  while (passed > 0 && left > 0 && poll(both, 2, -1) > 0) {
    if (both[0].revents)
      passed = pass(client, upstream, SIZE_MAX);
    if (passed > 0 && both[1].revents) {
      (void)nanosleep(&pause, NULL);
      passed = pass(upstream, client, left);
      left -= (size_t)passed;
    }
  }
  if (left == 0)
    atomic_fetch_add(cuts, 1);
  reset(client);
}

_Noreturn static void serve(int listener, const struct sockaddr_in *server, const struct bad_line_way *way,
                            atomic_uint *cuts) {
  (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for the connections' processes */
  for (;;) {
    int client = accept(listener, NULL, NULL);
    pid_t pid = client >= 0 ? fork() : -1;
    if (pid == 0) {
      (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
      relay(client, server, way, cuts);
      _exit(0);
    }
    if (client >= 0)
      (void)close(client);
  }
}

struct bad_line bad_line_start(const char *server, const struct bad_line_way *way) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const struct sockaddr_in there = address_of(server);
  socklen_t length = sizeof(own);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  atomic_uint *cuts = mmap(NULL, sizeof(*cuts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(listener >= 0 && cuts != MAP_FAILED);
  assert_int_equal(bind(listener, (const struct sockaddr *)&own, sizeof(own)), 0);
  assert_int_equal(listen(listener, 64), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&own, &length), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(listener, &there, way, cuts);
  }
  (void)close(listener);
  return (struct bad_line){.pid = pid, .port = ntohs(own.sin_port), .cuts = cuts};
}

void bad_line_stop(struct bad_line *line) {
  assert_int_equal(kill(line->pid, SIGKILL), 0);
  assert_int_equal(waitpid(line->pid, NULL, 0), line->pid);
  assert_int_equal(munmap(line->cuts, sizeof(*line->cuts)), 0);
}
