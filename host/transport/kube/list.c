#include "host/transport/kube/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/client_internal.h"

/* A list under way. */
struct listing {
  struct kube_client *client;
  const struct kube_ref *ref;
  const struct kube_list_options *options;
  const struct kube_list_visitor *visitor;
  const struct kube_call *call;
  char *api_version; /* what items of built-in kinds lack */
  char *next;        /* the continue token; NULL: from the start */
  char *version;     /* of the list; NULL: not known yet */
  unsigned restarts;
};

static int make_path(const struct listing *l, struct strbuf *path, struct error **err) {
  char limit[16];

  int r = kube_path_append(path, l->ref, err);
  if (r < 0)
    return r;
  (void)snprintf(limit, sizeof(limit), "%u", l->options->page ? l->options->page : KUBE_PAGE_DEFAULT);
  kube_query_append(path, "limit", l->restarts < KUBE_LIST_RESTARTS_MAX ? limit : NULL);
  kube_query_append(path, "labelSelector", l->options->label_selector);
  kube_query_append(path, "fieldSelector", l->options->field_selector);
  kube_query_append(path, "continue", l->next);
  return strbuf_failed(path) ? error_set(err, ENOMEM, "list: out of memory") : 0;
}

static int fetch(const struct listing *l, json_t **ret_page, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;

  int r = make_path(l, &path, err);
  if (r < 0)
    return r;
  const struct kube_request request = {
      .verb = "list", .ref = l->ref, .method = "GET", .path = strbuf_text(&path), .idempotent = true};
  return kube_send_object(l->client, &request, l->call, ret_page, NULL, err);
}

static int complete(const struct listing *l, json_t *item, struct error **err) {
  int r = 0;

  if (!json_is_object(item))
    return error_set(err, EIO, "list %s: an item is no object", l->ref->resource->plural);
  if (!json_object_get(item, "apiVersion"))
    r = json_object_set_new(item, "apiVersion", json_string(l->api_version));
  if (r == 0 && !json_object_get(item, "kind"))
    r = json_object_set_new(item, "kind", json_string(l->ref->resource->kind));
  return r == 0 ? 0 : error_set(err, ENOMEM, "list: out of memory");
}

static int visit(const struct listing *l, const json_t *page, struct error **err) {
  const json_t *items = json_object_get(page, "items");
  int r = 0;

  if (items && !json_is_array(items) && !json_is_null(items))
    return error_set(err, EIO, "list %s: items is no list", l->ref->resource->plural);
  for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
    json_t *item = json_array_get(items, i);
    r = complete(l, item, err);
    if (r == 0)
      r = l->visitor->item(item, l->visitor->ctx, err);
  }
  return r;
}

/* The version is that of the first page: later pages show the same moment, but not every server says so. */
static int go_on(struct listing *l, const json_t *page, struct error **err) {
  const json_t *metadata = json_object_get(page, "metadata");
  const char *next = json_string_value(json_object_get(metadata, "continue"));
  const char *version = json_string_value(json_object_get(metadata, "resourceVersion"));

  if (!l->version) {
    l->version = strdup(version ? version : "");
    if (!l->version)
      return error_set(err, ENOMEM, "list: out of memory");
  }
  char *copy = next && *next ? strdup(next) : NULL;
  if (next && *next && !copy)
    return error_set(err, ENOMEM, "list: out of memory");
  free(l->next);
  l->next = copy;
  return 0;
}

static void start_again(struct listing *l) {
  free(take(l->next));
  free(take(l->version));
  l->restarts++;
  if (l->visitor->restart)
    l->visitor->restart(l->visitor->ctx);
}

static int run(struct listing *l, struct error **err) {
  do {
    json_t *page = NULL;
    _cleanup_error_ struct error *reason = NULL;
    int r = fetch(l, &page, &reason);
    if (r == -ESTALE && l->next) {
      start_again(l);
      continue;
    }
    if (r < 0)
      return kube_error_pass(err, &reason);
    r = visit(l, page, err);
    r = r != 0 ? r : go_on(l, page, err);
    json_decref(page);
    if (r != 0)
      return r;
  } while (l->next || !l->version);
  return 0;
}

int kube_list_each(struct kube_client *client, const struct kube_ref *ref, const struct kube_list_options *options,
                   const struct kube_list_visitor *visitor, const struct kube_call *call, char **ret_version,
                   struct error **err) {
  static const struct kube_list_options all;
  _cleanup_strbuf_ struct strbuf api_version = STRBUF_INIT;

  kube_api_version_append(&api_version, ref->resource);
  struct listing l = {.client = client,
                      .ref = ref,
                      .options = options ? options : &all,
                      .visitor = visitor,
                      .call = call,
                      .api_version = strbuf_steal(&api_version)};
  int r = l.api_version ? run(&l, err) : error_set(err, ENOMEM, "list: out of memory");
  if (r == 0 && ret_version)
    *ret_version = take(l.version);
  free(l.api_version);
  free(l.next);
  free(l.version);
  return r;
}

static int collect(json_t *item, void *ctx, struct error **err) {
  return json_array_append(ctx, item) == 0 ? 0 : error_set(err, ENOMEM, "list: out of memory");
}

static void forget(void *ctx) {
  (void)json_array_clear(ctx);
}

int kube_list(struct kube_client *client, const struct kube_ref *ref, const struct kube_list_options *options,
              const struct kube_call *call, json_t **ret_items, char **ret_version, struct error **err) {
  json_t *items = json_array();
  const struct kube_list_visitor visitor = {.item = collect, .restart = forget, .ctx = items};

  if (!items)
    return error_set(err, ENOMEM, "list: out of memory");
  int r = kube_list_each(client, ref, options, &visitor, call, ret_version, err);
  if (r == 0)
    *ret_items = items;
  else
    json_decref(items);
  return r;
}
