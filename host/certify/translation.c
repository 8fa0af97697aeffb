#include "host/certify/translation.h"

#include <errno.h>
#include <string.h>

#include "host/adapter/description.h"
#include "host/adapter/services.h"
#include "host/engine/identity.h"
#include "sdk/adapter/codec.h"

#define PB(name) Trammel__Adapter__V1__##name

int translation_cases(struct sitting *sitting, struct corpus *ret_corpus) {
  _cleanup_error_ struct error *err = NULL;
  int r = corpus_create(ret_corpus, &err);
  if (r < 0)
    sitting_fail(sitting, "the suite's cases cannot be read: %s", error_message(err));
  return r;
}

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

/* What the host needs to tell the object from what others made. */
static void judge_identity(const struct judging *j, const PB(NativeObject) * object) {
  const PB(HttpObject) *http = object->http;
  const PB(HttpIdentity) *identity = http->identity;
  _cleanup_error_ struct error *err = NULL;
  if (identity_check(identity, http->read_path, &err) < 0)
    sitting_fail(j->sitting, "%s: object %s: %s", j->name, object->id, error_message(err));
  if (*identity->list_path)
    judge_permission(j, object->id, http->endpoint, "GET", identity->list_path);
  if (*identity->update_method)
    judge_permission(j, object->id, http->endpoint, identity->update_method, identity->update_path);
  json_auto_t *body = json_loadb((const char *)object->body.data, object->body.len, 0, NULL);
  for (size_t i = 0; i < identity->n_marks; i++) {
    _cleanup_free_ char *mark = identity_text(body, identity->marks[i]->pointer);
    if (!mark || strcmp(mark, identity->marks[i]->value) != 0)
      sitting_fail(j->sitting, "%s: object %s is told by %s being \"%s\", and its body has something else there",
                   j->name, object->id, identity->marks[i]->pointer, identity->marks[i]->value);
  }
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
  if (http->identity)
    judge_identity(j, object);
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
  else if (!description_has_kind(j->sitting->subject->entry.description, k->api_version, k->kind))
    sitting_fail(j->sitting, "%s: object %s is of the kind %s of %s, which the description does not name", j->name,
                 object->id, k->kind, k->api_version);
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
  const char *list; /* of its parts: "/spec/rules"; NULL: it has none that must be covered */
  size_t count;
  bool *covered; /* of each part */
};

static int compare_asked(const void *a, const void *b) {
  const struct asked *x = a, *y = b;
  int r = strcmp(x->kind, y->kind);
  if (r == 0)
    r = strcmp(x->ns, y->ns);
  return r ? r : strcmp(x->name, y->name);
}

/* Parts are of what does something: a rule without a source, for one, allows nobody anything. */
static size_t parts_of_target(const PB(TrafficTarget) * target) {
  return target->n_sources ? target->n_rules : 0;
}

static void note_parts(const PB(SmiSet) * set, struct asked *list, bool *covered) {
  for (size_t i = 0; i < set->n_targets; i++, list++) {
    list->list = "/spec/rules";
    list->count = parts_of_target(set->targets[i]);
    list->covered = covered;
    covered += list->count;
  }
  for (size_t i = 0; i < set->n_splits; i++, list++) {
    list->list = "/spec/backends";
    list->count = set->splits[i]->n_backends;
    list->covered = covered;
    covered += list->count;
  }
}

static size_t count_parts(const PB(SmiSet) * set) {
  size_t count = 0;
  for (size_t i = 0; i < set->n_targets; i++)
    count += parts_of_target(set->targets[i]);
  for (size_t i = 0; i < set->n_splits; i++)
    count += set->splits[i]->n_backends;
  return count;
}

/* Both are heap, also `*ret_covered`, into which the list points. NULL without memory. */
static struct asked *sorted_asked(const PB(SmiSet) * set, size_t *ret_count, bool **ret_covered) {
  size_t n = 0, most = set->n_targets + set->n_splits + set->n_route_groups + set->n_port_routes + set->n_bindings;
  struct asked *list = calloc(most + 1, sizeof *list);
  *ret_covered = calloc(count_parts(set) + 1, sizeof **ret_covered);
  if (!list || !*ret_covered) {
    free(list);
    return NULL;
  }
#define ADD(kind_, meta) list[n++] = (struct asked){.kind = kind_, .ns = (meta)->namespace_, .name = (meta)->name}
  FOR_EACH_META(set, ADD);
#undef ADD
  note_parts(set, list, *ret_covered);
  qsort(list, n, sizeof *list, compare_asked);
  *ret_count = n;
  return list;
}

/* The first of those with this name; NULL: there is none. */
static const struct asked *find_asked(const struct judging *j, const PB(ResourceRef) * ref) {
  const struct asked key = {.kind = ref->kind, .ns = ref->namespace_, .name = ref->name};
  const struct asked *found = bsearch(&key, j->asked, j->asked_count, sizeof key, compare_asked);
  while (found && found > j->asked && compare_asked(found - 1, &key) == 0)
    found--;
  return found;
}

/* What all parts depend on: said to be unsupported, it takes them with it. */
static bool is_of_all(const char *pointer, bool unsupported) {
  static const char *const shared[] = {"/spec/service", "/spec/matches", "/spec/destination", "/spec/sources"};
  for (size_t i = 0; unsupported && i < ARRAY_COUNT(shared); i++)
    if (strcmp(pointer, shared[i]) == 0)
      return true;
  return !*pointer || strcmp(pointer, "/spec") == 0;
}

/* An entry is about one part, about something in it, or about all of them. */
static void mark_parts(const struct asked *asked, const char *pointer, bool unsupported) {
  size_t length = asked->list ? strlen(asked->list) : 0;
  bool all = is_of_all(pointer, unsupported) || (length && strcmp(pointer, asked->list) == 0);
  if (all) {
    for (size_t i = 0; i < asked->count; i++)
      asked->covered[i] = true;
    return;
  }
  if (!length || strncmp(pointer, asked->list, length) != 0 || pointer[length] != '/')
    return;
  const char *digits = pointer + length + 1;
  size_t number = 0, n = strspn(digits, "0123456789");
  for (size_t i = 0; i < n && number < asked->count; i++)
    number = number * 10 + (size_t)(digits[i] - '0');
  if (n && (!digits[n] || digits[n] == '/') && number < asked->count)
    asked->covered[number] = true;
}

static void mark(const struct judging *j, const PB(Coverage) * coverage) {
  const struct asked *first = find_asked(j, coverage->resource), *end = j->asked + j->asked_count;
  for (const struct asked *asked = first; asked < end && compare_asked(asked, first) == 0; asked++)
    mark_parts(asked, coverage->pointer,
               coverage->level == TRAMMEL__ADAPTER__V1__COVERAGE_LEVEL__COVERAGE_LEVEL_UNSUPPORTED);
}

static void judge_coverage(const struct judging *j, const PB(Coverage) * coverage, PB(NativeObject) *const *sorted) {
  const PB(ResourceRef) *ref = coverage->resource;
  if (!ref || !find_asked(j, ref)) {
    sitting_fail(j->sitting, "%s: the coverage is about %s %s/%s, which was not asked for", j->name,
                 ref ? ref->kind : "nothing", ref ? ref->namespace_ : "", ref ? ref->name : "");
    return;
  }
  mark(j, coverage);
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

/* Nobody knows what became of a part that nothing is said of. */
static void require_coverage(const struct judging *j, const struct asked *asked) {
  size_t lost = 0, first = 0;
  for (size_t i = asked->count; i-- > 0;)
    if (!asked->covered[i]) {
      first = i;
      lost++;
    }
  if (lost)
    sitting_fail(j->sitting,
                 "%s: the coverage says nothing of %zu of %zu parts of %s %s/%s, the first of them %s/%zu: cover each, "
                 "with translation_cover(), also what is unsupported",
                 j->name, lost, asked->count, asked->kind, asked->ns, asked->name, asked->list, first);
}

void translation_judge(struct sitting *sitting, const char *name, const PB(TranslateRequest) * request,
                       const PB(TranslateResponse) * response, struct coverage_count *count) {
  struct judging j = {.sitting = sitting, .name = name, .response = response};
  _cleanup_free_ PB(NativeObject) **sorted = sorted_objects(response);
  _cleanup_free_ bool *covered = NULL;
  _cleanup_free_ struct asked *asked = sorted_asked(request->smi, &j.asked_count, &covered);
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
  for (size_t i = 0; i < j.asked_count; i++)
    require_coverage(&j, &asked[i]);
}
