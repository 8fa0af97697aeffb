#include "host/cli/native_text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "sdk/base/document.h"

#define PB(name) Trammel__Adapter__V1__##name
#define OVER_HTTP TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_HTTP
#define TO_KUBERNETES TRAMMEL__ADAPTER__V1__NATIVE_OBJECT__TRANSPORT_KUBERNETES

static int no_memory(struct error **err) {
  return error_set(err, ENOMEM, "out of memory");
}

static const char *string_in(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

/* The body must be the object that the adapter says it is: kubectl goes by the body. */
static int kubernetes_object(const PB(NativeObject) * from, json_t **ret_json, struct error **err) {
  json_error_t wrong;
  json_t *body = json_loadb((const char *)from->body.data, from->body.len, JSON_REJECT_DUPLICATES, &wrong);
  const PB(KubernetesObject) *said = from->kubernetes;
  const json_t *metadata = json_object_get(body, "metadata");
  if (!json_is_object(body)) {
    json_decref(body);
    return error_set(err, EPROTO, "the adapter's object %.200s has a body that is no JSON object", from->id);
  }
  if (strcmp(string_in(body, "apiVersion"), said->api_version) != 0 ||
      strcmp(string_in(body, "kind"), said->kind) != 0 || strcmp(string_in(metadata, "name"), said->name) != 0 ||
      strcmp(string_in(metadata, "namespace"), said->namespace_) != 0) {
    json_decref(body);
    return error_set(
        err, EPROTO,
        "the adapter says that its object %.200s is the %.100s %.100s %.100s/%.100s, and its body says otherwise",
        from->id, said->api_version, said->kind, said->namespace_, said->name);
  }
  *ret_json = body;
  return 0;
}

static json_t *http_head(const PB(HttpObject) * http) {
  json_t *head = json_pack("{s:s, s:s, s:s}", "endpoint", http->endpoint, "method", http->method, "path", http->path);
  if (head && strcmp(http->content_type, "application/json") != 0 &&
      json_object_set_new(head, "contentType", json_string(http->content_type)) < 0) {
    json_decref(head);
    return NULL;
  }
  return head;
}

/* A body that is no JSON is a string. */
static int http_object(const PB(NativeObject) * from, json_t **ret_json, struct error **err) {
  json_t *body = json_loadb((const char *)from->body.data, from->body.len, JSON_DECODE_ANY, NULL);
  if (!body)
    body = json_stringn((const char *)from->body.data, from->body.len);
  if (!body)
    return error_set(err, EPROTO, "the adapter's object %.200s has a body that is neither JSON nor UTF-8", from->id);
  json_t *json = http_head(from->http);
  if (json_object_set_new(json, "body", body) == 0) {
    *ret_json = json;
    return 0;
  }
  json_decref(json);
  return no_memory(err);
}

static int object_json(const PB(NativeObject) * from, json_t **ret_json, struct error **err) {
  switch (from->transport_case) {
  case TO_KUBERNETES:
    return kubernetes_object(from, ret_json, err);
  case OVER_HTTP:
    return http_object(from, ret_json, err);
  default:
    return error_set(err, EPROTO, "the adapter's object %.200s says not how it is created", from->id);
  }
}

static int written(int r, const PB(NativeObject) * object, struct error **err) {
  if (r == 0)
    return 0;
  return r == -ENOMEM ? no_memory(err)
                      : error_set(err, EPROTO, "the adapter's object %.200s cannot be written: %s", object->id,
                                  r == -E2BIG ? "it is nested too deep" : "a string in it is not UTF-8");
}

static int restyle_kubernetes(const PB(NativeObject) * object, struct strbuf *out) {
  const PB(KubernetesObject) *said = object->kubernetes;
  const struct json_claim claims[] = {{NULL, "apiVersion", said->api_version},
                                      {NULL, "kind", said->kind},
                                      {"metadata", "name", said->name},
                                      {"metadata", "namespace", said->namespace_}};
  return yaml_restyle(NULL, (const char *)object->body.data, object->body.len, claims, sizeof claims / sizeof claims[0],
                      out);
}

static int restyle_http(const PB(NativeObject) * object, struct strbuf *out) {
  json_t *head = http_head(object->http);
  int r = head ? yaml_write(head, out) : -ENOMEM;
  json_decref(head);
  return r < 0 ? r : yaml_restyle("body", (const char *)object->body.data, object->body.len, NULL, 0, out);
}

/* Nearly all objects go from text to text. -ENOTSUP, with nothing appended, for one that has to be looked at. */
static int restyle(const PB(NativeObject) * object, struct strbuf *out) {
  const size_t before = out->length;
  int r = object->transport_case == TO_KUBERNETES ? restyle_kubernetes(object, out)
          : object->transport_case == OVER_HTTP   ? restyle_http(object, out)
                                                  : -ENOTSUP;
  if (r < 0)
    strbuf_truncate(out, before);
  return r;
}

static int append_yaml(const PB(NativeObject) * object, struct strbuf *out, struct error **err) {
  json_t *json = NULL;
  strbuf_puts(out, "---\n");
  if (restyle(object, out) == 0)
    return 0;
  int r = object_json(object, &json, err);
  if (r < 0)
    return r;
  r = written(yaml_write(json, out), object, err);
  json_decref(json);
  return r;
}

/* As one of a list: what json_write() gives, moved to the right. Strings hold no line ends. */
static int append_item(const PB(NativeObject) * object, bool first, struct strbuf *out, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = NULL;
  int r = object_json(object, &json, err);
  if (r < 0)
    return r;
  r = written(json_write(json, &text), object, err);
  json_decref(json);
  if (r < 0)
    return r;
  strbuf_puts(out, first ? "\n" : ",\n");
  for (const char *line = strbuf_text(&text), *end; *line; line = *end ? end + 1 : end) {
    end = strchrnul(line, '\n');
    strbuf_puts(out, "    ");
    strbuf_append(out, line, (size_t)(end - line));
    if (end[0] && end[1])
      strbuf_putc(out, '\n');
  }
  return 0;
}

static int append_list(const PB(TranslateResponse) * response, int transport, struct strbuf *out, struct error **err) {
  bool first = true;
  int r = 0;
  strbuf_putc(out, '[');
  for (size_t i = 0; i < response->n_objects && r == 0; i++) {
    if ((int)response->objects[i]->transport_case != transport)
      continue;
    r = append_item(response->objects[i], first, out, err);
    first = false;
  }
  strbuf_puts(out, first ? "]" : "\n  ]");
  return r;
}

static size_t count_of(const PB(TranslateResponse) * response, int transport) {
  size_t count = 0;
  for (size_t i = 0; i < response->n_objects; i++)
    count += (int)response->objects[i]->transport_case == transport;
  return count;
}

static int append_json(const PB(TranslateResponse) * response, struct strbuf *out, struct error **err) {
  size_t requests = count_of(response, OVER_HTTP);
  if (count_of(response, TO_KUBERNETES) + requests < response->n_objects)
    return error_set(err, EPROTO, "the adapter's answer has an object that says not how it is created");
  strbuf_puts(out, "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": ");
  int r = append_list(response, TO_KUBERNETES, out, err);
  if (r == 0 && requests > 0) {
    strbuf_puts(out, ",\n  \"requests\": ");
    r = append_list(response, OVER_HTTP, out, err);
  }
  strbuf_puts(out, "\n}\n");
  return r;
}

int native_text(const PB(TranslateResponse) * response, enum native_format format, struct strbuf *out,
                struct error **err) {
  int r = 0;
  if (format == NATIVE_JSON)
    r = append_json(response, out, err);
  else
    for (size_t i = 0; i < response->n_objects && r == 0; i++)
      r = append_yaml(response->objects[i], out, err);
  return r == 0 && strbuf_failed(out) ? no_memory(err) : r;
}
