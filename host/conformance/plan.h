/* Which cases of a suite a run executes, in which versions and in which order. */
#ifndef TRAMMEL_HOST_CONFORMANCE_PLAN_H
#define TRAMMEL_HOST_CONFORMANCE_PLAN_H

#include "host/conformance/suite.h"
#include "sdk/base/error.h"

/* What to run. Lists end with NULL; a NULL or empty one selects everything. */
struct selection {
  const char *filter;              /* glob on case ids, or a substring when it has no glob characters; NULL: all */
  const char *const *cases;        /* exact ids */
  const char *const *groups;       /* "access" … */
  const char *const *requirements; /* "ACC-05" … */
  const char *const *versions;     /* "access/v1alpha3" …: columns in which any of these appears */
};

/* A case in one column. */
struct job {
  const struct test_case *test;
  struct case_column column;
};

/* Names a job in a run with that seed: 64 bits of both. What it sends is named by it, whatever else is selected. */
#define JOB_NAME_SIZE 18
void job_name(const struct job *job, uint64_t seed, char ret_name[static JOB_NAME_SIZE]);

struct plan {
  const struct suite *suite;
  struct job *jobs; /* sorted by case id, then column */
  size_t count;
  size_t *order;           /* positions in `jobs`, shuffled by the seed */
  unsigned not_applicable; /* selected columns whose versions cannot express their case */
  unsigned workloads;      /* of the largest topology */
};

/* Plans in an order that only `seed` decides. 0, -ENOMEM, or -EINVAL with a reason when a case does not convert for
 * another reason than its version. The plan borrows from `suite`. */
int plan_create(const struct suite *suite, const struct selection *selection, uint64_t seed, struct plan *ret_plan,
                struct error **err);
/* Puts jobs of one topology together in the order, which is otherwise kept: for a lab in which topologies are dear. */
void plan_group_by_topology(struct plan *plan);
void plan_finish(struct plan *plan);

/* Of its jobs, in their order: another number when anything else is selected. */
uint64_t plan_digest(const struct plan *plan);

/* Whether the case is selected by filter, groups and requirements (versions are a matter of columns). */
bool selection_has(const struct selection *selection, const struct test_case *test);

#endif
