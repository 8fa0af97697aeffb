#include "tests/bench/stall_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sdk/base/clock.h"

enum { EVENTS = 64, SPIN_NS = 60 * 1000 };

struct serving {
  struct stall_plan plan;
  int epoll_fd, listener;
  int64_t first_ns; /* the first request; 0: none came */
  atomic_uint *requests;
  int64_t free_ns; /* the end of the last request's service */
};

static void wait_until_ns(int64_t at_ns) {
  int64_t sleep_ns = at_ns - SPIN_NS - clock_monotonic_ns();
  if (sleep_ns > 0)
    (void)nanosleep(&(struct timespec){.tv_sec = sleep_ns / NS_PER_SECOND, .tv_nsec = sleep_ns % NS_PER_SECOND}, NULL);
  while (clock_monotonic_ns() < at_ns)
    continue;
}

static void stall(struct serving *serving, int64_t now_ns) {
  struct stall_plan *plan = &serving->plan;
  if (serving->first_ns == 0)
    serving->first_ns = now_ns;
  if (plan->stall_for_ns == 0 || now_ns < serving->first_ns + plan->stall_at_ns)
    return;
  wait_until_ns(now_ns + plan->stall_for_ns);
  plan->stall_for_ns = 0;
}

/* One that waited begins when the one before it has ended, whatever the answer of that took to send. */
static void work(struct serving *serving, int64_t seen_ns) {
  if (serving->plan.service_ns == 0)
    return;
  int64_t begin_ns = seen_ns > serving->free_ns ? seen_ns : serving->free_ns;
  serving->free_ns = begin_ns + serving->plan.service_ns;
  wait_until_ns(serving->free_ns);
}

/* A request is one segment: the generator sends each at once. */
static void serve(struct serving *serving, int fd, int64_t seen_ns) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  char buffer[4096];
  ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0) {
    (void)close(fd);
    return;
  }
  atomic_fetch_add(serving->requests, 1);
  stall(serving, clock_monotonic_ns());
  work(serving, seen_ns);
  (void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void accept_all(const struct serving *serving) {
  int fd, on = 1;
  while ((fd = accept4(serving->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(serving->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
      (void)close(fd);
  }
}

/* One request a look, so that what came meanwhile keeps its place behind what came before it. */
static _Noreturn void run(struct serving *serving) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = serving->listener};
  serving->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  (void)prctl(PR_SET_TIMERSLACK, 1UL);
  if (serving->epoll_fd < 0 || epoll_ctl(serving->epoll_fd, EPOLL_CTL_ADD, serving->listener, &event) < 0)
    _exit(EXIT_FAILURE);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(serving->epoll_fd, events, EVENTS, -1);
    int64_t seen_ns = clock_monotonic_ns();
    if (count < 0 && errno != EINTR)
      _exit(EXIT_FAILURE);
    for (int i = 0; i < count; i++)
      if (events[i].data.fd == serving->listener)
        accept_all(serving);
      else
        serve(serving, events[i].data.fd, seen_ns);
  }
}

int stall_server_start(const struct stall_plan *plan, struct stall_server *ret_server) {
  struct serving serving = {.plan = *plan};
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  pid_t parent = getpid();
  void *shared = mmap(NULL, sizeof(*serving.requests), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return -errno;
  serving.requests = ret_server->requests = shared;
  serving.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (serving.listener < 0 || bind(serving.listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
      listen(serving.listener, 1024) < 0 || getsockname(serving.listener, (struct sockaddr *)&at, &size) < 0)
    return -errno;
  (void)fflush(NULL);
  ret_server->pid = fork();
  if (ret_server->pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(EXIT_FAILURE);
    run(&serving);
  }
  int r = ret_server->pid < 0 ? -errno : 0;
  (void)close(serving.listener);
  (void)snprintf(ret_server->url, sizeof(ret_server->url), "http://127.0.0.1:%d/", ntohs(at.sin_port));
  return r;
}

void stall_server_stop(struct stall_server *server) {
  (void)kill(server->pid, SIGKILL);
  (void)waitpid(server->pid, NULL, 0);
  (void)munmap(server->requests, sizeof(*server->requests));
}
