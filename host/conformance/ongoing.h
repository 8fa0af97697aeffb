/* Calls that go on while a step changes what is in force: a change must lose none of them. */
#ifndef TRAMMEL_HOST_CONFORMANCE_ONGOING_H
#define TRAMMEL_HOST_CONFORMANCE_ONGOING_H

#include "host/conformance/judge.h"

struct ongoing;

/* Begins the calls of a check (check_goes_on()) on a thread of their own, round after round, each call on a new
 * connection, so that a client's own retry hides nothing. Returns once a round has been answered. */
int ongoing_start(struct prober *prober, const struct check *check, struct ongoing **ret_ongoing, struct error **err);

/* Goes on until a whole round was begun and answered after this call, then ends. An error means that the machinery
 * failed, never that a call did. */
int ongoing_stop(struct ongoing *ongoing, struct error **err);

/* Judges all calls, by the servers' own records, once they have ended: each must be answered by one of those that get
 * anything before or after the change, as the case's splits say. Texts of `*ret_verdict` live in `arena`. */
int ongoing_judge(struct ongoing *ongoing, struct prober *prober, const struct test_case *test, struct arena *arena,
                  struct verdict *ret_verdict, struct error **err);

/* Ends the calls when they still go on. NULL is fine. */
void ongoing_destroy(struct ongoing *ongoing);
DEFINE_CLEANUP(struct ongoing *, ongoing_destroy);

#endif
