#include "host/adapter/services.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/op.h"

#define LINE_MAX_BYTES 4096
#define PATH_MAX_BYTES 8192 /* CALL_PATH_MAX of adapters, and a NUL */

static void (*log_write)(void *ctx, const char *adapter, uint32_t level, const char *line);
static void *log_ctx;

void adapter_log_to(void (*write)(void *ctx, const char *adapter, uint32_t level, const char *line), void *ctx) {
  log_write = write;
  log_ctx = ctx;
}

void services_log(const char *adapter, uint32_t level, const char *line, size_t length) {
  char text[LINE_MAX_BYTES];
  if (!log_write)
    return;
  size_t n = length < sizeof text - 1 ? length : sizeof text - 1;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)line[i];
    text[i] = c < ' ' || c == 0x7f ? ' ' : line[i];
  }
  text[n] = '\0';
  log_write(log_ctx, adapter, level, text);
}

static void service_log(const trammel_host *host, uint32_t level, trammel_str line) {
  services_log(inprocess_id(host->ctx), level, line.p, line.n);
}

/* A segment that a server may read as "." or "..", also when its dots are encoded. */
static bool dot_segment(const char *segment, size_t length) {
  size_t dots = 0;
  for (size_t i = 0; i < length; dots++) {
    if (segment[i] == '.')
      i++;
    else if (length - i >= 3 && strncasecmp(segment + i, "%2e", 3) == 0)
      i += 3;
    else
      return false;
  }
  return dots == 1 || dots == 2;
}

static const char *path_fault(const char *path) {
  if (path[0] != '/')
    return "the path does not start with /";
  size_t end = strcspn(path, "?");
  for (const char *p = path; *p; p++)
    if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '#' || *p == '\\')
      return "the path holds a space, a control character, # or a backslash";
  for (size_t i = 0; i < end;) {
    size_t n = strcspn(path + i + 1, "/?");
    if (dot_segment(path + i + 1, n))
      return "the path holds a . or .. segment";
    i += n + 1;
  }
  for (size_t i = 0; i + 2 < end; i++)
    if (strncasecmp(path + i, "%2f", 3) == 0 || strncasecmp(path + i, "%5c", 3) == 0)
      return "the path holds an encoded slash or backslash";
  return NULL;
}

int path_check(const char *path, const char **ret_reason) {
  const char *fault = path_fault(path);
  if (fault)
    *ret_reason = fault;
  return fault ? -EINVAL : 0;
}

int permission_check(const Trammel__Adapter__V1__DescribeResponse *description, const char *endpoint,
                     const char *method, const char *path, const char **ret_reason) {
  const char *fault = path_fault(path);
  *ret_reason = fault ? fault : "the adapter declares no endpoint of this name";
  for (size_t i = 0; !fault && description && i < description->n_endpoints; i++) {
    const Trammel__Adapter__V1__Endpoint *e = description->endpoints[i];
    if (strcmp(e->name, endpoint) != 0)
      continue;
    *ret_reason = "the adapter declares no permission for this method and path";
    for (size_t j = 0; j < e->n_permissions; j++) {
      const Trammel__Adapter__V1__Permission *p = e->permissions[j];
      if ((strcmp(p->method, "*") == 0 || strcmp(p->method, method) == 0) &&
          strncmp(path, p->path_prefix, strlen(p->path_prefix)) == 0)
        return 0;
    }
  }
  return -EACCES;
}

/* A request with its strings terminated. */
struct outgoing {
  char endpoint[64];
  char method[32];
  char path[PATH_MAX_BYTES];
  char content_type[128];
};

static bool copy(char *to, size_t size, trammel_str from) {
  if (from.n >= size || (from.n && memchr(from.p, '\0', from.n)))
    return false;
  if (from.n)
    memcpy(to, from.p, from.n);
  to[from.n] = '\0';
  return true;
}

static bool is_token(const char *text) {
  return *text && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static const char *read_outgoing(const trammel_http_request *request, struct outgoing *out) {
  out->content_type[0] = '\0';
  if (request->size < TRAMMEL_HTTP_REQUEST_SIZE_1_0)
    return "the request's table is shorter than ABI 1.0 has it";
  if (!copy(out->endpoint, sizeof out->endpoint, request->endpoint) ||
      !copy(out->method, sizeof out->method, request->method) || !copy(out->path, sizeof out->path, request->path))
    return "endpoint, method or path is too long or holds a NUL";
  if (!is_token(out->method))
    return "the method is no word of capital letters";
  for (uint32_t i = 0; i < request->header_count; i++) {
    trammel_str name = request->headers[i].name;
    if (name.n != strlen("content-type") || strncasecmp(name.p, "content-type", name.n) != 0 ||
        !copy(out->content_type, sizeof out->content_type, request->headers[i].value))
      return "a header other than content-type: the host sends its own";
    if (strpbrk(out->content_type, "\r\n"))
      return "a header value holds a line break";
  }
  return NULL;
}

int http_status_of_errno(int error) {
  switch (error) {
  case -ENOENT:
  case -EDESTADDRREQ:
    return TRAMMEL_FAILED_PRECONDITION;
  case -EACCES:
    return TRAMMEL_PERMISSION_DENIED;
  case -ETIMEDOUT:
    return TRAMMEL_DEADLINE_EXCEEDED;
  case -ECANCELED:
    return TRAMMEL_CANCELLED;
  case -EFBIG:
  case -ENOMEM:
    return TRAMMEL_RESOURCE_EXHAUSTED;
  default:
    return TRAMMEL_UNAVAILABLE;
  }
}

static int send_request(trammel_op *op, const struct outgoing *out, trammel_str body, trammel_http_response *response) {
  const struct adapter_http *http = inprocess_http(op->owner);
  if (!http) {
    op_diagnose(op, TRAMMEL_ERROR, "ADAPTER-0004", "give its address", "endpoint %s has no address", out->endpoint);
    return TRAMMEL_FAILED_PRECONDITION;
  }
  _cleanup_error_ struct error *err = NULL;
  unsigned status = 0;
  _cleanup_free_ char *answer = NULL;
  size_t length = 0;
  int r = http->request(http->ctx, op->user, out->endpoint, out->method, out->path,
                        *out->content_type ? out->content_type : NULL, body.n ? body.p : NULL, body.n, op->deadline_ns,
                        &status, &answer, &length, &err);
  if (r == 0)
    r = op_keep_body(op, answer, length);
  if (r < 0) {
    op_diagnose(op, TRAMMEL_ERROR, "ADAPTER-0005", NULL, "%s %s at endpoint %s: %s", out->method, out->path,
                out->endpoint, err ? error_message(err) : strerror(-r));
    return http_status_of_errno(r);
  }
  response->status = status;
  response->content_type = (trammel_str){NULL, 0};
  response->body = (trammel_str){take(answer), length};
  return TRAMMEL_OK;
}

static int service_http(trammel_op *op, const trammel_http_request *request, trammel_http_response *response) {
  if (response->size < TRAMMEL_HTTP_RESPONSE_SIZE_1_0) {
    op_diagnose(op, TRAMMEL_ERROR, "ADAPTER-0003", NULL,
                "HTTP request refused: the response's table is shorter than "
                "ABI 1.0 has it");
    return TRAMMEL_INVALID_ARGUMENT;
  }
  if (!op_service_enter(op))
    return TRAMMEL_CANCELLED;
  struct outgoing out;
  const char *fault = read_outgoing(request, &out);
  int status = TRAMMEL_INVALID_ARGUMENT;
  if (!fault) {
    status = TRAMMEL_PERMISSION_DENIED;
    if (permission_check(inprocess_description(op->owner), out.endpoint, out.method, out.path, &fault) == 0)
      fault = NULL;
  }
  if (fault)
    op_diagnose(op, TRAMMEL_ERROR, "ADAPTER-0003", "declare the endpoint and its permissions in Describe",
                "HTTP request refused: %s (endpoint \"%.64s\", %.32s %.200s)", fault, out.endpoint, out.method,
                out.path);
  else
    status = send_request(op, &out, request->body, response);
  op_service_leave(op);
  return status;
}

const void *services_get(const trammel_host *host, const char *service_id) {
  (void)host;
  static const trammel_log_api log = {.head = {sizeof log, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                      .write = service_log};
  static const trammel_http_api http = {.head = {sizeof http, TRAMMEL_ABI_MAJOR, TRAMMEL_ABI_MINOR, 0},
                                        .request = service_http};
  if (strcmp(service_id, TRAMMEL_OP_SERVICE) == 0)
    return &op_service;
  if (strcmp(service_id, TRAMMEL_LOG_SERVICE) == 0)
    return &log;
  if (strcmp(service_id, TRAMMEL_HTTP_SERVICE) == 0)
    return &http;
  return NULL;
}
