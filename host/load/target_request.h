/* The bytes of a target's request. */
#ifndef TRAMMEL_HOST_LOAD_TARGET_REQUEST_H
#define TRAMMEL_HOST_LOAD_TARGET_REQUEST_H

#include "host/load/target_url.h"

/* Whether the options can be asked for by the target's protocol; -EINVAL says what can't. */
int target_request_check(const struct target_options *options, const struct target_url *url, struct error **err);
/* Writes the request of the target, whose protocol is known and whose options are checked. */
int target_request_write(const struct target_options *options, const struct target_url *url, struct target *target,
                         struct error **err);

#endif
