/* Objects of a kind, read in pages. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_LIST_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_LIST_H

#include "host/transport/kube/client.h"

#define KUBE_PAGE_DEFAULT 500
#define KUBE_LIST_RESTARTS_MAX 3 /* then it is asked for in one piece */

struct kube_list_options {
  const char *label_selector; /* NULL: all */
  const char *field_selector; /* NULL: all */
  unsigned page;              /* objects of one answer; 0: KUBE_PAGE_DEFAULT */
};

/* What is done with each object, on the calling thread. */
struct kube_list_visitor {
  /* `item` is borrowed, and may be kept with json_incref(). Anything but 0 ends the list and is returned by it. */
  int (*item)(json_t *item, void *ctx, struct error **err);
  /* What came so far was of a list that the server has forgotten (410): forget it too, all comes again. */
  void (*restart)(void *ctx);
  void *ctx;
};

/* All objects of ref->resource in ref->namespace_ (NULL: everywhere), as they were at one moment: that of
 * `*ret_version`, a heap string, from where kube_watch() goes on. Each item has its apiVersion and kind. `options` and
 * `ret_version` may be NULL. The call's deadline is that of each page. */
int kube_list_each(struct kube_client *client, const struct kube_ref *ref, const struct kube_list_options *options,
                   const struct kube_list_visitor *visitor, const struct kube_call *call, char **ret_version,
                   struct error **err);

/* The same as a JSON array, a new reference. */
int kube_list(struct kube_client *client, const struct kube_ref *ref, const struct kube_list_options *options,
              const struct kube_call *call, json_t **ret_items, char **ret_version, struct error **err);

#endif
