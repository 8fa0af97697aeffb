#include "host/transport/http/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define CANCEL_POLL_MS 20
#define WAIT_MAX_MS 1000

struct http_client {
  CURLM *multi; /* owns the connections, so that they outlive a request */
  CURL *easy;
  char *authorities;
  char *certificate;
  char *key;
  char *server_name;
  char *proxy;
  char *user_agent;
};

/* One request under way. */
struct exchange {
  const struct http_request *request;
  int64_t deadline_ns;
  size_t body_max;
  size_t head_length;
  size_t limit_passed; /* 0: none was */
  bool ended;          /* by on_data */
  CURL *easy;          /* borrowed from the client */
  struct strbuf body;
  struct strbuf location; /* method and URL, fit for messages */
  char curl_error[CURL_ERROR_SIZE];
};

/* What libcurl is given of a request. */
struct outgoing {
  struct curl_slist *headers;
  struct curl_slist *connect_to; /* NULL: where the URL says */
  const char *url;
  char *own_url; /* NULL: `url` is the request's */
};

static CURLcode global_result;

static void global_init(void) {
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Each text is copied, also the key: who gave it may forget it. */
static bool copy_options(struct http_client *client, const struct http_client_options *options) {
  const char *const from[] = {options->authorities, options->certificate, options->key,
                              options->server_name, options->proxy,       options->user_agent};
  char **const to[] = {&client->authorities, &client->certificate, &client->key,
                       &client->server_name, &client->proxy,       &client->user_agent};

  for (size_t i = 0; i < ARRAY_COUNT(from); i++) {
    *to[i] = from[i] ? strdup(from[i]) : NULL;
    if (from[i] && !*to[i])
      return false;
  }
  return true;
}

int http_client_create(struct http_client **ret_client, struct error **err) {
  return http_client_create_with(&(struct http_client_options){0}, ret_client, err);
}

int http_client_create_with(const struct http_client_options *options, struct http_client **ret_client,
                            struct error **err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  (void)pthread_once(&once, global_init);
  if (global_result != CURLE_OK)
    return error_set(err, EIO, "starting libcurl: %s", curl_easy_strerror(global_result));
  struct http_client *client = calloc(1, sizeof(*client));
  if (!client)
    return error_set(err, ENOMEM, "out of memory for an HTTP client");
  client->multi = curl_multi_init();
  client->easy = curl_easy_init();
  if (!client->multi || !client->easy || !copy_options(client, options)) {
    http_client_destroy(client);
    return error_set(err, ENOMEM, "out of memory for an HTTP client");
  }
  *ret_client = client;
  return 0;
}

void http_client_destroy(struct http_client *client) {
  if (!client)
    return;
  curl_easy_cleanup(client->easy);
  curl_multi_cleanup(client->multi);
  if (client->key)
    explicit_bzero(client->key, strlen(client->key));
  free(client->authorities);
  free(client->certificate);
  free(client->key);
  free(client->server_name);
  free(client->proxy);
  free(client->user_agent);
  free(client);
}

void http_response_finish(struct http_response *response) {
  free(response->body);
  *response = (struct http_response){0};
}

/* Credentials may stand before an '@' of the authority or in the query; neither is shown. */
static void describe(struct strbuf *out, const char *method, const char *url) {
  const char *authority = strstr(url, "://");

  authority = authority ? authority + 3 : url;
  size_t authority_length = strcspn(authority, "/?#");
  const char *at = memrchr(authority, '@', authority_length);
  const char *host = at ? at + 1 : authority;
  strbuf_printf(out, "%s %.*s%.*s", method, (int)(authority - url), url, (int)strcspn(host, "?#"), host);
}

static bool is_method(const char *method) {
  size_t length = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

  return length > 0 && length <= 32 && method[length] == '\0';
}

/* Control characters and spaces would end a line of the request early. */
static bool is_printable(const char *text, unsigned char first) {
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (*p < first || *p == 0x7f)
      return false;
  return true;
}

static int check(const struct http_request *request, struct error **err) {
  if (!request->method || !is_method(request->method))
    return error_set(err, EINVAL, "an HTTP method is 1 to 32 capital letters");
  if (!request->url || (strncmp(request->url, "http://", 7) != 0 && strncmp(request->url, "https://", 8) != 0))
    return error_set(err, EINVAL, "%s: the URL must begin with http:// or https://", request->method);
  if (!is_printable(request->url, 0x21))
    return error_set(err, EINVAL, "%s: the URL must not hold spaces or control characters", request->method);
  if (request->content_type && !is_printable(request->content_type, 0x20))
    return error_set(err, EINVAL, "%s: the content type must not hold control characters", request->method);
  for (const char *const *line = request->headers; line && *line; line++)
    if (!is_printable(*line, 0x20))
      return error_set(err, EINVAL, "%s: a header must not hold control characters", request->method);
  return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
  struct exchange *exchange = ctx;
  size_t length = size * count;

  if (exchange->request->on_data) {
    long status = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->ended = !exchange->request->on_data((unsigned)status, data, length, exchange->request->data_ctx);
    return exchange->ended ? 0 : length;
  }
  if (length > exchange->body_max - exchange->body.length) {
    exchange->limit_passed = exchange->body_max;
    return 0;
  }
  strbuf_append(&exchange->body, data, length);
  return strbuf_failed(&exchange->body) ? 0 : length;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx) {
  struct exchange *exchange = ctx;
  size_t length = size * count;

  (void)data;
  if (length > HTTP_HEAD_MAX - exchange->head_length) {
    exchange->limit_passed = HTTP_HEAD_MAX;
    return 0;
  }
  exchange->head_length += length;
  return length;
}

/* libcurl's own sockets would be inherited by processes that other threads start. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)ctx;
  (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

#define SET(option, value)                                                                                             \
  do {                                                                                                                 \
    CURLcode code_ = curl_easy_setopt(easy, option, value);                                                            \
    if (code_ != CURLE_OK)                                                                                             \
      return code_;                                                                                                    \
  } while (0)

static CURLcode set_method(CURL *easy, const struct http_request *request) {
  if (!request->body && strcmp(request->method, "GET") == 0) {
    SET(CURLOPT_HTTPGET, 1L);
  } else if (!request->body && strcmp(request->method, "HEAD") == 0) {
    SET(CURLOPT_NOBODY, 1L);
  } else {
    bool may_lack_body = !request->body && strcmp(request->method, "DELETE") == 0;
    if (!may_lack_body) {
      SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_length : 0));
      SET(CURLOPT_POSTFIELDS, request->body ? (const char *)request->body : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
  }
  return CURLE_OK;
}

static CURLcode set_redirects(CURL *easy, const struct http_request *request) {
  bool secure = strncmp(request->url, "https://", 8) == 0;

  SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  SET(CURLOPT_MAXREDIRS, (long)request->redirects_max);
  SET(CURLOPT_FOLLOWLOCATION, request->redirects_max > 0 ? 1L : 0L);
  return CURLE_OK;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const char *text) {
  struct curl_blob blob = {.data = (void *)(uintptr_t)text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY};

  return curl_easy_setopt(easy, option, &blob);
}

/* With authorities of its own a client trusts these alone, so the system's must be taken out: they stay otherwise. */
static CURLcode set_tls(CURL *easy, const struct http_client *client) {
  CURLcode code = CURLE_OK;

  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (client->authorities) {
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    code = set_blob(easy, CURLOPT_CAINFO_BLOB, client->authorities);
  }
  if (code == CURLE_OK && client->certificate)
    code = set_blob(easy, CURLOPT_SSLCERT_BLOB, client->certificate);
  if (code == CURLE_OK && client->key)
    code = set_blob(easy, CURLOPT_SSLKEY_BLOB, client->key);
  return code;
}

/* A peer that is gone without a word is noticed by what is sent to it while nothing else is. */
static CURLcode set_connection(CURL *easy, const struct http_client *client) {
  SET(CURLOPT_PROXY, client->proxy ? client->proxy : "");
  SET(CURLOPT_NOPROXY, ""); /* the environment's list is not asked */
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TCP_KEEPIDLE, 30L);
  SET(CURLOPT_TCP_KEEPINTVL, 10L);
  SET(CURLOPT_USERAGENT, client->user_agent ? client->user_agent : "trammel");
  return set_tls(easy, client);
}

static CURLcode set_options(const struct http_client *client, struct exchange *exchange, const struct outgoing *out) {
  CURL *easy = client->easy;

  curl_easy_reset(easy);
  SET(CURLOPT_ERRORBUFFER, exchange->curl_error);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_URL, out->url);
  SET(CURLOPT_CONNECT_TO, out->connect_to);
  SET(CURLOPT_FRESH_CONNECT, exchange->request->once ? 1L : 0L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_HTTPHEADER, out->headers);
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, exchange);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, exchange);
  CURLcode code = set_connection(easy, client);
  if (code == CURLE_OK)
    code = set_redirects(easy, exchange->request);
  return code == CURLE_OK ? set_method(easy, exchange->request) : code;
}

static bool add_header(struct curl_slist **headers, const char *line) {
  struct curl_slist *longer = curl_slist_append(*headers, line);

  if (longer)
    *headers = longer;
  return longer != NULL;
}

/* "Expect:" takes away the wait for 100 Continue that libcurl does before larger bodies. */
static bool make_headers(const struct http_request *request, struct curl_slist **headers) {
  _cleanup_strbuf_ struct strbuf type = STRBUF_INIT;
  const char *content_type = request->content_type ? request->content_type : "application/json";

  strbuf_printf(&type, "Content-Type:%s%s", request->body ? " " : "", request->body ? content_type : "");
  bool good = !strbuf_failed(&type) && add_header(headers, "Expect:") && add_header(headers, strbuf_text(&type));
  for (const char *const *line = request->headers; good && line && *line; line++)
    good = add_header(headers, *line);
  return good;
}

/* libcurl asks a server for, and verifies, the name in the URL. To have another one there, the URL gets that name and
 * the connection goes to the host that was in it, which also stays the one in the Host header. */
static bool rename_server(const char *name, const char *url, struct outgoing *out) {
  _cleanup_strbuf_ struct strbuf renamed = STRBUF_INIT, connect_to = STRBUF_INIT, host = STRBUF_INIT;
  const char *authority = strstr(url, "://") + 3;
  size_t length = strcspn(authority, "/?#");
  const char *port = memrchr(authority, ':', length);

  if (port && memchr(port, ']', length - (size_t)(port - authority)))
    port = NULL; /* within an IPv6 address */
  int host_length = (int)(port ? port - authority : (ptrdiff_t)length);
  int port_length = (int)length - host_length;
  strbuf_printf(&renamed, "%.*s%s%.*s%s", (int)(authority - url), url, name, port_length, authority + host_length,
                authority + length);
  strbuf_printf(&connect_to, "%s:%.*s:%.*s:", name, port ? port_length - 1 : 0, port ? port + 1 : "", host_length,
                authority);
  strbuf_printf(&host, "Host: %.*s", (int)length, authority);
  out->connect_to = strbuf_failed(&connect_to) ? NULL : curl_slist_append(NULL, strbuf_text(&connect_to));
  bool good = out->connect_to && !strbuf_failed(&host) && add_header(&out->headers, strbuf_text(&host));
  out->own_url = strbuf_steal(&renamed);
  out->url = out->own_url;
  return good && out->url;
}

static bool outgoing_init(struct outgoing *out, const struct http_client *client, const struct http_request *request) {
  out->url = request->url;
  return make_headers(request, &out->headers) &&
         (!client->server_name || rename_server(client->server_name, request->url, out));
}

static void outgoing_finish(struct outgoing *out) {
  curl_slist_free_all(out->headers);
  curl_slist_free_all(out->connect_to);
  free(out->own_url);
}

static int wait_ms(const struct exchange *exchange, int64_t left_ns) {
  int64_t ms = left_ns / NS_PER_MS + 1;
  int64_t most = exchange->request->cancel ? CANCEL_POLL_MS : WAIT_MAX_MS;

  return (int)(ms < most ? ms : most);
}

/* Drives the transfer until it ends. 0 with libcurl's result, or the reason it was given up. */
static int drive(struct http_client *client, const struct exchange *exchange, CURLcode *ret_code, struct error **err) {
  const char *what = strbuf_text(&exchange->location);

  for (;;) {
    int running = 0;
    if (exchange->request->cancel && atomic_load(exchange->request->cancel))
      return error_set(err, ECANCELED, "%s: cancelled", what);
    int64_t left_ns = exchange->deadline_ns - clock_monotonic_ns();
    if (left_ns <= 0)
      return error_set(err, ETIMEDOUT, "%s: no complete answer before the deadline", what);
    CURLMcode code = curl_multi_perform(client->multi, &running);
    if (code == CURLM_OK && running == 0)
      break;
    if (code == CURLM_OK)
      code = curl_multi_poll(client->multi, NULL, 0, wait_ms(exchange, left_ns), NULL);
    if (code != CURLM_OK)
      return error_set(err, EIO, "%s: %s", what, curl_multi_strerror(code));
  }
  int left = 0;
  const CURLMsg *message = curl_multi_info_read(client->multi, &left);
  *ret_code = message ? message->data.result : CURLE_RECV_ERROR;
  return 0;
}

/* The errno that says best why libcurl failed. */
static int failure(CURL *easy, const struct exchange *exchange, CURLcode code, struct error **err) {
  const char *what = strbuf_text(&exchange->location);
  const char *why = exchange->curl_error[0] ? exchange->curl_error : curl_easy_strerror(code);
  long os_errno = 0;

  (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
  if (exchange->ended)
    return error_set(err, ECANCELED, "%s: ended by its reader", what);
  if (exchange->limit_passed > 0)
    return error_set(err, EFBIG, "%s: the answer is larger than the %zu bytes allowed", what, exchange->limit_passed);
  if (strbuf_failed(&exchange->body) || code == CURLE_OUT_OF_MEMORY)
    return error_set(err, ENOMEM, "%s: out of memory", what);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return error_set(err, ETIMEDOUT, "%s: %s", what, why);
  if (code == CURLE_TOO_MANY_REDIRECTS)
    return error_set(err, ELOOP, "%s: redirected more than %u times", what, exchange->request->redirects_max);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return error_set(err, EINVAL, "%s: %s", what, why);
  if (code == CURLE_COULDNT_CONNECT && os_errno == ECONNREFUSED)
    return error_set(err, ECONNREFUSED, "%s: connection refused", what);
  if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY)
    return error_set(err, EHOSTUNREACH, "%s: %s", what, why);
  if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
    return error_set(err, ECONNRESET, "%s: %s", what, why);
  return error_set(err, EIO, "%s: %s", what, why);
}

static int collect(CURL *easy, struct exchange *exchange, struct http_response *ret_response, struct error **err) {
  long status = 0;
  const char *type = NULL;
  curl_off_t retry_after = 0;
  struct http_response response = {.body_length = exchange->body.length};

  strbuf_append(&exchange->body, "", 0);
  response.body = exchange->body.data ? strbuf_steal(&exchange->body) : strdup("");
  if (!response.body)
    return error_set(err, ENOMEM, "%s: out of memory", strbuf_text(&exchange->location));
  (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  (void)curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  response.retry_after_s = retry_after;
  response.status = (unsigned)status;
  if (type)
    strncpy(response.content_type, type, sizeof(response.content_type) - 1);
  *ret_response = response;
  return 0;
}

static int perform(struct http_client *client, struct exchange *exchange, const struct outgoing *out,
                   struct http_response *ret_response, struct error **err) {
  CURLcode code = set_options(client, exchange, out);
  if (code != CURLE_OK)
    return failure(client->easy, exchange, code, err);
  CURLMcode added = curl_multi_add_handle(client->multi, client->easy);
  if (added != CURLM_OK)
    return error_set(err, EIO, "%s: %s", strbuf_text(&exchange->location), curl_multi_strerror(added));
  int r = drive(client, exchange, &code, err);
  if (r == 0)
    r = code == CURLE_OK ? collect(client->easy, exchange, ret_response, err)
                         : failure(client->easy, exchange, code, err);
  (void)curl_multi_remove_handle(client->multi, client->easy); /* closes the connection of an unfinished transfer */
  return r;
}

int http_client_send(struct http_client *client, const struct http_request *request, struct http_response *ret_response,
                     struct error **err) {
  struct exchange exchange = {.request = request, .easy = client->easy};
  struct outgoing out = {0};

  int r = check(request, err);
  if (r < 0)
    return r;
  exchange.body_max = request->response_max > 0 ? request->response_max : HTTP_BODY_MAX;
  exchange.deadline_ns =
      request->deadline_ns > 0 ? request->deadline_ns : clock_monotonic_ns() + HTTP_TIMEOUT_DEFAULT_NS;
  describe(&exchange.location, request->method, request->url);
  if (outgoing_init(&out, client, request) && !strbuf_failed(&exchange.location))
    r = perform(client, &exchange, &out, ret_response, err);
  else
    r = error_set(err, ENOMEM, "out of memory for an HTTP request");
  curl_easy_reset(client->easy); /* so that nothing of this call's stack is referred to */
  outgoing_finish(&out);
  strbuf_finish(&exchange.body);
  strbuf_finish(&exchange.location);
  return r;
}
