/* Linkerd takes the best route that matches a request, and only who that route admits. SMI admits whom any match
 * admits. So where matches with different sources overlap, the requests that they share become a cell of their own, for
 * the sources of all of them. It has to be better than each of them for Linkerd: by naming a method or more headers, or
 * because their paths exclude each other.
 *
 * Rank of a match (linkerd2-proxy, http route matching): characters of the path matched (a regular expression or exact
 * path: all of it; PathPrefix "/": one), then whether it names a method, then the number of headers. Among equals, the
 * older HTTPRoute decides, which nobody can write down. */
#ifndef TRAMMEL_PLUGINS_LINKERD_OVERLAP_H
#define TRAMMEL_PLUGINS_LINKERD_OVERLAP_H

#include "plugins/linkerd/cell.h"

/* Cells of one server with different sources: when none overlap; when some do; and what these come to. */
#define OVERLAP_CLEAR_MAX 512u
#define OVERLAP_WANTED_MAX 64u
#define OVERLAP_CELLS_MAX 128u

/* `wanted` is settled. What it comes to is put into `*ret_cells`, with `regex` set, so that each request is admitted
 * for exactly the sources of all wanted cells that it is in. Cells for which that cannot be had are left out, whole,
 * and marked in `ret_left_out`, of as many as wanted. False without memory. */
bool overlap_resolve(const struct cells *wanted, struct cells *ret_cells, bool *ret_left_out);

#endif
