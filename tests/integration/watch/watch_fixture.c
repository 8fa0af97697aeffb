#include "tests/integration/watch/watch_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct cluster *watch_cluster(struct kube_fixture *fixture, fake_handler *handler, void *ctx) {
  _cleanup_error_ struct error *err = NULL;
  struct cluster *cluster = NULL;
  char path[4096];

  fixture_serve(fixture, handler, ctx, NULL, NULL, NULL);
  (void)snprintf(path, sizeof(path), "%s/kubeconfig", fixture->directory);
  if (cluster_open(&(struct cluster_options){.kubeconfig = path}, &cluster, &err) < 0)
    fail_msg("%s", error_message(err));
  return cluster;
}

void said_note(void *ctx, const char *text) {
  struct said *said = ctx;

  (void)pthread_mutex_lock(&said->lock);
  said->count++;
  (void)snprintf(said->last, sizeof(said->last), "%s", text);
  (void)pthread_mutex_unlock(&said->lock);
}

unsigned said_count(struct said *said) {
  (void)pthread_mutex_lock(&said->lock);
  unsigned count = said->count;
  (void)pthread_mutex_unlock(&said->lock);
  return count;
}
