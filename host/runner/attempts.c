#include "host/runner/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/memory.h"

static pid_t host; /* asked for before, when that is allowed */

/* Each returns 0 when it got what it wanted, of which it leaves nothing, or errno. */

static int result(int r) {
  return r < 0 ? errno : 0;
}

static int got(int fd) {
  if (fd < 0)
    return errno;
  (void)close(fd);
  return 0;
}

static int read_a_file(void) {
  return got(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int list_a_directory(void) {
  return got(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int write_a_file(void) {
  char path[] = "/tmp/trammel-doctor-XXXXXX";
  int fd = mkostemp(path, O_CLOEXEC);
  int r = got(fd);
  if (r == 0)
    (void)unlink(path);
  return r;
}

static int open_a_tcp_socket(void) {
  return got(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_a_udp_socket(void) {
  return got(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int open_a_unix_socket(void) {
  return got(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int start_a_process(void) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  if (pid > 0)
    (void)waitpid(pid, NULL, 0);
  return result(pid);
}

/* One that is not there: it would take this process's place. */
static int run_a_program(void) {
  char *const none[] = {NULL};
  return result(execve("/bin/trammel-no-such-program", none, none));
}

static int signal_the_host(void) {
  return result(kill(host, 0));
}

static int trace_the_host(void) {
  int r = result((int)ptrace(PTRACE_SEIZE, host, NULL, NULL));
  if (r == 0)
    (void)ptrace(PTRACE_DETACH, host, NULL, NULL);
  return r;
}

/* Some address: whether there is anything does not matter. */
static int read_the_hosts_memory(void) {
  char byte;
  struct iovec to = {&byte, 1};
  struct iovec from = {(void *)(uintptr_t)&host, 1};
  return result((int)process_vm_readv(host, &to, 1, &from, 1, 0));
}

static int make_new_code(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return errno;
  (void)munmap(page, 4096);
  return 0;
}

static int enter_a_namespace(void) {
  return result(unshare(CLONE_NEWUSER));
}

static const struct {
  const char *what;
  int (*try)(void);
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

/* Other errors come from what an attempt met once it was let in. */
static bool is_denied(int error) {
  return error == EPERM || error == EACCES;
}

char *attempts_make(const struct confinement_offer *offer) {
  json_t *list = json_array();
  for (size_t i = 0; i < ARRAY_COUNT(attempts); i++)
    (void)json_array_append_new(
        list, json_pack("{s:s, s:b}", "what", attempts[i].what, "denied", is_denied(attempts[i].try())));
  json_auto_t *findings =
      json_pack("{s:i, s:b, s:o}", "landlock", offer->landlock, "seccomp", offer->seccomp, "attempts", list);
  return json_array_size(list) == ARRAY_COUNT(attempts) ? json_dumps(findings, JSON_COMPACT) : NULL;
}

void attempts_prepare(void) {
  host = getppid();
}
