#include "tests/support/smi_property/samples.h"

#include <string.h>

struct sample {
  const char *regex;
  const char *texts[6]; /* up to the first NULL */
};

static const struct sample paths[] = {
    /* Anything. */
    {NULL, {"/", "/api", "/x"}},
    {"", {"/", "/api"}},
    {".*", {"/", "/web"}},
    {"/", {"/", "/api"}},
    {"/.*", {"/", "/api/v1"}},
    {"^/.*$", {"/", "/x"}},
    /* Prefixes. */
    {"/api", {"/api", "/apis", "/api/v1", "/ap", "/x/api"}},
    {"/api.*", {"/api", "/apix", "/ap"}},
    {"^/api", {"/api", "/api/", "/web"}},
    {"/api/", {"/api", "/api/", "/api/v1"}},
    {"/api/.*", {"/api", "/api/", "/api/x"}},
    {"/api/v1", {"/api/v1", "/api/v12", "/api/v1/users", "/api/v2"}},
    {"/a\\.b", {"/a.b", "/a.b/c", "/axb"}},
    {"/x\\*y", {"/x*y", "/x*yz", "/xzy", "/x*"}},
    {"/\\{id\\}", {"/{id}", "/{id}/x", "/5"}},
    {"/a%20b", {"/a%20b", "/a%20bc", "/a b"}},
    /* One path. */
    {"/api$", {"/api", "/apis", "/api/", "/ap"}},
    {"^/api$", {"/api", "/api/x"}},
    {"/$", {"/", "/x", "/api"}},
    {"/index\\.html$", {"/index.html", "/index.htmlx", "/indexahtml"}},
    {"/x\\*$", {"/x*", "/xx", "/x*y", "/x"}},
    /* Nothing simpler. */
    {"/a.b", {"/a.b", "/axb", "/axbc", "/ab"}},
    {"/api|/web", {"/api", "/web", "/webx", "/x/web", "/we"}},
    {"/api$|/web", {"/api", "/apix", "/web", "/webx", "/x/web"}},
    {"/(api|web)/[a-z]+", {"/api/x", "/web/y/z", "/api/", "/api/7", "/x/api/x"}},
    {"/api(/.*)?$", {"/api", "/api/", "/api/v1", "/apis"}},
    {"/items/[0-9]+", {"/items/5", "/items/5x", "/items/", "/items/x"}},
    {"/items/[0-9]+$", {"/items/12", "/items/12/", "/items/12x"}},
    {"(?i)/admin", {"/admin", "/ADMIN/x", "/Admi"}},
    {"/[^/]+/edit$", {"/x/edit", "/edit", "/x/y/edit", "/x/edit/"}},
    {".*/edit", {"/edit", "/x/edit", "/x/edits", "/edi"}},
    {".*\\.png$", {"/a.png", "/x/y.png", "/a.png/", "/apng"}},
    {"/api/v1/?$", {"/api/v1", "/api/v1/", "/api/v1//", "/api/v1/x"}},
    {"/a{2}", {"/aa", "/aaa", "/a", "/a{2}"}},
    {"[/]api", {"/api", "/apix", "/x/api"}},
    {"/(|api)$", {"/", "/api", "/x", "/ap"}},
    {"api", {"/api", "/x"}}, /* no path starts so */
};

static const struct sample headers[] = {
    {".*", {"admin", "", "x"}},
    {"admin", {"admin", "administrator", "Admin", "xadmin"}},
    {"^admin$", {"admin", "administrator"}},
    {"adm.*", {"admin", "adm", "ad", "xadmin"}},
    {".+", {"x", ""}},
    {"[0-9]+", {"7", "42", "x7", "7x", ""}},
    {"a|b", {"a", "b", "ab", "ax", "xb"}},
    {"beta(-[0-9]+)?", {"beta", "beta-2", "beta-", "abeta"}},
    {"(?i)yes", {"yes", "YES", "yess"}},
    {"v1\\.2", {"v1.2", "v1x2", "v1.2.3"}},
    {"v1.2", {"v1.2", "v1x2", "v12"}},
    {".*-canary", {"x-canary", "-canary", "x-canaryx", "canary"}},
    {"x\\*", {"x*", "x", "xx", "x*y"}},
    {"a b", {"a b", "a  b", "ab"}},
};

static const char *text_of(struct random *random, const struct sample *table, size_t count, const char *regex) {
  size_t at = random_below(random, count);
  if (regex && !random_chance(random, 1, 10))
    for (size_t i = 0; i < count; i++)
      if (table[i].regex && strcmp(table[i].regex, regex) == 0)
        at = i;
  size_t texts = 0;
  while (texts < sizeof table->texts / sizeof *table->texts && table[at].texts[texts])
    texts++;
  /* The first one matches nearly always: else conjunctions of several expressions would never hold. */
  return table[at].texts[random_chance(random, 1, 2) ? 0 : random_below(random, texts)];
}

const char *sample_path_regex(struct random *random) {
  return paths[random_below(random, sizeof paths / sizeof *paths)].regex;
}

const char *sample_header_regex(struct random *random) {
  return headers[random_below(random, sizeof headers / sizeof *headers)].regex;
}

const char *sample_path(struct random *random, const char *regex) {
  return text_of(random, paths, sizeof paths / sizeof *paths, regex);
}

const char *sample_header(struct random *random, const char *regex) {
  return text_of(random, headers, sizeof headers / sizeof *headers, regex);
}
