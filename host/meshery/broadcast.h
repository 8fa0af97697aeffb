/* Encoded messages that are told to all who listen, from when they begin to. Any number of threads. */
#ifndef TRAMMEL_HOST_MESHERY_BROADCAST_H
#define TRAMMEL_HOST_MESHERY_BROADCAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROADCAST_KEPT 1024 /* for those who are slow; then the oldest is lost to them */

struct broadcast;

struct broadcast *broadcast_create(void); /* NULL without memory */
void broadcast_destroy(struct broadcast *broadcast);

/* Takes `data`, of the heap. */
void broadcast_tell(struct broadcast *broadcast, uint8_t *data, size_t length);

/* Ends all waiting, now and later. */
void broadcast_end(struct broadcast *broadcast);

/* Where who begins to listen is. */
uint64_t broadcast_position(struct broadcast *broadcast);

/* Waits for what is at `*position`, and moves it on: 1 with a copy (heap), 0 once it ended, -ECANCELED once `cancel` is
 * true (looked at every 200 ms), -ENOMEM. `*ret_lost` is how many were gone before. */
int broadcast_next(struct broadcast *broadcast, uint64_t *position, const atomic_bool *cancel, uint8_t **ret_data,
                   size_t *ret_length, uint64_t *ret_lost);

#endif
