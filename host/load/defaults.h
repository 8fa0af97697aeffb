/* What a load is where nothing else is said: the same for the command line and for profiles. */
#ifndef TRAMMEL_HOST_LOAD_DEFAULTS_H
#define TRAMMEL_HOST_LOAD_DEFAULTS_H

#include "host/load/run.h"
#include "sdk/base/clock.h"

/* 10 connections on one thread for 10 s; how many requests, or when, has no default: `schedule.kind` and `rate` are to
 * be set. */
static inline struct load_options load_options_default(void) {
  return (struct load_options){.schedule = {.duration_ns = 10 * NS_PER_SECOND, .seed = 1},
                               .threads = 1,
                               .connections = 10,
                               .timeout_ns = 10 * NS_PER_SECOND,
                               .connect_timeout_ns = 5 * NS_PER_SECOND,
                               .drain_ns = 10 * NS_PER_SECOND};
}

#endif
