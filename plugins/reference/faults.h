/* The ways the reference mesh can be told to be wrong, in one list for the mesh and its adapter.
 * X(ENUMERATOR, name, requirement a conformance run must then report as broken, what it does) */
#ifndef TRAMMEL_PLUGINS_REFERENCE_FAULTS_H
#define TRAMMEL_PLUGINS_REFERENCE_FAULTS_H

/* clang-format off */
#define REFERENCE_FAULTS(X)                                                                                            \
  X(ALLOW_BY_DEFAULT,        "allow-by-default",        "ACC-01", "enforcement is never switched on") \
  X(IGNORE_DESTINATION,      "ignore-destination",      "ACC-01", "a permission holds for every ServiceAccount of its destination's namespace") \
  X(FIRST_TARGET_ONLY,       "first-target-only",       "ACC-02", "only the first permission for a destination counts") \
  X(IGNORE_SOURCE,           "ignore-source",           "ACC-03", "every meshed caller counts as a listed source") \
  X(FIRST_SOURCE_ONLY,       "first-source-only",       "ACC-03", "only the first listed source counts") \
  X(LEAK_DENIED,             "leak-denied",             "ACC-03", "1% of what is denied is let through") \
  X(IGNORE_PATH,             "ignore-path",             "ACC-04", "paths of a match are not looked at") \
  X(HTTP_RULE_OPENS_TCP,     "http-rule-opens-tcp",     "ACC-04", "an HTTP rule opens TCP ports, too") \
  X(EMPTY_MEANS_ANY,         "empty-means-any",         "ACC-04", "a permission without rules, or without sources, allows all of them") \
  X(FIRST_ROUTE_MATCH_ONLY,  "first-match-only",        "ACC-05", "only the first match of a rule counts") \
  X(MATCHES_IGNORED,         "matches-ignored",         "ACC-06", "the matches of a rule are not looked at") \
  X(PORT_ROUTE_UNION,        "port-route-union",        "ACC-07", "an HTTP rule with ports allows any request on these, and its matches on any port") \
  X(PORTS_IGNORED,           "ports-ignored",           "ACC-08", "ports of a rule are not looked at") \
  X(FIRST_PORT_ONLY,         "first-port-only",         "ACC-08", "only the first port of a rule counts") \
  X(PORTS_AS_RANGE,          "ports-as-range",          "ACC-08", "the ports of a rule are read as a range, from the lowest to the highest") \
  X(UDP_UNENFORCED,          "udp-unenforced",          "ACC-09", "permissions are not looked at for UDP") \
  X(TCP_ROUTE_OPENS_UDP,     "tcp-route-opens-udp",     "ACC-09", "ports of a TCP rule are open for UDP as well") \
  X(UDP_PORTS_IGNORED,       "udp-ports-ignored",       "ACC-09", "ports of a UDP rule are not looked at") \
  X(CLIENT_SIDE_ONLY,        "client-side-only",        "ACC-10", "only the caller's own proxy enforces") \
  X(FAKED_ANSWER,            "faked-answer",            "ACC-02", "where traffic is denied by default, the proxy itself answers 200 to allowed GET requests") \
  X(SOURCE_NAMESPACE_IGNORED, "source-namespace-ignored", "ACC-11", "a source is told by its name alone") \
  X(FOREIGN_SOURCES_REFUSED, "foreign-sources-refused", "ACC-11", "sources of another namespace are refused") \
  X(DESTINATION_NAMESPACE_IGNORED, "destination-namespace-ignored", "ACC-11", "a destination is told by its name alone") \
  X(IDENTITY_IS_WORKLOAD,    "identity-is-workload",    "ACC-11", "certificates name the workload, not its ServiceAccount") \
  X(ALLOW_KEPT_AFTER_DELETE, "allow-kept-after-delete", "ACC-14", "a deleted permission goes on allowing") \
  X(STALE_DELETE,            "stale-delete",            "ACC-14", "a deleted permission goes on allowing for 5 seconds") \
  X(DENY_KEPT_AFTER_GRANT,   "deny-kept-after-grant",   "ACC-14", "a permission that was deleted once does not count when it is declared again") \
  X(DECIDED_ONCE,            "decided-once",            "ACC-14", "open connections don't learn of deleted permissions") \
  X(H2C_FIRST_STREAM_ONLY,   "h2c-first-stream-only",   "ACC-14", "of an HTTP/2 connection between proxies only the first request is decided") \
  X(H2C_UNENFORCED,          "h2c-unenforced",          "ACC-04", "HTTP/2 requests are let through undecided") \
  X(UNANCHORED_PATH,         "unanchored-path",         "SPC-02", "a path may match anywhere") \
  X(EXACT_ONLY_PATH,         "exact-only-path",         "SPC-02", "a path must match to its end") \
  X(PREFIX_BY_SEGMENT,       "prefix-by-segment",       "SPC-02", "a path must match up to a slash, or to its end") \
  X(QUERY_IN_PATH,           "query-in-path",           "SPC-02", "a path is matched together with its query") \
  X(STAR_COMMON_ONLY,        "star-common-only",        "SPC-03", "any method means GET, HEAD and POST") \
  X(IGNORE_HEADERS,          "ignore-headers",          "SPC-04", "headers of a match are not looked at") \
  X(HEADERS_ORED,            "headers-ored",            "SPC-04", "one matching header of a match is enough") \
  X(ABSENT_HEADER_MATCHES,   "absent-header-matches",   "SPC-04", "a header that a request does not have matches") \
  X(HEADER_PREFIX,           "header-prefix",           "SPC-04", "a header's value need not match to its end") \
  X(MATCHES_ANDED,           "matches-anded",           "SPC-05", "all matches of a rule must hold") \
  X(HEADERS_ALONE_IGNORED,   "headers-alone-ignored",   "SPC-06", "a match of headers alone never holds") \
  X(IGNORE_METHOD,           "ignore-method",           "SPC-07", "methods of a match are not looked at") \
  X(ANY_PORT_IS_NONE,        "any-port-is-none",        "SPC-08", "a TCP rule without ports opens none") \
  X(SPLIT_EQUAL,             "split-equal",             "SPL-01", "weights above 0 count as equal") \
  X(SPLIT_OFF_BY_5,          "split-off-by-5",          "SPL-01", "the first backend gets 5 points less, the last one 5 more") \
  X(SPLIT_STICKY_CONNECTION, "split-sticky-connection", "SPL-01", "a connection's first choice stands for all its requests") \
  X(SPLIT_CHANGE_CUTS,       "split-change-cuts",       "SPL-01", "a change of a split cuts the connections of its namespace") \
  X(SPLIT_CHANGE_FALLS_BACK, "split-change-falls-back", "SPL-01", "for 50 ms after a change of a split the root service's workloads take all") \
  X(SPLIT_KEPT_AFTER_DELETE, "split-kept-after-delete", "SPL-01", "a deleted split goes on splitting") \
  X(MILLI_MISREAD,           "milli-misread",           "SPL-02", "a weight of 500m is read as 500") \
  X(SPLIT_AS_PERCENT,        "split-as-percent",        "SPL-03", "weights are percent, and the rest goes to the root service") \
  X(SPLIT_OVERFLOW,          "split-overflow",          "SPL-03", "10,000 times a weight is kept in 32 bits") \
  X(SPLIT_LEAK_ZERO,         "split-leak-zero",         "SPL-04", "a backend of weight 0 gets 1% of the requests") \
  X(SPLIT_ZERO_AS_ONE,       "split-zero-as-one",       "SPL-04", "a weight of 0 counts as 1") \
  X(SPLIT_LONE_ZERO,         "split-lone-zero",         "SPL-04", "backends share equally when their weights sum to 0") \
  X(OMITTED_BACKEND_SERVED,  "omitted-backend-served",  "SPL-05", "the root service's own workload gets 1% of the requests") \
  X(PORT_MISMATCH_SERVED,    "port-mismatch-served",    "SPL-06", "a service without the port that is asked for is reached on its first port") \
  X(TARGET_PORT_IGNORED,     "target-port-ignored",     "SPL-07", "a service is reached on its port, not on its targetPort") \
  X(MISSING_BACKEND_VOIDS,   "missing-backend-voids",   "SPL-08", "a split with a backend that does not exist is not applied") \
  X(OUTSIDERS_SPLIT,         "outsiders-split",         "SPL-09", "the root's inbound proxy splits what comes from outside the mesh") \
  X(SPLIT_BY_CLIENT,         "split-by-client",         "SPL-10", "a client's requests all go to one backend, chosen by its identity") \
  X(SPLIT_IGNORES_MATCHES,   "split-ignores-matches",   "SPL-11", "a split with matches splits every request") \
  X(UNMATCHED_DROPPED,       "unmatched-dropped",       "SPL-11", "requests outside a split's matches get 503") \
  X(SPLIT_FIRST_MATCH_ONLY,  "split-first-match-only",  "SPL-12", "only the first match of a split's condition counts") \
  X(NESTED_SPLITS,           "nested-splits",           "SPL-13", "the split of a chosen backend is followed") \
  X(DIRECT_TRAFFIC_SPLIT,    "direct-traffic-split",    "SPL-15", "traffic to a backend's own service is split, too") \
  X(METRICS_OFF_BY_ONE,      "metrics-off-by-one",      "MET-02", "of ten requests one is counted twice") \
  X(METRICS_SUCCESS_INVERTED, "metrics-success-inverted", "MET-02", "successes are counted as failures, and the reverse") \
  X(METRICS_LATENCY_UNIT,    "metrics-latency-unit",    "MET-02", "latencies in milliseconds are given as seconds") \
  X(METRICS_ONE_POD_ONLY,    "metrics-one-pod-only",    "MET-03", "the value of a deployment is that of one pod") \
  X(METRICS_EDGES_SWAPPED,   "metrics-edges-swapped",   "MET-04", "edges have the opposite direction") \
  X(METRICS_SELECTOR_IGNORED, "metrics-selector-ignored", "MET-05", "label selectors choose everything") \
  X(METRICS_SPLIT_TOTAL,     "metrics-split-total",     "MET-06", "each backend of a split has the split's total") \
  X(METRICS_LIST_MISSING,    "metrics-list-missing",    "MET-01", "metrics of all of a kind are not served")
/* clang-format on */

#endif
