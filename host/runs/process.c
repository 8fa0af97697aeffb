#include "host/runs/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/base/clock.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

#define EVENTS_FD 3 /* PROCESS_EVENTS */
#define LOOK_MS 100 /* whether captures were ended */

/* Everything that the child needs, made before there is one: after fork() only what is async-signal-safe is called. */
struct plan {
  const char *program;
  char **argv, **envp;
  int null, out, events, says; /* all above EVENTS_FD */
  pid_t parent;
};

static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t none;
  for (int i = 1; i < NSIG; i++)
    (void)sigaction(i, &action, NULL); /* SIGKILL, SIGSTOP and those of the C library refuse */
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct plan *plan) {
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != plan->parent)
    _exit(127);
  (void)setpgid(0, 0);
  if (dup2(plan->null, STDIN_FILENO) < 0 || dup2(plan->out, STDOUT_FILENO) < 0 || dup2(plan->says, STDERR_FILENO) < 0 ||
      dup2(plan->events, EVENTS_FD) < 0 || close_range(EVENTS_FD + 1, UINT_MAX, 0) < 0)
    _exit(127);
  reset_signals();
  (void)execve(plan->program, plan->argv, plan->envp);
  static const char text[] = "the program of a run cannot be executed\n";
  _exit(write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ? 126 : 127);
}

/* Heap array of borrowed texts; NULL without memory. */
static char **texts_of(const json_t *words) {
  char **argv = calloc(json_array_size(words) + 1, sizeof(*argv));
  for (size_t i = 0; argv && i < json_array_size(words); i++)
    argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(words, i));
  return argv;
}

/* The environment with `state` in the place of another TRAMMEL_STATE_DIR. */
static char **environment_with(char *state) {
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **envp = calloc(count + 2, sizeof(*envp));
  for (size_t i = 0; envp && i < count; i++)
    if (strncmp(environ[i], "TRAMMEL_STATE_DIR=", strlen("TRAMMEL_STATE_DIR=")) != 0)
      envp[kept++] = environ[i];
  if (envp)
    envp[kept] = state;
  return envp;
}

/* A pipe whose writing end is above EVENTS_FD. */
static int make_pipe(int *ret_reads, int *ret_writes) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  *ret_reads = ends[0];
  *ret_writes = fcntl(ends[1], F_DUPFD_CLOEXEC, EVENTS_FD + 1);
  int r = *ret_writes < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
  (void)close(ends[1]);
  return r;
}

static int start(struct plan *plan, struct process *process) {
  plan->parent = getpid();
  pid_t pid = fork();
  if (pid == 0)
    become(plan);
  if (pid < 0)
    return -errno;
  (void)setpgid(pid, pid); /* whoever of both is first: from here on its group can be killed */
  process->ended = pidfd_open(pid, 0);
  if (process->ended < 0) {
    int r = -errno;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return r;
  }
  process->pid = pid;
  return 0;
}

int process_start(const char *program, const json_t *words, const char *state_directory, bool has_events,
                  struct process *ret_process, struct error **err) {
  struct process process = PROCESS_NONE;
  _cleanup_free_ char *state = NULL;
  _cleanup_free_ char **argv = texts_of(words);
  if (asprintf(&state, "TRAMMEL_STATE_DIR=%s", state_directory) < 0)
    state = NULL;
  _cleanup_free_ char **envp = state ? environment_with(state) : NULL;
  _cleanup_close_ int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
  _cleanup_close_ int null = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, EVENTS_FD + 1);
  _cleanup_close_ int events = -1;
  _cleanup_close_ int says = -1;
  int r = !argv || !envp ? -ENOMEM : null < 0 ? -errno : make_pipe(&process.events, &events);
  if (r == 0)
    r = make_pipe(&process.says, &says);
  struct plan plan = {.program = program,
                      .argv = argv,
                      .envp = envp,
                      .null = null,
                      .out = has_events ? null : events,
                      .events = events,
                      .says = says};
  if (r == 0)
    r = start(&plan, &process);
  if (r < 0) {
    close_p(&process.events);
    close_p(&process.says);
    return error_set(err, -r, "starting %s: %s", program, strerror(-r));
  }
  *ret_process = process;
  return 0;
}

int process_take_end(struct process *process) {
  int status = 0;
  while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
    continue;
  close_p(&process->ended);
  close_p(&process->events);
  close_p(&process->says);
  *process = PROCESS_NONE;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- one whose output is wanted as a whole */

/* Reads what there is; false once there is no more to come. */
static bool drain(int fd, struct strbuf *into, size_t most) {
  char data[16384];
  ssize_t n;
  while ((n = read(fd, data, sizeof(data))) > 0)
    if (into->length + (size_t)n <= most)
      strbuf_append(into, data, (size_t)n);
    else
      into->failed = true;
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Of the whole process: who may only look, too, makes the host start a program. */
static atomic_uint captures;
static atomic_bool captures_ended;

void process_capture_end(void) {
  atomic_store(&captures_ended, true);
}

/* Until it has ended, or was killed: at the limit, or because all are. */
static bool collect(struct process *process, int64_t until_ns, struct strbuf *out, struct strbuf *said) {
  struct pollfd fds[] = {{.fd = process->events, .events = POLLIN},
                         {.fd = process->says, .events = POLLIN},
                         {.fd = process->ended, .events = POLLIN}};
  bool in_time = true;
  while (in_time && !fds[2].revents) {
    int64_t left_ms = (until_ns - clock_monotonic_ns()) / 1000000;
    in_time = left_ms > 0 && !atomic_load(&captures_ended);
    (void)poll(fds, 3, !in_time ? 0 : left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
    fds[0].fd = drain(process->events, out, CAPTURE_BYTES_MAX) ? fds[0].fd : -1;
    fds[1].fd = drain(process->says, said, 4096) ? fds[1].fd : -1;
  }
  if (!in_time)
    (void)kill(-process->pid, SIGKILL);
  return in_time;
}

static int capture(const char *program, const json_t *words, const char *state_directory, int64_t limit_ns,
                   char **ret_text, struct error **err) {
  struct process process;
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT, said = STRBUF_INIT;
  int r = process_start(program, words, state_directory, false, &process, err);
  if (r < 0)
    return r;
  bool in_time = collect(&process, clock_in_ns(limit_ns), &out, &said);
  int code = process_take_end(&process);
  if (!in_time && atomic_load(&captures_ended))
    return error_set(err, ESHUTDOWN, "the host is stopping");
  if (!in_time)
    return error_set(err, ETIMEDOUT, "%s did not end in time", program);
  if (code != 0 || strbuf_failed(&out))
    return error_set(err, EIO, "%s ended with %d: %.*s", program, code, (int)said.length, strbuf_text(&said));
  char *text = strbuf_steal(&out);
  if (!text)
    return error_set(err, ENOMEM, "no memory");
  *ret_text = text;
  return 0;
}

int process_capture(const char *program, const json_t *words, const char *state_directory, int64_t limit_ns,
                    char **ret_text, struct error **err) {
  bool has_place = atomic_fetch_add(&captures, 1) < CAPTURES_MAX;
  int r = atomic_load(&captures_ended) ? error_set(err, ESHUTDOWN, "the host is stopping")
          : has_place
              ? capture(program, words, state_directory, limit_ns, ret_text, err)
              : error_set(err, EAGAIN, "%d programs that answer requests are under way: ask again", CAPTURES_MAX);
  (void)atomic_fetch_sub(&captures, 1);
  return r;
}

int process_capture_json(const char *program, const json_t *words, const char *state_directory, int64_t limit_ns,
                         json_type type, json_t **ret_value, struct error **err) {
  _cleanup_free_ char *text = NULL;
  int r = words ? process_capture(program, words, state_directory, limit_ns, &text, err)
                : error_set(err, ENOMEM, "no memory");
  if (r < 0)
    return r;
  json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  if (!value || json_typeof(value) != type) {
    json_decref(value);
    return error_set(err, EIO, "what %s said of \"%s %s\" is no JSON of the kind that it is asked for", program,
                     json_string_value(json_array_get(words, 1)), json_string_value(json_array_get(words, 2)));
  }
  *ret_value = value;
  return 0;
}
