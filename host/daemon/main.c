/* trammeld: the central host. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/daemon/admission.h"
#include "host/daemon/config.h"
#include "host/daemon/connections.h"
#include "host/daemon/endpoint.h"
#include "host/daemon/log.h"
#include "host/daemon/meshery.h"
#include "host/daemon/notify.h"
#include "host/daemon/state.h"
#include "host/engine/journal.h"
#include "host/rest/rest.h"
#include "host/rpc/service.h"
#include "host/runs/process.h"
#include "sdk/base/clock.h"
#include "sdk/base/descriptors.h"

enum { EXIT_OK = 0, EXIT_USAGE = 2, EXIT_COULD_NOT = 3 }; /* docs/exit-codes.md */

/* How long what crashed runs left is looked for, while programs of theirs are still ending. */
#define CLEANUP_NS (30 * NS_PER_SECOND)
#define CLEANUP_PAUSE_MS 200
#define STOP_MARGIN_S 15 /* for what comes after the runs */
#define PAUSE_MS 200     /* until descriptors may be there again */

struct arguments {
  const char *listen, *network, *state_directory, *config, *log_format;
  bool check_config;
};

enum { KEY_LISTEN = 0x100, KEY_STATE, KEY_CONFIG, KEY_CHECK, KEY_LOG };

static const struct argp_option option_table[] = {
    {"listen", KEY_LISTEN, "ADDRESS", 0,
     "unix:PATH, the socket (default unix:$XDG_RUNTIME_DIR/trammel/trammeld.sock), or HOST:PORT, which is listened on "
     "besides; once each",
     0},
    {"state-dir", KEY_STATE, "DIR", 0, "where runs, their results and journals are kept (default as for trammel)", 0},
    {"config", KEY_CONFIG, "FILE", 0, "a configuration file; options go before it", 0},
    {"check-config", KEY_CHECK, 0, 0, "only say whether configuration and options can be used", 0},
    {"log-format", KEY_LOG, "FORMAT", 0, "text (default) or json, a line each on standard error", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct arguments *arguments = state->input;
  switch (key) {
  case KEY_LISTEN:
    *(endpoint_is_unix(argument) ? &arguments->listen : &arguments->network) = argument;
    return 0;
  case KEY_STATE:
    arguments->state_directory = argument;
    return 0;
  case KEY_CONFIG:
    arguments->config = argument;
    return 0;
  case KEY_CHECK:
    arguments->check_config = true;
    return 0;
  case KEY_LOG:
    if (strcmp(argument, "text") != 0 && strcmp(argument, "json") != 0)
      argp_error(state, "--log-format is text or json, not '%s'", argument);
    arguments->log_format = argument;
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "unexpected argument '%s'", argument);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    .options = option_table,
    .parser = parse,
    .doc = "The central host: runs the conformance suite on demand, keeps what came of it, and speaks gRPC."
           "\vExit codes: 0 it was stopped; 2 usage or configuration; 3 it could not serve.",
};

/* ---- configuration */

static int override(char **text, const char *given, struct error **err) {
  if (!given)
    return 0;
  free(*text);
  *text = strdup(given);
  return *text ? 0 : error_set(err, ENOMEM, "no memory");
}

/* Everything that is not made by being used. A socket that systemd passed needs no address. */
static int settle(const struct arguments *arguments, bool inherited, struct config *config, struct error **err) {
  int r = arguments->config ? config_read(arguments->config, config, err) : 0;
  if (r == 0)
    r = override(&config->listen, arguments->listen, err);
  if (r == 0)
    r = override(&config->network.listen, arguments->network, err);
  if (r == 0)
    r = admission_check(&config->network, err);
  if (r == 0)
    r = override(&config->state_directory, arguments->state_directory, err);
  if (r == 0 && !config->state_directory)
    r = state_directory(&config->state_directory, err);
  if (r == 0 && config->state_directory[0] != '/')
    r = error_set(err, EINVAL, "the state directory '%s' has to be an absolute path", config->state_directory);
  if (r == 0 && !config->listen && !inherited)
    r = endpoint_default(&config->listen, err);
  if (r == 0 && config->listen)
    r = endpoint_check(config->listen, err);
  if (arguments->log_format)
    config->log_as_json = strcmp(arguments->log_format, "json") == 0;
  return r;
}

/* `trammel`, beside this program; heap. */
static int find_program(char **ret_path, struct error **err) {
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
  if (length <= 0)
    return error_set(err, EIO, "where this program is cannot be found out");
  self[length] = '\0';
  *strrchr(self, '/') = '\0';
  if (asprintf(ret_path, "%s/trammel", self) < 0)
    return error_set(err, ENOMEM, "no memory");
  return access(*ret_path, X_OK) < 0 ? error_set(err, errno, "%s: %s", *ret_path, strerror(errno)) : 0;
}

/* ---- what crashed runs left */

struct cleaner {
  pthread_t thread;
  const char *state_directory;
  atomic_bool stop;
};

static void tell(void *ctx, const char *line) {
  (void)ctx;
  log_line(LOG_INFORMATION, NULL, "cleanup: %s", line);
}

/* Again while programs of crashed runs are ending by themselves. */
static void *clean_up(void *context) {
  struct cleaner *cleaner = context;
  const struct timespec pause = {.tv_nsec = CLEANUP_PAUSE_MS * 1000000L};
  int64_t until_ns = clock_in_ns(CLEANUP_NS);
  struct cleanup_summary summary = {0};
  do {
    _cleanup_error_ struct error *err = NULL;
    if (journal_cleanup(cleaner->state_directory, false, tell, NULL, &summary, &err) < 0)
      log_line(LOG_WARNINGS, NULL, "cleanup: %s", error_message(err));
    if (summary.failed > 0)
      log_line(LOG_WARNINGS, NULL,
               "cleanup: %u objects or processes could not be removed; `trammel cleanup` tries again", summary.failed);
    (void)nanosleep(&pause, NULL);
  } while (summary.busy > 0 && clock_monotonic_ns() < until_ns && !atomic_load(&cleaner->stop));
  return NULL;
}

/* ---- serving */

struct host {
  const struct arguments *arguments;
  bool inherited; /* systemd passed the socket */
  struct config config;
  struct endpoint endpoint;
  struct state state;
  char *program;
  int signals;
  struct admission admission;
  struct runs *runs;
  struct service service;
  struct connections *connections;
  struct meshery *meshery;
  struct rest *rest;
};

static void log_run(void *ctx, const char *run, const char *text) {
  (void)ctx;
  log_line(LOG_WARNINGS, run, "%s", text);
}

/* Blocked in all threads: they come by the descriptor. */
static int catch_signals(int *ret_fd, struct error **err) {
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGTERM);
  (void)sigaddset(&set, SIGINT);
  (void)sigaddset(&set, SIGHUP);
  (void)signal(SIGPIPE, SIG_IGN);
  (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
  *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return *ret_fd < 0 ? error_set(err, errno, "no signalfd: %s", strerror(errno)) : 0;
}

static struct runs_limits limits_of(const struct config *config) {
  return (struct runs_limits){.at_once = config->runs,
                              .at_once_per_mesh = config->runs_per_mesh,
                              .kept = config->kept,
                              .kept_days = config->kept_days};
}

static int open_runs(struct host *host, struct error **err) {
  const struct runs_options options = {.state_directory = host->config.state_directory,
                                       .program = host->program,
                                       .store = host->state.store,
                                       .limits = limits_of(&host->config),
                                       .log = log_run};
  if (host->config.adapters && setenv("TRAMMEL_ADAPTER_PATH", host->config.adapters, 1) < 0)
    return error_set(err, ENOMEM, "no memory");
  int r = runs_open(&options, &host->runs, err);
  if (r == 0 && runs_found_interrupted(host->runs) > 0)
    log_line(LOG_WARNINGS, NULL, "%zu runs were interrupted when the host ended, and are marked so",
             runs_found_interrupted(host->runs));
  return r;
}

static void log_connection(const char *peer, const char *text) {
  log_line(LOG_WARNINGS, NULL, "a connection of %s: %s", peer, text);
}

static void log_failure(const char *text) {
  log_line(LOG_ERRORS, NULL, "%s", text);
}

static int open_service(struct host *host, struct error **err) {
  host->service = (struct service){.runs = host->runs,
                                   .program = host->program,
                                   .state_directory = host->config.state_directory,
                                   .authority = host->admission.authority,
                                   .audit = host->admission.audit,
                                   .log = log_failure};
  const struct connections_options options = {.service = {.serve = service_serve, .receive_max = SERVICE_REQUEST_MAX},
                                              .host = &host->service,
                                              .most = host->config.connections,
                                              .reserved = CONNECTIONS_RESERVED,
                                              .log = log_connection};
  return connections_create(&options, &host->connections, err);
}

static int open_rest(struct host *host, struct error **err) {
  const struct rest_options options = {.host = &host->service,
                                       .authority = host->config.rest_is_open ? NULL : host->admission.authority,
                                       .port = host->config.rest_port};
  return options.port > 0 ? rest_open(&options, &host->rest, err) : 0;
}

static int host_open(struct host *host, struct error **err) {
  int r = catch_signals(&host->signals, err);
  if (r == 0)
    r = find_program(&host->program, err);
  if (r == 0)
    r = state_open(&host->config, &host->state, err);
  if (r == 0 && host->endpoint.fd < 0)
    r = endpoint_open(host->config.listen, &host->endpoint, err);
  if (r == 0)
    r = admission_open(&host->config, host->state.store, &host->admission, err);
  if (r == 0)
    r = open_runs(host, err);
  if (r == 0)
    r = open_service(host, err);
  if (r == 0)
    r = meshery_open(&host->config.meshery, host->config.connections, &host->service, &host->meshery, err);
  return r < 0 ? r : open_rest(host, err);
}

/* The next that waits on a socket of ours; as endpoint_accept(). */
static int accept_next(struct host *host, bool local, int *ret_fd, char ret_peer[SESSION_PEER_MAX],
                       struct error **err) {
  unsigned uid = 0;
  if (!local)
    return network_accept(host->admission.fd, ret_fd, ret_peer);
  int r = endpoint_accept(&host->endpoint, ret_fd, &uid, err);
  (void)snprintf(ret_peer, SESSION_PEER_MAX, "uid %u", uid);
  return r;
}

/* Whether all that wait have been admitted; without descriptors or memory, some go on waiting. */
static bool admit_all(struct host *host, bool local) {
  int r = 0;
  while (r >= 0) {
    _cleanup_error_ struct error *err = NULL;
    char peer[SESSION_PEER_MAX];
    int fd = -1;
    r = accept_next(host, local, &fd, peer, &err);
    const struct arrival arrival = {.local = local, .peer = peer, .tls = local ? NULL : host->admission.tls};
    if (r > 0 && connections_admit(host->connections, fd, &arrival, &err) < 0)
      r = 0;
    if (err)
      log_line(LOG_WARNINGS, NULL, "%s", error_message(err));
    else if (r < 0 && r != -EAGAIN)
      log_line(LOG_ERRORS, NULL, "accepting connections: %s", strerror(-r));
  }
  return r == -EAGAIN;
}

static bool same(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What only a new start takes. */
static void tell_unchanged(const struct config *now, const struct config *wanted) {
  const struct {
    const char *name;
    bool same;
  } kept[] = {{"listen", same(now->listen, wanted->listen)},
              {"stateDirectory", same(now->state_directory, wanted->state_directory)},
              {"store", same(now->store, wanted->store)},
              {"storePasswordFile", same(now->store_password, wanted->store_password)},
              {"name", same(now->name, wanted->name)},
              {"adapterDirectories", same(now->adapters, wanted->adapters)},
              {"network.listen", same(now->network.listen, wanted->network.listen)},
              {"network.certificate", same(now->network.certificate, wanted->network.certificate)},
              {"network.key", same(now->network.key, wanted->network.key)},
              {"network.clientAuthorities", same(now->network.clients, wanted->network.clients)},
              {"network.withoutTls", now->network.without_tls == wanted->network.without_tls},
              {"meshery", meshery_config_same(&now->meshery, &wanted->meshery)},
              {"rest.withoutAuthentication", now->rest_is_open == wanted->rest_is_open},
              {"rest.port", now->rest_port == wanted->rest_port},
              {"limits.connections", now->connections == wanted->connections}};
  for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
    if (!kept[i].same)
      log_line(LOG_WARNINGS, NULL, "%s of the configuration has changed: that needs a restart", kept[i].name);
}

/* A configuration that cannot be used changes nothing. */
static void reload(struct host *host) {
  _cleanup_error_ struct error *err = NULL;
  struct config wanted;
  config_init(&wanted);
  if (settle(host->arguments, host->inherited, &wanted, &err) < 0) {
    log_line(LOG_ERRORS, NULL, "the configuration stays as it was: %s", error_message(err));
  } else {
    tell_unchanged(&host->config, &wanted);
    const struct runs_limits limits = limits_of(&wanted);
    runs_set_limits(host->runs, &limits);
    host->config.shutdown_seconds = wanted.shutdown_seconds;
    log_as_json(wanted.log_as_json);
    log_line(LOG_INFORMATION, NULL, "the configuration was read again");
  }
  config_finish(&wanted);
}

/* Whether it is to end. */
static bool take_signals(struct host *host) {
  struct signalfd_siginfo info;
  bool ends = false;
  while (read(host->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
    if (info.ssi_signo == SIGHUP)
      reload(host);
    else
      ends = true;
  return ends;
}

/* Until a signal ends it. */
static void serve(struct host *host) {
  struct pollfd fds[] = {{.fd = host->endpoint.fd, .events = POLLIN},
                         {.fd = host->admission.fd, .events = POLLIN},
                         {.fd = host->signals, .events = POLLIN}};
  for (;;) {
    bool all = true;
    if (poll(fds, 3, -1) <= 0)
      continue;
    if (fds[2].revents && take_signals(host))
      return;
    if (fds[0].revents)
      all = admit_all(host, true);
    if (fds[1].revents)
      all = admit_all(host, false) && all;
    if (!all)
      (void)poll(&fds[2], 1, PAUSE_MS);
  }
}

static void host_stop(struct host *host) {
  char state[80];
  /* However long the unit lets it (TimeoutStopSec=), runs have the time that they were promised. */
  (void)snprintf(state, sizeof(state), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
                 (host->config.shutdown_seconds + STOP_MARGIN_S) * 1000000ull);
  notify(state);
  log_line(LOG_INFORMATION, NULL, "stopping; runs have %u s to end", host->config.shutdown_seconds);
  atomic_store(&host->service.stopping, true);
  process_capture_end();
  runs_stop(host->runs, host->config.shutdown_seconds * NS_PER_SECOND);
}

static void host_close(struct host *host) {
  rest_close(host->rest);
  meshery_close(host->meshery);
  connections_destroy(host->connections);
  runs_close(host->runs);
  admission_close(&host->admission);
  state_close(&host->state);
  endpoint_close(&host->endpoint);
  close_p(&host->signals);
  free(host->program);
}

static int conduct(struct host *host, struct error **err) {
  struct cleaner cleaner = {.state_directory = host->config.state_directory};
  int r = host_open(host, err);
  if (r < 0)
    return EXIT_COULD_NOT;
  bool cleans = pthread_create(&cleaner.thread, NULL, clean_up, &cleaner) == 0;
  log_line(LOG_INFORMATION, NULL, "serving on %s", host->config.listen ? host->config.listen : "systemd's socket");
  if (host->admission.fd >= 0)
    log_line(LOG_INFORMATION, NULL, "serving on %s %s", host->admission.name,
             host->admission.tls ? "over TLS" : "without TLS");
  notify("READY=1");
  serve(host);
  host_stop(host);
  atomic_store(&cleaner.stop, true);
  if (cleans)
    (void)pthread_join(cleaner.thread, NULL);
  return EXIT_OK;
}

int main(int argc, char **argv) {
  struct arguments arguments = {0};
  struct host host = {.endpoint = ENDPOINT_NONE, .state = STATE_NONE, .admission = ADMISSION_NONE, .signals = -1};
  _cleanup_error_ struct error *err = NULL;
  argp_err_exit_status = EXIT_USAGE;
  argp_program_version = "trammeld " TRAMMEL_VERSION;
  (void)argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  descriptors_raise_limit(); /* a connection has three of them */
  config_init(&host.config);
  host.arguments = &arguments;
  int code = EXIT_USAGE;
  int inherited = endpoint_inherit(&host.endpoint, &err);
  host.inherited = inherited > 0;
  if (inherited >= 0 && settle(&arguments, inherited > 0, &host.config, &err) == 0) {
    log_as_json(host.config.log_as_json);
    code = arguments.check_config ? EXIT_OK : conduct(&host, &err);
  }
  if (err)
    log_line(LOG_ERRORS, NULL, "%s", error_message(err));
  if (!arguments.check_config)
    host_close(&host);
  config_finish(&host.config);
  return code;
}
