#include "host/transport/kube/discovery.h"

#include <errno.h>

#include "host/transport/kube/client_internal.h"

struct discovery {
  pthread_mutex_t lock;
};

int discovery_create(struct discovery **ret_discovery, struct error **err) {
  struct discovery *discovery = calloc(1, sizeof(*discovery));

  if (!discovery || pthread_mutex_init(&discovery->lock, NULL) != 0) {
    free(discovery);
    return error_set(err, ENOMEM, "out of memory for discovery");
  }
  *ret_discovery = discovery;
  return 0;
}

void discovery_destroy(struct discovery *discovery) {
  if (!discovery)
    return;
  (void)pthread_mutex_destroy(&discovery->lock);
  free(discovery);
}
