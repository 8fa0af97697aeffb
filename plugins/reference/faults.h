/* The ways the reference mesh can be told to be wrong, in one list for the mesh and its adapter.
 * X(ENUMERATOR, name, requirement a conformance run must then report as broken, what it does) */
#ifndef TRAMMEL_PLUGINS_REFERENCE_FAULTS_H
#define TRAMMEL_PLUGINS_REFERENCE_FAULTS_H

/* clang-format off */
#define REFERENCE_FAULTS(X)                                                                                            \
  X(ALLOW_BY_DEFAULT,        "allow-by-default",        "ACC-01", "enforcement is never switched on")                  \
  X(IGNORE_SOURCE,           "ignore-source",           "ACC-03", "every meshed caller counts as a listed source")     \
  X(IGNORE_METHOD,           "ignore-method",           "SPC-07", "methods of a match are not looked at")              \
  X(IGNORE_PATH,             "ignore-path",             "ACC-04", "paths of a match are not looked at")                \
  X(IGNORE_HEADERS,          "ignore-headers",          "SPC-04", "headers of a match are not looked at")              \
  X(EXACT_ONLY_PATH,         "exact-only-path",         "SPC-02", "a path must match to its end")                      \
  X(FIRST_TARGET_ONLY,       "first-target-only",       "ACC-02", "only the first permission for a destination counts") \
  X(PORTS_IGNORED,           "ports-ignored",           "ACC-08", "ports of a rule are not looked at")                 \
  X(CLIENT_SIDE_ONLY,        "client-side-only",        "ACC-10", "only the caller's own proxy enforces")              \
  X(ALLOW_KEPT_AFTER_DELETE, "allow-kept-after-delete", "ACC-14", "a deleted permission goes on allowing")             \
  X(SPLIT_EQUAL,             "split-equal",             "SPL-01", "weights above 0 count as equal")                    \
  X(SPLIT_LEAK_ZERO,         "split-leak-zero",         "SPL-04", "a backend of weight 0 gets 1% of the requests")     \
  X(UNMATCHED_DROPPED,       "unmatched-dropped",       "SPL-11", "requests outside a split's matches get 503")
/* clang-format on */

#endif
