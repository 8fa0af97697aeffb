/* A client of a test API server, with certificates and a kubeconfig in a scratch directory. */
#ifndef TRAMMEL_TESTS_KUBE_FIXTURE_H
#define TRAMMEL_TESTS_KUBE_FIXTURE_H

#include "host/transport/kube/client.h"
#include "tests/integration/kube/fake_server.h"

struct kube_fixture {
  char *directory; /* with ca.pem, server.pem, other-ca.pem, client.pem and their keys */
  struct fake_server *server;
  struct kube_client *client;
  fake_handler *handler;
  void *ctx;
  atomic_uint requests; /* since fixture_serve() */
};

/* Makes certificates once for all tests of a group, and starts the server. */
int kube_fixture_setup(void **state);
int kube_fixture_teardown(void **state);

/* From now on requests go to `handler`, and the client is a new one: its kubeconfig has the lines `user` in the map of
 * the user ("    token: abc\n") and `cluster` in that of the cluster (NULL: the server's address and CA). */
void fixture_serve(struct kube_fixture *fixture, fake_handler *handler, void *ctx, const char *user,
                   const char *cluster, const struct kube_client_options *options);

/* Writes such a kubeconfig, and reads it. */
int fixture_config(struct kube_fixture *fixture, const char *user, const char *cluster, struct kube_config **ret_config,
                   struct error **err);

/* Writes a file of the directory. */
void fixture_write(struct kube_fixture *fixture, const char *name, const char *text, unsigned mode);

/* ConfigMaps, and one of demo. */
extern const struct kube_resource config_maps;
extern const struct kube_ref config_map;

/* A text that a deadline of `ms` from now has. */
int64_t in_ms(int64_t ms);

#endif
