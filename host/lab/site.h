/* Where a workload lives: the addresses that an adapter may hear of. */
#ifndef TRAMMEL_HOST_LAB_SITE_H
#define TRAMMEL_HOST_LAB_SITE_H

#define ADDRESS_SIZE 16 /* of an IPv4 address as text */

/* "" stands for what is not known (yet), or is not there. */
struct site {
  char app[ADDRESS_SIZE];      /* where its program listens */
  char inbound[ADDRESS_SIZE];  /* where others reach it */
  char outbound[ADDRESS_SIZE]; /* where a proxy may listen for it */
};

#endif
