#include <errno.h>
#include <string.h>

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

static int http_check(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;

  if (!*http->endpoint || !*http->method || http->path[0] != '/')
    return error_set(err, EINVAL, "object %s: an endpoint, a method and an absolute path are needed", object->id);
  if (http->identity)
    return error_set(err, ENOTSUP, "object %s has an identity, and this build cannot tell whose it is", object->id);
  if (*http->delete_method && http->delete_path[0] != '/')
    return error_set(err, EINVAL, "object %s: its removal by %s needs an absolute path", object->id,
                     http->delete_method);
  int r = endpoints_permit(mesh->endpoints, http->endpoint, http->method, http->path, err);
  if (r == 0 && *http->delete_method)
    r = endpoints_permit(mesh->endpoints, http->endpoint, http->delete_method, http->delete_path, err);
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

static int http_journal(const struct mesh *mesh, const native_object *object, struct error **err) {
  _cleanup_free_ char *name = journal_name(object);
  _cleanup_free_ char *url = NULL;

  if (!name)
    return error_set(err, ENOMEM, "object %s: out of memory", object->id);
  int r = endpoints_url(mesh->endpoints, object->http->endpoint, object->http->delete_path, &url, err);
  return r < 0 ? r : journal_object_intended(mesh->journal, name, object->http->delete_method, url, err);
}

static int http_put(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;
  struct http_response response = {0};

  int r = http_needs_journal(mesh, object) ? http_journal(mesh, object, err) : 0;
  if (r < 0)
    return r;
  r = endpoints_send(mesh->endpoints,
                     &(struct endpoint_request){.endpoint = http->endpoint,
                                                .method = http->method,
                                                .path = http->path,
                                                .content_type = http->content_type,
                                                .body = object->body.len > 0 ? object->body.data : NULL,
                                                .body_length = object->body.len,
                                                .response_max = ANSWER_MAX,
                                                .deadline_ns = patience_deadline_ns(OBJECT_TIMEOUT_NS)},
                     &response, err);
  if (r < 0) {
    (void)error_wrap(err, "object %s", object->id);
    return r;
  }
  if (!succeeded(response.status))
    r = refuse(object, http->method, http->path, &response, err);
  http_response_finish(&response);
  return r;
}

static int http_remove(const struct mesh *mesh, const native_object *object, struct error **err) {
  const http_object *http = object->http;
  struct http_response response = {0};

  if (!*http->delete_method)
    return 0;
  int r = endpoints_send(mesh->endpoints,
                         &(struct endpoint_request){.endpoint = http->endpoint,
                                                    .method = http->delete_method,
                                                    .path = http->delete_path,
                                                    .response_max = ANSWER_MAX,
                                                    .deadline_ns = clock_monotonic_ns() + OBJECT_TIMEOUT_NS,
                                                    .regardless = true},
                         &response, err);
  if (r < 0) {
    (void)error_wrap(err, "object %s", object->id);
    return r;
  }
  if (!succeeded(response.status) && !absent(response.status))
    r = refuse(object, http->delete_method, http->delete_path, &response, err);
  http_response_finish(&response);
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

static int http_read(const struct mesh *mesh, const native_object *object, json_t **ret_value, struct error **err) {
  const http_object *http = object->http;
  struct http_response response = {0};

  *ret_value = NULL;
  if (!*http->read_path)
    return 0;
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
