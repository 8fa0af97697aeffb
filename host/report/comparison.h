/* What changed from one run to another: requirement by requirement, case and column by case and column. Pure. */
#ifndef TRAMMEL_HOST_REPORT_COMPARISON_H
#define TRAMMEL_HOST_REPORT_COMPARISON_H

#include <stdio.h>

#include "host/conformance/result.h"
#include "host/report/matrix.h"
#include "sdk/base/error.h"

/* In the order they are told. */
enum change {
  CHANGE_NONE = 0,
  CHANGE_BROKEN,       /* held before, is broken now */
  CHANGE_LOST,         /* held before, was skipped or could not be judged now */
  CHANGE_FOUND,        /* was not judged before, is broken now */
  CHANGE_STILL_BROKEN, /* before and now */
  CHANGE_MENDED,       /* broken before, holds now */
  CHANGE_GAINED,       /* was not judged before, holds now */
  CHANGE_OTHER,        /* anything else, such as a case that became informative */
  CHANGE_NEW,          /* only in the later run */
  CHANGE_REMOVED,      /* only in the earlier run */
};
#define CHANGE_LAST CHANGE_REMOVED
const char *change_name(enum change change); /* "same", "broken", "lost", "found", "still-broken" … */

/* A requirement in one version of its group. */
struct cell_change {
  const char *requirement;
  enum smi_group group;
  unsigned alpha; /* 0: cases without a resource of the group */
  enum cell before;
  enum cell after;
  enum change change;
};

/* How much slower or faster changes must have become in effect to be told: by this factor and this time. */
#define PACE_FACTOR 2
#define PACE_LEAST_NS (INT64_C(100) * 1000000)
enum pace { PACE_SAME = 0, PACE_SLOWER, PACE_FASTER };

/* A case in one column. */
struct case_change {
  const struct case_result *before; /* NULL: it is new */
  const struct case_result *after;  /* NULL: it was removed */
  enum change change;
  enum pace pace;
  bool redefined; /* the suites say something else of it: level, requirements, title, steps */
};

/* Something about the circumstances that is not as it was. */
struct fact_change {
  const char *name;   /* "mesh version" */
  const char *before; /* NULL: unknown */
  const char *after;
};

struct comparison {
  const struct run_result *before;
  const struct run_result *after;
  const char *before_name; /* for people: where the reports came from */
  const char *after_name;
  const struct fact_change *facts;
  size_t fact_count;
  const struct cell_change *cells; /* all, by group, id and version */
  size_t cell_count;
  const struct case_change *cases; /* all, by id and column */
  size_t case_count;
  unsigned cell_counts[CHANGE_LAST + 1];
  unsigned case_counts[CHANGE_LAST + 1];
  unsigned slower, faster, redefined;
  struct arena *arena; /* all of the above */
};

/* Borrows from both runs and the names. -EINVAL when the runs are of different suites, -ERANGE for a version beyond the
 * matrix, -ENOMEM. */
int comparison_make(const struct run_result *before, const char *before_name, const struct run_result *after,
                    const char *after_name, struct comparison *ret_comparison, struct error **err);
void comparison_finish(struct comparison *comparison);
#define _cleanup_comparison_ _cleanup_(comparison_finish)

/* Exit code: 1 when something that held before is broken; else 3 when something that held before was not judged, or the
 * later run ended early and misses cases; else 0. */
int comparison_exit_code(const struct comparison *comparison);

/* Whether the two suites have different cases, or say something else of one. */
bool comparison_suites_differ(const struct comparison *comparison);

/* "v1alpha3", "any version" for 0. */
#define VERSION_TEXT_MAX 24
const char *version_text(unsigned alpha, char text[VERSION_TEXT_MAX]);

/* A heading for what changed so. */
const char *change_title(enum change change);

/* Writers: 0 or -errno, as those of host/report/report.h. JSON: docs/schema/conformance-diff.json. */
int comparison_text(const struct comparison *comparison, bool colour, FILE *out);
int comparison_json(const struct comparison *comparison, FILE *out);
int comparison_markdown(const struct comparison *comparison, FILE *out);

#endif
