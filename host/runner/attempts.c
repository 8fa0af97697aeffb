#include "host/runner/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/memory.h"

/* Each returns whether it got what it wanted, and leaves nothing of it. */

static bool got(int fd) {
  if (fd >= 0)
    (void)close(fd);
  return fd >= 0;
}

static bool read_a_file(void) {
  return got(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool list_a_directory(void) {
  return got(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool write_a_file(void) {
  return got(open("/tmp", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
}

static bool open_a_tcp_socket(void) {
  return got(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool open_a_udp_socket(void) {
  return got(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static bool open_a_unix_socket(void) {
  return got(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool start_a_process(void) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  if (pid > 0)
    (void)waitpid(pid, NULL, 0);
  return pid > 0;
}

/* One that is not there: it would take this process's place. */
static bool run_a_program(void) {
  char *const none[] = {NULL};
  return execve("/bin/trammel-no-such-program", none, none) == 0 || errno == ENOENT;
}

static bool signal_the_host(void) {
  return kill(getppid(), 0) == 0;
}

static bool trace_the_host(void) {
  if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) != 0)
    return false;
  (void)ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
  return true;
}

static bool read_the_hosts_memory(void) {
  char byte;
  struct iovec to = {&byte, 1};
  struct iovec from = {(void *)(uintptr_t)&got, 1};
  return process_vm_readv(getppid(), &to, 1, &from, 1, 0) == 1;
}

static bool make_new_code(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED)
    (void)munmap(page, 4096);
  return page != MAP_FAILED;
}

static bool enter_a_namespace(void) {
  return unshare(CLONE_NEWUSER) == 0;
}

static const struct {
  const char *what;
  bool (*gets)(void);
} attempts[] = {
    {"read a file (/etc/passwd)", read_a_file},
    {"list a directory (/)", list_a_directory},
    {"write a file (in /tmp)", write_a_file},
    {"open a TCP socket", open_a_tcp_socket},
    {"open a UDP socket", open_a_udp_socket},
    {"open a unix socket", open_a_unix_socket},
    {"start a process", start_a_process},
    {"run a program", run_a_program},
    {"signal the host", signal_the_host},
    {"trace the host", trace_the_host},
    {"read the host's memory", read_the_hosts_memory},
    {"make new code", make_new_code},
    {"enter a user namespace", enter_a_namespace},
};

char *attempts_make(const struct confinement_offer *offer) {
  json_t *list = json_array();
  for (size_t i = 0; i < ARRAY_COUNT(attempts); i++)
    (void)json_array_append_new(list, json_pack("{s:s, s:b}", "what", attempts[i].what, "denied", !attempts[i].gets()));
  json_auto_t *findings =
      json_pack("{s:i, s:b, s:o}", "landlock", offer->landlock, "seccomp", offer->seccomp, "attempts", list);
  return json_array_size(list) == ARRAY_COUNT(attempts) ? json_dumps(findings, JSON_COMPACT) : NULL;
}
