/* What counters must say after the calls of a check: the verdicts of the suite `baseline` (docs/baseline.md). They rest
 * on which status the client saw and on how many requests a server counted; they prove nothing more. */
#ifndef TRAMMEL_HOST_CONFORMANCE_COUNTED_H
#define TRAMMEL_HOST_CONFORMANCE_COUNTED_H

#include <jansson.h>

#include "host/lab/topology.h"
#include "sdk/base/fields.h"

#define COUNTED_ANY (-1)        /* not looked at */
#define COUNTED_REPEAT_MAX 1000 /* calls of one check: they are made one after another */

/* How many requests a workload must have counted. */
struct counted_server {
  const char *workload; /* in namespace main */
  int least;
  int most; /* COUNTED_ANY: no limit */
};

struct counted {
  int succeeded; /* calls that got a status from 200 to 399; COUNTED_ANY */
  int failed;    /* calls that got another one; COUNTED_ANY */
  const struct counted_server *servers;
  size_t server_count;
  bool ordered; /* servers[more] must have counted more than servers[less] */
  size_t more;
  size_t less;
};

/* Reads the value of `counted` of an expectation. NULL after a complaint. `topology` NULL: what counts is not known. */
const struct counted *counted_read(struct fields *fields, const struct node *map, const struct topology *topology);

/* As it is written in cases. A new reference; NULL without memory. */
json_t *counted_json(const struct counted *counted);

#endif
