#include "host/lab/workload/resolve.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "sdk/base/memory.h"

struct lookup {
  struct event *answered;
  struct evdns_getaddrinfo_request *request; /* NULL when it has its answer */
  lookup_done_fn done;                       /* NULL: given up */
  void *user;
  int code;
  struct endpoint endpoint;
};

static void lookup_destroy(struct lookup *lookup) {
  event_free(lookup->answered);
  free(lookup);
}

static void on_answered(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  struct lookup *lookup = user;
  lookup_done_fn done = lookup->done;
  void *done_user = lookup->user;
  struct endpoint endpoint = lookup->endpoint;
  int code = lookup->code;
  lookup_destroy(lookup);
  done(done_user, code == 0 ? &endpoint : NULL, code == 0 ? "" : evutil_gai_strerror(code));
}

/* May be called before evdns_getaddrinfo returns, so that what follows is left to the event loop. */
static void on_resolved(int code, struct evutil_addrinfo *addresses, void *user) {
  struct lookup *lookup = user;
  lookup->request = NULL;
  lookup->code = code;
  if (code == 0 && addresses->ai_addrlen <= sizeof(lookup->endpoint.address)) {
    memcpy(&lookup->endpoint.address, addresses->ai_addr, addresses->ai_addrlen);
    lookup->endpoint.length = (socklen_t)addresses->ai_addrlen;
  }
  if (addresses)
    evutil_freeaddrinfo(addresses);
  if (lookup->done)
    event_active(lookup->answered, EV_TIMEOUT, 0);
  else
    lookup_destroy(lookup);
}

static int resolver_start(struct resolver *resolver, struct error **err) {
  if (!resolver->dns)
    resolver->dns =
        evdns_base_new(resolver->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
  return resolver->dns ? 0 : error_set(err, EIO, "no name server to look host names up with; give an address");
}

int lookup_create(struct resolver *resolver, const char *host, uint16_t port, lookup_done_fn done, void *user,
                  struct lookup **ret_lookup, struct error **err) {
  char service[8];
  int r = resolver_start(resolver, err);
  if (r < 0)
    return r;
  struct lookup *lookup = calloc(1, sizeof(*lookup));
  if (lookup)
    lookup->answered = event_new(resolver->base, -1, EV_TIMEOUT, on_answered, lookup);
  if (!lookup || !lookup->answered) {
    free(lookup);
    return error_set(err, ENOMEM, "out of memory for a lookup");
  }
  lookup->done = done;
  lookup->user = user;
  (void)snprintf(service, sizeof(service), "%u", port);
  struct evutil_addrinfo hints = {
      .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP, .ai_flags = EVUTIL_AI_NUMERICSERV};
  lookup->request = evdns_getaddrinfo(resolver->dns, host, service, &hints, on_resolved, lookup);
  *ret_lookup = lookup;
  return 0;
}

void lookup_cancel(struct lookup *lookup) {
  if (!lookup)
    return;
  if (!lookup->request) {
    lookup_destroy(lookup);
    return;
  }
  lookup->done = NULL;
  evdns_getaddrinfo_cancel(lookup->request);
}

void resolver_finish(struct resolver *resolver) {
  if (!resolver->dns)
    return;
  evdns_base_free(resolver->dns, 1);
  resolver->dns = NULL;
  (void)event_base_loop(resolver->base, EVLOOP_NONBLOCK); /* what was given up is freed by callbacks that are pending */
}
