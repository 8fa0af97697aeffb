/* Matches of HTTPRouteGroups as an AuthorizationPolicy can say them. */
#ifndef TRAMMEL_PLUGINS_ISTIO_MATCH_H
#define TRAMMEL_PLUGINS_ISTIO_MATCH_H

#include "plugins/istio/options.h"
#include "plugins/istio/pattern.h"
#include "sdk/kube/rules.h"

/* What was decided on a match that is not unsupported. */
struct istio_match {
  const struct smi_http_match *smi;
  struct pattern path;
  const struct pattern *headers;
  bool any_method;
  bool coarse; /* its strings admit more than it means: an EnvoyFilter has to say the rest */
  /* For an AuthorizationPolicy. */
  const char *path_string;           /* NULL: any path */
  bool say_methods;                  /* else any method */
  const char *const *header_strings; /* one for each header */
};

/* Sets the level of `match`, covers the match, and fills in what was decided. */
void match_decide(struct coverage_list *coverage, const struct istio_options *options, struct kube_match *match,
                  struct istio_match *ret_match);

/* Whether no request can match, so that it is said by saying nothing. */
bool match_is_void(const struct istio_match *match);

/* Envoy's name of a header of HTTP: in lower case, and ":authority" for Host. In the call's memory. */
const char *match_header_name(struct call *call, const char *name);

#endif
