/* Label selectors as Kubernetes writes them in a query: requirements of equality and existence, all of which must hold.
 */
#ifndef TRAMMEL_REFERENCE_MESH_SELECTOR_H
#define TRAMMEL_REFERENCE_MESH_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sdk/base/error.h"

struct requirement;

struct selector {
  char *text; /* what the requirements point into */
  struct requirement *requirements;
  size_t count; /* 0: everything is chosen */
};

/* Reads "app=web,tier!=front,canary,!old". -EINVAL with a reason, also for sets ("app in (a,b)"), which this mesh does
 * not know; -ENOMEM. */
int selector_parse(const char *text, struct selector *ret_selector, struct error **err);
void selector_finish(struct selector *selector);
#define _cleanup_selector_ _cleanup_(selector_finish)

/* `labels` is an object of strings, or NULL for none. */
bool selector_chooses(const struct selector *selector, const json_t *labels);

/* The same as a Kubernetes LabelSelector: a new reference; NULL without memory. */
json_t *selector_to_json(const struct selector *selector);

#endif
