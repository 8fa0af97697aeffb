/* Runs a program that gives credentials (client.authentication.k8s.io/v1 and v1beta1), bounded in time and output. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_EXEC_PLUGIN_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_EXEC_PLUGIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "host/transport/kube/kubeconfig.h"

#define EXEC_PLUGIN_TIMEOUT_NS (60 * INT64_C(1000000000))
#define EXEC_PLUGIN_OUTPUT_MAX (1u * 1024 * 1024)
#define EXEC_PLUGIN_ERRORS_MAX (4u * 1024) /* of standard error; the rest is read and dropped */

struct exec_credential {
  char *token;
  char *certificate; /* PEM */
  char *key;         /* PEM */
  int64_t expires_s; /* CLOCK_REALTIME; 0: when the server refuses it */
};
void exec_credential_finish(struct exec_credential *credential);

/* Runs config->exec and reads its answer. The program's standard input is empty, its group is killed when it takes too
 * long. -ENOENT when there is no such program (its install hint is told), -EACCES when it fails (with the last line it
 * wrote to standard error), -EINVAL for an answer that is none (never shown), -E2BIG, -ETIMEDOUT, -ECANCELED. */
int exec_plugin_run(const struct kube_config *config, int64_t deadline_ns, const atomic_bool *cancel,
                    struct exec_credential *ret_credential, struct error **err);

/* Reads an ExecCredential of the API version. */
int exec_credential_read(const char *api_version, const char *text, size_t length,
                         struct exec_credential *ret_credential, struct error **err);

#endif
