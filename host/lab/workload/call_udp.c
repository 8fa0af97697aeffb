/* Calls by UDP datagrams: "ID", answered with "SERVER NONCE". Datagrams get lost where a queue is full, and a lost one
 * must not look like a refusal: so the same one is sent again until an answer comes. */
#include <errno.h>
#include <event2/event_struct.h>
#include <string.h>

#include "host/lab/workload/caller.h"
#include "sdk/base/memory.h"

/* Between two datagrams of one call. Long enough that on a machine that is merely busy the answer comes before. */
#define RESEND_MS 200

struct udp_caller {
  struct caller caller;
  struct event event;
  struct event resend;
  bool resent; /* in this call: more than one answer may come */
  int fd;
};

static struct udp_caller *udp_of(struct caller *caller) {
  return (struct udp_caller *)caller; /* its first member */
}

static void on_read(evutil_socket_t fd, short what, void *user) {
  (void)what;
  struct udp_caller *udp = user;
  char answer[WORKLOAD_NAME_MAX + 1 + NONCE_LENGTH + 2];
  ssize_t n = recv(fd, answer, sizeof(answer), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (!udp->caller.busy)
    return; /* a duplicate of an answer that came, or an ICMP error about one */
  udp->caller.silent = n < 0;
  (void)event_del(&udp->resend);
  if (n < 0)
    caller_ended(&udp->caller, errno);
  else
    caller_answer_line(&udp->caller, answer, (size_t)n, !udp->resent);
}

/* What failed is like what was lost. */
static void send_id(const struct udp_caller *udp) {
  const char *id = udp->caller.request->id;
  (void)send(udp->fd, id, strlen(id), MSG_NOSIGNAL);
}

static void on_resend(evutil_socket_t fd, short what, void *user) {
  (void)fd;
  (void)what;
  struct udp_caller *udp = user;
  if (!udp->caller.busy)
    return;
  udp->resent = true;
  send_id(udp);
  (void)event_add(&udp->resend, &(struct timeval){.tv_usec = RESEND_MS * 1000});
}

/* An answer carries no id, so one that came twice would pass for the next call's. */
static void drop_duplicates(int fd) {
  char byte;
  for (unsigned i = 0; i < 64 && recv(fd, &byte, sizeof(byte), 0) >= 0; i++)
    ;
}

static void udp_send(struct caller *caller) {
  struct udp_caller *udp = udp_of(caller);
  if (caller->calls > 1)
    drop_duplicates(udp->fd);
  udp->resent = false;
  send_id(udp);
  (void)event_add(&udp->resend, &(struct timeval){.tv_usec = RESEND_MS * 1000});
}

static int udp_open(struct event_base *base, const struct endpoint *endpoint, struct caller **ret_caller) {
  int fd = endpoint_connect(endpoint, SOCK_DGRAM);
  if (fd < 0)
    return fd;
  struct udp_caller *udp = calloc(1, sizeof(*udp));
  if (!udp || event_assign(&udp->event, base, fd, EV_READ | EV_PERSIST, on_read, udp) < 0 ||
      event_assign(&udp->resend, base, -1, 0, on_resend, udp) < 0 || event_add(&udp->event, NULL) < 0) {
    free(udp);
    (void)close(fd);
    return -ENOMEM;
  }
  udp->fd = fd;
  *ret_caller = &udp->caller;
  return 0;
}

static void udp_destroy(struct caller *caller) {
  struct udp_caller *udp = udp_of(caller);
  (void)event_del(&udp->event);
  (void)event_del(&udp->resend);
  (void)close(udp->fd);
  free(udp);
}

const struct caller_type caller_udp = {
    .protocol = CALL_UDP, .open = udp_open, .send = udp_send, .destroy = udp_destroy};
