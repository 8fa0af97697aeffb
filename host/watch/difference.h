/* What two translations differ in, object by object. Not thread-safe. */
#ifndef TRAMMEL_HOST_WATCH_DIFFERENCE_H
#define TRAMMEL_HOST_WATCH_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

struct difference {
  Trammel__Adapter__V1__NativeObject **before, **after; /* by place; NULL at the end */
  size_t b, a;
};

/* An object that is in one of them only, or in both and not the same. Borrowed. */
struct difference_pair {
  const Trammel__Adapter__V1__NativeObject *before, *after; /* NULL: it is not there */
};

/* Borrows the translations. 0 or -ENOMEM; to be finished in either case. */
int difference_init(struct difference *difference, const Trammel__Adapter__V1__TranslateResponse *before,
                    const Trammel__Adapter__V1__TranslateResponse *after);
void difference_finish(struct difference *difference);

/* The next one; false at the end, and after that from the beginning. Objects without sources that are only in `before`
 * are left out: they are for a namespace as a whole. */
bool difference_next(struct difference *difference, struct difference_pair *ret_pair);

#endif
