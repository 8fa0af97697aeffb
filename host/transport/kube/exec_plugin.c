#include "host/transport/kube/exec_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "host/transport/kube/base64.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

#define POLL_NS (20 * NS_PER_MS)

/* A program under way. */
struct plugin {
  const struct kube_exec *exec;
  pid_t pid;
  int fds[2]; /* its standard output and error; -1 when at their end */
  struct strbuf texts[2];
  bool too_much;
};

static void secret_free(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}

void exec_credential_finish(struct exec_credential *credential) {
  secret_free(credential->token);
  free(credential->certificate);
  secret_free(credential->key);
  *credential = (struct exec_credential){0};
}

/* spec.cluster of what the program is told. */
static json_t *cluster_info(const struct kube_config *config) {
  char *authorities = config->authorities ? base64_encode(config->authorities, strlen(config->authorities)) : NULL;
  json_t *extra = config->exec->cluster_config ? json_loads(config->exec->cluster_config, JSON_DECODE_ANY, NULL) : NULL;
  json_t *cluster =
      json_pack("{s:s, s:s*, s:s*, s:s*, s:o*}", "server", config->server, "tls-server-name", config->server_name,
                "certificate-authority-data", authorities, "proxy-url", config->proxy, "config", extra);

  free(authorities);
  return cluster;
}

/* "KUBERNETES_EXEC_INFO={...}", a heap string. */
static char *exec_info(const struct kube_config *config) {
  const struct kube_exec *exec = config->exec;
  json_t *cluster = exec->provide_cluster_info ? cluster_info(config) : NULL;
  json_t *info = json_pack("{s:s, s:s, s:{s:b, s:o*}}", "kind", "ExecCredential", "apiVersion", exec->api_version,
                           "spec", "interactive", 0, "cluster", cluster);
  char *text = info ? json_dumps(info, JSON_COMPACT) : NULL;
  char *variable = NULL;

  if (!text || asprintf(&variable, "KUBERNETES_EXEC_INFO=%s", text) < 0)
    variable = NULL;
  free(text);
  json_decref(info);
  return variable;
}

static bool is_named(const char *variable, const char *as) {
  size_t length = strcspn(variable, "=");

  return strncmp(variable, as, length) == 0 && as[length] == '=';
}

/* This process's environment, with what `exec` and `info` say in place of what has the same name. Only the array is on
 * the heap. */
static char **make_environment(const struct kube_exec *exec, char *info) {
  size_t count = 0;
  size_t extra = 1;
  size_t n = 0;

  while (environ && environ[count])
    count++;
  while (exec->environment && exec->environment[extra - 1])
    extra++;
  char **all = calloc(count + extra + 2, sizeof(*all));
  if (!all)
    return NULL;
  all[n++] = info;
  for (size_t i = 0; i + 1 < extra; i++)
    all[n++] = exec->environment[i];
  size_t own = n;
  for (size_t i = 0; i < count; i++) {
    bool replaced = false;
    for (size_t k = 0; k < own; k++)
      replaced = replaced || is_named(environ[i], all[k]);
    if (!replaced)
      all[n++] = environ[i];
  }
  return all;
}

static char **make_arguments(const struct kube_exec *exec) {
  size_t count = 0;

  while (exec->arguments && exec->arguments[count])
    count++;
  char **all = calloc(count + 2, sizeof(*all));
  if (!all)
    return NULL;
  all[0] = exec->command;
  for (size_t i = 0; i < count; i++)
    all[i + 1] = exec->arguments[i];
  return all;
}

/* In a group of its own, so that what it starts ends with it; no signal mask of this thread. */
static int spawn(struct plugin *plugin, char **arguments, char **environment, const int pipes[2][2]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigset_t reset;

  (void)sigemptyset(&none);
  (void)sigemptyset(&reset);
  (void)sigaddset(&reset, SIGPIPE);
  if (posix_spawn_file_actions_init(&actions) != 0)
    return ENOMEM;
  if (posix_spawnattr_init(&attributes) != 0) {
    (void)posix_spawn_file_actions_destroy(&actions);
    return ENOMEM;
  }
  (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  (void)posix_spawnattr_setsigmask(&attributes, &none);
  (void)posix_spawnattr_setsigdefault(&attributes, &reset);
  int r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  r = r ? r : posix_spawn_file_actions_adddup2(&actions, pipes[0][1], STDOUT_FILENO);
  r = r ? r : posix_spawn_file_actions_adddup2(&actions, pipes[1][1], STDERR_FILENO);
  r = r ? r : posix_spawnp(&plugin->pid, plugin->exec->command, &actions, &attributes, arguments, environment);
  (void)posix_spawnattr_destroy(&attributes);
  (void)posix_spawn_file_actions_destroy(&actions);
  return r;
}

static int not_started(const struct kube_exec *exec, int code, struct error **err) {
  struct quote command, hint;
  const char *text = exec->install_hint ? exec->install_hint : "";

  return error_set(err, code, "credentials program %s: %s%s%s",
                   quote_text(&command, exec->command, strlen(exec->command)),
                   code == ENOENT ? "there is none" : strerror(code), *text ? "; its kubeconfig says: " : "",
                   *text ? quote_text(&hint, text, strlen(text)) : "");
}

static void close_all(int pipes[2][2]) {
  for (size_t i = 0; i < 4; i++)
    if (pipes[i / 2][i % 2] >= 0)
      (void)close(pipes[i / 2][i % 2]);
}

static int start(struct plugin *plugin, const struct kube_config *config, struct error **err) {
  int pipes[2][2] = {{-1, -1}, {-1, -1}};
  char *info = exec_info(config);
  char **environment = info ? make_environment(config->exec, info) : NULL;
  char **arguments = make_arguments(config->exec);
  int code = environment && arguments ? 0 : ENOMEM;

  if (code == 0 && (pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0))
    code = errno;
  if (code == 0)
    code = spawn(plugin, arguments, environment, pipes);
  if (code == 0) {
    plugin->fds[0] = pipes[0][0];
    plugin->fds[1] = pipes[1][0];
    pipes[0][0] = pipes[1][0] = -1;
  }
  close_all(pipes);
  free(environment);
  free(arguments);
  free(info);
  return code == 0 ? 0 : not_started(config->exec, code, err);
}

/* Standard output beyond its limit is an error, of standard error it is only dropped. */
static void read_some(struct plugin *plugin, size_t which) {
  char chunk[16384];
  size_t most = which == 0 ? EXEC_PLUGIN_OUTPUT_MAX : EXEC_PLUGIN_ERRORS_MAX;
  ssize_t n = read(plugin->fds[which], chunk, sizeof(chunk));

  if (n < 0 && errno == EINTR)
    return;
  if (n <= 0) {
    (void)close(plugin->fds[which]);
    plugin->fds[which] = -1;
    return;
  }
  size_t room = most - plugin->texts[which].length;
  strbuf_append(&plugin->texts[which], chunk, (size_t)n < room ? (size_t)n : room);
  if ((size_t)n > room && which == 0)
    plugin->too_much = true;
  explicit_bzero(chunk, sizeof(chunk));
}

/* Whether it has ended, and how. What it started and left may still hold the pipes: they are not waited for. */
static bool has_ended(const struct plugin *plugin, int *ret_status) {
  return waitpid(plugin->pid, ret_status, WNOHANG) == plugin->pid;
}

static void read_rest(struct plugin *plugin) {
  struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};

  for (;;) {
    fds[0].fd = plugin->fds[0];
    fds[1].fd = plugin->fds[1];
    if (plugin->too_much || poll(fds, 2, 0) <= 0)
      return;
    for (size_t i = 0; i < 2; i++)
      if (fds[i].revents)
        read_some(plugin, i);
  }
}

static int wait_for(struct plugin *plugin, int64_t deadline_ns, const atomic_bool *cancel, int *ret_status,
                    struct error **err) {
  struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
  struct quote command;
  const char *name = quote_text(&command, plugin->exec->command, strlen(plugin->exec->command));

  while (!has_ended(plugin, ret_status)) {
    fds[0].fd = plugin->fds[0];
    fds[1].fd = plugin->fds[1];
    if (cancel && atomic_load(cancel))
      return error_set(err, ECANCELED, "credentials program %s: cancelled", name);
    if (clock_monotonic_ns() >= deadline_ns)
      return error_set(err, ETIMEDOUT, "credentials program %s: it did not end in time", name);
    if (poll(fds, 2, (int)(POLL_NS / NS_PER_MS)) > 0)
      for (size_t i = 0; i < 2; i++)
        if (fds[i].revents)
          read_some(plugin, i);
    if (plugin->too_much)
      break;
  }
  if (!plugin->too_much)
    read_rest(plugin);
  if (plugin->too_much)
    return error_set(err, E2BIG, "credentials program %s: it wrote more than %u bytes", name, EXEC_PLUGIN_OUTPUT_MAX);
  plugin->pid = 0;
  return 0;
}

/* The last line that has something in it. */
static void last_line(const struct strbuf *text, struct quote *quote) {
  const char *all = strbuf_text(text);
  size_t end = text->length;

  while (end > 0 && strchr(" \r\n\t", all[end - 1]))
    end--;
  size_t start = end;
  while (start > 0 && all[start - 1] != '\n')
    start--;
  (void)quote_text(quote, all + start, end - start);
}

static int check_status(const struct plugin *plugin, int status, struct error **err) {
  struct quote command, line;
  char how[64];

  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  if (WIFSIGNALED(status))
    (void)snprintf(how, sizeof(how), "it was killed by signal %d", WTERMSIG(status));
  else
    (void)snprintf(how, sizeof(how), "it failed with exit code %d", WEXITSTATUS(status));
  last_line(&plugin->texts[1], &line);
  return error_set(err, EACCES, "credentials program %s: %s, and said last: %s",
                   quote_text(&command, plugin->exec->command, strlen(plugin->exec->command)), how, line.text);
}

/* Ends what still runs; nothing of it is left. */
static void finish(struct plugin *plugin) {
  if (plugin->pid > 0) {
    (void)kill(-plugin->pid, SIGKILL);
    while (waitpid(plugin->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  for (size_t i = 0; i < 2; i++) {
    if (plugin->fds[i] >= 0)
      (void)close(plugin->fds[i]);
    if (plugin->texts[i].data)
      explicit_bzero(plugin->texts[i].data, plugin->texts[i].length);
    strbuf_finish(&plugin->texts[i]);
  }
}

int exec_plugin_run(const struct kube_config *config, int64_t deadline_ns, const atomic_bool *cancel,
                    struct exec_credential *ret_credential, struct error **err) {
  struct plugin plugin = {.exec = config->exec, .fds = {-1, -1}};
  int64_t limit_ns = clock_in_ns(EXEC_PLUGIN_TIMEOUT_NS);
  int status = 0;

  int r = start(&plugin, config, err);
  if (r < 0)
    return r;
  r = wait_for(&plugin, deadline_ns < limit_ns ? deadline_ns : limit_ns, cancel, &status, err);
  r = r < 0 ? r : check_status(&plugin, status, err);
  if (r == 0 && strbuf_failed(&plugin.texts[0]))
    r = error_set(err, ENOMEM, "out of memory for a credentials program");
  if (r == 0) {
    r = exec_credential_read(config->exec->api_version, strbuf_text(&plugin.texts[0]), plugin.texts[0].length,
                             ret_credential, err);
    if (r < 0) {
      struct quote command;
      (void)error_wrap(err, "credentials program %s",
                       quote_text(&command, config->exec->command, strlen(config->exec->command)));
    }
  }
  finish(&plugin);
  return r;
}
