#include "host/engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/adapter/program.h"
#include "host/engine/spawner.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

/* Of the log, for an epitaph. */
#define EPITAPH_LINES 8
#define EPITAPH_BYTES 2048

struct process {
  pthread_mutex_t lock; /* of `ended` and `outcome` */
  struct journal *journal;
  char *name;
  pid_t pid;
  int pidfd;
  off_t log_start; /* what was in the log before is another process's */
  bool ended;      /* and reaped */
  siginfo_t outcome;
};

static int64_t now_ms(void) {
  return clock_monotonic_ns() / NS_PER_MS;
}

/* What a program commonly needs, and what instrumented builds of ours need. */
static const char *const environment_kept[] = {
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};
#define KEPT_COUNT (sizeof(environment_kept) / sizeof(environment_kept[0]))

/* The child's argv or environment. */
struct strings {
  char *items[PROCESS_ARGUMENTS_MAX + 2];
  size_t count;
};

static void strings_finish(struct strings *list) {
  for (size_t i = 0; i < list->count; i++)
    free(list->items[i]);
}

__attribute__((format(printf, 2, 3))) static int strings_add(struct strings *list, const char *format, ...) {
  va_list args;

  va_start(args, format);
  int n = vasprintf(&list->items[list->count], format, args);
  va_end(args);
  if (n < 0) {
    list->items[list->count] = NULL;
    return -ENOMEM;
  }
  list->count++;
  return 0;
}

static int make_environment(const struct journal *journal, const char *const *variables, struct strings *ret_list) {
  int r = strings_add(ret_list, "%s=%s", JOURNAL_RUN_VARIABLE, journal_run_id(journal));

  for (size_t i = 0; r == 0 && i < KEPT_COUNT; i++) {
    const char *value = getenv(environment_kept[i]);
    if (value)
      r = strings_add(ret_list, "%s=%s", environment_kept[i], value);
  }
  for (size_t i = 0; r == 0 && variables && variables[i]; i++)
    r = ret_list->count <= PROCESS_ARGUMENTS_MAX ? strings_add(ret_list, "%s", variables[i]) : -E2BIG;
  return r;
}

static int make_arguments(const char *program, const char *const *arguments, struct strings *ret_list,
                          struct error **err) {
  int r = strings_add(ret_list, "%s", program);

  for (size_t i = 0; r == 0 && arguments && arguments[i]; i++) {
    if (i >= PROCESS_ARGUMENTS_MAX)
      return error_set(err, E2BIG, "starting %s: at most %d arguments can be given", program, PROCESS_ARGUMENTS_MAX);
    r = strings_add(ret_list, "%s", arguments[i]);
  }
  return r < 0 ? error_set(err, -r, "starting %s: out of memory", program) : 0;
}

static bool is_name(const char *name) {
  size_t length = strlen(name);

  return length > 0 && length <= PROCESS_NAME_MAX && name[0] != '.' &&
         strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

static int open_log(const char *name, int directory) {
  char file[PROCESS_NAME_MAX + sizeof(".log")];

  (void)snprintf(file, sizeof(file), "%s.log", name);
  int fd = openat(directory, file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd < 0 ? -errno : fd;
}

static void process_free(struct process *process) {
  if (!process)
    return;
  if (process->pidfd >= 0)
    (void)close(process->pidfd);
  (void)pthread_mutex_destroy(&process->lock);
  free(process->name);
  free(process);
}
DEFINE_CLEANUP(struct process *, process_free);

/* Executes and journals; the name and the program were checked. */
static int launch(struct process *process, const char *path, char *const *argv, const char *const *variables,
                  struct error **err) {
  _cleanup_(strings_finish) struct strings environment = {0};
  _cleanup_close_ int directory = open(journal_directory(process->journal), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  _cleanup_close_ int log = directory < 0 ? -errno : open_log(process->name, directory);

  if (directory < 0 || log < 0)
    return error_set(err, -log, "opening the log %s/%s.log: %s", journal_directory(process->journal), process->name,
                     strerror(-log));
  off_t log_end = lseek(log, 0, SEEK_END);
  process->log_start = log_end > 0 ? log_end : 0;
  int r = make_environment(process->journal, variables, &environment);
  if (r < 0)
    return error_set(err, -r, "starting %s: its environment: %s", path, strerror(-r));
  r = journal_process_intended(process->journal, process->name, err);
  if (r < 0)
    return r;
  struct spawn what = {.path = path, .argv = argv, .envp = environment.items, .directory = directory, .log = log};
  r = spawn(&what, &process->pid, &process->pidfd);
  if (r < 0)
    return error_set(err, -r, "starting %s: %s", path, strerror(-r));
  return journal_process_started(process->journal, process->name, process->pid, err);
}

int process_start(struct journal *journal, const char *name, const char *program, const char *const *arguments,
                  struct process **ret_process, struct error **err) {
  return process_start_command(journal, name, &(struct process_command){.program = program, .arguments = arguments},
                               ret_process, err);
}

int process_start_command(struct journal *journal, const char *name, const struct process_command *command,
                          struct process **ret_process, struct error **err) {
  const char *program = command->program;
  _cleanup_free_ char *path = NULL;
  _cleanup_(strings_finish) struct strings argv = {0};

  if (!is_name(name))
    return error_set(err, EINVAL,
                     "a process's name is 1 to %d letters, digits, '.', '_' or '-' and begins with no '.', not '%s'",
                     PROCESS_NAME_MAX, name);
  int r = command->path ? 0 : program_path(program, &path, err);
  if (r == 0)
    r = make_arguments(program, command->arguments, &argv, err);
  if (r < 0)
    return r;
  _cleanup_(process_free_p) struct process *process = calloc(1, sizeof(*process));
  if (!process)
    return error_set(err, ENOMEM, "starting %s: out of memory", program);
  process->pidfd = -1;
  process->journal = journal;
  (void)pthread_mutex_init(&process->lock, NULL);
  process->name = strdup(name);
  if (!process->name)
    return error_set(err, ENOMEM, "starting %s: out of memory", program);
  r = launch(process, command->path ? command->path : path, argv.items, command->variables, err);
  if (r < 0) {
    if (process->pidfd >= 0) /* it runs, but could not be journaled */
      process_stop(take(process), 0);
    return r;
  }
  *ret_process = take(process);
  return 0;
}

/* What is left of the group goes with its leader: while the leader is not reaped its id can't mean another group. */
static void reap(struct process *process) {
  (void)kill(-process->pid, SIGKILL);
  if (waitid(P_PIDFD, (id_t)process->pidfd, &process->outcome, WEXITED) < 0)
    process->outcome = (siginfo_t){0};
  process->ended = true;
  (void)journal_process_ended(process->journal, process->pid,
                              NULL); /* without it the cleanup finds nothing of that start time */
}

/* Waits without the lock, so that others may ask meanwhile. */
bool process_wait(struct process *process, unsigned timeout_ms) {
  int64_t deadline_ms = now_ms() + timeout_ms;
  struct pollfd wait = {.fd = process->pidfd, .events = POLLIN};
  int n;

  do {
    int64_t left_ms = deadline_ms - now_ms();
    n = poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
  } while (n < 0 && errno == EINTR);
  if (n == 0)
    return false;
  (void)pthread_mutex_lock(&process->lock);
  if (!process->ended)
    reap(process);
  (void)pthread_mutex_unlock(&process->lock);
  return true;
}

bool process_alive(struct process *process) {
  return !process_wait(process, 0);
}

const char *process_name(const struct process *process) {
  return process->name;
}

pid_t process_pid(const struct process *process) {
  return process->pid;
}

static void describe_outcome(const siginfo_t *outcome, struct strbuf *out) {
  const char *name = sigabbrev_np(outcome->si_status);

  if (outcome->si_code == CLD_EXITED)
    strbuf_printf(out, "exited with %d", outcome->si_status);
  else if ((outcome->si_code == CLD_KILLED || outcome->si_code == CLD_DUMPED) && name)
    strbuf_printf(out, "killed by SIG%s", name);
  else if (outcome->si_code == CLD_KILLED || outcome->si_code == CLD_DUMPED)
    strbuf_printf(out, "killed by signal %d", outcome->si_status);
  else
    strbuf_puts(out, "ended in an unknown way");
}

/* The start of the last lines of a text. */
static const char *last_lines(const char *text, size_t length) {
  const char *start = text + length;
  unsigned lines = 0;

  while (start > text && (start[-1] != '\n' || start == text + length || ++lines < EPITAPH_LINES))
    start--;
  return start;
}

/* Control characters of a log stay out of messages. */
static void append_log(const struct process *process, struct strbuf *out) {
  char text[EPITAPH_BYTES + 1];
  _cleanup_close_ int directory = open(journal_directory(process->journal), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  _cleanup_close_ int log = directory < 0 ? -1 : open_log(process->name, directory);
  struct stat status;

  if (log < 0 || fstat(log, &status) < 0)
    return;
  off_t from = process->log_start;
  if (status.st_size - from > EPITAPH_BYTES)
    from = status.st_size - EPITAPH_BYTES;
  ssize_t n = pread(log, text, EPITAPH_BYTES, from);
  while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
    n--;
  if (n <= 0)
    return;
  text[n] = '\0';
  strbuf_puts(out, "; its log ends with:\n  ");
  for (const char *p = last_lines(text, (size_t)n); p < text + n; p++) {
    bool control = (unsigned char)*p < 0x20 || *p == 0x7f;
    if (*p == '\n')
      strbuf_puts(out, "\n  ");
    else
      strbuf_append(out, control ? " " : p, 1);
  }
}

char *process_epitaph(struct process *process) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

  if (process_alive(process)) {
    strbuf_puts(&out, "is running");
  } else {
    describe_outcome(&process->outcome, &out);
    append_log(process, &out);
  }
  return strbuf_steal(&out);
}

int process_died(struct process *process, struct error **err) {
  _cleanup_free_ char *epitaph = process_epitaph(process);

  return error_set(err, ECHILD, "%s (pid %d) %s", process->name, (int)process->pid, epitaph ? epitaph : "ended");
}

void process_stop(struct process *process, unsigned grace_ms) {
  process_stop_all(&process, 1, grace_ms);
}

void process_stop_all(struct process **processes, size_t count, unsigned grace_ms) {
  int64_t deadline_ms = now_ms() + grace_ms;

  for (size_t i = 0; i < count; i++)
    if (processes[i] && process_alive(processes[i]))
      (void)pidfd_send_signal(processes[i]->pidfd, grace_ms > 0 ? SIGTERM : SIGKILL, NULL, 0);
  for (size_t i = 0; i < count; i++) {
    if (!processes[i])
      continue;
    int64_t left_ms = deadline_ms - now_ms();
    if (!process_wait(processes[i], left_ms > 0 ? (unsigned)left_ms : 0)) {
      (void)pidfd_send_signal(processes[i]->pidfd, SIGKILL, NULL, 0);
      while (!process_wait(processes[i], 1000)) {
        /* SIGKILL is on its way: only the kernel can hold it up */
      }
    }
    process_free(processes[i]);
  }
}
