/* What a watch needs, over the TLS server of tests/integration/kube. */
#ifndef TRAMMEL_TESTS_WATCH_FIXTURE_H
#define TRAMMEL_TESTS_WATCH_FIXTURE_H

#include <pthread.h>

#include "host/engine/cluster.h"
#include "tests/integration/kube/kube_fixture.h"

/* The cluster whose API server is the fixture's, which answers with `handler` from now on. Closed by the test. */
struct cluster *watch_cluster(struct kube_fixture *fixture, fake_handler *handler, void *ctx);

/* What was said, by any thread: for the members `said` or `failed` of options, with the struct as their context. */
struct said {
  pthread_mutex_t lock;
  unsigned count;
  char last[1000];
};
void said_note(void *ctx, const char *text);
unsigned said_count(struct said *said);

#endif
