/* trammel perf worker: the processes of `trammel perf run --workers`. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "host/cli/cmds.h"
#include "host/workers/local.h"
#include "host/workers/serve.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
  if (key != ARGP_KEY_ARG)
    return ARGP_ERR_UNKNOWN;
  argp_error(state, "unexpected argument '%s'", argument);
  return EINVAL;
}

const struct argp cmd_perf_worker_argp = {
    .parser = parse,
    .doc = "Carries out a share of a load: `trammel perf run --workers` starts such processes itself, each with a "
           "socket to it. Of no use to people.",
};

static bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int cmd_perf_worker(int argc, char **argv) {
  _cleanup_error_ struct error *err = NULL;
  command_parse(&cmd_perf_worker_argp, argc, argv, NULL);
  if (!is_socket(LOCAL_WORKER_FD)) {
    fputs("trammel: `trammel perf worker` is started by `trammel perf run --workers`, with a socket\n", stderr);
    return EXIT_USAGE;
  }
  if (local_worker_begin() < 0)
    return EXIT_INTERNAL;
  if (worker_serve(LOCAL_WORKER_FD, &err) == 0)
    return EXIT_ALL_PASSED;
  fprintf(stderr, "trammel: a worker: %s\n", error_message(err));
  return EXIT_INTERNAL;
}
