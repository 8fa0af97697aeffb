#include "tests/integration/kube/kube_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/clock.h"
#include "tests/support/certificates.h"
#include "tests/support/command.h"

const struct kube_resource config_maps = {
    .version = "v1", .kind = "ConfigMap", .plural = "configmaps", .namespaced = true};
const struct kube_ref config_map = {.resource = &config_maps, .namespace_ = "demo", .name = "web"};

int64_t in_ms(int64_t ms) {
  return clock_in_ns(ms * NS_PER_MS);
}

static void dispatch(struct fake_connection *connection, const struct fake_request *request, void *ctx) {
  struct kube_fixture *fixture = ctx;
  struct fake_request own = *request;

  own.number = atomic_fetch_add(&fixture->requests, 1) + 1;
  fixture->handler(connection, &own, fixture->ctx);
}

int kube_fixture_setup(void **state) {
  struct kube_fixture *fixture = calloc(1, sizeof(*fixture));

  assert_non_null(fixture);
  fixture->directory = scratch_create();
  certificates_make_authority(fixture->directory, "ca");
  certificates_make_authority(fixture->directory, "other-ca");
  certificates_make(fixture->directory, "server", "ca", "IP:127.0.0.1,DNS:api.example");
  certificates_make(fixture->directory, "client", "ca", "DNS:client");
  fixture->server = fake_server_start(fixture->directory, "server", "ca", dispatch, fixture);
  *state = fixture;
  return 0;
}

int kube_fixture_teardown(void **state) {
  struct kube_fixture *fixture = *state;

  kube_client_destroy(fixture->client);
  fake_server_stop(fixture->server);
  scratch_remove(fixture->directory);
  free(fixture);
  return 0;
}

void fixture_write(struct kube_fixture *fixture, const char *name, const char *text, unsigned mode) {
  char path[4096], partial[4096];

  (void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
  (void)snprintf(partial, sizeof(partial), "%s/%s.new", fixture->directory, name);
  int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  assert_int_equal(close(fd), 0);
  assert_int_equal(rename(partial, path), 0);
}

int fixture_config(struct kube_fixture *fixture, const char *user, const char *cluster, struct kube_config **ret_config,
                   struct error **err) {
  char text[8192], path[4096], standard[256];

  (void)snprintf(standard, sizeof(standard), "    server: https://127.0.0.1:%u\n    certificate-authority: ca.pem\n",
                 fake_server_port(fixture->server));
  (void)snprintf(text, sizeof(text),
                 "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                 "contexts:\n- name: c\n  context: {cluster: c, user: u, namespace: demo}\n"
                 "clusters:\n- name: c\n  cluster:\n%susers:\n- name: u\n  user:\n%s",
                 cluster ? cluster : standard, user && *user ? user : "    {}\n");
  fixture_write(fixture, "kubeconfig", text, 0600);
  (void)snprintf(path, sizeof(path), "%s/kubeconfig", fixture->directory);
  return kube_config_load(&(struct kube_config_options){.kubeconfig = path}, ret_config, err);
}

void fixture_serve(struct kube_fixture *fixture, fake_handler *handler, void *ctx, const char *user,
                   const char *cluster, const struct kube_client_options *options) {
  _cleanup_error_ struct error *err = NULL;
  struct kube_config *config = NULL;

  kube_client_destroy(take(fixture->client));
  fixture->handler = handler;
  fixture->ctx = ctx;
  atomic_store(&fixture->requests, 0);
  if (fixture_config(fixture, user, cluster, &config, &err) < 0 ||
      kube_client_create(config, options, &fixture->client, &err) < 0)
    fail_msg("%s", error_message(err));
}
