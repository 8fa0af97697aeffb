/* Tries to get out of its process, while it is loaded and when it is asked, and describes how it went: its mesh's name
 * is "held, N attempts", or names what went through.
 *
 * With UNSEALED it is another adapter: its constructor takes care that the second, tighter confinement never comes, and
 * it makes the same attempts when it is asked. */
#ifdef UNSEALED
#define BROKEN_ID "unsealed"
#define SEALED 0
#else
#define BROKEN_ID "escapes"
#define SEALED 1
#endif
#define OWN_FILE_FD 3 /* where the runner has it */
#define ATTEMPT_NAMES_MAX 2000
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broken.h"

static bool opens(const char *path, int flags) {
  int fd = open(path, flags, 0600);
  if (fd >= 0)
    (void)close(fd);
  return fd >= 0;
}

static char own_path[4000]; /* asked for while it is loaded, when that is free */

static void find_own_path(void) {
  char link[32];
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", OWN_FILE_FD);
  (void)!readlink(link, own_path, sizeof own_path - 1);
}

static bool reads_a_secret(void) {
  return opens("/etc/passwd", O_RDONLY);
}

static bool reads_its_parents_memory(void) {
  char path[64];
  (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
  return opens(path, O_RDONLY);
}

static bool reads_its_own_environment(void) {
  return opens("/proc/self/environ", O_RDONLY);
}

static bool writes_a_file(void) {
  return opens("/tmp/trammel-escaped", O_WRONLY | O_CREAT);
}

/* The one file that it may read. */
static bool empties_its_own_file(void) {
  return *own_path != '/' || opens(own_path, O_RDONLY | O_TRUNC) || opens(own_path, O_WRONLY | O_TRUNC) ||
         opens(own_path, O_RDWR) || opens("/proc/self/fd/3", O_RDONLY | O_TRUNC) || truncate(own_path, 0) == 0 ||
         ftruncate(OWN_FILE_FD, 0) == 0;
}

/* Where the linker may read, a look for the file is too far. */
static bool empties_a_library(void) {
  return opens("/usr/lib/trammel-no-such-file", O_RDONLY | O_TRUNC) || errno != EPERM ||
         opens("/usr/lib/trammel-no-such-file", O_WRONLY | O_TRUNC) || errno != EPERM ||
         truncate("/usr/lib/trammel-no-such-file", 0) == 0 || errno != EPERM;
}

static bool writes_a_device(void) {
  return opens("/dev/shm/trammel-escaped", O_RDWR | O_CREAT);
}

static bool changes_a_file(void) {
  return chmod("/tmp", 01777) == 0 || rename("/tmp/trammel-no", "/tmp/trammel-no2") == 0 || errno == ENOENT;
}

static bool makes_a_socket(void) {
  return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_DGRAM, 0) >= 0;
}

static bool makes_a_local_socket(void) {
  int pair[2];
  return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

static bool runs_a_program(void) {
  static char name[] = "true";
  char *arguments[] = {name, NULL};
  return execve("/nonexistent", arguments, NULL) == 0 || errno != EPERM; /* a look for the file is too far */
}

static bool starts_a_process(void) {
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  return child > 0;
}

static bool starts_a_process_otherwise(void) {
  long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (child == 0)
    _exit(0);
  struct clone_args arguments = {.exit_signal = SIGCHLD};
  long another = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (another == 0)
    _exit(0);
  return child > 0 || another > 0;
}

static bool traces_its_parent(void) {
  return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == 0;
}

static bool reads_another_process(void) {
  char here;
  struct iovec local = {&here, 1}, remote = {&here, 1};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) >= 0;
}

static bool signals_its_parent(void) {
  return kill(getppid(), 0) == 0 || kill(-1, 0) == 0 || syscall(SYS_tgkill, getppid(), getppid(), 0) == 0;
}

static bool survives_its_parent(void) {
  return prctl(PR_SET_PDEATHSIG, 0) == 0;
}

static bool leaves_its_session(void) {
  return setsid() >= 0 || errno != EPERM || unshare(CLONE_NEWUSER) == 0;
}

static bool takes_more(void) {
  struct rlimit limit = {64, 64};
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool makes_kernel_work(void) {
  return syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != EPERM || syscall(SYS_bpf, 0, NULL, 0) >= 0 ||
         errno != EPERM || syscall(SYS_memfd_create, "x", 0) >= 0;
}

/* What only the linker may do, and after it no one. */
static bool reads_a_library(void) {
  return opens("/etc/ld.so.cache", O_RDONLY);
}

/* stat(2) and the like, which Landlock knows nothing of. */
static bool finds_out_what_files_there_are(void) {
  struct stat status;
  char text[4096];
  return stat("/etc/passwd", &status) == 0 || access("/etc", F_OK) == 0 || getcwd(text, sizeof text) ||
         readlink("/proc/self/exe", text, sizeof text) > 0;
}

static long add_filter(const struct sock_filter *rules, size_t count) {
  const struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)(uintptr_t)rules};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static bool filters_its_own_calls(void) {
  static const struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  return add_filter(all, sizeof all / sizeof *all) == 0;
}

/* From here on each seccomp(2) of this process does nothing and succeeds, that of the runner's seal as well. */
static bool swallow_the_seal(void) {
  static const struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return add_filter(rules, sizeof rules / sizeof *rules) == 0;
}

static bool mapped(void *page) {
  return page != MAP_FAILED;
}

static bool writes_code(void) {
  enum { ALL = PROT_READ | PROT_WRITE | PROT_EXEC, NEW = MAP_PRIVATE | MAP_ANONYMOUS };
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, NEW, -1, 0);
  return !mapped(page) || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 || mprotect(page, 4096, ALL) == 0 ||
         mapped(mmap(NULL, 4096, ALL, NEW, -1, 0)) || mapped(mmap(NULL, 4096, PROT_READ | PROT_EXEC, NEW, -1, 0));
}

/* Code from a file may be mapped while it is loaded, but not when it can be written or was. */
static bool changes_code_of_a_file(void) {
  enum { ALL = PROT_READ | PROT_WRITE | PROT_EXEC };
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, OWN_FILE_FD, 0);
  return !mapped(page) || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ||
         mapped(mmap(NULL, 4096, ALL, MAP_PRIVATE, OWN_FILE_FD, 0)) ||
         mapped(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, OWN_FILE_FD, 0));
}

static const struct {
  const char *name;
  bool (*succeeds)(void);
  bool when_loaded; /* a linker does this, or the seal needs it, so it is denied once the adapter is loaded */
} attempts[] = {
    {"a secret is read", reads_a_secret, false},
    {"the parent's memory is opened", reads_its_parents_memory, false},
    {"/proc is read", reads_its_own_environment, false},
    {"a file is written", writes_a_file, false},
    {"its own file is emptied", empties_its_own_file, false},
    {"a library is emptied", empties_a_library, false},
    {"a device is written", writes_a_device, false},
    {"a file is changed", changes_a_file, false},
    {"a socket is made", makes_a_socket, false},
    {"a local socket is made", makes_a_local_socket, false},
    {"a program is run", runs_a_program, false},
    {"a process is started", starts_a_process, false},
    {"a process is started by clone", starts_a_process_otherwise, false},
    {"the parent is traced", traces_its_parent, false},
    {"a process is read", reads_another_process, false},
    {"the parent gets a signal", signals_its_parent, false},
    {"the parent's end is survived", survives_its_parent, false},
    {"the session is left", leaves_its_session, false},
    {"limits are lifted", takes_more, false},
    {"other ways into the kernel are open", makes_kernel_work, false},
    {"code is written", writes_code, false},
    {"code of a file is changed", changes_code_of_a_file, false},
    {"a library is read", reads_a_library, true},
    {"what files there are is found out", finds_out_what_files_there_are, true},
    {"its own calls are filtered", filters_its_own_calls, true},
};

static char names[ATTEMPT_NAMES_MAX];
static unsigned held;

/* With `sealed` false what the seal denies must go through: else it was not swallowed, and this shows nothing. */
static void try_all(const char *when, bool sealed) {
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    size_t length = strlen(names);
    bool expected = attempts[i].when_loaded && !sealed;
    bool succeeded = attempts[i].succeeds();
    if (succeeded != expected)
      (void)snprintf(names + length, sizeof names - length, "; %s: %s%s", when, attempts[i].name,
                     expected ? " not, which was to be expected" : "");
    held += !succeeded;
  }
}

static void __attribute__((constructor)) while_loaded(void) {
  find_own_path();
  try_all("while it was loaded", false);
  if (!SEALED && !swallow_the_seal())
    (void)snprintf(names, sizeof names, "; the seal could not be swallowed");
}

BROKEN_DESCRIBE({
  char verdict[ATTEMPT_NAMES_MAX + 64];
  try_all("when it was asked", SEALED);
  if (*names)
    (void)snprintf(verdict, sizeof verdict, "escaped%s", names);
  else
    (void)snprintf(verdict, sizeof verdict, "held, %u attempts", held);
  description.mesh_name = verdict;
  return broken_answer(op, &description);
})
