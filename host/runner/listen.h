/* trammel-runner --listen: serves one adapter to hosts on other machines. */
#ifndef TRAMMEL_HOST_RUNNER_LISTEN_H
#define TRAMMEL_HOST_RUNNER_LISTEN_H

#define LISTEN_OPTION "--listen"

/* With the program's arguments, until SIGTERM or SIGINT. The exit status: 0 after a signal, 1 when it cannot serve, 2
 * for wrong arguments. */
int listen_main(int argc, char **argv);

#endif
