#include "host/lab/workload/server_udp.h"

#include <stdio.h>
#include <sys/socket.h>

#define DATAGRAMS_AT_ONCE 64

/* False when there is none left. */
static bool answer_one(struct service *service, int fd, uint16_t port) {
  char id[CALL_ID_MAX + 2]; /* one more byte than allowed, to see what is too long, and one that is dropped */
  char answer[WORKLOAD_NAME_MAX + 1 + NONCE_LENGTH + 1];
  char nonce[NONCE_LENGTH + 1];
  struct sockaddr_storage from;
  socklen_t from_length = sizeof(from);
  ssize_t n = recvfrom(fd, id, sizeof(id), MSG_TRUNC, (struct sockaddr *)&from, &from_length);
  if (n < 0)
    return false;
  size_t length = (size_t)n;
  if (length > 0 && length <= sizeof(id) && id[length - 1] == '\n')
    length--;
  if (length > CALL_ID_MAX || service_accept(service, id, length, port, nonce) < 0)
    return true;
  int written = snprintf(answer, sizeof(answer), "%s %s", service->name, nonce);
  (void)sendto(fd, answer, (size_t)written, MSG_NOSIGNAL, (const struct sockaddr *)&from, from_length);
  return true;
}

void server_udp_read(struct service *service, int fd, uint16_t port) {
  for (unsigned i = 0; i < DATAGRAMS_AT_ONCE && answer_one(service, fd, port); i++)
    ;
}
