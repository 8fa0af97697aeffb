#include "host/conformance/suite.h"

/* docs/smi.md, "Interpretations", word for word. */
static const struct interpretation interpretations[] = {
    {.number = 1,
     .title = "Form of `headers`",
     .text = "The text shows a map, the CustomResourceDefinition a list of maps. Both are read; the list is written."},
    {.number = 2,
     .title = "Required fields of a match",
     .text = "The text calls all fields required and shows header-only matches. Only `name` is required."},
    {.number = 3,
     .title = "Reach of pathRegex",
     .text = "It must match from the first `/` and need not reach the end. `.` is any character. The path is meant "
             "without its query."},
    {.number = 4,
     .title = "Header values",
     .text = "The expression must match the whole value, which is what implementations do. A header that is absent "
             "never matches. Names compare without case, values with it."},
    {.number = 5,
     .title = "Dialect",
     .text = "What RE2 and Rust's regex read alike: no back-references, look-around, possessive quantifiers, atomic "
             "groups, conditionals, octal escapes, `\\Q…\\E`, `\\v`, nested classes, a named class outside brackets "
             "(`[:alpha:]` for `[[:alpha:]]`); counts up to 1000, also multiplied; `(?P<name>…)` for names; flags i, "
             "m, s, U. An unescaped `{` is not a character. `\\d`, `\\w`, `\\s`, `\\b` and the flag i are accepted and "
             "alike for ASCII only: beyond it, RE2 reads them as ASCII and Rust as Unicode."},
    {.number = 6,
     .title = "TCPRoute with HTTPRouteGroup in one target",
     .text = "Both must hold: the port and the route. TCP and UDP add up."},
    {.number = 7,
     .title = "Service port or target port",
     .text = "Ports in routes are ports of the Service. Where a mesh sees pod ports, they are resolved through the "
             "Service, and the translation says so."},
    {.number = 8, .title = "`ports` absent, null or empty", .text = "All ports."},
    {.number = 9,
     .title = "Namespaces",
     .text = "A subject without `namespace` is in the TrafficTarget's own. Routes are looked up in the TrafficTarget's "
             "namespace. A target need not be in its destination's namespace."},
    {.number = 10, .title = "No rules in v1alpha1 and v1alpha2", .text = "Nothing is allowed; lint warns."},
    {.number = 11,
     .title = "Weights",
     .text = "Negative, and from v1alpha2 fractional ones, are errors. A sum of 0 sends nothing to any backend. A "
             "backend listed twice, a root that is its own backend, and two splits of one root are lint errors."},
    {.number = 12, .title = "Ports of root and backend", .text = "They match by number, not by name."},
    {.number = 13,
     .title = "Metrics",
     .text =
         "Success is everything but 5xx. Latency is a Quantity of the unit beside it, `seconds` or `ms`. A count is of "
         "requests since some moment, not a rate. A TrafficSplit by its name is a list with an item for each "
         "backend. A selector of edges chooses by the labels of the peer. The edges of Services and TrafficSplits "
         "lead to the pods that called."},
    {.number = 14,
     .title = "Open TCP connections",
     .text = "Deleting a TrafficTarget ends the connections that only it allowed. On open HTTP connections each "
             "request is traffic of its own."},
    {.number = 15,
     .title = "The share of a backend that does not exist",
     .text = "The backend is left out, as one without the port is, and the others divide its share."},
    {.number = 16,
     .title = "Splits of UDP",
     .text = "A split applies to UDP by the flows of a client (address and port), as it applies to TCP by "
             "connections."},
};

int interpretation_last(void) {
  return (int)ARRAY_COUNT(interpretations);
}

const struct interpretation *interpretation_find(int number) {
  return number >= 1 && number <= interpretation_last() ? &interpretations[number - 1] : NULL;
}
