/* without landlock|seccomp PROGRAM [ARGUMENT…]: runs a program as on a kernel that lacks the one or the other. For
 * tests. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What such a kernel answers. seccomp(2) is asked for by number and by prctl(2). */
static int take_away(scmp_filter_ctx filter, const char *what) {
  if (strcmp(what, "landlock") == 0)
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_landlock_create_ruleset, 0);
  if (strcmp(what, "seccomp") != 0)
    return -EINVAL;
  int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
  if (r == 0)
    r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_GET_SECCOMP, 0));
  return r == 0 ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                                   SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0))
                : r;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    (void)fputs("usage: without landlock|seccomp PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  int r = filter ? take_away(filter, argv[1]) : -ENOMEM;
  if (r == 0)
    r = seccomp_load(filter);
  if (r < 0) {
    (void)fprintf(stderr, "without %s: %s\n", argv[1], strerror(-r));
    return 2;
  }
  (void)execv(argv[2], argv + 2);
  (void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
  return 2;
}
