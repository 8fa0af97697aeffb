#include "host/load/target_request.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "host/load/grpc_call.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/token.h"

/* Visible characters, space and tab: nothing that ends a line. */
static bool is_value(const char *text) {
  for (const char *c = text; *c; c++)
    if ((unsigned char)*c < ' ' ? *c != '\t' : *c == 0x7f)
      return false;
  return true;
}

static bool is_named(const char *header, const char *name) {
  size_t length = strlen(name);
  return strncasecmp(header, name, length) == 0 && header[length] == ':';
}

static int check_header(const char *header, struct error **err) {
  static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection"};
  const char *colon = strchr(header, ':');
  if (!colon || !token_valid(header, (size_t)(colon - header)) || !is_value(colon))
    return error_set(err, EINVAL, "'%.200s' is no header such as 'Name: value'", header);
  for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
    if (is_named(header, ours[i]))
      return error_set(err, EINVAL, "the header %s follows from the request: it can't be given", ours[i]);
  return 0;
}

static bool has_header(const struct target_options *options, const char *name) {
  for (size_t i = 0; i < options->header_count; i++)
    if (is_named(options->headers[i], name))
      return true;
  return false;
}

static int check_headers(const struct target_options *options, struct error **err) {
  if (options->header_count > TARGET_HEADERS_MAX)
    return error_set(err, E2BIG, "at most %d headers", TARGET_HEADERS_MAX);
  for (size_t i = 0; i < options->header_count; i++) {
    int r = check_header(options->headers[i], err);
    if (r < 0)
      return r;
  }
  return 0;
}

static int check_echo(const struct target_options *options, const struct target_url *url, struct error **err) {
  if (options->method || options->header_count > 0 || options->http2)
    return error_set(err, EINVAL, "a method, headers and HTTP/2 are for HTTP, not for %s://", url->scheme);
  if (!url->datagrams && options->body_length == 0)
    return error_set(err, EINVAL, "tcp:// wants a body: what is sent, and comes back");
  if (url->datagrams && options->body_length > TARGET_UDP_MAX - TARGET_UDP_NUMBER)
    return error_set(err, E2BIG, "a datagram has at most %zu bytes behind its number of %zu",
                     TARGET_UDP_MAX - TARGET_UDP_NUMBER, TARGET_UDP_NUMBER);
  return 0;
}

/* "PACKAGE.SERVICE/METHOD". */
static bool is_call(const char *text) {
  const char *slash = strchr(text, '/');
  if (!slash || slash == text || !slash[1] || strlen(text) > TARGET_CALL_MAX)
    return false;
  for (const char *c = text; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.' && c != slash)
      return false;
  return true;
}

static int check_grpc(const struct target_options *options, const struct target_url *url, struct error **err) {
  static const char *const ours[] = {"Content-Type", "TE", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding"};
  bool health = options->grpc_health;
  uint64_t messages = options->grpc_messages > 0 ? options->grpc_messages : 1;
  if (health && (options->grpc || options->body || messages > 1))
    return error_set(err, EINVAL, "a health check is a call of its own: without a method, a body and messages");
  if (health && strlen(options->grpc_health) > TARGET_HEALTH_MAX)
    return error_set(err, E2BIG, "a service's name has at most %d bytes", TARGET_HEALTH_MAX);
  if (!health && !is_call(options->grpc))
    return error_set(err, EINVAL, "'%.200s' is no method of gRPC such as package.Service/Method", options->grpc);
  if (options->method || strcmp(url->path, "/") != 0 || url->query)
    return error_set(err, EINVAL, "with gRPC, the method of HTTP and the path of the URL follow from the call");
  if (messages > TARGET_MESSAGES_MAX || messages * (GRPC_PREFIX + options->body_length) > TARGET_BODY_MAX)
    return error_set(err, E2BIG, "the messages of a call are at most %d, and have at most %u bytes",
                     TARGET_MESSAGES_MAX, TARGET_BODY_MAX);
  for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
    if (has_header(options, ours[i]))
      return error_set(err, EINVAL, "the header %s follows from gRPC: it can't be given", ours[i]);
  return 0;
}

int target_request_check(const struct target_options *options, const struct target_url *url, struct error **err) {
  bool grpc = options->grpc || options->grpc_health;
  bool many = options->http2 || grpc || url->datagrams;
  if (options->streams > TARGET_STREAMS_MAX)
    return error_set(err, E2BIG, "a connection has at most %d streams", TARGET_STREAMS_MAX);
  if (options->streams > 1 && (!many || options->fresh))
    return error_set(err, EINVAL,
                     "streams of a connection are for HTTP/2, gRPC and UDP, and for connections that are kept");
  if (options->method &&
      (!token_valid(options->method, strlen(options->method)) || strcmp(options->method, "CONNECT") == 0))
    return error_set(err, EINVAL, "'%.100s' is no method that can be asked for", options->method);
  if (options->body_length > TARGET_BODY_MAX)
    return error_set(err, E2BIG, "a body has at most %u bytes", TARGET_BODY_MAX);
  if (grpc && url->echo)
    return error_set(err, EINVAL, "gRPC is for a URL with http or https");
  if (!grpc && options->grpc_messages > 0)
    return error_set(err, EINVAL, "messages are for a call of gRPC");
  int r = check_headers(options, err);
  if (r == 0 && url->echo)
    r = check_echo(options, url, err);
  return r == 0 && grpc ? check_grpc(options, url, err) : r;
}

static bool takes_body(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static bool has_usual_port(const struct target_url *parts) {
  return strcmp(parts->port, parts->secure ? "443" : "80") == 0;
}

/* Takes the text, whose last bytes are the body. */
static int keep(struct strbuf *text, size_t body_length, struct target *target, struct error **err) {
  target->request_length = text->length;
  target->request = strbuf_steal(text);
  if (!target->request)
    return error_set(err, ENOMEM, "no memory for a request");
  target->body_length = body_length;
  target->body = target->request + target->request_length - body_length;
  return 0;
}

static int write_http1(const struct target_options *options, const struct target_url *parts, struct target *target,
                       struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "%s %s%s%s HTTP/1.1\r\n", target->method, parts->path, parts->query ? "?" : "",
                parts->query ? parts->query : "");
  if (!has_header(options, "Host"))
    strbuf_printf(&text, "Host: %s%s%s\r\n", parts->host, has_usual_port(parts) ? "" : ":",
                  has_usual_port(parts) ? "" : parts->port);
  if (!has_header(options, "User-Agent"))
    strbuf_puts(&text, "User-Agent: trammel\r\n");
  for (size_t i = 0; i < options->header_count; i++)
    strbuf_printf(&text, "%s\r\n", options->headers[i]);
  if (options->fresh)
    strbuf_puts(&text, "Connection: close\r\n");
  if (options->body || takes_body(target->method)) /* RFC 9110, 8.6 */
    strbuf_printf(&text, "Content-Length: %zu\r\n", options->body ? options->body_length : 0);
  strbuf_puts(&text, "\r\n");
  if (options->body)
    strbuf_append(&text, options->body, options->body_length);
  return keep(&text, options->body_length, target, err);
}

static int write_fields(const struct target_options *options, const struct target_url *parts, struct target *target,
                        struct error **err) {
  _cleanup_strbuf_ struct strbuf authority = STRBUF_INIT, path = STRBUF_INIT;
  strbuf_puts(&authority, parts->host);
  if (!has_usual_port(parts))
    strbuf_printf(&authority, ":%s", parts->port);
  if (target->call)
    strbuf_printf(&path, "/%s", target->call);
  else
    strbuf_printf(&path, "%s%s%s", parts->path, parts->query ? "?" : "", parts->query ? parts->query : "");
  if (strbuf_failed(&authority) || strbuf_failed(&path))
    return error_set(err, ENOMEM, "no memory for a request");
  return http2_fields_init(&target->fields,
                           &(struct http2_request){.method = target->method,
                                                   .scheme = parts->scheme,
                                                   .authority = strbuf_text(&authority),
                                                   .path = strbuf_text(&path),
                                                   .headers = options->headers,
                                                   .header_count = options->header_count,
                                                   .grpc = target->protocol == TARGET_GRPC,
                                                   .has_body = options->body || takes_body(target->method),
                                                   .body_length = target->body_length},
                           err);
}

static int write_echo(const struct target_options *options, struct target *target, struct error **err) {
  static const char number[TARGET_UDP_NUMBER] = {0};
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (target->protocol == TARGET_UDP)
    strbuf_append(&text, number, sizeof(number));
  strbuf_append(&text, options->body, options->body_length);
  return keep(&text, options->body_length, target, err);
}

/* HealthCheckRequest of grpc.health.v1: its field 1 is the service's name. */
static void write_health_check(const char *service, struct strbuf *text) {
  size_t length = strlen(service);
  if (length == 0)
    return;
  strbuf_append(text, "\x0a", 1);
  for (; length > 0x7f; length >>= 7)
    strbuf_append(text, &(char){(char)(length | 0x80)}, 1);
  strbuf_append(text, &(char){(char)length}, 1);
  strbuf_puts(text, service);
}

static int write_grpc(const struct target_options *options, struct target *target, struct error **err) {
  _cleanup_strbuf_ struct strbuf message = STRBUF_INIT, text = STRBUF_INIT;
  uint8_t prefix[GRPC_PREFIX];
  if (target->health)
    write_health_check(options->grpc_health, &message);
  else
    strbuf_append(&message, options->body, options->body_length);
  grpc_prefix_put(prefix, (uint32_t)message.length);
  for (uint32_t i = 0; i < target->messages; i++) {
    strbuf_append(&text, (const char *)prefix, sizeof(prefix));
    strbuf_append(&text, strbuf_text(&message), message.length);
  }
  if (strbuf_failed(&message))
    return error_set(err, ENOMEM, "no memory for a request");
  return keep(&text, text.length, target, err);
}

int target_request_write(const struct target_options *options, const struct target_url *url, struct target *target,
                         struct error **err) {
  switch (target->protocol) {
  case TARGET_TCP:
  case TARGET_UDP:
    return write_echo(options, target, err);
  case TARGET_HTTP1:
    return write_http1(options, url, target, err);
  case TARGET_HTTP2:
  case TARGET_GRPC:
    break;
  }
  int r = target->protocol == TARGET_GRPC ? write_grpc(options, target, err) : write_http1(options, url, target, err);
  return r == 0 ? write_fields(options, url, target, err) : r;
}
