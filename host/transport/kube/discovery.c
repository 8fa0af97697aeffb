#include "host/transport/kube/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/client_internal.h"
#include "host/transport/kube/discovery_read.h"
#include "sdk/base/clock.h"
#include "sdk/base/utf8.h"

#define VERSIONS_KEPT_MAX 1000 /* lists of kinds, one for each version that was asked for */
#define NAMES_SHOWN_MAX 24

/* The kinds of one version. */
struct version_entry {
  char *api_version;
  struct kube_resource *resources;
  size_t count;
  int64_t read_ns;
};

/* Nothing is fetched under the lock: two threads that miss at once both ask. */
struct discovery {
  pthread_mutex_t lock;
  struct version_entry *versions;
  size_t version_count;
  size_t version_capacity;
  struct discovery_group *groups;
  size_t group_count;
  int64_t groups_ns; /* CLOCK_MONOTONIC; 0: never */
};

int discovery_create(struct discovery **ret_discovery, struct error **err) {
  struct discovery *discovery = calloc(1, sizeof(*discovery));

  if (!discovery || pthread_mutex_init(&discovery->lock, NULL) != 0) {
    free(discovery);
    return error_set(err, ENOMEM, "out of memory for discovery");
  }
  *ret_discovery = discovery;
  return 0;
}

static void forget(struct discovery *discovery) {
  for (size_t i = 0; i < discovery->version_count; i++) {
    free(discovery->versions[i].api_version);
    free(discovery->versions[i].resources);
  }
  discovery->version_count = 0;
  free(discovery->groups);
  discovery->groups = NULL;
  discovery->group_count = 0;
  discovery->groups_ns = 0;
}

void discovery_destroy(struct discovery *discovery) {
  if (!discovery)
    return;
  forget(discovery);
  free(discovery->versions);
  (void)pthread_mutex_destroy(&discovery->lock);
  free(discovery);
}

void kube_discovery_forget(struct kube_client *client) {
  (void)pthread_mutex_lock(&client->discovery->lock);
  forget(client->discovery);
  (void)pthread_mutex_unlock(&client->discovery->lock);
}

static bool is_fresh(int64_t read_ns) {
  return read_ns > 0 && clock_monotonic_ns() - read_ns < KUBE_DISCOVERY_KEPT_NS;
}

static struct version_entry *find_version(struct discovery *discovery, const char *api_version) {
  for (size_t i = 0; i < discovery->version_count; i++)
    if (strcmp(discovery->versions[i].api_version, api_version) == 0)
      return &discovery->versions[i];
  return NULL;
}

static const struct kube_resource *find_kind(const struct kube_resource *resources, size_t count, const char *kind) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(resources[i].kind, kind) == 0)
      return &resources[i];
  return NULL;
}

static bool find_kept(struct discovery *discovery, const char *api_version, const char *kind,
                      struct kube_resource *ret_resource) {
  const struct kube_resource *found = NULL;

  (void)pthread_mutex_lock(&discovery->lock);
  const struct version_entry *entry = find_version(discovery, api_version);
  if (entry && is_fresh(entry->read_ns))
    found = find_kind(entry->resources, entry->count, kind);
  if (found)
    *ret_resource = *found;
  (void)pthread_mutex_unlock(&discovery->lock);
  return found != NULL;
}

/* Keeps a copy. What cannot be kept is asked for again. */
static void keep_kinds(struct discovery *discovery, const char *api_version, const struct kube_resource *resources,
                       size_t count) {
  struct kube_resource *copy = calloc(count ? count : 1, sizeof(*copy));

  if (!copy)
    return;
  memcpy(copy, resources, count * sizeof(*copy));
  (void)pthread_mutex_lock(&discovery->lock);
  struct version_entry *entry = find_version(discovery, api_version);
  if (!entry && discovery->version_count < VERSIONS_KEPT_MAX &&
      array_reserve((void **)&discovery->versions, &discovery->version_capacity, discovery->version_count,
                    sizeof(*entry)) == 0) {
    char *name = strdup(api_version);
    if (name) {
      entry = &discovery->versions[discovery->version_count++];
      *entry = (struct version_entry){.api_version = name};
    }
  }
  if (entry) {
    struct kube_resource *old = entry->resources;
    *entry = (struct version_entry){
        .api_version = entry->api_version, .resources = copy, .count = count, .read_ns = clock_monotonic_ns()};
    copy = old;
  }
  (void)pthread_mutex_unlock(&discovery->lock);
  free(copy);
}

static int fetch(struct kube_client *client, const char *path, const struct kube_call *call, json_t **ret_answer,
                 struct error **err) {
  const struct kube_request request = {.verb = "discover", .method = "GET", .path = path, .idempotent = true};

  return kube_send_object(client, &request, call, ret_answer, NULL, err);
}

/* -ENOENT when the server has no such version. */
static int fetch_kinds(struct kube_client *client, const char *api_version, const struct kube_call *call,
                       struct kube_resource **ret_resources, size_t *ret_count, struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  struct kube_resource version;
  json_t *answer = NULL;

  int r = kube_api_version_split(api_version, &version, err);
  r = r < 0 ? r : kube_version_path_append(&path, &version, err);
  r = r < 0 ? r : fetch(client, strbuf_text(&path), call, &answer, err);
  if (r < 0)
    return r;
  r = discovery_read_kinds(answer, &version, ret_resources, ret_count, err);
  json_decref(answer);
  if (r == 0)
    keep_kinds(client->discovery, api_version, *ret_resources, *ret_count);
  return r;
}

static int fetch_groups(struct kube_client *client, const struct kube_call *call, struct error **err) {
  struct discovery *discovery = client->discovery;
  struct discovery_group *groups = NULL;
  json_t *core = NULL;
  json_t *named = NULL;
  size_t count = 0;

  int r = fetch(client, "/api", call, &core, err);
  r = r < 0 ? r : fetch(client, "/apis", call, &named, err);
  r = r < 0 ? r : discovery_read_groups(core, named, &groups, &count, err);
  json_decref(core);
  json_decref(named);
  if (r < 0)
    return r;
  (void)pthread_mutex_lock(&discovery->lock);
  struct discovery_group *old = discovery->groups;
  discovery->groups = groups;
  discovery->group_count = count;
  discovery->groups_ns = clock_monotonic_ns();
  (void)pthread_mutex_unlock(&discovery->lock);
  free(old);
  return 0;
}

static bool find_group(struct discovery *discovery, const char *group, struct kube_versions *ret_versions) {
  bool found = false;

  (void)pthread_mutex_lock(&discovery->lock);
  for (size_t i = 0; !found && is_fresh(discovery->groups_ns) && i < discovery->group_count; i++)
    if (strcmp(discovery->groups[i].name, group) == 0) {
      *ret_versions = discovery->groups[i].versions;
      found = true;
    }
  (void)pthread_mutex_unlock(&discovery->lock);
  return found;
}

int kube_discover_versions(struct kube_client *client, const char *group, const struct kube_call *call,
                           struct kube_versions *ret_versions, struct error **err) {
  struct quote quote;

  if (find_group(client->discovery, group, ret_versions))
    return 0;
  int r = fetch_groups(client, call, err);
  if (r < 0)
    return r;
  if (find_group(client->discovery, group, ret_versions))
    return 0;
  return error_set(err, ENOTSUP, "the server does not serve the API group %s: install its definitions (CRDs)",
                   quote_text(&quote, group, strlen(group)));
}

/* A version that is not served: what there is of its group is worth telling. */
static int no_version(struct kube_client *client, const char *api_version, const struct kube_call *call,
                      struct error **err) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  struct kube_resource split = {0};
  struct kube_versions versions;

  (void)kube_api_version_split(api_version, &split, NULL);
  if (kube_discover_versions(client, split.group, call, &versions, NULL) < 0)
    return error_set(err, ENOTSUP, "the server does not serve %s: install its definitions (CRDs)", api_version);
  for (size_t i = 0; i < versions.count; i++)
    strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", versions.names[i]);
  return error_set(err, ENOTSUP, "the server does not serve %s; of this group it has: %s", api_version,
                   strbuf_text(&known));
}

static int no_kind(const char *api_version, const char *kind, const struct kube_resource *resources, size_t count,
                   struct error **err) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  struct quote quote;

  for (size_t i = 0; i < count && i < NAMES_SHOWN_MAX; i++)
    strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", resources[i].kind);
  return error_set(err, ENOTSUP, "the server serves no kind %s in %s: install its definition (CRD); it has: %s%s",
                   quote_text(&quote, kind, strlen(kind)), api_version, count > 0 ? strbuf_text(&known) : "none",
                   count > NAMES_SHOWN_MAX ? ", ..." : "");
}

int kube_discover_kinds(struct kube_client *client, const char *api_version, const struct kube_call *call,
                        struct kube_resource **ret_resources, size_t *ret_count, struct error **err) {
  _cleanup_error_ struct error *reason = NULL;

  int r = fetch_kinds(client, api_version, call, ret_resources, ret_count, &reason);
  if (r == -ENOENT)
    return no_version(client, api_version, call, err);
  return r < 0 ? kube_error_pass(err, &reason) : 0;
}

int kube_discover(struct kube_client *client, const char *api_version, const char *kind, const struct kube_call *call,
                  struct kube_resource *ret_resource, struct error **err) {
  _cleanup_free_ struct kube_resource *resources = NULL;
  size_t count = 0;

  if (find_kept(client->discovery, api_version, kind, ret_resource))
    return 0;
  int r = kube_discover_kinds(client, api_version, call, &resources, &count, err);
  if (r < 0)
    return r;
  const struct kube_resource *found = find_kind(resources, count, kind);
  if (!found)
    return no_kind(api_version, kind, resources, count, err);
  *ret_resource = *found;
  return 0;
}

int kube_discover_object(struct kube_client *client, const json_t *object, const struct kube_call *call,
                         struct kube_resource *ret_resource, struct error **err) {
  const char *api_version = json_string_value(json_object_get(object, "apiVersion"));
  const char *kind = json_string_value(json_object_get(object, "kind"));

  if (!api_version || !kind)
    return error_set(err, EINVAL, "an object needs apiVersion and kind");
  return kube_discover(client, api_version, kind, call, ret_resource, err);
}

void kube_groups_free(char **groups) {
  for (char **group = groups; group && *group; group++)
    free(*group);
  free(groups);
}

static char **copy_groups(struct discovery *discovery) {
  (void)pthread_mutex_lock(&discovery->lock);
  char **names = calloc(discovery->group_count + 1, sizeof(*names));
  for (size_t i = 0; names && i < discovery->group_count; i++) {
    names[i] = strdup(discovery->groups[i].name);
    if (!names[i]) {
      kube_groups_free(names);
      names = NULL;
    }
  }
  (void)pthread_mutex_unlock(&discovery->lock);
  return names;
}

int kube_discover_groups(struct kube_client *client, const struct kube_call *call, char ***ret_groups,
                         struct error **err) {
  (void)pthread_mutex_lock(&client->discovery->lock);
  bool fresh = is_fresh(client->discovery->groups_ns);
  (void)pthread_mutex_unlock(&client->discovery->lock);

  int r = fresh ? 0 : fetch_groups(client, call, err);
  if (r < 0)
    return r;
  *ret_groups = copy_groups(client->discovery);
  return *ret_groups ? 0 : error_set(err, ENOMEM, "out of memory for API groups");
}
