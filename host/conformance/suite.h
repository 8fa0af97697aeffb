/* Cases and topologies of a conformance suite, read from YAML (docs/cases.md) and checked. */
#ifndef TRAMMEL_HOST_CONFORMANCE_SUITE_H
#define TRAMMEL_HOST_CONFORMANCE_SUITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/conformance/counted.h"
#include "host/conformance/metrics_expectation.h"
#include "host/lab/topology.h"
#include "sdk/smi/model.h"

enum case_level { CASE_REQUIRED = 1, CASE_INFORMATIVE };
enum check_kind {
  CHECK_ALLOWED = 1,
  CHECK_DENIED,
  CHECK_SPLIT,
  CHECK_UNBROKEN, /* while the step changes what is in force, every call goes through */
  CHECK_CUT,      /* while it does, calls go through until one is denied, and all after it are denied */
  CHECK_REFUSED,  /* a resource that is not valid is refused before it has any effect */
  CHECK_REPORTED, /* a misconfiguration is told */
  CHECK_METRICS,  /* the mesh counts the calls */
  CHECK_COUNTED,  /* counters say so: host/conformance/counted.h */
};

#define CHECK_KIND_LAST CHECK_COUNTED
const char *check_kind_name(enum check_kind kind); /* "allowed" … */

/* How the calls of a check connect. */
enum check_connections {
  CONNECTIONS_KEPT = 0, /* a few connections, each for many calls */
  CONNECTIONS_FRESH,    /* one for each call */
  CONNECTIONS_ONE,      /* one for all calls */
};
#define CONNECTIONS_LAST CONNECTIONS_ONE
const char *check_connections_name(enum check_connections connections); /* as reports have it: "reused" … */

#define CASE_HEADERS_MAX 16 /* of a check */

/* How servers answer the calls of a metrics check that are not to fail, unless it says otherwise; and how the others.
 */
#define METRICS_ANSWER_DEFAULT 200
#define METRICS_ANSWER_FAILING 500

struct check_header {
  const char *name;
  const char *value;
};

struct check_share {
  const char *workload; /* in namespace main */
  uint32_t weight;
};

/* "TrafficTarget/allow" */
struct resource_name {
  enum smi_kind kind;
  const char *name;
};

/* One thing that must hold: a call from a workload to a service and what becomes of it; or, of the last two kinds, what
 * becomes of a resource. */
struct check {
  enum check_kind kind;
  const char *requirement; /* "ACC-03" */
  const char *from;        /* workload as "alias/name" */
  const char *to;          /* service as "alias/name"; with `direct`, a workload */
  uint16_t port;
  enum protocol protocol;
  const char *method; /* HTTP */
  const char *path;
  const struct check_header *headers;
  size_t header_count;
  bool h2c; /* HTTP: by HTTP/2 in cleartext, with prior knowledge; else by HTTP/1.1 */
  bool direct;
  const char *keep;                   /* name of a connection kept across steps; NULL */
  enum check_connections connections; /* CHECK_SPLIT */
  bool shares_judged;                 /* CHECK_SPLIT: false with `tolerance: zero` */
  const struct check_share *shares;
  size_t share_count;
  const struct counted *counted; /* CHECK_COUNTED */
  unsigned repeat; /* CHECK_ALLOWED, CHECK_DENIED, CHECK_METRICS: requests of the verdict, each of which must hold; 0
                    * means 1. CHECK_COUNTED: the calls that are counted. CHECK_SPLIT: 0, its sample follows from the
                    * shares; in a report read back, the sample it had */
  struct resource_name resource;             /* CHECK_REFUSED, CHECK_REPORTED */
  const struct metrics_expectation *metrics; /* CHECK_METRICS */
  unsigned failing;                          /* CHECK_METRICS: of the requests, those that servers answer with 500 */
  unsigned answer;                           /* CHECK_METRICS: the status of the others */
};

/* Whether a check makes calls: false for those about a resource. */
bool check_calls(const struct check *check);
/* Whether its calls go on while the step changes what is in force. */
bool check_goes_on(const struct check *check);

/* The requests a check needs for its verdict: `repeat`, or a split's sample size. */
uint64_t check_request_count(const struct check *check);

struct step {
  bool apply_all; /* the first step without an apply list */
  const struct resource_name *apply;
  size_t apply_count;
  const struct resource_name *delete;
  size_t delete_count;
  const struct check *checks;
  size_t check_count;
};

struct test_case {
  const char *id;
  const char *title;
  const char *why;
  enum case_level level;
  enum smi_group group; /* from the id's first part */
  const char *const *requirements;
  size_t requirement_count;
  const struct topology *topology;
  const char *const *deny_by_default; /* namespace aliases */
  size_t deny_count;
  const struct smi_version *versions; /* only these; none: all that can express it */
  size_t version_count;
  struct smi_version written_in; /* {0}: hub form */
  const int *interpretations;
  size_t interpretation_count;
  const struct node *resources; /* a list; texts hold ${alias} */
  const struct node *invalid;   /* the same, of resources that are not valid SMI; NULL: none */
  const struct step *steps;
  size_t step_count;
  const char *file; /* where it was read from */
};

/* A requirement of docs/smi.md, as the suite knows it. */
struct requirement {
  const char *id;      /* "ACC-05" */
  const char *summary; /* one sentence */
  enum smi_group group;
};
const struct requirement *requirement_find(const char *id);
size_t requirement_count(void);
const struct requirement *requirement_at(size_t i);

/* How Trammel reads something that SMI leaves open: docs/smi.md, "Interpretations". */
struct interpretation {
  int number; /* from 1, without gaps */
  const char *title;
  const char *text; /* Markdown on one line */
};
const struct interpretation *interpretation_find(int number); /* NULL: there is none */
int interpretation_last(void);                                /* the highest number */

struct suite;

/* Whether a suite of that name is built in. */
bool suite_is_embedded(const char *name);

/* The embedded suite `name` ("smi"), then, for each of `directories` (NULL-terminated, may be NULL), the *.yaml files
 * below it: a later one replaces cases and topologies of the same name. Diagnostics CASE-0001… with file, line and
 * field. 0, -ENOENT (no such suite or directory), -EINVAL, -ENOMEM, or why a file could not be read. */
int suite_load(const char *name, const char *const *directories, struct diagnostics *diagnostics,
               struct suite **ret_suite, struct error **err);
void suite_destroy(struct suite *suite);
const char *suite_name(const struct suite *suite); /* of the embedded one */
/* Of all its files: another number when anything in it was changed. */
uint64_t suite_digest(const struct suite *suite);
size_t suite_count(const struct suite *suite); /* cases, sorted by id */
const struct test_case *suite_at(const struct suite *suite, size_t i);
const struct test_case *suite_find(const struct suite *suite, const char *id);

/* A copy of the case's resources with each ${alias} replaced by `lookup(ctx, alias)`, as YAML nodes in `arena`. */
int case_resources(const struct test_case *test, struct arena *arena,
                   const char *(*lookup)(void *ctx, const char *alias), void *ctx, struct smi_set *ret_set,
                   struct diagnostics *diagnostics, struct error **err);

/* For a case with `written_in`, puts what the case says in place of what smi_convert made of it: in `resources`, an
 * array of smi_convert, those of that group become the case's own text with each ${alias} replaced. Otherwise a
 * conversion that forgets what it read (1000m is 1) would hide that the version was never read. A resource without a
 * namespace gets that of main. 0 (also when there is nothing to do), -EINVAL, -ENOMEM. */
int case_resources_as_written(const struct test_case *test, struct arena *arena,
                              const char *(*lookup)(void *ctx, const char *alias), void *ctx, json_t *resources,
                              struct error **err);

/* The invalid resource of that name, as JSON with each ${alias} replaced; a new reference. -ENOENT, -EINVAL, -ENOMEM.
 */
int case_invalid_resource(const struct test_case *test, const struct resource_name *name, struct arena *arena,
                          const char *(*lookup)(void *ctx, const char *alias), void *ctx, json_t **ret_resource,
                          struct error **err);

/* A resource may be in the case in several states, of which one is in force: they are called NAME and NAME--STATE. The
 * length of NAME. */
size_t resource_base_length(const char *name);

/* The columns of a case: version combinations to run it in, each a full set of versions, e.g. access/v1alpha2 with
 * specs/v1alpha3. Heap array. A combination that turns out to be unable to express the case is found by smi_convert
 * later. */
struct case_column {
  struct smi_version access; /* {0} when the case has no resource of the group */
  struct smi_version specs;
  struct smi_version split;
  struct smi_version metrics; /* alone: what the case applies is in hub form */
  char label[64];             /* "access/v1alpha2 specs/v1alpha3" */
};
int case_columns(const struct test_case *test, struct case_column **ret_columns, size_t *ret_count);
/* The version of `group` in a column; alpha 0 when the column has none. */
struct smi_version column_version(const struct case_column *column, enum smi_group group);

#endif
