/* The feeds of a watch: SMI resources and who there is go to an inbox, native objects to the stock. */
#ifndef TRAMMEL_HOST_WATCH_FOLLOW_H
#define TRAMMEL_HOST_WATCH_FOLLOW_H

#include "host/watch/inbox.h"
#include "host/watch/stock.h"
#include "host/watch/watch.h"

/* Numbers of feeds, in messages: those of SMI resources, then those of who there is. */
#define FOLLOW_SMI 5
#define FOLLOW_NATIVE_MAX 64

struct follow_options {
  const struct watch_options *watch;
  struct inbox *inbox;
  struct stock *stock;
  void (*known)(void *ctx); /* all native objects that there are have been seen; on a feed's thread, once */
  void (*lost)(void *ctx);  /* there was no memory for something; on a feed's thread */
  void *ctx;
};

struct follow;

/* Starts the feeds of SMI resources and of who there is. */
int follow_start(const struct follow_options *options, struct follow **ret_follow, struct error **err);

/* Starts those of native objects: when it is known which are wanted. */
int follow_native(struct follow *follow, struct error **err);

/* Waits for the end of all, after a cancellation. NULL is fine. */
void follow_join(struct follow *follow);

/* How many feeds send messages, and the kind of one; of SMI, as a bit for stock_without(). */
size_t follow_count(void);
unsigned follow_smi_kind(size_t feed);

#endif
