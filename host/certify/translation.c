#include "host/certify/translation.h"

#include <errno.h>
#include <string.h>

#include "host/adapter/services.h"
#include "sdk/adapter/codec.h"

#define PB(name) Trammel__Adapter__V1__##name

int translation_pack(struct sitting *sitting, const PB(TranslateRequest) * request, uint8_t **ret_data,
                     size_t *ret_length) {
  _cleanup_error_ struct error *err = NULL;
  int r = message_pack(&request->base, ret_data, ret_length, &err);
  if (r < 0)
    sitting_fail(sitting, "a request could not be made: %s", error_message(err));
  return r;
}

void translation_ask(struct guest *guest, const char *name, const PB(TranslateRequest) * request,
                     struct guest_answer *ret_answer) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  struct sitting *sitting = guest_sitting(guest);
  *ret_answer = (struct guest_answer){.result = translation_pack(sitting, request, &data, &length)};
  if (ret_answer->result < 0)
    return;
  guest_run(guest, &(struct guest_call){.method = "Translate", .request = data, .length = length}, ret_answer);
  if (ret_answer->result < 0)
    sitting_fail(sitting,
                 "%s: %s. With allow_unsupported, what the mesh cannot do is left out and said in the coverage, and "
                 "the call succeeds",
                 name, ret_answer->why);
}

PB(TranslateResponse) *
    translation_decode(struct sitting *sitting, const char *name, const struct guest_answer *answer) {
  _cleanup_error_ struct error *err = NULL;
  ProtobufCMessage *message = NULL;
  if (message_unpack(&trammel__adapter__v1__translate_response__descriptor, answer->data, answer->length,
                     MESSAGE_MEMORY_MAX, &message, &err) < 0)
    sitting_fail(sitting, "%s: the answer of Translate is no TranslateResponse: %s", name, error_message(err));
  return (PB(TranslateResponse) *)(void *)message;
}

void translation_free(PB(TranslateResponse) * response) {
  if (response)
    protobuf_c_message_free_unpacked(&response->base, NULL);
}

/* ---- objects */

/* What one response is judged with. */
struct asked;
struct judging {
  struct sitting *sitting;
  const char *name;
  const PB(TranslateRequest) * request;
  const PB(TranslateResponse) * response;
  const struct asked *asked;
  size_t asked_count;
};

static void judge_permission(const struct judging *j, const char *id, const char *endpoint, const char *method,
                             const char *path) {
  const char *reason = NULL;
  if (permission_check(j->sitting->subject->entry.description, endpoint, method, path, &reason) < 0)
    sitting_fail(j->sitting,
                 "%s: object %s wants %s %s at endpoint \"%s\", which the host refuses: %s. Declare it in Describe",
                 j->name, id, method, path, endpoint, reason ? reason : "it is not among the permissions");
}

static void judge_http(const struct judging *j, const PB(NativeObject) * object) {
  const PB(HttpObject) *http = object->http;
  judge_permission(j, object->id, http->endpoint, http->method, http->path);
  if (*http->read_path)
    judge_permission(j, object->id, http->endpoint, "GET", http->read_path);
  if (*http->delete_method)
    judge_permission(j, object->id, http->endpoint, http->delete_method, http->delete_path);
  else
    sitting_warn(j->sitting, "%s: object %s says no way to delete it, so it stays on the mesh", j->name, object->id);
}

static const char *text_at(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static void judge_kubernetes(const struct judging *j, const PB(NativeObject) * object, const json_t *body) {
  const PB(KubernetesObject) *k = object->kubernetes;
  const json_t *metadata = json_object_get(body, "metadata");
  if (!*k->api_version || !*k->kind || !*k->name)
    sitting_fail(j->sitting, "%s: object %s lacks apiVersion, kind or name", j->name, object->id);
  else if (strcmp(text_at(body, "apiVersion"), k->api_version) != 0 || strcmp(text_at(body, "kind"), k->kind) != 0 ||
           strcmp(text_at(metadata, "name"), k->name) != 0 ||
           strcmp(text_at(metadata, "namespace"), k->namespace_) != 0)
    sitting_fail(j->sitting,
                 "%s: the body of object %s has another apiVersion, kind, name or namespace than the object", j->name,
                 object->id);
}

static void judge_object(const struct judging *j, const PB(NativeObject) * object) {
  json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, JSON_REJECT_DUPLICATES, NULL);
  if (!*object->id)
    sitting_fail(j->sitting, "%s: an object has no id", j->name);
  if (!json_is_object(body))
    sitting_fail(j->sitting, "%s: the body of object %s is no JSON object", j->name, object->id);
  else if (object->transport_case == TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP)
    judge_http(j, object);
  else if (object->transport_case == TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES)
    judge_kubernetes(j, object, body);
  else
    sitting_fail(j->sitting, "%s: object %s has no transport, so that nobody knows how to make it", j->name,
                 object->id);
}

static int compare_objects(const PB(NativeObject) * a, const PB(NativeObject) * b) {
  if (a->wave != b->wave)
    return a->wave < b->wave ? -1 : 1;
  return strcmp(a->id, b->id);
}

static int by_id(const void *a, const void *b) {
  return strcmp((*(PB(NativeObject) *const *)a)->id, (*(PB(NativeObject) *const *)b)->id);
}

/* The objects in the order of their ids: heap; NULL without memory. */
static PB(NativeObject) * *sorted_objects(const PB(TranslateResponse) * response) {
  PB(NativeObject) **sorted = calloc(response->n_objects + 1, sizeof *sorted);
  if (!sorted)
    return NULL;
  if (response->n_objects)
    memcpy(sorted, response->objects, response->n_objects * sizeof *sorted);
  qsort(sorted, response->n_objects, sizeof *sorted, by_id);
  return sorted;
}

static void judge_objects(const struct judging *j, PB(NativeObject) *const *sorted) {
  const PB(TranslateResponse) *response = j->response;
  for (size_t i = 0; i < response->n_objects; i++) {
    judge_object(j, response->objects[i]);
    if (i && strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
      sitting_fail(j->sitting, "%s: two objects have the id %s; the host prunes by it", j->name, sorted[i]->id);
    if (i && compare_objects(response->objects[i - 1], response->objects[i]) > 0)
      sitting_fail(j->sitting, "%s: object %s is behind %s; objects are in the order of wave, then id", j->name,
                   response->objects[i]->id, response->objects[i - 1]->id);
  }
}

/* ---- coverage */

static bool same_resource(const PB(ResourceRef) * ref, const char *kind, const PB(Meta) * meta) {
  return strcmp(ref->kind, kind) == 0 && strcmp(ref->namespace_, meta->namespace_) == 0 &&
         strcmp(ref->name, meta->name) == 0;
}

#define FOR_EACH_META(set, action)                                                                                     \
  do {                                                                                                                 \
    for (size_t i_ = 0; i_ < (set)->n_targets; i_++)                                                                   \
      action("TrafficTarget", (set)->targets[i_]->meta);                                                               \
    for (size_t i_ = 0; i_ < (set)->n_splits; i_++)                                                                    \
      action("TrafficSplit", (set)->splits[i_]->meta);                                                                 \
    for (size_t i_ = 0; i_ < (set)->n_route_groups; i_++)                                                              \
      action("HTTPRouteGroup", (set)->route_groups[i_]->meta);                                                         \
    for (size_t i_ = 0; i_ < (set)->n_port_routes; i_++)                                                               \
      action((set)->port_routes[i_]->kind == TRAMMEL__ADAPTER__V1__ROUTE_KIND__ROUTE_KIND_UDP_ROUTE ? "UDPRoute"       \
                                                                                                    : "TCPRoute",      \
             (set)->port_routes[i_]->meta);                                                                            \
    for (size_t i_ = 0; i_ < (set)->n_bindings; i_++)                                                                  \
      action("IdentityBinding", (set)->bindings[i_]->meta);                                                            \
  } while (0)

/* What was asked for, in order: there may be many, and as many to look up. */
struct asked {
  const char *kind, *ns, *name;
};

static int compare_asked(const void *a, const void *b) {
  const struct asked *x = a, *y = b;
  int r = strcmp(x->kind, y->kind);
  if (r == 0)
    r = strcmp(x->ns, y->ns);
  return r ? r : strcmp(x->name, y->name);
}

static struct asked *sorted_asked(const PB(SmiSet) * set, size_t *ret_count) {
  size_t n = 0, most = set->n_targets + set->n_splits + set->n_route_groups + set->n_port_routes + set->n_bindings;
  struct asked *list = calloc(most + 1, sizeof *list);
  if (!list)
    return NULL;
#define ADD(kind_, meta) list[n++] = (struct asked){kind_, (meta)->namespace_, (meta)->name}
  FOR_EACH_META(set, ADD);
#undef ADD
  qsort(list, n, sizeof *list, compare_asked);
  *ret_count = n;
  return list;
}

static bool is_asked_for(const struct judging *j, const PB(ResourceRef) * ref) {
  const struct asked key = {ref->kind, ref->namespace_, ref->name};
  return bsearch(&key, j->asked, j->asked_count, sizeof key, compare_asked);
}

static void judge_coverage(const struct judging *j, const PB(Coverage) * coverage, PB(NativeObject) *const *sorted) {
  const PB(ResourceRef) *ref = coverage->resource;
  if (!ref || !is_asked_for(j, ref)) {
    sitting_fail(j->sitting, "%s: the coverage is about %s %s/%s, which was not asked for", j->name,
                 ref ? ref->kind : "nothing", ref ? ref->namespace_ : "", ref ? ref->name : "");
    return;
  }
  if (coverage->level != TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT && !*coverage->reason)
    sitting_fail(j->sitting, "%s: %s %s/%s %s is not carried over exactly, and the coverage gives no reason", j->name,
                 ref->kind, ref->namespace_, ref->name, coverage->pointer);
  for (size_t i = 0; i < coverage->n_objects; i++) {
    PB(NativeObject) key = {.id = coverage->objects[i]};
    const PB(NativeObject) *wanted = &key;
    if (!bsearch(&wanted, sorted, j->response->n_objects, sizeof(void *), by_id))
      sitting_fail(j->sitting, "%s: the coverage of %s %s/%s names object %s, which is not there", j->name, ref->kind,
                   ref->namespace_, ref->name, coverage->objects[i]);
  }
}

static void count_level(struct sitting *sitting, const char *name, const PB(Coverage) * coverage,
                        struct coverage_count *count) {
  switch (coverage->level) {
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_EXACT:
    count->exact++;
    return;
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_APPROXIMATED:
    count->approximated++;
    return;
  case TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED:
    count->unsupported++;
    return;
  default:
    sitting_fail(sitting, "%s: the coverage has the unknown level %d", name, (int)coverage->level);
  }
}

/* Nobody knows what became of a resource that nothing is said of. */
static void require_coverage(const struct judging *j, const char *kind, const PB(Meta) * meta) {
  for (size_t i = 0; i < j->response->n_coverage; i++)
    if (j->response->coverage[i]->resource && same_resource(j->response->coverage[i]->resource, kind, meta))
      return;
  sitting_fail(
      j->sitting,
      "%s: the coverage says nothing of %s %s/%s: cover each of its parts, with translation_cover(), also what "
      "is unsupported",
      j->name, kind, meta->namespace_, meta->name);
}

/* More than this would take long, and each is looked for among all. */
#define REQUIRED_MAX 1000

void translation_judge(struct sitting *sitting, const char *name, const PB(TranslateRequest) * request,
                       const PB(TranslateResponse) * response, struct coverage_count *count) {
  struct judging j = {.sitting = sitting, .name = name, .request = request, .response = response};
  _cleanup_free_ PB(NativeObject) **sorted = sorted_objects(response);
  _cleanup_free_ struct asked *asked = sorted_asked(request->smi, &j.asked_count);
  j.asked = asked;
  if (!sorted || !asked) {
    sitting_fail(sitting, "%s: no memory to judge an answer with", name);
    return;
  }
  judge_objects(&j, sorted);
  for (size_t i = 0; i < response->n_coverage; i++) {
    judge_coverage(&j, response->coverage[i], sorted);
    count_level(sitting, name, response->coverage[i], count);
  }
  for (size_t i = 0; i < request->smi->n_targets && i < REQUIRED_MAX; i++)
    if (request->smi->targets[i]->n_rules && request->smi->targets[i]->n_sources) /* else it has no parts */
      require_coverage(&j, "TrafficTarget", request->smi->targets[i]->meta);
  for (size_t i = 0; i < request->smi->n_splits && i < REQUIRED_MAX; i++)
    if (request->smi->splits[i]->n_backends)
      require_coverage(&j, "TrafficSplit", request->smi->splits[i]->meta);
}
