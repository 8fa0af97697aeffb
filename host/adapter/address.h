/* HOST:PORT, as people write it. */
#ifndef TRAMMEL_HOST_ADAPTER_ADDRESS_H
#define TRAMMEL_HOST_ADAPTER_ADDRESS_H

#include "sdk/base/error.h"

struct address {
  char host[254]; /* a name of DNS, or a number of IPv4 or IPv6, which is written in brackets */
  char port[6];
};

/* Ports from `least_port`. 0, or -EINVAL with what was expected. */
int address_parse(const char *text, unsigned least_port, struct address *ret_address, struct error **err);

#endif
