#include "host/certify/examine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/adapter/loader.h"
#include "host/adapter/runner.h"
#include "host/certify/sitting.h"
#include "host/runner/confinement.h"
#include "host/runner/sanitized.h"
#include "sdk/base/clock.h"
#include "sdk/base/file.h"
#include "sdk/base/hex.h"
#include "sdk/base/utf8.h"

/* Bytes of what a check's process tells, and of what is kept of what it writes. */
#define RESULT_MAX 65536u
/* Between two looks at whether the program is interrupted. */
#define LOOK_MS 200
#define SAID_MAX 2000u
/* Address space of a check's process whose adapter is in another one. */
#define MEMORY_MAX ((rlim_t)4 << 30)

void finding_finish(struct finding *finding) {
  free(finding->reason);
  json_decref(finding->facts);
  *finding = (struct finding){0};
}

/* ---- in the check's process */

static int load(struct sitting *sitting, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  int r = registry_open(&sitting->subject->entry, &gate, err);
  return r < 0 ? r : loader_load(&gate, &sitting->table, err);
}

/* Tokens and the like, of whoever started the program: the texts themselves go, not only the way to them. */
static void forget_environment(void) {
  for (char **entry = environ; entry && *entry; entry++)
    explicit_bzero(*entry, strlen(*entry));
  (void)clearenv();
}

/* Keeps stdin, stdout and stderr, which are this process's own by now, and two more. */
static int close_others(int one, int other) {
  unsigned low = (unsigned)(one < other ? one : other), high = (unsigned)(one < other ? other : one);
  if ((low > 3 && close_range(3, low - 1, 0) < 0) || (high > low + 1 && close_range(low + 1, high - 1, 0) < 0))
    return -errno;
  return close_range(high + 1, UINT_MAX, 0) < 0 ? -errno : 0;
}

/* What an adapter could do in the host's process is not for it to do here, and what that has is not for it to see. */
static int enter(struct sitting *sitting, int result, struct error **err) {
  if (sitting->place != CERTIFY_IN_PROCESS) {
#if !TRAMMEL_SANITIZED
    (void)setrlimit(RLIMIT_AS, &(struct rlimit){MEMORY_MAX, MEMORY_MAX});
#endif
    return 0;
  }
  int r = close_others(result, sitting->subject->gate.fd);
  if (r < 0)
    return error_set(err, -r, "descriptors cannot be closed: %s", strerror(-r));
  forget_environment();
  r = confinement_enter(sitting->subject->gate.fd, sitting->subject->partly, err);
  if (r == 0)
    r = load(sitting, err);
  return r < 0 ? r : confinement_seal(err);
}

static bool finish_answers(const struct sitting *sitting, char ret_text[DIGEST_SIZE]) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ret_text[0] = '\0';
  if (!sitting->answered)
    return true;
  if (EVP_DigestFinal_ex(sitting->answers, bytes, &size) != 1 || size != (DIGEST_SIZE - 1) / 2)
    return false;
  hex_write(bytes, size, ret_text);
  return true;
}

static void tell(const struct sitting *sitting, int fd) {
  char answers[DIGEST_SIZE];
  if (!finish_answers(sitting, answers))
    return;
  char found[SITTING_REASON_MAX];
  unsigned findings;
  enum certify_verdict verdict = sitting_verdict(sitting, found, &findings);
  _cleanup_strbuf_ struct strbuf reason = STRBUF_INIT;
  strbuf_puts(&reason, found);
  if (findings > 1)
    strbuf_printf(&reason, " (and %u more)", findings - 1);
  json_auto_t *value = json_pack("{s:i, s:s, s:s, s:O}", "verdict", (int)verdict, "reason", strbuf_text(&reason),
                                 "answers", answers, "facts", sitting->facts);
  _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
  if (text)
    (void)file_write_all(fd, text, strlen(text));
}

static void run(const struct certify_check *check, struct sitting *sitting) {
  check->run(sitting);
  if (!sitting->done && !sitting_failed(sitting))
    sitting_fail(sitting,
                 "the check did not come to its end, so that it proves nothing: this is a mistake of Trammel's");
}

static void __attribute__((noreturn))
sit(const struct certify_check *check, struct sitting *sitting, int result, int output, pid_t parent) {
  _cleanup_error_ struct error *err = NULL;
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  static const int defaults[] = {SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
  for (size_t i = 0; i < ARRAY_COUNT(defaults); i++) /* those of crashes: a sanitizer's would make an exit of them */
    (void)signal(defaults[i], SIG_DFL);
  (void)setsid();
  (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent || null < 0 || dup2(null, 0) < 0 ||
      dup2(output, 1) < 0 || dup2(output, 2) < 0)
    _exit(1);
  sitting->answers = EVP_MD_CTX_new();
  sitting->facts = json_object();
  if (!sitting->facts || !sitting->answers || EVP_DigestInit_ex(sitting->answers, EVP_sha256(), NULL) != 1)
    _exit(1);
  if (enter(sitting, result, &err) < 0)
    sitting_fail(sitting, "the check could not begin: %s", error_message(err));
  else
    run(check, sitting);
  tell(sitting, result);
  _exit(0); /* nothing of the adapter's is to run any more */
}

/* ---- in the one that watches */

struct watched {
  pid_t pid;
  int pidfd;
  int result, output; /* read ends */
  struct strbuf told, said;
  int status;
};

static void watched_finish(struct watched *watched) {
  close_p(&watched->pidfd);
  close_p(&watched->result);
  close_p(&watched->output);
  strbuf_finish(&watched->told);
  strbuf_finish(&watched->said);
}

static int make_pipe(int *ret_read, int *ret_write, struct error **err) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
  *ret_read = ends[0];
  *ret_write = ends[1];
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return 0;
}

static int begin(const struct certify_check *check, struct sitting *sitting, struct watched *watched,
                 struct error **err) {
  _cleanup_close_ int result = -1;
  _cleanup_close_ int output = -1;
  pid_t parent = getpid();
  int r = make_pipe(&watched->result, &result, err);
  if (r == 0)
    r = make_pipe(&watched->output, &output, err);
  if (r < 0)
    return r;
  watched->pid = fork();
  if (watched->pid < 0)
    return error_set(err, errno, "cannot start a process: %s", strerror(errno));
  if (watched->pid == 0)
    sit(check, sitting, result, output, parent);
  watched->pidfd = pidfd_open(watched->pid, 0);
  return watched->pidfd < 0 ? error_set(err, errno, "cannot watch a process: %s", strerror(errno)) : 0;
}

/* 0 once it has ended, -ETIMEDOUT, -EINTR. */
static int watch(struct watched *watched, unsigned limit_s, const volatile sig_atomic_t *interrupted) {
  int64_t deadline = clock_in_ns(limit_s * NS_PER_SECOND);
  struct pollfd fds[3] = {{watched->pidfd, POLLIN, 0}, {watched->result, POLLIN, 0}, {watched->output, POLLIN, 0}};
  bool more = false;
  for (;;) {
    int64_t left = deadline - clock_monotonic_ns();
    if (interrupted && *interrupted)
      return -EINTR;
    if (left <= 0)
      return -ETIMEDOUT;
    int n = poll(fds, 3, left / NS_PER_MS < LOOK_MS ? (int)(left / NS_PER_MS) + 1 : LOOK_MS);
    if (n < 0 && errno != EINTR)
      return -errno;
    bool ended = n > 0 && (fds[0].revents & POLLIN);
    if (!runner_drain(watched->result, &watched->told, RESULT_MAX, &more))
      fds[1].fd = -1;
    if (!runner_drain(watched->output, &watched->said, SAID_MAX, &more))
      fds[2].fd = -1;
    if (ended)
      return 0;
  }
}

/* Its group, too; runners that it started end with it. */
static void end(struct watched *watched) {
  if (watched->pid <= 0)
    return;
  (void)kill(-watched->pid, SIGKILL);
  (void)kill(watched->pid, SIGKILL);
  while (waitpid(watched->pid, &watched->status, 0) < 0 && errno == EINTR)
    continue;
}

static int conclude(struct finding *finding, enum certify_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int conclude(struct finding *finding, enum certify_verdict verdict, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vasprintf(&finding->reason, format, args);
  va_end(args);
  finding->verdict = verdict;
  finding->facts = json_object();
  return n < 0 || !finding->facts ? -ENOMEM : 0;
}

/* What it wrote, as the end of a reason. */
static const char *last_words(const struct watched *watched, struct strbuf *out) {
  if (watched->said.length)
    strbuf_puts(out, "; it wrote: ");
  utf8_append_safe(out, strbuf_text(&watched->said), watched->said.length < 600 ? watched->said.length : 600, "");
  return strbuf_text(out);
}

/* An end without a verdict is the adapter's doing. */
static int read_end(const struct watched *watched, struct finding *finding) {
  _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
  const char *words = last_words(watched, &said);
  if (WIFSIGNALED(watched->status)) {
    const char *name = sigabbrev_np(WTERMSIG(watched->status));
    return conclude(finding, CERTIFY_CRASHED, "the process it ran in was killed by SIG%s%s", name ? name : "?", words);
  }
  return conclude(finding, CERTIFY_CRASHED, "the process it ran in ended, exit status %d, before the check was done%s",
                  WEXITSTATUS(watched->status), words);
}

static int read_result(const struct watched *watched, struct finding *finding) {
  json_auto_t *told = watched->told.length ? json_loadb(watched->told.data, watched->told.length, 0, NULL) : NULL;
  int verdict = 0;
  const char *reason = NULL, *answers = NULL;
  json_t *facts = NULL;
  if (!told || WIFSIGNALED(watched->status) || WEXITSTATUS(watched->status) != 0)
    return read_end(watched, finding);
  if (json_unpack(told, "{s:i, s:s, s:s, s:o}", "verdict", &verdict, "reason", &reason, "answers", &answers, "facts",
                  &facts) < 0 ||
      verdict < CERTIFY_SKIPPED || verdict > CERTIFY_VERDICT_LAST || strlen(answers) >= DIGEST_SIZE)
    return conclude(finding, CERTIFY_FAILED, "what the check's process told is no result: the adapter wrote into it");
  (void)snprintf(finding->answers, sizeof finding->answers, "%s", answers);
  finding->verdict = (enum certify_verdict)verdict;
  finding->reason = strdup(reason);
  finding->facts = json_incref(facts);
  return finding->reason ? 0 : -ENOMEM;
}

int examine(const struct certify_check *check, const struct subject *subject, enum certify_place place, uint64_t seed,
            const volatile sig_atomic_t *interrupted, struct finding *ret_finding, struct error **err) {
  _cleanup_(watched_finish) struct watched watched = {.pidfd = -1, .result = -1, .output = -1};
  struct sitting sitting = {.subject = subject, .place = place, .seed = seed, .verdict = CERTIFY_PASSED};
  struct finding finding = {.place = place};
  unsigned limit_s = check->limit_s ? check->limit_s : EXAMINE_LIMIT_S;
  int64_t began = clock_monotonic_ns();
  int r = begin(check, &sitting, &watched, err);
  int ended = r < 0 ? r : watch(&watched, limit_s, interrupted);
  end(&watched);
  if (r == 0 && ended == 0)
    r = read_result(&watched, &finding);
  else if (r == 0 && ended == -ETIMEDOUT)
    r = conclude(&finding, CERTIFY_FAILED, "it was not done within %u s: something in the adapter hangs or is slow",
                 limit_s);
  else if (r == 0)
    r = error_set(err, -ended, "%s", ended == -EINTR ? "interrupted" : strerror(-ended));
  finding.took_ns = clock_monotonic_ns() - began;
  if (r < 0) {
    finding_finish(&finding);
    return r == -ENOMEM ? error_set(err, ENOMEM, "out of memory") : r;
  }
  *ret_finding = finding;
  return 0;
}
