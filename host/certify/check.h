/* The checks of `trammel adapter check`: each proves one thing about an adapter. */
#ifndef TRAMMEL_HOST_CERTIFY_CHECK_H
#define TRAMMEL_HOST_CERTIFY_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* What a check comes to. Of several places, the weightiest counts: later ones weigh more. */
enum certify_verdict {
  CERTIFY_SKIPPED = 1, /* there is nothing to check, and the reason says why */
  CERTIFY_PASSED,
  CERTIFY_WARNING, /* works, and will trouble somebody */
  CERTIFY_FAILED,
  CERTIFY_CRASHED, /* the adapter ended the process it ran in */
};
#define CERTIFY_VERDICT_LAST CERTIFY_CRASHED
const char *certify_verdict_name(enum certify_verdict verdict); /* "skipped", "passed" … */

/* Where the adapter runs for a check. */
enum certify_place {
  CERTIFY_HOST = 1,   /* nowhere: the check looks at the file */
  CERTIFY_IN_PROCESS, /* in the process of the check, which is confined */
  CERTIFY_CHILD,      /* in a trammel-runner that the process of the check has started */
};
#define CERTIFY_PLACE_LAST CERTIFY_CHILD
const char *certify_place_name(enum certify_place place); /* "file", "in-process", "child" */

struct sitting;

struct certify_check {
  const char *id;     /* stable: "determinism" */
  const char *proves; /* one sentence */
  void (*run)(struct sitting *sitting);
  enum certify_place places[CERTIFY_PLACE_LAST + 1]; /* ends with 0 */
  unsigned limit_s;                                  /* how long it may take in one place; 0: EXAMINE_LIMIT_S */
  bool compared;                                     /* what the adapter answers must be the same in all places */
  bool refused_too;                                  /* also of an adapter that the host refuses to load */
};

/* In the order in which they run and are told. */
extern const struct certify_check certify_checks[];
extern const size_t certify_check_count;

#endif
