#include <errno.h>
#include <string.h>

#include "host/engine/identity.h"
#include "host/engine/object_transport.h"
#include "host/engine/patience.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

/* How long one object may take, and what is read of an answer. */
#define OBJECT_TIMEOUT_NS (10 * NS_PER_SECOND)
#define ANSWER_MAX (1024u * 1024)
/* Of an answer's text, in messages. */
#define REASON_MAX 300

typedef Trammel__Adapter__V1__HttpObject http_object;

/* Text of a mesh, fit for a one-line message. */
static void append_text(struct strbuf *out, const char *text, size_t length) {
  size_t shown = utf8_fit(text, length, REASON_MAX);

  for (size_t i = 0; i < shown; i++) {
    bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;
    strbuf_append(out, control ? " " : &text[i], 1);
  }
  if (shown < length)
    strbuf_puts(out, " …");
}

/* What a mesh says of why it refused: the error or message of a JSON body, with the place it is about; or the body. */
static int refuse(const native_object *object, const char *method, const char *path,
                  const struct http_response *response, struct error **err) {
  _cleanup_strbuf_ struct strbuf reason = STRBUF_INIT;
  json_t *body = json_loadb(response->body, response->body_length, 0, NULL);
  const char *text = json_string_value(json_object_get(body, "error"));
  const char *pointer = json_string_value(json_object_get(body, "pointer"));

  if (!text)
    text = json_string_value(json_object_get(body, "message"));
  if (text)
    append_text(&reason, text, strlen(text));
  else
    append_text(&reason, response->body, response->body_length);
  if (text && pointer && *pointer) {
    strbuf_puts(&reason, " (at ");
    append_text(&reason, pointer, strlen(pointer));
    strbuf_putc(&reason, ')');
  }
  json_decref(body);
  return error_set(err, EIO, "object %s: %s %s was answered with %u%s%s", object->id, method, path, response->status,
                   reason.length > 0 ? ": " : "", strbuf_text(&reason));
}

static bool succeeded(unsigned status) {
  return status >= 200 && status <= 299;
}

static bool absent(unsigned status) {
  return status == 404 || status == 410;
}

/* Where what is there is seen. */
static const char *look_path(const http_object *http) {
  return *http->identity->list_path ? http->identity->list_path : http->read_path;
}

static int http_check(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;

  if (!*http->endpoint || !*http->method || http->path[0] != '/')
    return error_set(err, EINVAL, "object %s: an endpoint, a method and an absolute path are needed", object->id);
  int r = http->identity ? identity_check(http->identity, http->read_path, err) : 0;
  if (r < 0) {
    (void)error_wrap(err, "object %s", object->id);
    return r;
  }
  if (*http->delete_method && http->delete_path[0] != '/')
    return error_set(err, EINVAL, "object %s: its removal by %s needs an absolute path", object->id,
                     http->delete_method);
  r = endpoints_permit(mesh->endpoints, http->endpoint, http->method, http->path, err);
  if (r == 0 && *http->delete_method)
    r = endpoints_permit(mesh->endpoints, http->endpoint, http->delete_method, http->delete_path, err);
  if (r == 0 && http->identity)
    r = endpoints_permit(mesh->endpoints, http->endpoint, "GET", look_path(http), err);
  if (r == 0 && http->identity && *http->identity->update_method)
    r = endpoints_permit(mesh->endpoints, http->endpoint, http->identity->update_method, http->identity->update_path,
                         err);
  if (r < 0)
    (void)error_wrap(err, "object %s", object->id);
  return r;
}

static bool http_same_place(const native_object *a, const native_object *b) {
  return strcmp(a->http->endpoint, b->http->endpoint) == 0 && strcmp(a->http->path, b->http->path) == 0 &&
         strcmp(a->http->delete_method, b->http->delete_method) == 0 &&
         strcmp(a->http->delete_path, b->http->delete_path) == 0;
}

static bool http_same(const native_object *a, const native_object *b) {
  return http_same_place(a, b) && strcmp(a->http->method, b->http->method) == 0 &&
         strcmp(a->http->content_type, b->http->content_type) == 0 && a->body.len == b->body.len &&
         (a->body.len == 0 || memcmp(a->body.data, b->body.data, a->body.len) == 0);
}

static bool http_needs_journal(const struct mesh *mesh, const native_object *object) {
  return *object->http->delete_method && endpoints_outlive(mesh->endpoints, object->http->endpoint);
}

/* The journal's name of an object: one id may move to another place, which then is another thing to remove. */
static char *journal_name(const native_object *object) {
  struct strbuf name = STRBUF_INIT;

  strbuf_printf(&name, "%s at %s", object->id, object->http->delete_path);
  return strbuf_steal(&name);
}

/* How it is told from what others made, as text; "" when it need not be. NULL, with an error. */
static char *identity_record(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;
  _cleanup_free_ char *url = NULL;

  if (!http->identity)
    return strdup("");
  if (endpoints_url(mesh->endpoints, http->endpoint, look_path(http), &url, err) < 0)
    return NULL;
  json_auto_t *identity = identity_to_json(http->identity, url);
  char *text = identity ? json_dumps(identity, JSON_COMPACT) : NULL;
  if (!text)
    (void)error_set(err, ENOMEM, "object %s: out of memory", object->id);
  return text;
}

static int http_journal(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;
  _cleanup_free_ char *name = journal_name(object);
  _cleanup_free_ char *url = NULL;

  if (!http_needs_journal(mesh, object))
    return 0;
  if (!name)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = endpoints_url(mesh->endpoints, http->endpoint, http->delete_path, &url, err);
  if (r < 0)
    return r;
  _cleanup_free_ char *identity = identity_record(mesh, object, err);
  if (!identity)
    return -ENOMEM;
  return journal_object_intended_as(
      mesh->journal,
      &(struct journal_object){.id = name,
                               .delete_method = http->delete_method,
                               .delete_url = url,
                               .identity = *identity ? identity : NULL,
                               .token_file = endpoints_token_file(mesh->endpoints, http->endpoint)},
      err);
}

/* A request that takes an object's body, or with `removal` none, and is sent also after a cancellation then. Any status
 * is success. */
static int exchange(const struct mesh *mesh, const native_object *object, const char *method, const char *path,
                    bool removal, struct http_response *ret_response, struct error **err) {
  const http_object *http = object->http;
  bool body = !removal && object->body.len > 0 && strcmp(method, "GET") != 0;
  struct endpoint_request request = {.endpoint = http->endpoint,
                                     .method = method,
                                     .path = path,
                                     .content_type = body ? http->content_type : NULL,
                                     .body = body ? object->body.data : NULL,
                                     .body_length = body ? object->body.len : 0,
                                     .response_max = strcmp(method, "GET") == 0 ? IDENTITY_LIST_MAX : ANSWER_MAX,
                                     .deadline_ns = removal ? clock_monotonic_ns() + OBJECT_TIMEOUT_NS
                                                            : patience_deadline_ns(OBJECT_TIMEOUT_NS),
                                     .regardless = removal};

  int r = endpoints_send(mesh->endpoints, &request, ret_response, err);
  if (r < 0)
    (void)error_wrap(err, "object %s", object->id);
  return r;
}

/* What is there now. `removal`: as above. */
static int look(const struct mesh *mesh, const native_object *object, bool removal,
                struct identity_finding *ret_finding, struct error **err) {
  const char *path = look_path(object->http);
  struct http_response response = {0};
  json_auto_t *identity = identity_to_json(object->http->identity, path);

  *ret_finding = (struct identity_finding){0};
  if (!identity)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = exchange(mesh, object, "GET", path, removal, &response, err);
  if (r < 0)
    return r;
  r = identity_judge(identity, &response, ret_finding, err);
  if (r < 0)
    (void)error_wrap(err, "object %s", object->id);
  http_response_finish(&response);
  return r;
}

/* Sends a body; anything but success is an error. */
static int write_body(const struct mesh *mesh, const native_object *object, const char *method, const char *path,
                      struct http_response *ret_response, struct error **err) {
  int r = exchange(mesh, object, method, path, false, ret_response, err);
  if (r == 0 && !succeeded(ret_response->status)) {
    r = refuse(object, method, path, ret_response, err);
    http_response_finish(ret_response);
  }
  return r;
}

static int delete_at(const struct mesh *mesh, const native_object *object, const char *path, struct error **err) {
  struct http_response response = {0};

  int r = exchange(mesh, object, object->http->delete_method, path, true, &response, err);
  if (r == 0 && !succeeded(response.status) && !absent(response.status))
    r = refuse(object, object->http->delete_method, path, &response, err);
  http_response_finish(&response);
  return r;
}

/* The id of a listed object; "" for one with a place of its own. NULL, with an error, when it has none. */
static char *id_of(const native_object *object, const json_t *item, struct error **err) {
  const http_identity *identity = object->http->identity;
  char *id = *identity->list_path ? identity_text(item, identity->id) : strdup("");

  if (!id)
    (void)error_set(err, EIO, "object %s: there is no id at %s of what the mesh answers", object->id, identity->id);
  return id;
}

static int delete_found(const struct mesh *mesh, const native_object *object, const json_t *item, struct error **err) {
  _cleanup_free_ char *id = id_of(object, item, err);
  _cleanup_free_ char *path = id ? identity_place(object->http->delete_path, id) : NULL;

  if (!id)
    return -EIO;
  return path ? delete_at(mesh, object, path, err) : error_set(err, ENOMEM, "object %s: out of memory", object->id);
}

static bool is_stale(const http_identity *identity, const struct http_response *response) {
  size_t length = response->body_length;

  while (length > 0 && strchr(" \r\n", response->body[length - 1]))
    length--;
  return *identity->stale_answer && length == strlen(identity->stale_answer) &&
         memcmp(response->body, identity->stale_answer, length) == 0;
}

/* Over the version that was seen, or where nothing was. */
static int write_versioned(const struct mesh *mesh, const native_object *object, const json_t *item,
                           struct error **err) {
  const http_object *http = object->http;
  const http_identity *identity = http->identity;
  _cleanup_free_ char *version = item && *identity->version ? identity_text(item, identity->version) : strdup("0");
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
  struct http_response response = {0};

  if (!version)
    return error_set(err, EIO, "object %s: there is no version at %s of what %s gives", object->id, identity->version,
                     http->read_path);
  strbuf_puts(&path, http->path);
  if (*identity->version)
    strbuf_printf(&path, "%c%s=%s", strchr(http->path, '?') ? '&' : '?', identity->version_parameter, version);
  if (strbuf_failed(&path))
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = write_body(mesh, object, http->method, strbuf_text(&path), &response, err);
  if (r < 0)
    return r;
  if (is_stale(identity, &response))
    r = error_set(err, EAGAIN, "object %s: somebody else wrote %s meanwhile, and it is left as it is now; try again",
                  object->id, http->read_path);
  http_response_finish(&response);
  return r;
}

static int create_listed(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;
  struct http_response response = {0};

  int r = write_body(mesh, object, http->method, http->path, &response, err);
  if (r < 0)
    return r;
  json_auto_t *answer = json_loadb(response.body, response.body_length, 0, NULL);
  _cleanup_free_ char *id = id_of(object, answer, err);
  http_response_finish(&response);
  return id ? 0 : -EIO;
}

static int write_listed(const struct mesh *mesh, const native_object *object, const json_t *item, struct error **err) {
  const http_identity *identity = object->http->identity;
  struct http_response response = {0};

  if (!item)
    return create_listed(mesh, object, err);
  if (!*identity->update_method) {
    int r = delete_found(mesh, object, item, err);
    return r < 0 ? r : create_listed(mesh, object, err);
  }
  _cleanup_free_ char *id = id_of(object, item, err);
  _cleanup_free_ char *path = id ? identity_place(identity->update_path, id) : NULL;
  if (!id)
    return -EIO;
  if (!path)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = write_body(mesh, object, identity->update_method, path, &response, err);
  http_response_finish(&response);
  return r;
}

static int put_identified(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_identity *identity = object->http->identity;
  struct identity_finding finding;

  int r = look(mesh, object, false, &finding, err);
  if (r == 0 && finding.standing == IDENTITY_FOREIGN)
    r = error_set(err, EEXIST,
                  "object %s: %s has one that others made (its %s is not %s), which is neither changed nor removed: "
                  "take it away yourself, or leave out what asks for this one",
                  object->id, look_path(object->http), identity->marks[0]->pointer, identity->marks[0]->value);
  if (r == 0)
    r = http_journal(mesh, object, err);
  if (r == 0)
    r = *identity->list_path ? write_listed(mesh, object, finding.item, err)
                             : write_versioned(mesh, object, finding.item, err);
  identity_finding_finish(&finding);
  return r;
}

static int http_put(const struct mesh *mesh, const native_object *object, struct error **err) {
  struct http_response response = {0};

  if (object->http->identity)
    return put_identified(mesh, object, err);
  int r = http_journal(mesh, object, err);
  if (r == 0)
    r = write_body(mesh, object, object->http->method, object->http->path, &response, err);
  http_response_finish(&response);
  return r;
}

/* Where others put something else since, that stays. */
static int remove_identified(const struct mesh *mesh, const native_object *object, struct error **err) {
  struct identity_finding finding;

  int r = look(mesh, object, true, &finding, err);
  if (r == 0 && finding.standing == IDENTITY_OURS)
    r = delete_found(mesh, object, finding.item, err);
  identity_finding_finish(&finding);
  return r;
}

static int http_remove(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;

  if (!*http->delete_method)
    return 0;
  int r = http->identity ? remove_identified(mesh, object, err) : delete_at(mesh, object, http->delete_path, err);
  if (r < 0 || !http_needs_journal(mesh, object))
    return r;
  _cleanup_free_ char *name = journal_name(object);
  return name ? journal_object_removed(mesh->journal, name, err)
              : error_set(err, ENOMEM, "object %s: out of memory", object->id);
}

static bool http_dies_with_run(const struct mesh *mesh, const native_object *object) {
  return !endpoints_outlive(mesh->endpoints, object->http->endpoint);
}

/* A body that is no JSON is shown as text, or left out when it is no text either. */
static json_t *body_value(const struct http_response *response) {
  if (absent(response->status))
    return json_null();
  json_t *body = json_loadb(response->body, response->body_length, JSON_DECODE_ANY, NULL);
  if (!body)
    body = json_stringn(response->body, response->body_length);
  return body ? body : json_null();
}

/* As it stands in the listing; what others made in its place is not it. */
static int read_listed(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err) {
  struct identity_finding finding;

  int r = look(mesh, object, false, &finding, err);
  if (r < 0)
    return r;
  bool ours = finding.standing == IDENTITY_OURS;
  *ret_value = json_pack("{s:s, s:s, s:o}", "id", object->id, "path", look_path(object->http), "body",
                         ours ? json_incref((json_t *)finding.item) : json_null());
  identity_finding_finish(&finding);
  return *ret_value ? 0 : error_set(err, ENOMEM, "object %s: out of memory", object->id);
}

static int http_read(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err) {
  const http_object *http = object->http;
  struct http_response response = {0};

  *ret_value = NULL;
  if (!*http->read_path)
    return 0;
  if (http->identity && *http->identity->list_path)
    return read_listed(mesh, object, ret_value, err);
  int r = endpoints_send(mesh->endpoints,
                         &(struct endpoint_request){.endpoint = http->endpoint,
                                                    .method = "GET",
                                                    .path = http->read_path,
                                                    .response_max = ANSWER_MAX,
                                                    .deadline_ns = patience_deadline_ns(OBJECT_TIMEOUT_NS)},
                         &response, err);
  if (r < 0) {
    (void)error_wrap(err, "object %s", object->id);
    return r;
  }
  if (succeeded(response.status) || absent(response.status)) {
    *ret_value = json_pack("{s:s, s:s, s:o}", "id", object->id, "path", http->read_path, "body", body_value(&response));
    r = *ret_value ? 0 : error_set(err, ENOMEM, "object %s: out of memory", object->id);
  } else {
    r = refuse(object, "GET", http->read_path, &response, err);
  }
  http_response_finish(&response);
  return r;
}

const struct object_transport object_http_transport = {
    .check = http_check,
    .same_place = http_same_place,
    .same = http_same,
    .put = http_put,
    .remove = http_remove,
    .dies_with_run = http_dies_with_run,
    .read = http_read,
};
