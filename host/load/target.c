#include "host/load/target.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

DEFINE_CLEANUP(CURLU *, curl_url_cleanup);
DEFINE_CLEANUP(char *, curl_free);

/* ---- the URL */

static int copy_part(CURLU *url, CURLUPart part, unsigned flags, char **ret_text, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  CURLUcode code = curl_url_get(url, part, &text, flags);
  *ret_text = code == CURLUE_OK ? strdup(text) : NULL;
  return *ret_text ? 0 : error_set(err, ENOMEM, "no memory for a URL");
}

/* A part that may be missing: NULL then. */
static int copy_optional(CURLU *url, CURLUPart part, char **ret_text, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  return curl_url_get(url, part, &text, 0) == CURLUE_OK ? copy_part(url, part, 0, ret_text, err) : 0;
}

static int copy_port(CURLU *url, char *port, size_t size, struct error **err) {
  _cleanup_(curl_free_p) char *text = NULL;
  if (curl_url_get(url, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
    return error_set(err, ENOMEM, "no memory for a URL");
  (void)snprintf(port, size, "%s", text);
  return 0;
}

/* An IPv6 address has brackets in a URL, and none where it is looked up. */
static void strip_brackets(char *host) {
  size_t length = strlen(host);
  if (host[0] != '[' || host[length - 1] != ']')
    return;
  memmove(host, host + 1, length - 2);
  host[length - 2] = '\0';
}

/* Visible ASCII, as RFC 3986 has it: everything else is written with percent signs. */
static bool is_plain(const char *text) {
  for (; *text; text++)
    if (*text <= ' ' || *text > '~')
      return false;
  return true;
}

struct url_parts {
  char *scheme, *host, *path, *query, *user;
  bool secure; /* https */
  char port[sizeof(((struct target *)0)->port)];
};

static void url_parts_finish(struct url_parts *parts) {
  free(parts->scheme);
  free(parts->host);
  free(parts->path);
  free(parts->query);
  free(parts->user);
}

static int read_url(const char *text, struct url_parts *parts, struct error **err) {
  _cleanup_(curl_url_cleanup_p) CURLU *url = curl_url();
  if (!url)
    return error_set(err, ENOMEM, "no memory for a URL");
  bool plain = strlen(text) <= TARGET_URL_MAX && is_plain(text);
  CURLUcode code = plain ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_MALFORMED_INPUT;
  if (code != CURLUE_OK)
    return error_set(err, EINVAL, "'%.200s' is no URL such as http://127.0.0.1:8080/path: %s", text,
                     curl_url_strerror(code));
  int r = copy_part(url, CURLUPART_SCHEME, 0, &parts->scheme, err);
  if (r == 0)
    r = copy_part(url, CURLUPART_HOST, 0, &parts->host, err);
  parts->secure = r == 0 && strcmp(parts->scheme, "https") == 0;
  if (r == 0 && strcmp(parts->scheme, "http") != 0 && !parts->secure)
    return error_set(err, EINVAL, "%.200s: the scheme is http or https, not %s", text, parts->scheme);
  if (r == 0)
    r = copy_port(url, parts->port, sizeof(parts->port), err);
  if (r == 0)
    r = copy_part(url, CURLUPART_PATH, 0, &parts->path, err);
  if (r == 0)
    r = copy_optional(url, CURLUPART_QUERY, &parts->query, err);
  if (r == 0)
    r = copy_optional(url, CURLUPART_USER, &parts->user, err);
  if (r == 0 && parts->user)
    return error_set(err, EINVAL, "%.200s: a user is given by a header (Authorization), not in the URL", text);
  return r;
}

/* ---- the request */

static bool is_token(const char *text, size_t length) {
  static const char others[] = "!#$%&'*+-.^_`|~"; /* RFC 9110, 5.6.2 */
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && !(c && strchr(others, c)))
      return false;
  }
  return length > 0;
}

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
  if (!colon || !is_token(header, (size_t)(colon - header)) || !is_value(colon))
    return error_set(err, EINVAL, "'%.200s' is no header such as 'Name: value'", header);
  for (size_t i = 0; i < ARRAY_COUNT(ours); i++)
    if (is_named(header, ours[i]))
      return error_set(err, EINVAL, "the header %s follows from the request: it can't be given", ours[i]);
  return 0;
}

static int check_options(const struct target_options *options, struct error **err) {
  if (options->streams > TARGET_STREAMS_MAX)
    return error_set(err, E2BIG, "a connection has at most %d streams", TARGET_STREAMS_MAX);
  if (options->streams > 1 && (!options->http2 || options->fresh))
    return error_set(err, EINVAL, "streams of a connection are for HTTP/2, and for connections that are kept");
  if (!is_token(options->method, strlen(options->method)) || strcmp(options->method, "CONNECT") == 0)
    return error_set(err, EINVAL, "'%.100s' is no method that can be asked for", options->method);
  if (options->header_count > TARGET_HEADERS_MAX)
    return error_set(err, E2BIG, "at most %d headers", TARGET_HEADERS_MAX);
  if (options->body_length > TARGET_BODY_MAX)
    return error_set(err, E2BIG, "a body has at most %u bytes", TARGET_BODY_MAX);
  for (size_t i = 0; i < options->header_count; i++) {
    int r = check_header(options->headers[i], err);
    if (r < 0)
      return r;
  }
  return 0;
}

static bool has_header(const struct target_options *options, const char *name) {
  for (size_t i = 0; i < options->header_count; i++)
    if (is_named(options->headers[i], name))
      return true;
  return false;
}

static bool takes_body(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

static bool has_usual_port(const struct url_parts *parts) {
  return strcmp(parts->port, parts->secure ? "443" : "80") == 0;
}

static int write_request(const struct target_options *options, const struct url_parts *parts, struct target *target,
                         struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "%s %s%s%s HTTP/1.1\r\n", options->method, parts->path, parts->query ? "?" : "",
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
  if (options->body || takes_body(options->method)) /* RFC 9110, 8.6 */
    strbuf_printf(&text, "Content-Length: %zu\r\n", options->body ? options->body_length : 0);
  strbuf_puts(&text, "\r\n");
  if (options->body)
    strbuf_append(&text, options->body, options->body_length);
  target->request_length = text.length;
  target->request = strbuf_steal(&text);
  return target->request ? 0 : error_set(err, ENOMEM, "no memory for a request");
}

static int write_fields(const struct target_options *options, const struct url_parts *parts, struct target *target,
                        struct error **err) {
  _cleanup_strbuf_ struct strbuf authority = STRBUF_INIT, path = STRBUF_INIT;
  strbuf_puts(&authority, parts->host);
  if (!has_usual_port(parts))
    strbuf_printf(&authority, ":%s", parts->port);
  strbuf_printf(&path, "%s%s%s", parts->path, parts->query ? "?" : "", parts->query ? parts->query : "");
  if (strbuf_failed(&authority) || strbuf_failed(&path))
    return error_set(err, ENOMEM, "no memory for a request");
  return http2_fields_init(&target->fields,
                           &(struct http2_request){.method = options->method,
                                                   .scheme = parts->scheme,
                                                   .authority = strbuf_text(&authority),
                                                   .path = strbuf_text(&path),
                                                   .headers = options->headers,
                                                   .header_count = options->header_count,
                                                   .has_body = options->body || takes_body(options->method),
                                                   .body_length = options->body_length},
                           err);
}

/* ---- the whole */

static int secure(struct target *target, const struct target_options *options, const struct url_parts *parts,
                  struct error **err) {
  struct tls_options tls = options->tls;
  bool given = tls.trust_file || tls.certificate_file || tls.key_file || tls.server_name || tls.insecure;
  if (!parts->secure)
    return given ? error_set(err, EINVAL, "%.200s: certificates are for a URL with https", target->url) : 0;
  if (!tls.server_name)
    tls.server_name = target->host;
  return tls_create(&tls, target->http2 ? "h2" : "http/1.1", &target->tls, err);
}

int target_create(const struct target_options *options, struct target **ret_target, struct error **err) {
  _cleanup_(url_parts_finish) struct url_parts parts = {0};
  _cleanup_(target_destroy_p) struct target *target = calloc(1, sizeof(*target));
  int r = check_options(options, err);
  if (r == 0)
    r = read_url(options->url, &parts, err);
  if (r < 0)
    return r;
  if (!target || !(target->url = strdup(options->url)))
    return error_set(err, ENOMEM, "no memory for a target");
  r = write_request(options, &parts, target, err);
  if (r == 0 && options->http2)
    r = write_fields(options, &parts, target, err);
  if (r < 0)
    return r;
  target->http2 = options->http2;
  target->streams = options->streams > 0 ? options->streams : 1;
  target->body_length = options->body ? options->body_length : 0;
  target->body = target->request + target->request_length - target->body_length;
  target->head = strcmp(options->method, "HEAD") == 0;
  target->fresh = options->fresh;
  target->host = take(parts.host);
  strip_brackets(target->host);
  (void)snprintf(target->port, sizeof(target->port), "%s", parts.port);
  r = secure(target, options, &parts, err);
  if (r == 0)
    *ret_target = take(target);
  return r;
}

void target_destroy(struct target *target) {
  if (!target)
    return;
  tls_destroy(target->tls);
  http2_fields_finish(&target->fields);
  free(target->url);
  free(target->host);
  free(target->request);
  free(target);
}

/* ---- addresses */

static void set_address(struct target *target, const struct addrinfo *found) {
  memcpy(&target->address.at, found->ai_addr, found->ai_addrlen);
  target->address.length = found->ai_addrlen;
}

static bool can_connect(const struct addrinfo *found, int64_t timeout_ns) {
  _cleanup_close_ int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  if (connect(fd, found->ai_addr, found->ai_addrlen) == 0)
    return true;
  struct pollfd wait = {.fd = fd, .events = POLLOUT};
  int problem = errno;
  socklen_t size = sizeof(problem);
  return problem == EINPROGRESS && poll(&wait, 1, (int)(timeout_ns / NS_PER_MS)) == 1 &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
}

int target_resolve(struct target *target, int64_t timeout_ns, struct error **err) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
  struct addrinfo *found = NULL;
  int r = getaddrinfo(target->host, target->port, &hints, &found);
  if (r != 0)
    return error_set(err, EHOSTUNREACH, "%s has no address: %s", target->host,
                     r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
  const struct addrinfo *chosen = found;
  if (found->ai_next) /* a single one is not tried: whether it answers, the run shows */
    while (chosen && !can_connect(chosen, timeout_ns))
      chosen = chosen->ai_next;
  set_address(target, chosen ? chosen : found);
  freeaddrinfo(found);
  return 0;
}
