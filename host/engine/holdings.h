/* What an adapter has on a cluster: the objects of the kinds that it declares which carry the label of ours and were
 * applied by its field manager. */
#ifndef TRAMMEL_HOST_ENGINE_HOLDINGS_H
#define TRAMMEL_HOST_ENGINE_HOLDINGS_H

#include <jansson.h>

#include "host/engine/cluster.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* How long one page of a list may take, with all that is tried again. */
#define HOLDINGS_TIMEOUT_NS (60 * INT64_C(1000000000))

struct holdings_search {
  struct cluster *cluster;
  const Trammel__Adapter__V1__DescribeResponse *description; /* of the adapter */
  const char *manager;                                       /* its field manager */
  /* Where to look when it is not allowed to list the kinds of all namespaces. */
  const char *const *namespaces;
  size_t namespace_count;
  const atomic_bool *cancel; /* NULL: none */
};

struct holdings {
  json_t *objects; /* an array: in the order of the kinds, each once, with apiVersion and kind */
  bool partial;    /* all namespaces could not be listed: only those of the search were */
};

/* Lists them, in pages. A kind that the cluster does not serve has none. */
int holdings_find(const struct holdings_search *search, struct holdings *ret_holdings, struct error **err);
void holdings_finish(struct holdings *holdings);

/* Which object it is, in every version of its kind: "group/kind/namespace/name". False without memory. */
struct strbuf;
bool holdings_key(struct strbuf *out, const struct cluster_place *place);

/* The place of an object, borrowed from it. */
struct cluster_place holdings_place(const json_t *object);

#endif
