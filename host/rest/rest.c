#include "host/rest/rest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/auth/audit.h"
#include "host/auth/authority.h"
#include "host/rest/route.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"
#include "sdk/base/strbuf.h"

#define CONNECTION_MEMORY ((size_t)32 << 10) /* bytes of a request's line and headers */
#define GRACE_NS NS_PER_SECOND               /* for answers that are under way at the end */
#define LOOK_NS (10 * NS_PER_MS)

struct rest {
  struct MHD_Daemon *daemon;
  struct rest_options options;
  atomic_uint asked; /* requests whose answers are not sent yet */
};

/* A request whose body is arriving. */
struct arriving {
  struct strbuf body;
  bool too_long;
};

static const char *parameter(void *ctx, const char *name) {
  return MHD_lookup_connection_value(ctx, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- who asks */

/* A refusal, or an answer without a status. */
static struct answer check_caller(struct rest *rest, struct MHD_Connection *connection, enum role role,
                                  struct caller *caller) {
  const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
  _cleanup_error_ struct error *err = NULL;
  *caller = (struct caller){0};
  if (role == ROLE_NONE || !rest->options.authority)
    return (struct answer){.status = 0};
  if (!header)
    return answer_problem(401, "who calls is not known: send \"Authorization: Bearer TOKEN\"");
  int r = authority_identify(rest->options.authority, header, caller, &err);
  if (r == -EACCES)
    return answer_problem(401, error_message(err));
  if (r < 0)
    return answer_problem(503, error_message(err));
  return caller->role < role ? answer_problem(403, "the caller's role is not enough for that: an admin gives roles")
                             : (struct answer){.status = 0};
}

/* Writes down what changes something, and who was refused. */
static void note(struct rest *rest, struct MHD_Connection *connection, const struct route *route, const char *who,
                 const char *about, unsigned status) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  char from[SESSION_PEER_MAX] = "";
  char what[PATH_PART_MAX];
  _cleanup_error_ struct error *err = NULL;
  const struct audit_entry entry = {.who = who, .from = from, .what = what, .about = about, .status = (int)status};
  if (route->role < ROLE_OPERATOR && status != 401 && status != 403)
    return;
  if (info && info->client_addr->sa_family == AF_INET)
    (void)snprintf(from, sizeof(from), "127.0.0.1:%u",
                   (unsigned)ntohs(((const struct sockaddr_in *)(const void *)info->client_addr)->sin_port));
  (void)snprintf(what, sizeof(what), "%s %s", route->method, route->path);
  if (audit_write(rest->options.host->audit, &entry, &err) < 0 && rest->options.host->log)
    rest->options.host->log(error_message(err));
}

/* Programs of web pages that a browser on this machine shows can reach loopback, too: they send where they come from,
 * and are refused, as is what was sent to another name than this host's (DNS rebinding). Of images and forms there is
 * no Origin, but what the Fetch Metadata specification has. */
static bool is_of_a_page(struct MHD_Connection *connection) {
  const char *site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
  const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
  size_t name = host ? strcspn(host, ":") : 0;
  bool local =
      host && ((name == 9 && strncmp(host, "localhost", 9) == 0) || (name == 9 && strncmp(host, "127.0.0.1", 9) == 0));
  bool other_site = site && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0);
  return !local || other_site || MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin") != NULL;
}

/* ---- answering */

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer) {
  struct MHD_Response *response = MHD_create_response_from_buffer(answer->length, answer->data, MHD_RESPMEM_MUST_FREE);
  if (!response) {
    free(answer->data);
    return MHD_NO;
  }
  (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
  (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  (void)MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  if (answer->status == 401)
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
  enum MHD_Result result = MHD_queue_response(connection, answer->data ? answer->status : 500, response);
  MHD_destroy_response(response);
  return result;
}

static struct answer answer_request(struct rest *rest, struct MHD_Connection *connection, const char *path,
                                    const char *method, const struct arriving *arriving) {
  struct request request = {.host = rest->options.host,
                            .body = strbuf_text(&arriving->body),
                            .length = arriving->body.length,
                            .parameter = parameter,
                            .ctx = connection};
  bool path_known;
  const struct route *route = route_find(method, path, request.part, &path_known);
  if (is_of_a_page(connection)) {
    static const struct route nowhere = {.method = "a request", .path = "for a path that is not served"};
    note(rest, connection, route ? route : &nowhere, "", request.part, 403);
    return answer_problem(403, "this is served to programs of this machine, as http://127.0.0.1 or localhost");
  }
  if (!route)
    return path_known ? answer_problem(405, "this path has other methods: see /openapi.json")
                      : answer_problem(404, "there is nothing here: see /openapi.json");
  struct caller caller;
  struct answer answer = check_caller(rest, connection, route->role, &caller);
  if (answer.status == 0)
    answer = arriving->too_long || strbuf_failed(&arriving->body) ? answer_problem(413, "a body has at most 1 MiB")
                                                                  : route->serve(&request);
  note(rest, connection, route, caller.name, request.part, answer.status);
  return answer;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *data, size_t *length, void **state) {
  struct rest *rest = ctx;
  struct arriving *arriving = *state;
  (void)version;
  if (!arriving) { /* its headers are there */
    *state = calloc(1, sizeof(*arriving));
    if (*state)
      (void)atomic_fetch_add(&rest->asked, 1);
    return *state ? MHD_YES : MHD_NO;
  }
  if (*length > 0) {
    arriving->too_long |= arriving->body.length + *length > REST_BODY_MAX;
    if (!arriving->too_long)
      strbuf_append(&arriving->body, data, *length);
    *length = 0;
    return MHD_YES;
  }
  struct answer answer = answer_request(rest, connection, path, method, arriving);
  return send_answer(connection, &answer);
}

static void on_end(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
  struct arriving *arriving = *state;
  struct rest *rest = ctx;
  (void)connection;
  (void)code;
  if (!arriving)
    return;
  strbuf_finish(&arriving->body);
  free(arriving);
  *state = NULL;
  (void)atomic_fetch_sub(&rest->asked, 1);
}

/* ---- */

int rest_open(const struct rest_options *options, struct rest **ret_rest, struct error **err) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(options->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct rest *rest = calloc(1, sizeof(*rest));
  if (!rest)
    return error_set(err, ENOMEM, "no memory");
  rest->options = *options;
  errno = 0;
  rest->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, options->port, NULL, NULL,
      on_request, rest, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, REST_CONNECTIONS_MAX,
      MHD_OPTION_CONNECTION_TIMEOUT, REST_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
      MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_NOTIFY_COMPLETED, on_end, rest, MHD_OPTION_END);
  if (!rest->daemon) {
    int code = errno != 0 ? errno : EIO;
    free(rest);
    return error_set(err, code, "rest: listening on 127.0.0.1:%u: %s", (unsigned)options->port, strerror(code));
  }
  *ret_rest = rest;
  return 0;
}

void rest_close(struct rest *rest) {
  if (!rest)
    return;
  const struct timespec pause = {.tv_nsec = LOOK_NS};
  int64_t until_ns = clock_in_ns(GRACE_NS);
  int listening = MHD_quiesce_daemon(rest->daemon);
  while (atomic_load(&rest->asked) > 0 && clock_monotonic_ns() < until_ns)
    (void)nanosleep(&pause, NULL);
  MHD_stop_daemon(rest->daemon);
  close_p(&listening);
  free(rest);
}
