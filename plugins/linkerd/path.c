#include "plugins/linkerd/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/smi/regex.h"

static bool is_ascii(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~')
      return false;
  return true;
}

int path_read(struct arena *arena, const char *regex, struct path *ret_path, struct error **err) {
  struct regex_analysis analysis;
  int r = regex_analyse_path(arena, regex, &analysis, err);
  if (r < 0)
    return r;
  *ret_path = (struct path){PATH_REGEX, regex};
  if (analysis.kind == REGEX_ANYTHING)
    *ret_path = (struct path){PATH_ANY, ""};
  else if (analysis.kind == REGEX_LITERAL_PREFIX && is_ascii(analysis.literal))
    *ret_path = (struct path){PATH_PREFIX, analysis.literal};
  else if (analysis.kind == REGEX_EXACT && is_ascii(analysis.literal))
    *ret_path = (struct path){PATH_EXACT, analysis.literal};
  return 0;
}

int path_compare(const struct path *a, const struct path *b) {
  return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->text, b->text);
}

/* How many characters every match of a pathRegex begins with, as they stand there. */
static size_t literal_beginning(const char *regex, const char **ret_start) {
  const char *start = regex + (*regex == '^');
  size_t length = strcspn(start, "\\^$.*+?()[{|");
  *ret_start = start;
  if (strchr(start, '|')) /* perhaps another beginning */
    return 0;
  return length > 0 && start[length] && strchr("*?{", start[length]) ? length - 1 : length;
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether no path has both the expression and the literal. */
static bool regex_is_apart(const struct path *regex, const struct path *other) {
  const char *start, *other_start = other->text;
  size_t length = literal_beginning(regex->text, &start), other_length = strlen(other->text);
  if (other->kind == PATH_REGEX)
    other_length = literal_beginning(other->text, &other_start);
  size_t shorter = length < other_length ? length : other_length;
  return strncmp(start, other_start, shorter) != 0 || (other->kind == PATH_EXACT && length > other_length);
}

static enum path_relation relate_literals(const struct path *a, const struct path *b) {
  if (b->kind == PATH_PREFIX && starts_with(a->text, b->text))
    return PATHS_INNER;
  if (a->kind == PATH_PREFIX && starts_with(b->text, a->text))
    return PATHS_OUTER;
  return PATHS_APART;
}

enum path_relation path_relate(const struct path *a, const struct path *b) {
  if (path_compare(a, b) == 0)
    return PATHS_SAME;
  if (a->kind == PATH_ANY)
    return PATHS_OUTER;
  if (b->kind == PATH_ANY)
    return PATHS_INNER;
  if (a->kind == PATH_REGEX)
    return regex_is_apart(a, b) ? PATHS_APART : PATHS_UNKNOWN;
  if (b->kind == PATH_REGEX)
    return regex_is_apart(b, a) ? PATHS_APART : PATHS_UNKNOWN;
  return relate_literals(a, b);
}

bool path_may_be_root(const struct path *path) {
  static const struct path root = {PATH_EXACT, "/"};
  enum path_relation relation = path_relate(path, &root);
  return relation != PATHS_APART;
}

static void put_literal(struct strbuf *out, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (strchr("\\^$.*+?()[]{}|", text[i]))
      strbuf_putc(out, '\\');
    strbuf_putc(out, text[i]);
  }
}

/* In a class, these mean something. */
static void put_class_character(struct strbuf *out, char c) {
  if (strchr("\\^-[]&~", c))
    strbuf_putc(out, '\\');
  strbuf_putc(out, c);
}

static int by_text(const void *a, const void *b) {
  const struct path *x = *(const struct path *const *)a, *y = *(const struct path *const *)b;
  int order = strcmp(x->text, y->text);
  return order != 0 ? order : (int)x->kind - (int)y->kind;
}

/* What may follow the first `depth` characters, which all of `inner` have, so that none of them matches. Nothing may,
 * when one of them is a prefix that ends here. */
static void put_rest(struct strbuf *out, const struct path *const *inner, size_t count, size_t depth) {
  bool ends = false; /* one of them is just these characters */
  while (count > 0 && inner[0]->text[depth] == '\0') {
    ends = true;
    inner++;
    count--;
  }
  if (count == 0) {
    strbuf_puts(out, ends ? ".+" : ".*");
    return;
  }
  strbuf_puts(out, "(?:[^");
  for (size_t i = 0; i < count; i++)
    if (i == 0 || inner[i]->text[depth] != inner[i - 1]->text[depth])
      put_class_character(out, inner[i]->text[depth]);
  strbuf_puts(out, "].*");
  for (size_t start = 0, end; start < count && out->length <= PATH_VALUE_MAX; start = end) {
    bool closed = false;
    for (end = start; end < count && inner[end]->text[depth] == inner[start]->text[depth]; end++)
      closed |= inner[end]->kind == PATH_PREFIX && inner[end]->text[depth + 1] == '\0';
    if (closed)
      continue;
    strbuf_putc(out, '|');
    put_literal(out, inner[start]->text + depth, 1);
    put_rest(out, inner + start, end - start, depth + 1);
  }
  strbuf_puts(out, ends ? ")" : "|)");
}

static void put_path(struct strbuf *out, const struct path *path, const struct path *const *inner, size_t count) {
  strbuf_putc(out, '^');
  if (path->kind == PATH_REGEX) {
    strbuf_puts(out, "(?:");
    strbuf_puts(out, path->text);
    strbuf_puts(out, ").*");
  } else {
    put_literal(out, path->text, strlen(path->text));
    if (path->kind == PATH_PREFIX)
      put_rest(out, inner, count, strlen(path->text));
  }
  strbuf_putc(out, '$');
}

const char *path_regex(struct arena *arena, const struct path *path, const struct path *inner, size_t inner_count) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  const struct path **sorted = arena_array(arena, inner_count, sizeof *sorted);
  if (!sorted)
    return NULL;
  for (size_t i = 0; i < inner_count; i++)
    sorted[i] = &inner[i];
  if (inner_count)
    qsort(sorted, inner_count, sizeof *sorted, by_text);
  put_path(&text, path, sorted, inner_count);
  return strbuf_failed(&text) || text.length > PATH_VALUE_MAX ? NULL : arena_strdup(arena, strbuf_text(&text));
}
