/* A trammel-workload of a test: a process on a loopback address of its own, gone with the test. */
#ifndef TRAMMEL_TESTS_WORKLOAD_PROCESS_H
#define TRAMMEL_TESTS_WORKLOAD_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/lab/workload_client.h"

struct workload_process {
  pid_t pid;
  int output;
  char control[64]; /* ADDRESS:PORT */
  struct workload_client *client;
};

/* Path of the program in the build tree. */
const char *workload_program(void);

/* An address of 127.0.0.0/8 that no other test process has: number `n` of this one's. */
const char *test_address(unsigned n, char ret_address[32]);

/* Starts it with its control port on `address`, configured as `name` with HTTP on 8080, TCP on 9000 and UDP on 9001
 * there. Asserts. */
void workload_start(struct workload_process *process, const char *name, const char *address);
/* SIGTERM; asserts that it ends with status 0. */
void workload_stop(struct workload_process *process);

/* Ends the test program when it takes longer than `seconds`. */
void test_deadline(unsigned seconds);

#endif
