/* Paths of HTTPRoutes. Where requests of one destination are allowed to different sources, Linkerd decides by the best
 * route alone, and all regular expressions that match a path are equally good. So paths that contain each other are
 * taken apart: what is in the inner one, and what is in the outer one but not in it. */
#ifndef TRAMMEL_PLUGINS_LINKERD_PATH_H
#define TRAMMEL_PLUGINS_LINKERD_PATH_H

#include <stdbool.h>

#include "sdk/base/arena.h"
#include "sdk/base/error.h"

/* The longest value of a path match (CRD httproutes.policy.linkerd.io, and Gateway API). */
#define PATH_VALUE_MAX 1024u

enum path_kind {
  PATH_ANY,    /* said as PathPrefix "/": every other kind of match is better, but on the path "/" itself */
  PATH_PREFIX, /* starts with `text`; ASCII */
  PATH_EXACT,  /* is `text`; ASCII */
  PATH_REGEX,  /* `text` is the pathRegex, anchored at the start only */
};

struct path {
  enum path_kind kind;
  const char *text; /* "" for PATH_ANY */
};

/* How the requests of two paths lie to each other. */
enum path_relation {
  PATHS_SAME,
  PATHS_INNER,   /* the first lies in the second */
  PATHS_OUTER,   /* the second lies in the first */
  PATHS_APART,   /* no request has both */
  PATHS_UNKNOWN, /* some request may have both; neither is known to lie in the other */
};

/* Of a pathRegex; NULL: any. 0, -EINVAL as regex_check, -ENOMEM. */
int path_read(struct arena *arena, const char *regex, struct path *ret_path, struct error **err);

enum path_relation path_relate(const struct path *a, const struct path *b);

/* Kind, then text. */
int path_compare(const struct path *a, const struct path *b);

/* Whether the path "/" may match: there, PATH_ANY is no worse. */
bool path_may_be_root(const struct path *path);

/* A regular expression for Linkerd's matcher, which takes the leftmost find and looks whether it is the whole: of what
 * is in `path` and in none of `inner`, which all lie in it. NULL: longer than PATH_VALUE_MAX, or out of memory. */
const char *path_regex(struct arena *arena, const struct path *path, const struct path *inner, size_t inner_count);

#endif
