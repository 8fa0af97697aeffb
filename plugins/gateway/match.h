/* Matches of HTTPRouteGroups as matches of an HTTPRoute (Gateway API 1.6, HTTPRouteMatch). A match with several methods
 * becomes several. A PathPrefix is by segments and ignores a slash at the end, so it says no pathRegex but "/". */
#ifndef TRAMMEL_PLUGINS_GATEWAY_MATCH_H
#define TRAMMEL_PLUGINS_GATEWAY_MATCH_H

#include "plugins/gateway/options.h"
#include "sdk/adapter/coverage.h"

/* What the API takes at most. */
#define MATCH_HEADERS_MAX 16u
#define MATCH_PATH_MAX 1024u   /* characters of a path */
#define MATCH_HEADER_MAX 4096u /* of a header's value */

struct match_list {
  json_t *items;
  bool regex_path; /* one of them has a path by RegularExpression */
};

/* Appends what match `index` of the group becomes, and covers it at its place. False when it, or a part of it, is left
 * out. */
bool match_append(struct coverage_list *coverage, const struct gateway_options *options,
                  const struct smi_http_route_group *group, size_t index, struct match_list *list);

/* After the last match: has those without a path rank as they should. By the API, an exact path ranks above a prefix
 * and a longer prefix above a shorter one, then methods, then headers count, and then what comes first; where a path by
 * RegularExpression ranks is left to implementations. So beside such, every match but the exact ones is one itself.
 * -ENOMEM.
 */
int matches_finish(struct match_list *list);

/* A match of any request that ranks below those of the list. A new reference; NULL without memory. */
json_t *match_of_the_rest(const struct match_list *list);

#endif
