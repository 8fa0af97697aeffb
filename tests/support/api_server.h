/* A real Kubernetes API server for the tests of label `cluster`: one of tests/testbed/kubernetes.sh, which ends with
 * this program, or the one that TRAMMEL_TEST_KUBECONFIG names (such as that of `kubernetes.sh api start`). One thread.
 */
#ifndef TRAMMEL_TESTS_SUPPORT_API_SERVER_H
#define TRAMMEL_TESTS_SUPPORT_API_SERVER_H

#include <jansson.h>

#include "sdk/base/memory.h"

struct api_server;

/* Starts one. NULL when that cannot be here, after what is missing has been printed: main() then returns 77, which
 * skips the program. Exits with 1 when it should have come up and did not. */
struct api_server *api_server_start(void);

/* Ends it and removes what it left; one that was there before stays. NULL is allowed. */
void api_server_stop(struct api_server *server);

/* Ends the API server and starts another one on the same data; returns when it answers. Fails the test for one that
 * was there before. */
void api_server_restart(struct api_server *server);

/* The kubeconfig of one who may do everything, and of one who has no rights beyond those of every user (NULL for a
 * server that was there before). Borrowed. */
const char *api_server_kubeconfig(const struct api_server *server);
const char *api_server_kubeconfig_nobody(const struct api_server *server);

struct api_request {
  const char *method;
  const char *path;         /* with its query, percent-encoded */
  const char *as;           /* the user to be, "system:serviceaccount:NS:NAME"; NULL: who may do everything */
  const char *content_type; /* NULL: application/json */
  const json_t *body;       /* NULL: none */
};

struct api_answer {
  long status;
  json_t *body; /* NULL when it was no JSON */
};

/* Sends and waits; fails the test when there is no answer. Any status is one. */
void api_server_send(struct api_server *server, const struct api_request *request, struct api_answer *ret_answer);
void api_answer_finish(struct api_answer *answer);

/* The message of an answer that is a Status; "" for another one. Borrowed from the answer. */
const char *api_answer_message(const struct api_answer *answer);

#endif
