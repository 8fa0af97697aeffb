#include "host/engine/holdings.h"

#include <errno.h>
#include <string.h>

#include "host/engine/managers.h"
#include "host/transport/kube/discovery.h"
#include "host/transport/kube/list.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"

typedef Trammel__Adapter__V1__KubernetesKind kubernetes_kind;

void holdings_finish(struct holdings *holdings) {
  json_decref(holdings->objects);
  *holdings = (struct holdings){0};
}

static size_t group_length(const char *api_version) {
  const char *slash = strchr(api_version, '/');

  return slash ? (size_t)(slash - api_version) : 0;
}

bool holdings_key(struct strbuf *out, const struct cluster_place *place) {
  strbuf_printf(out, "%.*s/%s/%s/%s", (int)group_length(place->api_version), place->api_version, place->kind,
                place->ns ? place->ns : "", place->name);
  return !strbuf_failed(out);
}

struct cluster_place holdings_place(const json_t *object) {
  const char *ns = kube_object_namespace(object), *name = kube_object_name(object);

  return (struct cluster_place){.api_version = kube_text(object, "apiVersion"),
                                .kind = kube_text(object, "kind"),
                                .ns = ns ? ns : "",
                                .name = name ? name : ""};
}

/* One list, whose objects are put away only when all of it has come. */
struct listing {
  const char *manager;
  json_t *found;
};

static int keep(json_t *item, void *ctx, struct error **err) {
  struct listing *listing = ctx;

  if (!cluster_owns(item) || !managers_applied(item, listing->manager))
    return 0;
  return json_array_append(listing->found, item) == 0 ? 0 : error_set(err, ENOMEM, "out of memory for a list");
}

static void forget(void *ctx) {
  (void)json_array_clear(((struct listing *)ctx)->found);
}

/* Those of a namespace, or of all. */
static int list(const struct holdings_search *search, const struct kube_resource *resource, const char *ns,
                struct holdings *holdings, struct error **err) {
  static const struct kube_list_options options = {.label_selector = KUBE_MANAGED_LABEL "=" KUBE_MANAGED_VALUE};
  const struct kube_call call = {.deadline_ns = clock_in_ns(HOLDINGS_TIMEOUT_NS), .cancel = search->cancel};
  const struct kube_ref ref = {.resource = resource, .namespace_ = ns};
  json_auto_t *found = json_array();
  struct listing listing = {.manager = search->manager, .found = found};
  const struct kube_list_visitor visitor = {.item = keep, .restart = forget, .ctx = &listing};

  if (!found)
    return error_set(err, ENOMEM, "out of memory for a list");
  int r = kube_list_each(cluster_client(search->cluster), &ref, &options, &visitor, &call, NULL, err);
  if (r == 0 && json_array_extend(holdings->objects, found) < 0)
    r = error_set(err, ENOMEM, "out of memory for a list");
  return r;
}

/* Of a role that is bound in some namespaces only. */
static int list_namespaces(const struct holdings_search *search, const struct kube_resource *resource,
                           struct holdings *holdings, struct error **err) {
  int r = 0;

  for (size_t i = 0; r == 0 && i < search->namespace_count; i++)
    r = list(search, resource, search->namespaces[i], holdings, err);
  return r;
}

static int list_kind(const struct holdings_search *search, const struct kube_resource *resource,
                     struct holdings *holdings, struct error **err) {
  _cleanup_error_ struct error *why = NULL;

  int r = holdings->partial && resource->namespaced ? -EACCES : list(search, resource, NULL, holdings, &why);
  if (r == -EACCES && resource->namespaced && search->namespace_count > 0) {
    holdings->partial = true;
    return list_namespaces(search, resource, holdings, err);
  }
  return r < 0 ? error_set(err, -r, "%s", error_message(why)) : 0;
}

static bool same_kind(const kubernetes_kind *a, const kubernetes_kind *b) {
  size_t length = group_length(a->api_version);

  return strcmp(a->kind, b->kind) == 0 && group_length(b->api_version) == length &&
         strncmp(a->api_version, b->api_version, length) == 0;
}

/* Versions of a kind show the same objects: the first that is served stands for the others. -ENOTSUP when this one is
 * not served, or not the first. */
static int choose(const struct holdings_search *search, size_t at, struct kube_resource *resource, struct error **err) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(HOLDINGS_TIMEOUT_NS), .cancel = search->cancel};
  kubernetes_kind *const *kinds = search->description->kubernetes_kinds;

  for (size_t i = 0; i < at; i++) {
    int r = same_kind(kinds[i], kinds[at]) ? kube_discover(cluster_client(search->cluster), kinds[i]->api_version,
                                                           kinds[i]->kind, &call, resource, NULL)
                                           : -ENOTSUP;
    if (r == 0)
      return -ENOTSUP;
  }
  return kube_discover(cluster_client(search->cluster), kinds[at]->api_version, kinds[at]->kind, &call, resource, err);
}

int holdings_find(const struct holdings_search *search, struct holdings *ret_holdings, struct error **err) {
  struct holdings holdings = {.objects = json_array()};
  int r = holdings.objects ? 0 : error_set(err, ENOMEM, "out of memory for a list");

  for (size_t i = 0; r == 0 && i < search->description->n_kubernetes_kinds; i++) {
    struct kube_resource resource;
    _cleanup_error_ struct error *why = NULL;
    r = choose(search, i, &resource, &why);
    if (r == 0)
      r = list_kind(search, &resource, &holdings, err);
    else
      r = r == -ENOTSUP ? 0 : error_set(err, -r, "%s", error_message(why));
  }
  if (r < 0) {
    holdings_finish(&holdings);
    return r;
  }
  *ret_holdings = holdings;
  return 0;
}
