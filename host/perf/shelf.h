/* What is kept of load under a state directory: profiles in all their versions, <state>/perf/profiles/<name>/<version>,
 * and results, <state>/perf/results/<id>. A file is there as a whole or not at all, and never changed afterwards. Not
 * thread-safe; other programs may use the same directory at the same time. */
#ifndef TRAMMEL_HOST_PERF_SHELF_H
#define TRAMMEL_HOST_PERF_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define SHELF_NAME_MAX 64     /* bytes of a profile's name: a letter, then letters, digits, '-', '_' and '.' */
#define SHELF_ID_SIZE 40      /* of a result: when it was kept (UTC), and a random part */
#define SHELF_ITEMS_MAX 10000 /* profiles, versions of one, or results */

bool shelf_is_name(const char *text);

/* Keeps a version of a profile, unless it is the latest one already. `*ret_version` is which it is (from 1 on),
 * `*ret_new` whether it was added. -EINVAL for what is no name, -E2BIG when there are too many. */
int shelf_save_profile(const char *state_directory, const char *name, const void *text, size_t length,
                       unsigned *ret_version, bool *ret_new, struct error **err);
/* Makes the place for results. -E2BIG when there are SHELF_ITEMS_MAX, -EACCES when none can be written. */
int shelf_prepare(const char *state_directory, struct error **err);
/* Keeps a result (JSON). Errors as shelf_prepare(). */
int shelf_keep_result(const char *state_directory, const void *text, size_t length, char ret_id[SHELF_ID_SIZE],
                      struct error **err);

/* The file of "NAME" (the latest version), "NAME@VERSION" or a result's id; a heap string. -ENOENT says what there is
 * not. */
int shelf_find(const char *state_directory, const char *what, char **ret_path, struct error **err);
/* Removes a profile with all its versions, one version of it, or a result. -ENOENT. */
int shelf_delete(const char *state_directory, const char *what, struct error **err);

struct shelf_item {
  char name[SHELF_NAME_MAX + 1]; /* of a profile, or the id of a result */
  unsigned version;              /* the latest; 0: it is a result */
  unsigned versions;             /* how many there are */
  int64_t kept_s;                /* when that was kept; CLOCK_REALTIME */
};
/* Profiles by their names, then results, the latest first. Heap array. A missing directory has none. */
int shelf_list(const char *state_directory, struct shelf_item **ret_items, size_t *ret_count, struct error **err);

#endif
