#include "host/runner/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/base/memory.h"

DEFINE_CLEANUP(scmp_filter_ctx, seccomp_release);

/* For both stages, with any arguments. */
static const int free_calls[] = {
    /* descriptors that are open */
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
    /* threads and signals of its own */
    SCMP_SYS(futex), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid),
    SCMP_SYS(getpid), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* what the time is, and chance */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(uname)};

/* For the dynamic linker, and to enter the next stage. Landlock says what may be read. */
static const int load_calls[] = {SCMP_SYS(newfstatat), SCMP_SYS(stat),      SCMP_SYS(lstat),
                                 SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(readlink),
                                 SCMP_SYS(readlinkat), SCMP_SYS(getcwd),    SCMP_SYS(seccomp)};

/* For gRPC on the socket that the host gave; in both stages, because a later one cannot allow more. */
static const int serve_calls[] = {SCMP_SYS(sendmsg),         SCMP_SYS(recvmsg),     SCMP_SYS(sendto),
                                  SCMP_SYS(recvfrom),        SCMP_SYS(shutdown),    SCMP_SYS(getsockopt),
                                  SCMP_SYS(getsockname),     SCMP_SYS(getpeername), SCMP_SYS(epoll_create1),
                                  SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_wait),  SCMP_SYS(epoll_pwait),
                                  SCMP_SYS(set_tid_address), SCMP_SYS(close_range)};

/* One call with conditions on its arguments, of which all must hold. */
struct conditional {
  int call;
  struct scmp_arg_cmp first, second; /* a second one that is all zero is none: it would be met by any first argument */
};

static int add_free(scmp_filter_ctx filter, const int *calls, size_t count) {
  int r = 0;
  for (size_t i = 0; i < count && r == 0; i++)
    r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i], 0, NULL);
  return r;
}

static int add_conditional(scmp_filter_ctx filter, const struct conditional *rules, size_t count) {
  int r = 0;
  for (size_t i = 0; i < count && r == 0; i++)
    r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].second.op == 0 ? 1 : 2,
                               (const struct scmp_arg_cmp[]){rules[i].first, rules[i].second});
  return r;
}

#define ARGUMENT(n, ...) ((struct scmp_arg_cmp){n, __VA_ARGS__})
#define NONE ((struct scmp_arg_cmp){0})

/* Of a file that is opened. */
#define OPEN_TO_CHANGE (O_ACCMODE | O_CREAT | O_TRUNC)

static int fill(scmp_filter_ctx filter, enum syscalls_stage stage) {
  const struct conditional always[] = {
      {SCMP_SYS(clone), ARGUMENT(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD), NONE},
      {SCMP_SYS(prctl), ARGUMENT(0, SCMP_CMP_EQ, PR_SET_NAME, 0), NONE},
      {SCMP_SYS(tgkill), ARGUMENT(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0), NONE},
      {SCMP_SYS(fcntl), ARGUMENT(1, SCMP_CMP_EQ, F_GETFL, 0), NONE},
      {SCMP_SYS(fcntl), ARGUMENT(1, SCMP_CMP_EQ, F_SETFL, 0), NONE},
      {SCMP_SYS(fcntl), ARGUMENT(1, SCMP_CMP_EQ, F_GETFD, 0), NONE},
      {SCMP_SYS(fcntl), ARGUMENT(1, SCMP_CMP_EQ, F_SETFD, 0), NONE},
      {SCMP_SYS(fcntl), ARGUMENT(1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0), NONE},
      {SCMP_SYS(mmap), ARGUMENT(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), NONE},
      {SCMP_SYS(mprotect), ARGUMENT(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), NONE},
      {SCMP_SYS(madvise), ARGUMENT(2, SCMP_CMP_LT, MADV_HWPOISON, 0), NONE}, /* that, and what follows, is for root */
      {SCMP_SYS(setsockopt), ARGUMENT(1, SCMP_CMP_EQ, IPPROTO_TCP, 0), NONE},
      {SCMP_SYS(setsockopt), ARGUMENT(1, SCMP_CMP_EQ, SOL_SOCKET, 0), ARGUMENT(2, SCMP_CMP_LT, SO_SNDBUFFORCE, 0)},
  };
  const struct conditional load[] = {
      {SCMP_SYS(prctl), ARGUMENT(0, SCMP_CMP_EQ, PR_GET_SECCOMP, 0), NONE},
      {SCMP_SYS(open), ARGUMENT(1, SCMP_CMP_MASKED_EQ, OPEN_TO_CHANGE, O_RDONLY), NONE},
      {SCMP_SYS(openat), ARGUMENT(2, SCMP_CMP_MASKED_EQ, OPEN_TO_CHANGE, O_RDONLY), NONE},
      /* Code comes from files, and is never written. */
      {SCMP_SYS(mmap), ARGUMENT(2, SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
       ARGUMENT(3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0)},
  };
  int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (r == 0)
    r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
  if (r == 0)
    r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
  if (r == 0)
    r = add_free(filter, free_calls, ARRAY_COUNT(free_calls));
  if (r == 0)
    r = add_conditional(filter, always, ARRAY_COUNT(always));
  if (r == 0)
    r = add_free(filter, serve_calls, ARRAY_COUNT(serve_calls));
  if (r == 0 && stage == SYSCALLS_LOAD)
    r = add_free(filter, load_calls, ARRAY_COUNT(load_calls));
  if (r == 0 && stage == SYSCALLS_LOAD)
    r = add_conditional(filter, load, ARRAY_COUNT(load));
  return r;
}

bool syscalls_offered(void) {
  return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && seccomp_api_get() >= 2;
}

int syscalls_leave(enum syscalls_stage stage, struct error **err) {
  if (!syscalls_offered())
    return error_set(err, ENOSYS, "the kernel filters no system calls");
  _cleanup_(seccomp_release_p) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter)
    return error_set(err, ENOMEM, "filtering system calls: no memory");
  int r = fill(filter, stage);
  if (r == 0)
    r = seccomp_load(filter);
  return r < 0 ? error_set(err, -r, "filtering system calls: %s", strerror(-r)) : 0;
}
