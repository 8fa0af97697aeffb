/* What feeds have to say, in order, for the one thread that takes it. */
#ifndef TRAMMEL_HOST_WATCH_INBOX_H
#define TRAMMEL_HOST_WATCH_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/watch/feed.h"

/* No event of a feed: an object that came from the resource `key` could not be applied, for the reason `text`. */
#define MESSAGE_COMPLAINT ((enum feed_event)0)

struct message {
  struct message *next;
  enum feed_event event;
  size_t feed;
  char *key;         /* "Kind/namespace/name"; NULL without an object */
  char *text;        /* what matters of it, as JSON; NULL when it is gone */
  char *uid;         /* NULL: unknown */
  char *api_version; /* NULL when it is gone */
  int64_t came_ns;   /* CLOCK_MONOTONIC */
};
void message_free(struct message *message);

struct inbox {
  pthread_mutex_t lock;
  pthread_cond_t filled; /* of CLOCK_MONOTONIC */
  struct message *first, **end;
};

int inbox_init(struct inbox *inbox, struct error **err);
void inbox_finish(struct inbox *inbox);

/* Any thread. Takes it over. */
void inbox_put(struct inbox *inbox, struct message *message);

/* All there is, waiting for something until `deadline_ns`. NULL: nothing came. */
struct message *inbox_take(struct inbox *inbox, int64_t deadline_ns);

#endif
