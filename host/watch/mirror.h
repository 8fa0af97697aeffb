/* What is on the cluster, of the kinds that some feeds follow. One thread. */
#ifndef TRAMMEL_HOST_WATCH_MIRROR_H
#define TRAMMEL_HOST_WATCH_MIRROR_H

#include "host/watch/inbox.h"
#include "host/watch/links.h"
#include "host/watch/table.h"

#define MIRROR_FEEDS_MAX 16

struct mirrored {
  char *key; /* "Kind/namespace/name" */
  size_t feed;
  unsigned listing; /* the last one that it was in */
  char *text;       /* NULL: gone */
  char *uid, *api_version;
  char *invalid; /* of a resource of SMI: why it cannot be translated; NULL: it can */
  struct links links;

  /* Since mirror_settle(): */
  bool dirty;
  char *text_before; /* NULL: it was not there, or could not be translated */
  struct links links_before;
  int64_t since_ns;

  /* For who reports about it: */
  uint64_t told; /* a hash of what was told last; 0: nothing */
  char *problem; /* what there is to tell now */
};

struct mirror {
  bool of_smi; /* whether entries are resources of SMI, which are read */
  struct table entries;
  struct mirrored **dirty;
  size_t dirty_count, dirty_capacity;
  unsigned listings[MIRROR_FEEDS_MAX];
};

void mirror_finish(struct mirror *mirror);

/* Takes in what a feed said, whose number is below MIRROR_FEEDS_MAX; what is in the message may be taken out of it. 0
 * or -ENOMEM. */
int mirror_take(struct mirror *mirror, struct message *message, struct error **err);

/* What is dirty is no longer so; entries that are gone are forgotten. */
void mirror_settle(struct mirror *mirror);

/* Whether an entry is there, and can be translated. */
bool entry_counts(const struct mirrored *entry);

#endif
