/* trammel-workload: the sample service of a run. docs/workload.md describes it. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/lab/workload/control.h"
#include "host/lab/workload/options.h"
#include "sdk/base/descriptors.h"

#define EXIT_USAGE 2

struct workload {
  struct event_base *base;
  struct event *signals[2];
  struct service service;
  struct server *server;
  struct keep keep;
  struct control *control;
};

static void on_signal(evutil_socket_t number, short what, void *user) {
  (void)number;
  (void)what;
  (void)event_base_loopbreak(user);
}

static struct event_base *base_create(void) {
  struct event_config *config = event_config_new();
  if (!config)
    return NULL;
  (void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER); /* calls are spaced in microseconds */
  struct event_base *base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

static int watch_signals(struct workload *workload) {
  static const int numbers[2] = {SIGTERM, SIGINT};
  for (size_t i = 0; i < 2; i++) {
    workload->signals[i] = evsignal_new(workload->base, numbers[i], on_signal, workload->base);
    if (!workload->signals[i] || evsignal_add(workload->signals[i], NULL) < 0)
      return -1;
  }
  return 0;
}

static int workload_start(struct workload *workload, struct options *options, struct error **err) {
  workload->base = base_create();
  if (!workload->base || watch_signals(workload) < 0 ||
      server_create(workload->base, &workload->service, &workload->server) < 0)
    return error_set(err, ENOMEM, "cannot start: out of memory or of file descriptors");
  workload->service.resolver.base = workload->base;
  (void)snprintf(workload->service.name, sizeof(workload->service.name), "%s", options->name);
  for (size_t i = 0; i < options->listener_count; i++) {
    int r = server_listen(workload->server, options->listeners[i].protocol, &options->listeners[i].endpoint, err);
    if (r < 0)
      return r;
  }
  return control_create(workload->base, &workload->service, workload->server, &workload->keep, &options->control,
                        &workload->control, err);
}

static void workload_finish(struct workload *workload) {
  control_destroy(workload->control);
  keep_clear(&workload->keep);
  server_destroy(workload->server);
  if (workload->base)
    resolver_finish(&workload->service.resolver);
  service_finish(&workload->service);
  for (size_t i = 0; i < 2; i++)
    if (workload->signals[i])
      event_free(workload->signals[i]);
  if (workload->base)
    event_base_free(workload->base);
  libevent_global_shutdown();
}

static int serve(struct options *options) {
  _cleanup_error_ struct error *err = NULL;
  struct workload workload = {0};
  char text[ENDPOINT_TEXT_MAX];
  int status = EXIT_SUCCESS;
  descriptors_raise_limit(); /* the usual limit of 1,024 is below what is promised */
  if (workload_start(&workload, options, &err) < 0) {
    (void)fprintf(stderr, "trammel-workload: %s\n", error_message(err));
    status = EXIT_FAILURE;
  } else {
    endpoint_format(&options->control, text);
    (void)printf("ready %s\n", text);
    (void)fflush(stdout);
    (void)event_base_dispatch(workload.base);
  }
  workload_finish(&workload);
  return status;
}

int main(int argc, char **argv) {
  _cleanup_error_ struct error *err = NULL;
  struct options options = {0};
  (void)signal(SIGPIPE, SIG_IGN);
  if (options_parse(argc, argv, &options, &err) < 0) {
    (void)fprintf(stderr, "trammel-workload: %s\n\n%s", error_message(err), options_usage);
    return EXIT_USAGE;
  }
  if (options.help)
    (void)fputs(options_usage, stdout);
  else if (options.version)
    (void)puts("trammel-workload " TRAMMEL_VERSION);
  else
    return serve(&options);
  return EXIT_SUCCESS;
}
