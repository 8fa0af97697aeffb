#include "host/load/target.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/load/target_request.h"
#include "sdk/base/clock.h"

/* ---- the parts of it */

/* An IPv6 address has brackets in a URL, and none where it is looked up. */
static void strip_brackets(char *host) {
  size_t length = strlen(host);
  if (host[0] != '[' || host[length - 1] != ']')
    return;
  memmove(host, host + 1, length - 2);
  host[length - 2] = '\0';
}

static int secure(struct target *target, const struct target_options *options, const struct target_url *url,
                  struct error **err) {
  struct tls_options tls = options->tls;
  bool given = tls.trust_file || tls.certificate_file || tls.key_file || tls.server_name || tls.insecure;
  if (!url->secure)
    return given ? error_set(err, EINVAL, "%.200s: certificates are for a URL with https", target->url) : 0;
  if (!tls.server_name)
    tls.server_name = target->host;
  return tls_create(&tls, target->http2 ? "h2" : "http/1.1", &target->tls, err);
}

const char *target_protocol_name(enum target_protocol protocol) {
  static const char *const names[] = {[TARGET_HTTP1] = "http/1.1",
                                      [TARGET_HTTP2] = "h2",
                                      [TARGET_GRPC] = "grpc",
                                      [TARGET_TCP] = "tcp",
                                      [TARGET_UDP] = "udp"};
  return names[protocol];
}

static enum target_protocol protocol_of(const struct target_options *options, const struct target_url *url) {
  if (url->echo)
    return url->datagrams ? TARGET_UDP : TARGET_TCP;
  if (options->grpc || options->grpc_health)
    return TARGET_GRPC;
  return options->http2 ? TARGET_HTTP2 : TARGET_HTTP1;
}

/* "ECHO" where HTTP has a method: what results call it. */
static const char *method_of(const struct target_options *options, enum target_protocol protocol) {
  if (protocol == TARGET_TCP || protocol == TARGET_UDP)
    return "ECHO";
  if (protocol == TARGET_GRPC)
    return "POST";
  return options->method ? options->method : options->body ? "POST" : "GET";
}

static int describe(struct target *target, const struct target_options *options, const struct target_url *url,
                    struct error **err) {
  const char *call = options->grpc_health ? "grpc.health.v1.Health/Check" : options->grpc;
  target->protocol = protocol_of(options, url);
  target->http2 = target->protocol == TARGET_HTTP2 || target->protocol == TARGET_GRPC;
  target->streams = options->streams > 0 ? options->streams : 1;
  target->messages = options->grpc_messages > 0 ? options->grpc_messages : 1;
  target->health = options->grpc_health;
  target->fresh = options->fresh;
  target->host = strdup(url->host);
  (void)snprintf(target->port, sizeof(target->port), "%s", url->port);
  target->url = strdup(options->url);
  target->method = strdup(method_of(options, target->protocol));
  target->call = call ? strdup(call) : NULL;
  if (!target->url || !target->host || !target->method || (call && !target->call))
    return error_set(err, ENOMEM, "no memory for a target");
  strip_brackets(target->host);
  target->head = strcmp(target->method, "HEAD") == 0;
  return 0;
}

int target_create(const struct target_options *options, struct target **ret_target, struct error **err) {
  _cleanup_(target_url_finish) struct target_url url = {0};
  _cleanup_(target_destroy_p) struct target *target = calloc(1, sizeof(*target));
  if (!target)
    return error_set(err, ENOMEM, "no memory for a target");
  int r = target_url_read(options->url, &url, err);
  if (r == 0)
    r = target_request_check(options, &url, err);
  if (r == 0)
    r = describe(target, options, &url, err);
  if (r == 0)
    r = target_request_write(options, &url, target, err);
  if (r == 0)
    r = secure(target, options, &url, err);
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
  free(target->method);
  free(target->call);
  free(target->request);
  free(target);
}

/* ---- addresses */

static void set_address(struct target *target, const struct addrinfo *found) {
  memcpy(&target->address.at, found->ai_addr, found->ai_addrlen);
  target->address.length = found->ai_addrlen;
}

static int socket_type(const struct target *target) {
  return target->protocol == TARGET_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

static bool can_connect(const struct addrinfo *found, int64_t timeout_ns) {
  _cleanup_close_ int fd = socket(found->ai_family, found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
  const struct addrinfo hints = {.ai_socktype = socket_type(target), .ai_flags = AI_NUMERICSERV};
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
