#include "host/load/http2_fields.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

#define OWN_FIELDS 7 /* four that begin with a colon, user-agent, and content-length or what gRPC has */

/* While the text grows, a field is its lengths: its pointers follow when the text stands. */
struct draft {
  struct strbuf text;
  nghttp2_nv *list;
  size_t count;
};

static void add(struct draft *draft, const char *name, size_t name_length, const char *value) {
  nghttp2_nv *field = &draft->list[draft->count++];
  for (size_t i = 0; i < name_length; i++) {
    char lower = (char)tolower((unsigned char)name[i]); /* RFC 9113, 8.2 */
    strbuf_append(&draft->text, &lower, 1);
  }
  strbuf_puts(&draft->text, value);
  *field = (nghttp2_nv){.namelen = name_length,
                        .valuelen = strlen(value),
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void add_own(struct draft *draft, const char *name, const char *value) {
  add(draft, name, strlen(name), value);
}

static bool is_named(const char *header, const char *name) {
  size_t length = strlen(name);
  return strncasecmp(header, name, length) == 0 && header[length] == ':';
}

static const char *value_of(const char *header) {
  const char *value = strchr(header, ':') + 1;
  return value + strspn(value, " \t");
}

static const char *find(const struct http2_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++)
    if (is_named(request->headers[i], name))
      return value_of(request->headers[i]);
  return NULL;
}

/* RFC 9113, 8.2.2. */
static int check(const struct http2_request *request, struct error **err) {
  static const char *const foreign[] = {"Keep-Alive", "Proxy-Connection", "Upgrade"};
  const char *te = find(request, "TE");
  for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
    if (find(request, foreign[i]))
      return error_set(err, EINVAL, "HTTP/2 has no header %s", foreign[i]);
  return !te || strcmp(te, "trailers") == 0 ? 0 : error_set(err, EINVAL, "with HTTP/2, the header TE is 'trailers'");
}

static void write_fields(struct draft *draft, const struct http2_request *request) {
  const char *host = find(request, "Host");
  char length[24];
  add_own(draft, ":method", request->method);
  add_own(draft, ":scheme", request->scheme);
  add_own(draft, ":authority", host ? host : request->authority);
  add_own(draft, ":path", request->path);
  if (!find(request, "User-Agent"))
    add_own(draft, "user-agent", "trammel");
  for (size_t i = 0; i < request->header_count; i++)
    if (!is_named(request->headers[i], "Host"))
      add(draft, request->headers[i], strcspn(request->headers[i], ":"), value_of(request->headers[i]));
  (void)snprintf(length, sizeof(length), "%zu", request->body_length);
  if (request->grpc) {
    add_own(draft, "te", "trailers");
    add_own(draft, "content-type", "application/grpc");
  } else if (request->has_body)
    add_own(draft, "content-length", length);
}

/* A value has no white space at its ends (RFC 9113, 8.2.1). */
static void trim(nghttp2_nv *field) {
  while (field->valuelen > 0 && (field->value[field->valuelen - 1] == ' ' || field->value[field->valuelen - 1] == '\t'))
    field->valuelen--;
}

int http2_fields_init(struct http2_fields *fields, const struct http2_request *request, struct error **err) {
  struct draft draft = {.text = STRBUF_INIT, .list = calloc(request->header_count + OWN_FIELDS, sizeof(*draft.list))};
  int r = draft.list ? check(request, err) : error_set(err, ENOMEM, "no memory for the fields of a request");
  if (r == 0)
    write_fields(&draft, request);
  *fields = (struct http2_fields){.list = draft.list, .count = draft.count, .text = strbuf_steal(&draft.text)};
  if (r == 0 && !fields->text)
    r = error_set(err, ENOMEM, "no memory for the fields of a request");
  uint8_t *at = (uint8_t *)fields->text;
  for (size_t i = 0; r == 0 && i < fields->count; i++) {
    nghttp2_nv *field = &fields->list[i];
    field->name = at;
    field->value = at + field->namelen;
    at += field->namelen + field->valuelen;
    trim(field);
  }
  if (r < 0)
    http2_fields_finish(fields);
  return r;
}

void http2_fields_finish(struct http2_fields *fields) {
  free(fields->list);
  free(fields->text);
  *fields = (struct http2_fields){0};
}
