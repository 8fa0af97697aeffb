/* UDP: a datagram "ID" is answered with a datagram "SERVER NONCE". One that is too long is not answered. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_SERVER_UDP_H
#define TRAMMEL_HOST_LAB_WORKLOAD_SERVER_UDP_H

#include "host/lab/workload/service.h"

/* Answers what has come in on `fd`, a bounded number of datagrams. */
void server_udp_read(struct service *service, int fd, uint16_t port);

#endif
