/* Takes away one object that a crashed run's journal announces, over whatever it was made with. One thread. Private to
 * the cleanup. */
#ifndef TRAMMEL_HOST_ENGINE_CLEANER_H
#define TRAMMEL_HOST_ENGINE_CLEANER_H

#include "host/engine/cluster.h"
#include "host/engine/record.h"

struct cleaner {
  struct http_client *http;
  struct cluster *cluster; /* the one that was used last; NULL: none */
};

int cleaner_init(struct cleaner *cleaner, struct error **err);
void cleaner_finish(struct cleaner *cleaner);

/* An absent object is fine. -ECONNREFUSED and -ETIMEDOUT when its server cannot be reached. */
int cleaner_remove(struct cleaner *cleaner, const struct record *object, struct error **err);

#endif
